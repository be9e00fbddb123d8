/**
 * @file
 * The objects that gc.collect() would find unreachable in this heap: copy the refcounts, subtract
 * every reference that tp_traverse reports between the objects being collected, and keep what
 * cannot be reached from an object with references left (Python/gc.c deduce_unreachable).
 */
#ifndef PYMEM_ANALYSIS_UNREACHABLE_H
#define PYMEM_ANALYSIS_UNREACHABLE_H

#include "analysis/heap.h"

/** The result, over the objects of a heap. */
struct unreachable {
	struct heap *heap;
	uint32_t *objects; /**< numbers of the unreachable objects, ascending */
	uint32_t count;
	/** References among all collected objects: of object i, targets[first[i] .. first[i + 1]).
	 */
	uint64_t *first;
	uint32_t *targets;
	size_t edge_count; /**< of targets */
	/** Objects that more references visit than their refcount says; a sign of damage. */
	uint32_t *negative;
	uint32_t negative_count;
	/** References to each object that no collected object holds; INT32_MIN: not collected. */
	int32_t *remaining;
	uint64_t exact, partial, unknown, damaged; /**< objects by how they were traversed */
};

/** Computes it. A full collection: all three generations of each interpreter, not the permanent
 * one. */
struct error *unreachable_compute(struct heap *heap, const struct progress *progress,
				  struct unreachable **result) __attribute__((warn_unused_result));

/**
 * Finds what is reachable if other numbers of references remained than in unreachable->remaining.
 * @param reachable one byte an object, set to 1 for those; zeroed by the caller
 * @return false when out of memory
 */
bool unreachable_propagate(const struct unreachable *unreachable, const int32_t *remaining,
			   uint8_t *reachable);

/** Frees it, not the heap. NULL is allowed. */
void unreachable_free(struct unreachable *unreachable);

#endif
