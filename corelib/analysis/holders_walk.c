/*
 * Breadth first from the roots. A global of a module is three references from sys.modules; so are
 * the variables of running functions taken to be, or a variable that just now refers to a cache
 * would take its name.
 */
#include "analysis/holders.h"

#include "target/huge.h"
#include "traverse/title.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRESS_STEP = 1 << 16, FRAME_LEVEL = 3 };

/* How to name what an object of a type refers to. */
enum naming {
	NAMING_UNKNOWN, /* not looked at yet */
	NAMING_LABEL,	/* edge_label() says */
	NAMING_SIZED,	/* the same, of a container that tells its length */
	NAMING_ITEMS,	/* all are items */
	NAMING_DICT,	/* values are items, keys are keys */
};

/* The work in progress. */
struct walk {
	struct holders *holders;
	const struct roots *roots;
	const struct objects *objects;
	uint32_t *node_of; /* by object; HOLDER_NONE: not met */
	uint32_t *queue;   /* objects met, in order */
	uint32_t met, done;
	uint8_t *naming; /* by type index */
	size_t naming_count;
	struct owned references;
	const struct progress *progress;
	holders_visit *visit;
	void *context;
	bool failed; /* out of memory */
};

static const char *type_name(const struct type *type)
{
	return type ? type->name : "(damaged type)";
}

/* Titles tell coroutines and the like apart; other types are told enough by their name. */
static bool has_title(const struct type *type)
{
	return type && (!strcmp(type->name, "coroutine") || !strcmp(type->name, "generator") ||
			!strcmp(type->name, "async_generator"));
}

static void meet(struct walk *walk, uint32_t object, uint32_t node)
{
	if (node == HOLDER_NONE)
		walk->failed = true;
	if (walk->failed || walk->node_of[object] != HOLDER_NONE)
		return;
	walk->node_of[object] = node;
	walk->queue[walk->met++] = object;
}

static void meet_below(struct walk *walk, uint32_t object, uint32_t parent, enum holder_step step,
		       const char *label)
{
	const struct type *type = objects_type(walk->objects, object);
	struct heap *heap = walk->objects->heap;
	char title[200] = "";

	if (has_title(type))
		object_title(heap->traverser, walk->objects->addresses[object], type, title,
			     sizeof(title));
	meet(walk, object,
	     holders_node(walk->holders, &(struct holder_key){.parent = parent,
							      .step = step,
							      .label = label,
							      .type = type_name(type),
							      .title = title}));
}

static uint32_t root_node(struct walk *walk, enum root_kind kind, const char *label,
			  const char *type)
{
	uint32_t node = holders_node(walk->holders, &(struct holder_key){.parent = HOLDER_OUTSIDE,
									 .step = HOLDER_ROOT,
									 .label = label,
									 .type = type,
									 .title = "",
									 .root_kind = kind});

	walk->failed = walk->failed || node == HOLDER_NONE;
	return node;
}

/* The str that is the key of a dict's value. @return false if it is none */
static bool read_key(struct walk *walk, uint64_t dict, uint64_t slot, char *name, size_t size)
{
	struct heap *heap = walk->objects->heap;
	struct dict_view view;
	uint64_t start, step, entry, key;

	if (!dict_open(heap->runtime, &heap->reader, dict, &view))
		return false;
	start = view.values ? view.values : view.entries;
	step = view.values ? sizeof(uint64_t) : view.entry_size;
	entry = (slot - start) / step;
	return slot >= start && entry < view.count &&
	       (view.values || (slot - start) % step == view.value_offset) &&
	       reader_u64(&heap->reader, view.entries + entry * view.entry_size + view.key_offset,
			  &key) &&
	       object_is_str(heap->runtime, &heap->reader, key) &&
	       object_str(heap->runtime, &heap->reader, key, name, size);
}

/* Types derived from dict, list, tuple, set and deque, and deque itself. */
static bool is_sized(const struct type *type)
{
	static const char *const names[] = {"dict", "list", "tuple", "set", "collections.deque"};

	for (; type; type = type->base)
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (!strcmp(type->name, names[i]))
				return true;
	return false;
}

static enum naming naming_of(struct walk *walk, const struct type *type)
{
	static const struct {
		const char *name;
		enum naming naming;
	} known[] = {
		{"dict", NAMING_DICT}, {"list", NAMING_ITEMS},	    {"tuple", NAMING_ITEMS},
		{"set", NAMING_ITEMS}, {"frozenset", NAMING_ITEMS}, {"cell", NAMING_LABEL},
	};
	uint8_t *naming;

	if (!type || type->index >= walk->naming_count)
		return NAMING_LABEL;
	naming = &walk->naming[type->index];
	if (*naming != NAMING_UNKNOWN)
		return (enum naming) * naming;
	*naming = is_sized(type) ? NAMING_SIZED : NAMING_LABEL;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(type->name, known[i].name))
			*naming = (uint8_t)known[i].naming;
	return (enum naming) * naming;
}

/* A value of sys.modules. */
static void meet_module(struct walk *walk, uint32_t target, const char *name)
{
	const struct type *type = objects_type(walk->objects, target);

	meet(walk, target, root_node(walk, ROOT_MODULES, name, type_name(type)));
}

static void meet_attribute(struct walk *walk, uint64_t dict, uint32_t node,
			   const struct reference *reference, uint32_t target)
{
	const struct holder_node *at = &walk->holders->nodes[node];
	bool is_modules = at->parent == HOLDER_OUTSIDE;
	char name[128];

	if (!read_key(walk, dict, reference->slot, name, sizeof(name)))
		meet_below(walk, target, node, HOLDER_KEY, "");
	else if (is_modules)
		meet_module(walk, target, name);
	else
		meet_below(walk, target, at->parent, HOLDER_NAME, name);
}

/* A running function that has a frame object. */
static void meet_frame(struct walk *walk, uint32_t frame, const struct type *type)
{
	char title[200];

	object_title(walk->objects->heap->traverser, walk->objects->addresses[frame], type, title,
		     sizeof(title));
	meet(walk, frame,
	     root_node(walk, ROOT_FRAME, *title ? title : "running functions", type->name));
}

/* The step that a label is. */
static enum holder_step step_of(const struct edge_label *label)
{
	switch (label->kind) {
	case EDGE_KEY:
	case EDGE_INDEX:
	case EDGE_UNKNOWN:
		return HOLDER_ITEM;
	case EDGE_LOCAL:
		return HOLDER_LOCAL;
	case EDGE_INTERNAL:
		if (!strcmp(label->name, "key"))
			return HOLDER_KEY;
		if (!strcmp(label->name, "element") || !strcmp(label->name, "cached"))
			return HOLDER_ITEM;
		return HOLDER_NAME;
	default:
		return HOLDER_NAME;
	}
}

/* Up to 3.10 a running function's frame refers to that of its caller. */
static bool meet_caller(struct walk *walk, uint32_t node, uint32_t target)
{
	const struct holder_node *at = &walk->holders->nodes[node];
	const struct type *type = objects_type(walk->objects, target);

	if (at->step != HOLDER_ROOT || at->root_kind != ROOT_FRAME || !type ||
	    strcmp(type->name, "frame"))
		return false;
	meet_frame(walk, target, type);
	return true;
}

static void meet_labelled(struct walk *walk, uint64_t address, const struct type *type,
			  uint32_t node, const struct reference *reference, uint32_t target)
{
	struct edge_label label;
	enum holder_step step;

	if (meet_caller(walk, node, target))
		return;
	edge_label(walk->objects->heap->traverser, address, type, reference, &label);
	step = step_of(&label);
	meet_below(walk, target, node, step,
		   step == HOLDER_NAME || step == HOLDER_LOCAL ? label.name : "");
	if (step == HOLDER_NAME && !walk->failed &&
	    (!strcmp(label.name, "__dict__") || !strcmp(label.name, "tp_dict")))
		walk->holders->nodes[walk->node_of[target]].is_namespace = true;
}

static bool is_dict_key(struct walk *walk, const struct dict_view *view, uint64_t slot)
{
	(void)walk;
	return !view->values && slot >= view->entries &&
	       (slot - view->entries) % view->entry_size == view->key_offset;
}

/* What an object refers to. @return how many items it contains */
static uint64_t follow(struct walk *walk, uint32_t object)
{
	const struct objects *objects = walk->objects;
	uint64_t address = objects->addresses[object], items = 0;
	const struct type *type = objects_type(objects, object);
	uint32_t node = walk->node_of[object];
	enum naming naming = naming_of(walk, type);
	struct dict_view view = {0};
	const struct owned *owned = &walk->references;

	if (!type)
		return 0;
	if (!graph_references(objects, object, &walk->references)) {
		walk->failed = true;
		return 0;
	}
	if (naming == NAMING_DICT &&
	    !dict_open(objects->heap->runtime, &objects->heap->reader, address, &view))
		return 0;
	for (size_t i = 0; i < owned->count && !walk->failed; i++) {
		const struct reference reference = owned->items[i];
		uint32_t target = objects_find(objects, reference.target);
		bool is_key = naming == NAMING_DICT && is_dict_key(walk, &view, reference.slot);

		if (naming == NAMING_ITEMS || (naming == NAMING_DICT && !is_key))
			items++;
		if (target == HEAP_NONE || walk->node_of[target] != HOLDER_NONE)
			continue;
		if (walk->holders->nodes[node].is_namespace && !is_key)
			meet_attribute(walk, address, node, &reference, target);
		else if (naming == NAMING_LABEL || naming == NAMING_SIZED)
			meet_labelled(walk, address, type, node, &reference, target);
		else
			meet_below(walk, target, node, is_key ? HOLDER_KEY : HOLDER_ITEM, "");
	}
	if (naming == NAMING_SIZED &&
	    !object_length(objects->heap->traverser, address, type, &items))
		items = 0;
	return walk->holders->nodes[node].is_namespace ? 0 : items;
}

/* What only garbage or nothing holds has no path worth reading: one node for each type. */
static void follow_flat(struct walk *walk, uint32_t object)
{
	const struct graph *graph = walk->roots->graph;
	uint32_t parent = walk->holders->nodes[walk->node_of[object]].parent;

	for (uint64_t e = graph->first[object]; e < graph->first[object + 1]; e++)
		if (walk->node_of[graph->targets[e]] == HOLDER_NONE)
			meet_below(walk, graph->targets[e], parent, HOLDER_ALL, "");
}

static struct error *follow_until(struct walk *walk, uint32_t end)
{
	while (walk->done < end && !walk->failed) {
		uint32_t object = walk->queue[walk->done++];
		uint32_t node = walk->node_of[object];
		uint64_t items = 0;

		if (walk->done % PROGRESS_STEP == 0) {
			struct error *err = progress_step(walk->progress, "naming holders",
							  walk->done, walk->objects->count);

			if (err)
				return err;
		}
		if (walk->holders->nodes[node].step == HOLDER_ALL)
			follow_flat(walk, object);
		else
			items = follow(walk, object);
		if (!walk->visit(walk->context, object, node, items))
			walk->failed = true;
	}
	return walk->failed ? &error_no_memory : NULL;
}

/*
 * Roots
 */

/* 3.11+: "worker (app/jobs.py:41): batch". Up to 3.10 a frame object holds the variables. */
static void seed_frame(struct walk *walk, const struct root *root)
{
	const struct type *type = objects_type(walk->objects, root->object);
	char text[256], *colon;
	uint32_t node;

	if (type && !strcmp(type->name, "frame")) {
		meet_frame(walk, root->object, type);
		return;
	}
	root_describe(walk->roots, root, text, sizeof(text));
	colon = strstr(text, "): ");
	if (!colon) {
		node = root_node(walk, ROOT_FRAME, "running functions", "frame");
		meet_below(walk, root->object, node, HOLDER_ALL, "");
		return;
	}
	colon[1] = '\0';
	node = root_node(walk, ROOT_FRAME, text, "frame");
	if (!walk->failed)
		meet_below(walk, root->object, node, HOLDER_LOCAL, colon + 3);
}

/* "libfoo.so: cache_table": where in the file a word stands differs from build to build. */
static void seed_static(struct walk *walk, const struct root *root)
{
	char text[256], *plus, *at;

	root_describe(walk->roots, root, text, sizeof(text));
	plus = strrchr(text, '+');
	at = strstr(text, " at 0x");
	if (plus)
		*plus = '\0';
	if (at)
		*at = '\0';
	meet_below(walk, root->object, root_node(walk, ROOT_STATIC, text, ""), HOLDER_NAME, "*");
}

/*
 * The rest has no names but those of what is found there. Which of C's words that point into one
 * structure is met first depends on addresses: all of these are one root, and flat.
 */
static const struct {
	const char *label;
	enum root_kind kind;
	bool is_flat;
} other_roots[ROOT_KINDS] = {
	[ROOT_STATE] = {"interpreter state", ROOT_STATE, false},
	[ROOT_THREAD] = {"thread state", ROOT_THREAD, false},
	[ROOT_TYPE] = {"static types", ROOT_TYPE, false},
	[ROOT_INTERNED] = {"interned str", ROOT_INTERNED, true},
	[ROOT_STACK] = {"memory of C code", ROOT_RAW, true},
	[ROOT_REGISTER] = {"memory of C code", ROOT_RAW, true},
	[ROOT_OBJECT] = {"memory of C code", ROOT_RAW, true},
	[ROOT_RAW] = {"memory of C code", ROOT_RAW, true},
	[ROOT_MEMORY] = {"memory of C code", ROOT_RAW, true},
	[ROOT_GARBAGE] = {"unreachable", ROOT_GARBAGE, true},
	[ROOT_NOTHING] = {"nothing that was found", ROOT_NOTHING, true},
};

static void seed_other(struct walk *walk, const struct root *root)
{
	const enum root_kind kind = other_roots[root->kind].kind;
	uint32_t node = root_node(walk, kind, other_roots[root->kind].label, "");

	if (!walk->failed)
		meet_below(walk, root->object, node,
			   other_roots[root->kind].is_flat ? HOLDER_ALL : HOLDER_ITEM, "");
}

static void seed_named(struct walk *walk, const struct root *root)
{
	const struct type *type = objects_type(walk->objects, root->object);
	char owner[64];
	uint32_t node;
	char *dot;

	snprintf(owner, sizeof(owner), "%s", root->name ? root->name : "?");
	dot = strstr(owner, ".__dict__");
	if (dot) {
		*dot = '\0';
		node = root_node(walk, ROOT_MODULES, owner, "module");
		if (!walk->failed)
			meet_below(walk, root->object, node, HOLDER_NAME, "__dict__");
	} else {
		meet(walk, root->object, root_node(walk, root->kind, owner, type_name(type)));
	}
	if (!walk->failed && (dot || root->kind == ROOT_MODULES))
		walk->holders->nodes[walk->node_of[root->object]].is_namespace = true;
}

static void seed(struct walk *walk, enum root_kind kind)
{
	for (uint32_t i = 0; i < walk->roots->count && !walk->failed; i++) {
		const struct root *root = &walk->roots->items[i];

		if (root->kind != kind || walk->node_of[root->object] != HOLDER_NONE)
			continue;
		if (kind == ROOT_MODULES || kind == ROOT_INTERPRETER)
			seed_named(walk, root);
		else if (kind == ROOT_FRAME)
			seed_frame(walk, root);
		else if (kind == ROOT_STATIC)
			seed_static(walk, root);
		else
			seed_other(walk, root);
	}
}

static struct error *walk_all(struct walk *walk)
{
	struct error *err = NULL;

	seed(walk, ROOT_MODULES);
	seed(walk, ROOT_INTERPRETER);
	for (int level = 0; level < FRAME_LEVEL && !err; level++)
		err = follow_until(walk, walk->met);
	for (int kind = ROOT_FRAME; kind < ROOT_KINDS && !err; kind++) {
		seed(walk, (enum root_kind)kind);
		while (walk->done < walk->met && !err)
			err = follow_until(walk, walk->met);
	}
	return err;
}

struct error *holders_walk(struct holders *holders, const struct roots *roots,
			   const struct progress *progress, holders_visit *visit, void *context)
{
	const struct objects *objects = roots->graph->objects;
	size_t count = (size_t)objects->count + 1;
	struct walk walk = {
		.holders = holders,
		.roots = roots,
		.objects = objects,
		.node_of = huge_array(count, sizeof(*walk.node_of)),
		.queue = huge_array(count, sizeof(*walk.queue)),
		.naming_count = type_count(objects->heap->runtime->types),
		.progress = progress,
		.visit = visit,
		.context = context,
	};
	struct error *err = &error_no_memory;

	walk.naming = calloc(walk.naming_count + 1, 1);
	if (walk.node_of && walk.queue && walk.naming) {
		memset(walk.node_of, 0xff, count * sizeof(*walk.node_of));
		err = walk_all(&walk);
	}
	owned_clear(&walk.references);
	free(walk.node_of);
	free(walk.queue);
	free(walk.naming);
	return err;
}
