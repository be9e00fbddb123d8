/*
 * The search goes backwards from the object, breadth first, and gives up soon: what stands in an
 * overview is held by few. Of what refers to it that does not count which the object itself keeps,
 * such as the many tasks that wait for an event and refer to it: no way in begins there. A module
 * is looked for a little further than another holder, as its name says more than a variable that
 * just now refers to the same object.
 */
#include "analysis/anchors.h"

#include "traverse/expression.h"
#include "traverse/title.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	STEPS_MAX = 1 << 14, /* objects looked at for one name */
	SEEN_SIZE = STEPS_MAX * 2,
	SOURCES_MAX = 1 << 10,	/* referrers asked of one object, that may be a way in */
	LOOKS_MAX = 1 << 22,	/* referrers asked of all, and dominators of these */
	MODULE_DETOUR = 2,	/* references more than from the nearest root */
	CANDIDATES_MAX = 1 << 5 /* references between the same two objects */
};

/* An object that was met, and the one nearer to the target that it refers to. */
struct step {
	uint32_t object;
	uint32_t toward; /* index of a step */
	uint32_t depth;
};

struct search {
	const struct anchors *anchors;
	const struct type *type; /* of the target */
	struct step *steps;
	uint32_t count;
	uint32_t looks;
	uint32_t *seen;	       /* hash table of objects */
	uint32_t module, root; /* steps that were found; HEAP_NONE: none yet */
};

/* @return false if it was met before */
static bool see(struct search *search, uint32_t object)
{
	uint32_t *seen = search->seen;
	uint32_t at = (object * 2654435761u) % SEEN_SIZE;

	while (seen[at] != HEAP_NONE && seen[at] != object)
		at = (at + 1) % SEEN_SIZE;
	if (seen[at] == object)
		return false;
	seen[at] = object;
	return true;
}

static void add_step(struct search *search, uint32_t object, uint32_t toward, uint32_t depth)
{
	uint8_t reached = search->anchors->roots->reached[object];

	if (search->count < STEPS_MAX && reached != ROOT_GARBAGE && reached != ROOT_NOTHING &&
	    see(search, object))
		search->steps[search->count++] = (struct step){object, toward, depth};
}

/*
 * Several modules have the object under a name: better is the one that its class is from; then not
 * __main__, and not a package that takes it from one of its modules; then the first imported.
 */
static bool is_better(const struct search *search, const struct anchor_module *one,
		      const struct anchor_module *other)
{
	size_t length = strlen(other->name);

	if (search->type && !strcmp(one->name, search->type->module))
		return true;
	if (search->type && !strcmp(other->name, search->type->module))
		return false;
	if (!strcmp(other->name, "__main__") ||
	    (!strncmp(one->name, other->name, length) && one->name[length] == '.'))
		return true;
	if (!strcmp(one->name, "__main__") ||
	    (!strncmp(other->name, one->name, strlen(one->name)) &&
	     other->name[strlen(one->name)] == '.'))
		return false;
	return one->order < other->order;
}

static void take_module(struct search *search, uint32_t step, const struct anchor_module *module)
{
	const struct step *steps = search->steps;

	if (search->module == HEAP_NONE ||
	    (steps[search->module].depth == steps[step].depth &&
	     is_better(search, module,
		       anchors_module(search->anchors, steps[search->module].object))))
		search->module = step;
}

/* Up to 3.10 a running function is a frame object, and only the newest is a root. */
static bool is_running_frame(const struct anchors *anchors, uint32_t object)
{
	const struct objects *objects = anchors->roots->graph->objects;
	const struct type *type;

	if (layout_has(objects->heap->runtime->layout.PyThreadState_datastack_chunk))
		return false;
	type = objects_type(objects, object);
	return type && !strcmp(type->name, "frame") &&
	       anchors->roots->reached[object] == ROOT_FRAME;
}

/* Is an object one of those that would be freed with the target? A dominator has a lower number. */
static bool is_kept(struct search *search, uint32_t object)
{
	const struct dominators *tree = search->anchors->tree;
	uint32_t target = tree->node_of[search->steps[0].object], node = tree->node_of[object];

	while (node > target && search->looks++ < LOOKS_MAX)
		node = tree->parent[node];
	return node == target;
}

/* Goes to what refers to the object of a step. */
static void add_sources(struct search *search, uint32_t from)
{
	const struct graph *graph = search->anchors->roots->graph;
	const struct step step = search->steps[from];
	uint64_t end = graph->source_first[step.object + 1];
	unsigned asked = 0;

	for (uint64_t e = graph->source_first[step.object];
	     e < end && asked < SOURCES_MAX && search->looks++ < LOOKS_MAX; e++) {
		if (is_kept(search, graph->sources[e]))
			continue;
		asked++;
		add_step(search, graph->sources[e], from, step.depth + 1);
	}
}

static void search_backwards(struct search *search, uint32_t object)
{
	add_step(search, object, 0, 0);
	for (uint32_t i = 0; i < search->count; i++) {
		const struct step step = search->steps[i];
		const struct anchor_module *module = anchors_module(search->anchors, step.object);

		if ((search->module != HEAP_NONE &&
		     step.depth > search->steps[search->module].depth) ||
		    (search->root != HEAP_NONE &&
		     step.depth > search->steps[search->root].depth + MODULE_DETOUR))
			break;
		if (module) {
			take_module(search, i, module);
			continue;
		}
		if (search->root == HEAP_NONE && (anchors_root(search->anchors, step.object) ||
						  is_running_frame(search->anchors, step.object)))
			search->root = i;
		add_sources(search, i);
	}
}

/*
 * Writing what was found
 */

/* Of the references from one object to another, the one that is easiest to read. */
static bool best_reference(const struct objects *objects, uint32_t from, uint32_t to,
			   struct owned *owned, struct reference *best)
{
	uint64_t address = objects->addresses[from];
	const struct type *type = objects_type(objects, from);
	unsigned best_cost = UINT32_MAX, candidates = 0;

	*best = (struct reference){.target = objects->addresses[to]};
	if (!graph_references(objects, from, owned))
		return false;
	for (size_t i = 0; i < owned->count && candidates < CANDIDATES_MAX; i++) {
		unsigned cost;

		if (owned->items[i].target != objects->addresses[to])
			continue;
		candidates++;
		cost = expression_cost(objects->heap->traverser, address, type, &owned->items[i]);
		if (cost < best_cost) {
			best_cost = cost;
			*best = owned->items[i];
		}
	}
	return true;
}

static void begin_at_module(const struct objects *objects, const struct anchor_module *module,
			    struct expression *expression)
{
	struct heap *heap = objects->heap;
	uint64_t slot = module->address + heap->runtime->layout.PyModuleObject_md_dict;
	const struct reference dict = {.target = objects->addresses[module->dict], .slot = slot};
	struct object_header header;

	expression_begin(expression, module->name, false);
	if (object_header(heap->runtime, &heap->reader, module->address, &header))
		expression_step(heap->traverser, expression, module->address,
				type_get(heap->runtime->types, &heap->reader, header.type), &dict);
}

/* The name up to the object at a step, which a root holds. @return the step that is written then */
static uint32_t begin_at_root(const struct search *search, uint32_t step, struct owned *owned,
			      struct expression *expression)
{
	const struct anchors *anchors = search->anchors;
	const struct objects *objects = anchors->roots->graph->objects;
	uint32_t object = search->steps[step].object, toward = search->steps[step].toward;
	const struct type *type = objects_type(objects, object);
	char text[400], title[200];
	struct edge_label label;
	struct reference local;

	if (!is_running_frame(anchors, object)) {
		root_describe(anchors->roots, anchors_root(anchors, object), text, sizeof(text));
		expression_begin(expression, text, false);
		return step;
	}
	object_title(objects->heap->traverser, objects->addresses[object], type, title,
		     sizeof(title));
	if (search->steps[step].depth &&
	    best_reference(objects, object, search->steps[toward].object, owned, &local)) {
		edge_label(objects->heap->traverser, objects->addresses[object], type, &local,
			   &label);
		if (label.kind == EDGE_LOCAL) {
			snprintf(text, sizeof(text), "%s: %s", title, label.name);
			expression_begin(expression, text, false);
			return toward;
		}
	}
	snprintf(text, sizeof(text), "frame of %s", title);
	expression_begin(expression, text, false);
	return step;
}

/* What has no name but is found by asking the collector is said to be inside of what has one. */
static bool is_nameless(const struct expression *expression)
{
	return expression->text && strstr(expression->text, "gc.get_referents(");
}

static char *inside(const char *name)
{
	static const char words[] = "inside ";
	char *text = malloc(sizeof(words) + strlen(name));

	if (text)
		strcat(strcpy(text, words), name);
	return text;
}

/* Goes on towards the object. @param named set to what was written before it had no name, or NULL
 */
static bool write_steps(const struct search *search, uint32_t step, struct owned *owned,
			struct expression *expression, char **named)
{
	const struct objects *objects = search->anchors->roots->graph->objects;
	struct reference reference;

	while (search->steps[step].depth && !expression->failed) {
		uint32_t from = search->steps[step].object;

		free(*named);
		*named = strdup(expression->text);
		step = search->steps[step].toward;
		if (!*named ||
		    !best_reference(objects, from, search->steps[step].object, owned, &reference))
			return false;
		expression_step(objects->heap->traverser, expression, objects->addresses[from],
				objects_type(objects, from), &reference);
		if (is_nameless(expression))
			return true;
	}
	return true;
}

static struct error *write_name(const struct search *search, uint32_t step, char **name)
{
	const struct objects *objects = search->anchors->roots->graph->objects;
	const struct anchor_module *module =
		anchors_module(search->anchors, search->steps[step].object);
	struct expression expression = {0};
	struct owned owned = {0};
	char *named = NULL;
	bool ok;

	if (module)
		begin_at_module(objects, module, &expression);
	else
		step = begin_at_root(search, step, &owned, &expression);
	ok = expression.text && write_steps(search, step, &owned, &expression, &named);
	if (ok)
		expression_end(objects->heap->traverser, &expression);
	if (ok && named && is_nameless(&expression))
		*name = inside(named);
	else if (ok)
		*name = strdup(expression.text);
	owned_clear(&owned);
	expression_clear(&expression);
	free(named);
	return *name ? NULL : &error_no_memory;
}

struct error *anchors_name(const struct anchors *anchors, uint32_t object, char **name)
{
	struct search search = {
		.anchors = anchors,
		.type = objects_type(anchors->roots->graph->objects, object),
		.steps = malloc(STEPS_MAX * sizeof(*search.steps)),
		.seen = malloc(SEEN_SIZE * sizeof(*search.seen)),
		.module = HEAP_NONE,
		.root = HEAP_NONE,
	};
	struct error *err = NULL;
	uint32_t found;

	*name = NULL;
	if (search.steps && search.seen) {
		memset(search.seen, 0xff, SEEN_SIZE * sizeof(*search.seen));
		search_backwards(&search, object);
		found = search.module != HEAP_NONE ? search.module : search.root;
		if (found != HEAP_NONE)
			err = write_name(&search, found, name);
	} else {
		err = &error_no_memory;
	}
	free(search.steps);
	free(search.seen);
	return err;
}
