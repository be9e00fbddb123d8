/*
 * One pass over all objects writes the edges; a counting sort turns them round.
 */
#include "analysis/graph.h"

#include "target/huge.h"

#include <inttypes.h>
#include <stdlib.h>

enum { PROGRESS_STEP = 1 << 16 };

/* Instances of heap types own a reference to their type, which not every tp_traverse visits. */
static bool add_type(const struct objects *objects, uint64_t address, const struct type *type,
		     struct owned *references)
{
	uint64_t slot = address + objects->heap->runtime->layout.PyObject_ob_type;

	if (!(type->flags & TPFLAGS_HEAPTYPE))
		return true;
	for (size_t i = references->count; i-- > 0;)
		if (references->items[i].slot == slot)
			return true;
	return owned_add(references, &(struct reference){.target = type->address, .slot = slot}, 1);
}

static bool has_slot(const struct owned *references, uint64_t slot)
{
	for (size_t i = 0; i < references->count; i++)
		if (references->items[i].slot == slot)
			return true;
	return false;
}

/*
 * A word of a C struct that points at a str, bytes, int and the like, or at a tuple, is a
 * reference: nobody borrows these for long. What else the collector knows is visited, or not owned.
 */
static bool is_owned_rest(const struct objects *objects, uint64_t address)
{
	uint32_t target = objects_find(objects, address);
	const struct type *type = target == HEAP_NONE ? NULL : objects_type(objects, target);

	return type && (!type->traverse || (type->flags & TPFLAGS_TUPLE_SUBCLASS));
}

static bool add_rest(const struct objects *objects, uint64_t address, const struct type *type,
		     struct owned *references)
{
	const struct reference *rest;
	size_t count;

	traverse_rest(objects->heap->traverser, address, type, &rest, &count);
	for (size_t i = 0; i < count; i++)
		if (is_owned_rest(objects, rest[i].target) && !has_slot(references, rest[i].slot) &&
		    !owned_add(references, &rest[i], 1))
			return false;
	return true;
}

/* What an object owns beside what owned_read() says. */
static bool add_others(const struct objects *objects, uint32_t object, struct owned *references)
{
	struct heap *heap = objects->heap;
	uint64_t address = objects->addresses[object];
	const struct type *type = objects_type(objects, object);
	const struct reference *hidden;
	size_t count;

	if (!type)
		return true;
	traverse_hidden(heap->traverser, address, type, &hidden, &count);
	return owned_add(references, hidden, count) &&
	       add_rest(objects, address, type, references) &&
	       add_type(objects, address, type, references);
}

bool graph_references(const struct objects *objects, uint32_t object, struct owned *references)
{
	return owned_read(objects, object, references) && add_others(objects, object, references);
}

/* The references of one object and the numbers of their targets. */
struct numbered {
	struct owned references;
	uint32_t *targets;
	size_t capacity;
};

/* Numbers the references from `first` on. @return false when out of memory */
static bool number_targets(const struct objects *objects, struct numbered *numbered, size_t first)
{
	const struct owned *references = &numbered->references;

	if (references->count > numbered->capacity) {
		uint32_t *targets =
			reallocarray(numbered->targets, references->capacity, sizeof(*targets));

		if (!targets)
			return false;
		numbered->targets = targets;
		numbered->capacity = references->capacity;
	}
	for (size_t i = first; i < references->count; i++)
		numbered->targets[i] = objects_find(objects, references->items[i].target);
	return true;
}

static bool read_numbered(const struct objects *objects, uint32_t object,
			  const struct graph_observer *observer, struct numbered *numbered)
{
	struct owned *references = &numbered->references;
	size_t count;

	if (!owned_read(objects, object, references) || !number_targets(objects, numbered, 0))
		return false;
	count = references->count;
	if (observer)
		observer->owned(observer->context, objects, object, references, numbered->targets);
	return add_others(objects, object, references) && number_targets(objects, numbered, count);
}

/* Room for more targets. */
static bool reserve(struct graph *graph, uint64_t *capacity, size_t more)
{
	uint64_t wanted = *capacity;
	uint32_t *targets;

	if (more <= wanted - graph->edge_count)
		return true;
	while (wanted - graph->edge_count < more)
		wanted = wanted ? wanted * 2 : 1 << 16;
	targets = huge_grow(graph->targets, wanted, sizeof(*targets));
	if (!targets)
		return false;
	graph->targets = targets;
	*capacity = wanted;
	return true;
}

static struct error *add_edges(struct graph *graph, const struct graph_observer *observer,
			       const struct progress *progress)
{
	const struct objects *objects = graph->objects;
	uint64_t budget = heap_reference_budget(objects->heap, objects->count), capacity = 0;
	struct numbered numbered = {0};
	struct error *err = NULL;

	for (uint32_t i = 0; i < graph->count && !err; i++) {
		size_t count;

		graph->first[i] = graph->edge_count;
		if (i % PROGRESS_STEP == 0)
			err = progress_step(progress, "following references", i, graph->count);
		if (!budget) {
			graph->left_out++;
			continue;
		}
		if (!err && (!read_numbered(objects, i, observer, &numbered) ||
			     !reserve(graph, &capacity, numbered.references.count)))
			err = &error_no_memory;
		count = numbered.references.count;
		budget -= count < budget ? count : budget;
		for (size_t j = 0; !err && j < count; j++)
			if (numbered.targets[j] != HEAP_NONE)
				graph->targets[graph->edge_count++] = numbered.targets[j];
	}
	graph->first[graph->count] = graph->edge_count;
	owned_clear(&numbered.references);
	free(numbered.targets);
	return err;
}

struct error *graph_build(const struct objects *objects, const struct graph_observer *observer,
			  const struct progress *progress, struct graph **out)
{
	struct graph *graph = calloc(1, sizeof(*graph));
	struct error *err = &error_no_memory;

	*out = NULL;
	if (!graph)
		return err;
	graph->objects = objects;
	graph->count = objects->count;
	graph->first = huge_array((size_t)graph->count + 1, sizeof(*graph->first));
	if (graph->first)
		err = add_edges(graph, observer, progress);
	if (err) {
		graph_free(graph);
		return err;
	}
	if (graph->left_out)
		coverage_add(&objects->heap->runtime->target->coverage, PROBLEM_PARTIAL,
			     "references-left-out",
			     "%" PRIu64 " objects were not read: those before claim more "
			     "references than the memory has words",
			     graph->left_out);
	*out = graph;
	return NULL;
}

/* How many edges lead to each object, then where those of each begin. */
static struct error *count_sources(struct graph *graph, const struct progress *progress)
{
	uint64_t *first = graph->source_first, sum = 0;

	for (uint64_t e = 0; e < graph->edge_count; e++) {
		first[graph->targets[e]]++;
		if (e % ((uint64_t)PROGRESS_STEP * 16) == 0) {
			struct error *err = progress_step(progress, "turning references round", e,
							  graph->edge_count * 2);

			if (err)
				return err;
		}
	}
	for (uint32_t i = 0; i <= graph->count; i++) {
		uint64_t edges = first[i];

		first[i] = sum;
		sum += edges;
	}
	return NULL;
}

/* Each object's start moves on as its sources are written, up to the start of the next. */
static struct error *write_sources(struct graph *graph, const struct progress *progress)
{
	uint64_t *first = graph->source_first;

	for (uint32_t i = 0; i < graph->count; i++) {
		for (uint64_t e = graph->first[i]; e < graph->first[i + 1]; e++)
			graph->sources[first[graph->targets[e]]++] = i;
		if (i % PROGRESS_STEP == 0) {
			struct error *err = progress_step(progress, "turning references round",
							  graph->edge_count + graph->first[i],
							  graph->edge_count * 2);

			if (err)
				return err;
		}
	}
	for (uint32_t i = graph->count; i > 0; i--)
		first[i] = first[i - 1];
	first[0] = 0;
	return NULL;
}

struct error *graph_reverse(struct graph *graph, const struct progress *progress)
{
	struct error *err = &error_no_memory;

	if (graph->sources)
		return NULL;
	graph->source_first = huge_zeroed((size_t)graph->count + 1, sizeof(*graph->source_first));
	graph->sources = huge_array(graph->edge_count + 1, sizeof(*graph->sources));
	if (graph->source_first && graph->sources) {
		err = count_sources(graph, progress);
		if (!err)
			err = write_sources(graph, progress);
	}
	if (err) {
		free(graph->source_first);
		free(graph->sources);
		graph->source_first = NULL;
		graph->sources = NULL;
	}
	return err;
}

void graph_free(struct graph *graph)
{
	if (!graph)
		return;
	free(graph->first);
	free(graph->targets);
	free(graph->source_first);
	free(graph->sources);
	free(graph);
}
