/*
 * Python/gc.c (Modules/gcmodule.c up to 3.12), deduce_unreachable, done over a numbered heap: one
 * pass subtracts and keeps the references, so that the second, which propagates, reads no object
 * again.
 */
#include "analysis/unreachable.h"
#include "target/huge.h"

#include <inttypes.h>
#include <stdlib.h>

enum { PROGRESS_STEP = 1 << 17 };

/* What is not collected: frozen objects and immortal ones. */
#define NOT_COLLECTED INT32_MIN

/* The work in progress. */
struct deduction {
	struct unreachable *result;
	struct heap *heap;
	const struct progress *progress;
	int32_t *gc_refs; /* NOT_COLLECTED, or the references not yet explained */
	size_t capacity;  /* of result->targets */
	uint64_t budget;  /* references that may still be visited; beyond is damage */
};

/* update_refs: the generations being collected, less what is immortal (3.12+). */
static void copy_refcounts(struct deduction *work)
{
	const struct heap *heap = work->heap;

	for (uint32_t i = 0; i < heap->count; i++)
		work->gc_refs[i] = heap->generation[i] == GENERATION_PERMANENT ||
						   heap->refcounts[i] == HEAP_IMMORTAL
					   ? NOT_COLLECTED
					   : heap->refcounts[i];
}

static bool reserve_edges(struct deduction *work, size_t more)
{
	struct unreachable *result = work->result;
	size_t used = result->edge_count, capacity = work->capacity;
	uint32_t *targets;

	if (more <= capacity - used)
		return true;
	while (capacity - used < more)
		capacity = capacity ? capacity * 2 : 1 << 16;
	targets = huge_grow(result->targets, capacity, sizeof(*targets));
	if (!targets)
		return false;
	result->targets = targets;
	work->capacity = capacity;
	return true;
}

/* Visits one object: keeps its references to collected objects and takes them off their counts. */
static bool subtract(struct deduction *work, uint32_t object)
{
	struct unreachable *result = work->result;
	struct heap *heap = work->heap;
	const struct reference *references;
	size_t count;
	uint32_t *targets;

	if (heap->types[object] == HEAP_NONE || !work->budget) {
		result->damaged++;
		return true;
	}
	switch (traverse_object(heap->traverser, heap->addresses[object], heap_type(heap, object),
				&references, &count)) {
	case TRAVERSE_EXACT:
	case TRAVERSE_NONE:
		result->exact++;
		break;
	case TRAVERSE_PARTIAL:
		result->partial++;
		break;
	case TRAVERSE_UNKNOWN:
		result->unknown++;
		break;
	case TRAVERSE_DAMAGED:
		result->damaged++;
		break;
	}
	work->budget -= count < work->budget ? count : work->budget;
	if (!reserve_edges(work, count))
		return false;
	targets = result->targets + result->edge_count;
	for (size_t i = 0; i < count; i++) {
		uint32_t target = heap_find(heap, references[i].target);

		if (target == HEAP_NONE || work->gc_refs[target] == NOT_COLLECTED ||
		    heap->interpreter[target] != heap->interpreter[object])
			continue;
		if (!references[i].borrowed)
			work->gc_refs[target]--;
		*targets++ = target;
	}
	result->edge_count = (size_t)(targets - result->targets);
	return true;
}

static struct error *subtract_all(struct deduction *work)
{
	struct unreachable *result = work->result;
	uint32_t count = work->heap->count;

	for (uint32_t i = 0; i < count; i++) {
		result->first[i] = result->edge_count;
		if (work->gc_refs[i] == NOT_COLLECTED)
			continue;
		if (!subtract(work, i))
			return &error_no_memory;
		if (i % PROGRESS_STEP == 0) {
			struct error *err =
				progress_step(work->progress, "reading references", i, count);

			if (err)
				return err;
		}
	}
	result->first[count] = result->edge_count;
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

static struct error *propagate(struct deduction *work, uint8_t *reachable)
{
	uint32_t count = work->heap->count;

	if (!unreachable_propagate(work->result, work->gc_refs, reachable))
		return &error_no_memory;
	return progress_step(work->progress, "propagating", count, count);
}

static struct error *collect_result(struct deduction *work, const uint8_t *reachable)
{
	struct unreachable *result = work->result;
	uint32_t count = work->heap->count, found = 0, negative = 0;

	for (uint32_t i = 0; i < count; i++) {
		found += work->gc_refs[i] != NOT_COLLECTED && !reachable[i];
		negative += work->gc_refs[i] != NOT_COLLECTED && work->gc_refs[i] < 0;
	}
	result->objects = huge_array((size_t)found + 1, sizeof(*result->objects));
	result->negative = huge_array((size_t)negative + 1, sizeof(*result->negative));
	if (!result->objects || !result->negative)
		return &error_no_memory;
	for (uint32_t i = 0; i < count; i++) {
		if (work->gc_refs[i] == NOT_COLLECTED)
			continue;
		if (!reachable[i])
			result->objects[result->count++] = i;
		if (work->gc_refs[i] < 0)
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

struct error *unreachable_compute(struct heap *heap, const struct progress *progress,
				  struct unreachable **out)
{
	struct unreachable *result = calloc(1, sizeof(*result));
	struct deduction work = {.result = result, .heap = heap, .progress = progress};
	uint8_t *reachable = huge_zeroed((size_t)heap->count + 1, 1);
	struct error *err = &error_no_memory;

	*out = NULL;
	work.gc_refs = huge_array((size_t)heap->count + 1, sizeof(*work.gc_refs));
	if (result && reachable && work.gc_refs) {
		result->heap = heap;
		result->first = huge_array((size_t)heap->count + 1, sizeof(*result->first));
		if (result->first) {
			copy_refcounts(&work);
			work.budget = heap_reference_budget(heap, heap->count);
			err = subtract_all(&work);
			if (!err)
				err = propagate(&work, reachable);
			if (!err)
				err = collect_result(&work, reachable);
		}
	}
	free(reachable);
	if (result)
		result->remaining = work.gc_refs;
	else
		free(work.gc_refs);
	if (err) {
		unreachable_free(result);
		return err;
	}
	report(result);
	*out = result;
	return NULL;
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
