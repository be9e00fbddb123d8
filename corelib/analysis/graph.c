/*
 * One pass over all objects writes the edges; a counting sort turns them round.
 */
#include "analysis/graph.h"

#include "analysis/edges.h"
#include "analysis/views.h"
#include "target/huge.h"

#include <inttypes.h>
#include <stdlib.h>

enum { PIECE_STEP = 1 << 13, PROGRESS_STEP = 1 << 16 };

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
	if (!traverse_is_all(heap->traverser, type)) {
		traverse_hidden(heap->traverser, address, type, &hidden, &count);
		if (!owned_add(references, hidden, count) ||
		    !add_rest(objects, address, type, references))
			return false;
	}
	return add_type(objects, address, type, references);
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

/* What one thread has in hand. */
struct builder {
	JOBS_APART struct graph *graph;
	struct edges *edges;
	struct views *views;
	size_t view;
	const struct graph_observer *observers;
	size_t observer_count;
	void *gathered[GRAPH_OBSERVERS_MAX]; /* by observer */
	struct numbered numbered;
	struct edges_piece piece;
};

static bool show(struct builder *builder, uint32_t object, bool left_out)
{
	const struct sight sight = {
		.objects = &builder->views->objects[builder->view],
		.object = object,
		.owned = &builder->numbered.references,
		.targets = builder->numbered.targets,
		.left_out = left_out,
	};

	for (size_t i = 0; i < builder->observer_count; i++)
		if (!builder->observers[i].see(builder->gathered[i], &sight))
			return false;
	return true;
}

/* Reads one object, shows it and writes its edges. @return false when out of memory */
static bool read_object(struct builder *builder, uint32_t object)
{
	const struct objects *objects = &builder->views->objects[builder->view];
	struct numbered *numbered = &builder->numbered;
	struct owned *references = &numbered->references;
	size_t owned, kept = 0;
	uint32_t *targets;

	traverser_set_counting(objects->heap->traverser, objects->places[object] == OBJECT_TRACKED);
	if (!owned_read(objects, object, references) || !number_targets(objects, numbered, 0) ||
	    !show(builder, object, false))
		return false;
	owned = references->count;
	if (!add_others(objects, object, references) || !number_targets(objects, numbered, owned))
		return false;
	targets = edges_room(&builder->piece, references->count);
	if (!targets)
		return false;
	for (size_t i = 0; i < references->count; i++)
		if (numbered->targets[i] != HEAP_NONE)
			targets[kept++] = numbered->targets[i];
	edges_end_node(&builder->piece, kept, references->count, 0);
	return true;
}

static bool leave_out(struct builder *builder, uint32_t object)
{
	builder->numbered.references.count = builder->numbered.references.visited_count = 0;
	if (!edges_room(&builder->piece, 0) || !show(builder, object, true))
		return false;
	edges_end_node(&builder->piece, 0, 0, 0);
	return true;
}

static struct error *read_piece(void *context, size_t start, size_t end)
{
	struct builder *builder = context;

	for (size_t i = start; i < end; i++)
		if (!(edges_may_read(&builder->piece) ? read_object(builder, (uint32_t)i)
						      : leave_out(builder, (uint32_t)i)))
			return &error_no_memory;
	return NULL;
}

static struct error *join_piece(void *context, size_t start, size_t end)
{
	struct builder *builder = context;

	views_collect(builder->views, builder->view);
	if (!edges_join(builder->edges, &builder->piece))
		return &error_no_memory;
	builder->graph->left_out += end - start - builder->piece.node_count;
	edges_piece_begin(builder->edges, &builder->piece);
	for (size_t i = 0; i < builder->observer_count; i++)
		if (!builder->observers[i].join(builder->gathered[i]))
			return &error_no_memory;
	return NULL;
}

/* @return false when out of memory */
static bool builder_open(struct builder *builder)
{
	edges_piece_begin(builder->edges, &builder->piece);
	for (size_t i = 0; i < builder->observer_count; i++) {
		builder->gathered[i] = builder->observers[i].open(builder->observers[i].context);
		if (!builder->gathered[i])
			return false;
	}
	return true;
}

static void builder_close(struct builder *builder)
{
	for (size_t i = 0; i < builder->observer_count; i++)
		if (builder->gathered[i])
			builder->observers[i].close(builder->gathered[i]);
	owned_clear(&builder->numbered.references);
	free(builder->numbered.targets);
	edges_piece_clear(&builder->piece);
	traverser_set_counting(builder->views->heaps[builder->view]->traverser, true);
}

static struct error *add_edges(struct graph *graph, struct edges *edges, struct views *views,
			       const struct graph_observer *observers, size_t count,
			       const struct progress *progress)
{
	struct builder builders[JOBS_WORKERS_MAX];
	void *workers[JOBS_WORKERS_MAX];
	struct jobs_loop loop = {
		.count = graph->count,
		.step = PIECE_STEP,
		.run = read_piece,
		.join = join_piece,
		.workers = workers,
		.worker_count = views->count,
		.phase = "following references",
	};
	struct error *err = NULL;

	for (size_t i = 0; i < views->count; i++) {
		builders[i] = (struct builder){
			.graph = graph,
			.edges = edges,
			.views = views,
			.view = i,
			.observers = observers,
			.observer_count = count,
		};
		workers[i] = &builders[i];
		if (!builder_open(&builders[i]))
			err = &error_no_memory;
	}
	if (!err)
		err = jobs_loop(&loop, progress);
	for (size_t i = 0; i < views->count; i++)
		builder_close(&builders[i]);
	return err;
}

struct error *graph_build(const struct objects *objects, const struct graph_observer *observers,
			  size_t count, const struct progress *progress, struct graph **out)
{
	struct graph *graph = calloc(1, sizeof(*graph));
	struct edges edges = {0};
	struct views views = {0};
	struct error *err = &error_no_memory;

	*out = NULL;
	if (!graph)
		return err;
	graph->objects = objects;
	graph->count = objects->count;
	if (edges_begin(&edges, graph->count, heap_reference_budget(objects->heap, graph->count)))
		err = views_open(objects->heap, objects, &views);
	if (!err)
		err = add_edges(graph, &edges, &views, observers, count, progress);
	views_close(&views);
	graph->first = edges.first;
	graph->targets = edges.targets;
	graph->edge_count = edges.count;
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
