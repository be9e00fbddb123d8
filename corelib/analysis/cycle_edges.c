/*
 * How the members of one cycle refer to each other, by type and name. An instance's __dict__ is
 * looked through: people write session.node, not session.__dict__['node'].
 */
#include "analysis/cycles_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { EDGES_SHOWN = 16, OBJECTS_EXPLORED = 64 };

/* The walk over one cycle. */
struct tour {
	const struct unreachable *unreachable;
	const struct components *components;
	struct cycle_group *group;
	uint32_t owner;
	uint32_t queue[OBJECTS_EXPLORED]; /* positions, in order of discovery */
	size_t queued;
};

/*
 * Whose name tells the reader most: a class of the program, then code, then containers. Heap types
 * that are written in C are immutable (3.10+).
 */
static int telling(const struct type *type)
{
	if (!type)
		return 0;
	if ((type->flags & TPFLAGS_HEAPTYPE) && !(type->flags & TPFLAGS_IMMUTABLETYPE) &&
	    strcmp(type->module, "builtins"))
		return 3;
	if (!strcmp(type->name, "function") || !strcmp(type->name, "generator") ||
	    !strcmp(type->name, "coroutine") || !strcmp(type->name, "type"))
		return 2;
	return 1;
}

static uint32_t find_example(const struct tour *tour, const struct clusters *clusters)
{
	const struct unreachable *unreachable = tour->unreachable;
	uint32_t best = clusters->positions[clusters->start[tour->owner]];
	int best_telling = -1;

	for (uint32_t i = clusters->start[tour->owner]; i < clusters->start[tour->owner + 1]; i++) {
		uint32_t position = clusters->positions[i];
		int score;

		if (tour->components->of[position] != tour->owner)
			continue;
		score = telling(heap_type(unreachable->heap, unreachable->objects[position]));
		if (score > best_telling) {
			best_telling = score;
			best = position;
		}
	}
	return best;
}

uint32_t cycle_member_at(const struct unreachable *unreachable, const struct components *components,
			 uint32_t owner, uint64_t address)
{
	uint32_t object = heap_find(unreachable->heap, address);
	uint32_t position = object == HEAP_NONE ? COMPONENT_NONE : components->position[object];

	return position != COMPONENT_NONE && components->of[position] == owner ? position
									       : COMPONENT_NONE;
}

static uint32_t member_at(const struct tour *tour, uint64_t address)
{
	return cycle_member_at(tour->unreachable, tour->components, tour->owner, address);
}

static void enqueue(struct tour *tour, uint32_t position)
{
	for (size_t i = 0; i < tour->queued; i++)
		if (tour->queue[i] == position)
			return;
	if (tour->queued < OBJECTS_EXPLORED)
		tour->queue[tour->queued++] = position;
	else
		tour->group->edges_cut = true;
}

/* 'key' -> .key, if the quoted text is a name. */
static bool key_as_attribute(const char *key, char *text, size_t size)
{
	size_t length = strlen(key);

	if (length < 3 || key[0] != '\'' || key[length - 1] != '\'')
		return false;
	snprintf(text, size, ".%.*s", (int)(length - 2), key + 1);
	return true;
}

void cycle_edge_text(const struct edge_label *label, bool through_dict, char *text, size_t size)
{
	switch (label->kind) {
	case EDGE_ATTRIBUTE:
	case EDGE_INTERNAL:
	case EDGE_LOCAL:
		snprintf(text, size, ".%s", label->name);
		break;
	case EDGE_KEY:
		if (!through_dict || !key_as_attribute(label->name, text, size))
			snprintf(text, size, "[%s]", label->name);
		break;
	case EDGE_INDEX:
		snprintf(text, size, "[%llu]", (unsigned long long)label->index);
		break;
	case EDGE_TYPE:
		snprintf(text, size, ".__class__");
		break;
	case EDGE_UNKNOWN:
		text[0] = '\0';
		break;
	}
}

static struct error *add_edge(struct tour *tour, const struct type *from, const struct type *to,
			      const char *label)
{
	struct cycle_group *group = tour->group;
	struct cycle_edge *edges;

	for (size_t i = 0; i < group->edge_count; i++) {
		const struct cycle_edge *edge = &group->edges[i];

		/* Items of one container are one line. */
		if (edge->from == from && edge->to == to &&
		    (!strcmp(edge->label, label) || (edge->label[0] == '[' && label[0] == '[')))
			return NULL;
	}
	if (group->edge_count == EDGES_SHOWN) {
		group->edges_cut = true;
		return NULL;
	}
	edges = realloc(group->edges, (group->edge_count + 1) * sizeof(*edges));
	if (!edges)
		return &error_no_memory;
	group->edges = edges;
	edges[group->edge_count] = (struct cycle_edge){from, to, strdup(label)};
	if (!edges[group->edge_count].label)
		return &error_no_memory;
	group->edge_count++;
	return NULL;
}

struct reference *cycle_references(struct heap *heap, uint64_t address, const struct type *type,
				   size_t *count)
{
	const struct reference *references;
	struct reference *copy;

	traverse_object(heap->traverser, address, type, &references, count);
	copy = malloc((*count + 1) * sizeof(*copy));
	if (copy && *count)
		memcpy(copy, references, *count * sizeof(*copy));
	return copy;
}

/*
 * Adds the edges of an object. `from` is the type that they are shown under: the object's own, or
 * that of the instance whose __dict__ it is.
 */
static struct error *tour_object(struct tour *tour, uint32_t position, const struct type *from,
				 bool through_dict, uint64_t *instance_dict)
{
	struct heap *heap = tour->unreachable->heap;
	uint32_t object = tour->unreachable->objects[position];
	const struct type *type = heap_type(heap, object);
	struct error *err = NULL;
	struct reference *references;
	size_t count;

	if (!type)
		return NULL;
	references = cycle_references(heap, heap->addresses[object], type, &count);
	if (!references)
		return &error_no_memory;
	for (size_t i = 0; i < count && !err && tour->group->edge_count < EDGES_SHOWN; i++) {
		uint32_t target = member_at(tour, references[i].target);
		struct edge_label label;
		char text[sizeof(label.name) + 8];

		if (target == COMPONENT_NONE)
			continue;
		edge_label(heap->traverser, heap->addresses[object], type, &references[i], &label);
		if (instance_dict && label.kind == EDGE_INTERNAL &&
		    !strcmp(label.name, "__dict__")) {
			*instance_dict = references[i].target;
			continue;
		}
		cycle_edge_text(&label, through_dict, text, sizeof(text));
		err = add_edge(tour, from, heap_type(heap, tour->unreachable->objects[target]),
			       text);
		enqueue(tour, target);
	}
	free(references);
	return err;
}

struct error *cycle_describe(const struct unreachable *unreachable,
			     const struct components *components, const struct clusters *clusters,
			     uint32_t owner, struct cycle_group *group)
{
	struct tour tour = {unreachable, components, group, owner, {0}, 0};
	struct heap *heap = unreachable->heap;
	struct error *err = NULL;

	tour.queue[tour.queued++] = find_example(&tour, clusters);
	group->example = heap->addresses[unreachable->objects[tour.queue[0]]];
	for (size_t i = 0; i < tour.queued && !err; i++) {
		const struct type *type = heap_type(heap, unreachable->objects[tour.queue[i]]);
		uint64_t dict = 0;

		err = tour_object(&tour, tour.queue[i], type, false, &dict);
		if (!err && dict)
			err = tour_object(&tour, member_at(&tour, dict), type, true, NULL);
	}
	return err;
}
