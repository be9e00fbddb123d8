/* What names can begin at: modules, and what is held from outside. */
#include "analysis/anchors.h"

#include <stdlib.h>
#include <string.h>

enum { MODULES_MAX = 1 << 16 /* of one interpreter */ };

static int compare_modules(const void *left, const void *right)
{
	const struct anchor_module *a = left, *b = right;

	if (a->dict != b->dict)
		return a->dict < b->dict ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static int compare_held(const void *left, const void *right)
{
	const struct root *a = *(const struct root *const *)left;
	const struct root *b = *(const struct root *const *)right;

	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	return a < b ? -1 : a > b;
}

static bool add_module(struct anchors *anchors, uint64_t key, uint64_t module)
{
	const struct objects *objects = anchors->roots->graph->objects;
	struct heap *heap = objects->heap;
	const struct runtime *runtime = heap->runtime;
	struct anchor_module *item;
	struct object_header header;
	const struct type *type;
	uint64_t dict;
	uint32_t number;

	if (!object_header(runtime, &heap->reader, module, &header))
		return true;
	type = type_get(runtime->types, &heap->reader, header.type);
	while (type && strcmp(type->name, "module"))
		type = type->base;
	if (!type ||
	    !reader_u64(&heap->reader, module + runtime->layout.PyModuleObject_md_dict, &dict))
		return true;
	number = objects_find(objects, dict);
	if (number == HEAP_NONE)
		return true;
	if (!(anchors->module_count & (anchors->module_count - 1))) {
		size_t capacity = anchors->module_count ? anchors->module_count * 2 : 1;

		item = realloc(anchors->modules, capacity * sizeof(*item));
		if (!item)
			return false;
		anchors->modules = item;
	}
	item = &anchors->modules[anchors->module_count];
	*item = (struct anchor_module){
		.address = module,
		.dict = number,
		.order = (uint32_t)anchors->module_count,
	};
	if (object_is_str(runtime, &heap->reader, key) &&
	    object_str(runtime, &heap->reader, key, item->name, sizeof(item->name)))
		anchors->module_count++;
	return true;
}

static bool add_modules(struct anchors *anchors)
{
	struct heap *heap = anchors->roots->graph->objects->heap;
	const struct runtime *runtime = heap->runtime;

	for (size_t i = 0; i < runtime->interpreter_count; i++) {
		uint64_t modules;
		struct dict_view view;

		if (!reader_u64(&heap->reader,
				runtime->interpreters[i].address +
					runtime->layout.PyInterpreterState_modules,
				&modules) ||
		    !dict_open(runtime, &heap->reader, modules, &view))
			continue;
		for (uint64_t j = 0; j < view.count && j < MODULES_MAX; j++) {
			uint64_t key, value, slot;

			if (dict_entry(&heap->reader, &view, j, &key, &value, &slot) && key &&
			    value && !add_module(anchors, key, value))
				return false;
		}
	}
	return true;
}

/* A module may be in sys.modules twice (os.path, posixpath): the first name counts. */
static void sort_modules(struct anchors *anchors)
{
	size_t kept = 0;

	if (!anchors->module_count)
		return;
	qsort(anchors->modules, anchors->module_count, sizeof(*anchors->modules), compare_modules);
	for (size_t i = 0; i < anchors->module_count; i++)
		if (!kept || anchors->modules[kept - 1].dict != anchors->modules[i].dict)
			anchors->modules[kept++] = anchors->modules[i];
	anchors->module_count = kept;
}

static bool names_holder(const struct root *root)
{
	return root->kind < ROOT_GARBAGE && root->kind != ROOT_INTERNED;
}

static bool add_held(struct anchors *anchors)
{
	const struct roots *roots = anchors->roots;
	size_t count = 0, kept = 0;

	for (uint32_t i = 0; i < roots->count; i++)
		count += names_holder(&roots->items[i]);
	anchors->held = malloc((count + 1) * sizeof(*anchors->held));
	if (!anchors->held)
		return false;
	for (uint32_t i = 0; i < roots->count; i++)
		if (names_holder(&roots->items[i]))
			anchors->held[kept++] = &roots->items[i];
	if (kept)
		qsort(anchors->held, kept, sizeof(*anchors->held), compare_held);
	anchors->held_count = kept;
	return true;
}

struct error *anchors_open(const struct dominators *tree, struct anchors **out)
{
	struct anchors *anchors = calloc(1, sizeof(*anchors));

	*out = NULL;
	if (!anchors)
		return &error_no_memory;
	anchors->tree = tree;
	anchors->roots = tree->roots;
	if (!add_modules(anchors) || !add_held(anchors)) {
		anchors_close(anchors);
		return &error_no_memory;
	}
	sort_modules(anchors);
	*out = anchors;
	return NULL;
}

void anchors_close(struct anchors *anchors)
{
	if (!anchors)
		return;
	free(anchors->modules);
	free(anchors->held);
	free(anchors);
}

const struct anchor_module *anchors_module(const struct anchors *anchors, uint32_t object)
{
	size_t low = 0, high = anchors->module_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (anchors->modules[middle].dict < object)
			low = middle + 1;
		else
			high = middle;
	}
	return low < anchors->module_count && anchors->modules[low].dict == object
		       ? &anchors->modules[low]
		       : NULL;
}

const struct root *anchors_root(const struct anchors *anchors, uint32_t object)
{
	size_t low = 0, high = anchors->held_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (anchors->held[middle]->object < object)
			low = middle + 1;
		else
			high = middle;
	}
	return low < anchors->held_count && anchors->held[low]->object == object
		       ? anchors->held[low]
		       : NULL;
}
