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

/** A computation under way, for who visits all objects anyway; unreachable_compute() is all of it.
 */
struct deduction;

/** What one thread has seen of the objects. */
struct deduction_piece;

/** Begins one. */
struct error *unreachable_begin(struct heap *heap, struct deduction **deduction)
	__attribute__((warn_unused_result));

/** Makes a piece. @return NULL when out of memory */
struct deduction_piece *unreachable_piece(struct deduction *deduction);

/** Frees it. NULL is allowed. */
void unreachable_piece_free(struct deduction_piece *piece);

/** Is this object collected, so that its references are wanted? */
bool unreachable_is_collected(const struct deduction *deduction, uint32_t object);

/**
 * Is shown an object's references, once for each object of the heap in order; those of objects that
 * are not collected do not matter. Several threads may each show a row of objects.
 * @param result,references,count as of traverse_object()
 * @return false when out of memory
 */
bool unreachable_see(struct deduction_piece *piece, uint32_t object, enum traverse_result result,
		     const struct reference *references, size_t count);

/**
 * Takes over what a piece has seen, which is empty then. Objects come in order, from the first on,
 * one thread at a time.
 * @return false when out of memory
 */
bool unreachable_join(struct deduction_piece *piece);

/** Finds what is unreachable, when all was seen. */
struct error *unreachable_end(struct deduction *deduction, const struct progress *progress,
			      struct unreachable **result) __attribute__((warn_unused_result));

/** Frees a computation, ended or not. NULL is allowed. */
void unreachable_abandon(struct deduction *deduction);

/** Frees it, not the heap. NULL is allowed. */
void unreachable_free(struct unreachable *unreachable);

#endif
