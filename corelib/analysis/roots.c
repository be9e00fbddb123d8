/*
 * Each root is followed at once, so that a later one is only looked at where it says something new.
 */
#include "analysis/roots_private.h"

#include "target/huge.h"

#include <stdlib.h>
#include <string.h>

const char *root_kind_name(enum root_kind kind)
{
	static const char *const names[ROOT_KINDS] = {
		[ROOT_MODULES] = "modules",   [ROOT_INTERPRETER] = "interpreter",
		[ROOT_FRAME] = "frame",	      [ROOT_STATE] = "interpreter-state",
		[ROOT_THREAD] = "thread",     [ROOT_TYPE] = "static-type",
		[ROOT_INTERNED] = "interned", [ROOT_STATIC] = "static",
		[ROOT_STACK] = "stack",	      [ROOT_REGISTER] = "register",
		[ROOT_OBJECT] = "object",     [ROOT_RAW] = "raw",
		[ROOT_MEMORY] = "memory",     [ROOT_GARBAGE] = "garbage",
		[ROOT_NOTHING] = "nothing",
	};

	return names[kind];
}

/* The stack holds each object at most once. */
static void spread(struct root_search *search, uint32_t object, uint8_t kind)
{
	const struct graph *graph = search->roots->graph;
	uint8_t *reached = search->roots->reached;
	uint32_t depth = 0;
	uint64_t count = 0;

	if (reached[object] != ROOT_UNREACHED)
		return;
	reached[object] = kind;
	search->stack[depth++] = object;
	while (depth) {
		uint32_t at = search->stack[--depth];

		count++;
		search->unreached -= !search->is_garbage[at];
		for (uint64_t e = graph->first[at]; e < graph->first[at + 1]; e++) {
			uint32_t target = graph->targets[e];

			if (reached[target] == ROOT_UNREACHED) {
				reached[target] = kind;
				search->stack[depth++] = target;
			}
		}
	}
	search->roots->reached_counts[kind] += count;
}

void root_add(struct root_search *search, const struct root *root)
{
	struct roots *roots = search->roots;

	if (roots->count == search->capacity) {
		uint32_t capacity = search->capacity ? search->capacity * 2 : 1024;
		struct root *items = huge_grow(roots->items, capacity, sizeof(*items));

		if (!items) {
			search->failed = true;
			return;
		}
		roots->items = items;
		search->capacity = capacity;
	}
	roots->items[roots->count++] = *root;
	spread(search, root->object, root->kind);
}

void root_add_word(struct root_search *search, struct root root, uint64_t value)
{
	root.object = objects_find(search->objects, value);
	if (root.object != HEAP_NONE && !search->is_garbage[root.object] &&
	    search->roots->reached[root.object] == ROOT_UNREACHED)
		root_add(search, &root);
}

/* Those that no object of their own kind refers to come first: the fewer roots, the better. */
static void add_unheld(struct root_search *search, enum root_kind kind, bool garbage)
{
	const struct graph *graph = search->roots->graph;
	const uint8_t *reached = search->roots->reached;
	uint8_t *is_held = huge_zeroed((size_t)graph->count + 1, 1);

	if (!is_held) {
		search->failed = true;
		return;
	}
	for (uint32_t i = 0; i < graph->count; i++) {
		if (reached[i] != ROOT_UNREACHED || search->is_garbage[i] != garbage)
			continue;
		for (uint64_t e = graph->first[i]; e < graph->first[i + 1]; e++)
			if (graph->targets[e] != i)
				is_held[graph->targets[e]] = 1;
	}
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < graph->count; i++)
			if (reached[i] == ROOT_UNREACHED && search->is_garbage[i] == garbage &&
			    (pass || !is_held[i]))
				root_add(search, &(struct root){.object = i, .kind = kind});
	free(is_held);
}

static struct error *find_all(struct root_search *search, enum roots_depth depth)
{
	const struct progress *progress = search->progress;
	struct error *err = progress_step(progress, "following references from the roots", 0, 0);

	if (err)
		return err;
	roots_of_interpreters(search);
	err = progress_step(progress, "following references from the roots", 0, 0);
	if (err)
		return err;
	roots_of_state(search);
	if (search->unreached)
		err = roots_of_words(search, depth);
	if (err)
		return err;
	add_unheld(search, ROOT_GARBAGE, true);
	add_unheld(search, ROOT_NOTHING, false);
	return search->failed ? &error_no_memory : NULL;
}

struct error *roots_find(const struct graph *graph, struct census *census,
			 const struct unreachable *unreachable, enum roots_depth depth,
			 const struct progress *progress, struct roots **out)
{
	struct roots *roots = calloc(1, sizeof(*roots));
	size_t count = (size_t)graph->count + 1;
	struct root_search search = {
		.roots = roots,
		.objects = graph->objects,
		.runtime = graph->objects->heap->runtime,
		.census = census,
		.progress = progress,
		.is_garbage = huge_zeroed(count, 1),
		.stack = huge_array(count, sizeof(*search.stack)),
		.unreached = graph->count,
	};
	struct error *err = &error_no_memory;

	*out = NULL;
	reader_init(&search.reader, search.runtime->target->image);
	if (roots)
		roots->reached = huge_array(count, 1);
	if (roots && roots->reached && search.is_garbage && search.stack) {
		roots->graph = graph;
		memset(roots->reached, ROOT_UNREACHED, count);
		for (uint32_t i = 0; i < unreachable->count; i++) {
			uint32_t object =
				objects_find(search.objects,
					     unreachable->heap->addresses[unreachable->objects[i]]);

			if (object != HEAP_NONE) {
				search.is_garbage[object] = 1;
				search.unreached--;
			}
		}
		err = find_all(&search, depth);
	}
	free(search.is_garbage);
	free(search.stack);
	if (err) {
		roots_free(roots);
		return err;
	}
	*out = roots;
	return NULL;
}

void roots_free(struct roots *roots)
{
	if (!roots)
		return;
	free(roots->items);
	free(roots->reached);
	free(roots);
}
