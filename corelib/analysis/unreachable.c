/*
 * Python/gc.c (Modules/gcmodule.c up to 3.12), deduce_unreachable, done over a numbered heap: one
 * pass keeps the references, so that subtracting and propagating read no object again. Threads
 * share the pass; what each has seen is put together in order of the objects.
 */
#include "analysis/unreachable.h"

#include "analysis/edges.h"
#include "analysis/views.h"
#include "target/huge.h"

#include <inttypes.h>
#include <stdlib.h>

enum { PIECE_STEP = 1 << 13, PROGRESS_STEP = 1 << 22 };

/* What is not collected: frozen objects and immortal ones. */
#define NOT_COLLECTED INT32_MIN

/* A note of struct edges_node beside those of enum traverse_result. */
#define NOTE_NOT_COLLECTED 0xff

/* No interpreter has this number (heap_open()). */
#define GROUP_NONE 0xff

/* The work in progress. */
struct deduction {
	struct unreachable *result;
	struct heap *heap;
	int32_t *gc_refs; /* NOT_COLLECTED, or the references not yet explained */
	/* By object: only references between those of one group count. GROUP_NONE: not collected;
	 * else the interpreter. */
	uint8_t *groups;
	struct edges edges;
	uint64_t *borrowed; /* edges that hold no refcount */
	size_t borrowed_count, borrowed_capacity;
};

struct deduction_piece {
	struct deduction *work;
	struct edges_piece edges;
	size_t *borrowed; /* numbers of edges in the piece, ascending */
	size_t borrowed_count, borrowed_capacity;
};

/* update_refs: the generations being collected, less what is immortal (3.12+). */
static void copy_refcounts(struct deduction *work)
{
	const struct heap *heap = work->heap;

	for (uint32_t i = 0; i < heap->count; i++) {
		bool collected = heap->generation[i] != GENERATION_PERMANENT &&
				 heap->refcounts[i] != HEAP_IMMORTAL;

		work->gc_refs[i] = collected ? heap->refcounts[i] : NOT_COLLECTED;
		work->groups[i] = collected ? heap->interpreter[i] : GROUP_NONE;
	}
}

struct error *unreachable_begin(struct heap *heap, struct deduction **deduction)
{
	struct deduction *work = calloc(1, sizeof(*work));

	*deduction = NULL;
	if (!work)
		return &error_no_memory;
	work->heap = heap;
	work->result = calloc(1, sizeof(*work->result));
	work->gc_refs = huge_array((size_t)heap->count + 1, sizeof(*work->gc_refs));
	work->groups = huge_array((size_t)heap->count + 1, sizeof(*work->groups));
	if (!work->result || !work->gc_refs || !work->groups ||
	    !edges_begin(&work->edges, heap->count, heap_reference_budget(heap, heap->count))) {
		unreachable_abandon(work);
		return &error_no_memory;
	}
	work->result->heap = heap;
	copy_refcounts(work);
	*deduction = work;
	return NULL;
}

void unreachable_abandon(struct deduction *work)
{
	if (!work)
		return;
	free(work->edges.first);
	free(work->edges.targets);
	free(work->gc_refs);
	free(work->groups);
	free(work->borrowed);
	unreachable_free(work->result);
	free(work);
}

/*
 * What one thread sees
 */

struct deduction_piece *unreachable_piece(struct deduction *work)
{
	struct deduction_piece *piece = jobs_memory(sizeof(*piece));

	if (!piece)
		return NULL;
	piece->work = work;
	edges_piece_begin(&work->edges, &piece->edges);
	return piece;
}

void unreachable_piece_free(struct deduction_piece *piece)
{
	if (!piece)
		return;
	edges_piece_clear(&piece->edges);
	free(piece->borrowed);
	free(piece);
}

bool unreachable_is_collected(const struct deduction *work, uint32_t object)
{
	return work->groups[object] != GROUP_NONE;
}

static bool add_borrowed(struct deduction_piece *piece, size_t edge)
{
	size_t *borrowed = huge_room(piece->borrowed, &piece->borrowed_capacity,
				     piece->borrowed_count + 1, sizeof(*borrowed));

	if (!borrowed)
		return false;
	piece->borrowed = borrowed;
	borrowed[piece->borrowed_count++] = edge;
	return true;
}

bool unreachable_see(struct deduction_piece *piece, uint32_t object, enum traverse_result result,
		     const struct reference *references, size_t count)
{
	const struct deduction *work = piece->work;
	const struct heap *heap = work->heap;
	bool collected = unreachable_is_collected(work, object);
	uint32_t *targets;
	size_t kept = 0;

	if (!collected || !edges_may_read(&piece->edges))
		count = 0;
	targets = edges_room(&piece->edges, count);
	if (!targets)
		return false;
	for (size_t i = 0; i < count; i++) {
		uint32_t target = heap_find(heap, references[i].target);

		if (target == HEAP_NONE || work->groups[target] != work->groups[object])
			continue;
		if (references[i].borrowed && !add_borrowed(piece, piece->edges.count + kept))
			return false;
		targets[kept++] = target;
	}
	edges_end_node(&piece->edges, kept, count, collected ? result : NOTE_NOT_COLLECTED);
	return true;
}

/*
 * Putting it together
 */

static void count_results(struct unreachable *result, const struct edges_piece *piece, size_t all)
{
	uint64_t *counts[] = {
		[TRAVERSE_EXACT] = &result->exact,     [TRAVERSE_NONE] = &result->exact,
		[TRAVERSE_PARTIAL] = &result->partial, [TRAVERSE_UNKNOWN] = &result->unknown,
		[TRAVERSE_DAMAGED] = &result->damaged,
	};

	for (size_t i = 0; i < piece->node_count; i++)
		if (piece->nodes[i].note != NOTE_NOT_COLLECTED)
			(*counts[piece->nodes[i].note])++;
	// Nobody may read these any more.
	for (size_t i = piece->node_count; i < all; i++)
		result->damaged += piece->nodes[i].note != NOTE_NOT_COLLECTED;
}

static bool keep_borrowed(struct deduction *work, const struct deduction_piece *piece,
			  uint64_t base)
{
	uint64_t *borrowed =
		huge_room(work->borrowed, &work->borrowed_capacity,
			  work->borrowed_count + piece->borrowed_count, sizeof(*borrowed));

	if (!borrowed)
		return false;
	work->borrowed = borrowed;
	for (size_t i = 0; i < piece->borrowed_count; i++)
		if (piece->borrowed[i] < piece->edges.count)
			work->borrowed[work->borrowed_count++] = base + piece->borrowed[i];
	return true;
}

bool unreachable_join(struct deduction_piece *piece)
{
	struct deduction *work = piece->work;
	uint64_t base = work->edges.count;
	size_t all = piece->edges.node_count;

	if (!edges_join(&work->edges, &piece->edges) || !keep_borrowed(work, piece, base))
		return false;
	count_results(work->result, &piece->edges, all);
	edges_piece_begin(&work->edges, &piece->edges);
	piece->borrowed_count = 0;
	return true;
}

/* subtract_refs: takes the references off the counts of the objects that they lead to. */
static struct error *subtract_all(struct deduction *work, const struct progress *progress)
{
	const struct edges *edges = &work->edges;

	for (uint64_t e = 0; e < edges->count; e++) {
		work->gc_refs[edges->targets[e]]--;
		if (e % PROGRESS_STEP == 0) {
			struct error *err =
				progress_step(progress, "subtracting references", e, edges->count);

			if (err)
				return err;
		}
	}
	for (size_t i = 0; i < work->borrowed_count; i++)
		work->gc_refs[edges->targets[work->borrowed[i]]]++;
	return NULL;
}

/*
 * Whatever has references left is reachable, and everything that it references. The stack holds
 * each object at most once, so the numbers of the heap bound it.
 */
bool unreachable_propagate(const struct unreachable *unreachable, const int32_t *remaining,
			   uint8_t *reachable)
{
	uint32_t count = unreachable->heap->count;
	uint32_t *stack = huge_array((size_t)count + 1, sizeof(*stack));
	size_t depth = 0;

	if (!stack)
		return false;
	for (uint32_t root = 0; root < count; root++) {
		if (remaining[root] <= 0 || reachable[root])
			continue;
		reachable[root] = 1;
		stack[depth++] = root;
		while (depth) {
			uint32_t object = stack[--depth];

			for (uint64_t e = unreachable->first[object];
			     e < unreachable->first[object + 1]; e++) {
				uint32_t target = unreachable->targets[e];

				if (!reachable[target]) {
					reachable[target] = 1;
					stack[depth++] = target;
				}
			}
		}
	}
	free(stack);
	return true;
}

static struct error *collect_result(struct unreachable *result, const uint8_t *reachable)
{
	const int32_t *gc_refs = result->remaining;
	uint32_t count = result->heap->count, found = 0, negative = 0;

	for (uint32_t i = 0; i < count; i++) {
		found += gc_refs[i] != NOT_COLLECTED && !reachable[i];
		negative += gc_refs[i] != NOT_COLLECTED && gc_refs[i] < 0;
	}
	result->objects = huge_array((size_t)found + 1, sizeof(*result->objects));
	result->negative = huge_array((size_t)negative + 1, sizeof(*result->negative));
	if (!result->objects || !result->negative)
		return &error_no_memory;
	for (uint32_t i = 0; i < count; i++) {
		if (gc_refs[i] == NOT_COLLECTED)
			continue;
		if (!reachable[i])
			result->objects[result->count++] = i;
		if (gc_refs[i] < 0)
			result->negative[result->negative_count++] = i;
	}
	return NULL;
}

static void report(const struct unreachable *result)
{
	struct coverage *coverage = &result->heap->runtime->target->coverage;

	if (result->damaged > result->heap->damaged_types)
		coverage_add(coverage, PROBLEM_PARTIAL, "damaged-objects",
			     "%" PRIu64 " tracked objects are unreadable or make no sense; they "
			     "count as referencing nothing",
			     result->damaged - result->heap->damaged_types);
	if (result->negative_count)
		coverage_add(coverage, PROBLEM_NOTE, "negative-refcounts",
			     "%u tracked objects are referenced more often than their refcount "
			     "says, the first at 0x%" PRIx64,
			     result->negative_count, result->heap->addresses[result->negative[0]]);
}

struct error *unreachable_end(struct deduction *work, const struct progress *progress,
			      struct unreachable **out)
{
	struct unreachable *result = work->result;
	uint8_t *reachable = huge_zeroed((size_t)work->heap->count + 1, 1);
	struct error *err = reachable ? subtract_all(work, progress) : &error_no_memory;

	*out = NULL;
	result->first = work->edges.first;
	result->targets = work->edges.targets;
	result->edge_count = work->edges.count;
	result->remaining = work->gc_refs;
	work->edges.first = NULL;
	work->edges.targets = NULL;
	work->gc_refs = NULL;
	if (!err && !unreachable_propagate(result, result->remaining, reachable))
		err = &error_no_memory;
	if (!err)
		err = progress_step(progress, "propagating", work->heap->count, work->heap->count);
	if (!err)
		err = collect_result(result, reachable);
	free(reachable);
	if (err)
		return err;
	report(result);
	*out = result;
	work->result = NULL;
	return NULL;
}

/*
 * The pass, where it is for this alone
 */

struct worker {
	JOBS_APART struct deduction *work;
	struct views *views;
	size_t view;
	struct deduction_piece *piece;
};

static struct error *see_all(void *context, size_t start, size_t end)
{
	const struct worker *worker = context;
	struct heap *heap = worker->views->heaps[worker->view];

	for (size_t i = start; i < end; i++) {
		enum traverse_result result = TRAVERSE_DAMAGED;
		const struct type *type = heap_type(heap, (uint32_t)i);
		const struct reference *references = NULL;
		size_t count = 0;

		if (type && unreachable_is_collected(worker->work, (uint32_t)i) &&
		    edges_may_read(&worker->piece->edges))
			result = traverse_object(heap->traverser, heap->addresses[i], type,
						 &references, &count);
		if (!unreachable_see(worker->piece, (uint32_t)i, result, references, count))
			return &error_no_memory;
	}
	return NULL;
}

static struct error *join_all(void *context, size_t start, size_t end)
{
	const struct worker *worker = context;

	(void)start, (void)end;
	views_collect(worker->views, worker->view);
	return unreachable_join(worker->piece) ? NULL : &error_no_memory;
}

static struct error *see_with(struct deduction *work, struct views *views,
			      const struct progress *progress)
{
	struct worker workers[JOBS_WORKERS_MAX];
	void *contexts[JOBS_WORKERS_MAX];
	struct jobs_loop loop = {
		.count = work->heap->count,
		.step = PIECE_STEP,
		.run = see_all,
		.join = join_all,
		.workers = contexts,
		.worker_count = views->count,
		.phase = "reading references",
	};
	struct error *err = NULL;

	for (size_t i = 0; i < views->count; i++) {
		workers[i] = (struct worker){
			.work = work,
			.views = views,
			.view = i,
			.piece = unreachable_piece(work),
		};
		contexts[i] = &workers[i];
		if (!workers[i].piece)
			err = &error_no_memory;
	}
	if (!err)
		err = jobs_loop(&loop, progress);
	for (size_t i = 0; i < views->count; i++)
		unreachable_piece_free(workers[i].piece);
	return err;
}

struct error *unreachable_compute(struct heap *heap, const struct progress *progress,
				  struct unreachable **result)
{
	struct deduction *work;
	struct views views;
	struct error *err = unreachable_begin(heap, &work);

	*result = NULL;
	if (err)
		return err;
	err = views_open(heap, NULL, &views);
	if (!err)
		err = see_with(work, &views, progress);
	views_close(&views);
	if (!err)
		err = unreachable_end(work, progress, result);
	unreachable_abandon(work);
	return err;
}

void unreachable_free(struct unreachable *unreachable)
{
	if (!unreachable)
		return;
	free(unreachable->objects);
	free(unreachable->negative);
	free(unreachable->first);
	free(unreachable->targets);
	free(unreachable->remaining);
	free(unreachable);
}
