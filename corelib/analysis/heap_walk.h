/**
 * @file
 * Walking the collector's lists, and reading the headers of what is on them: the first half of
 * heap_open().
 */
#ifndef PYMEM_ANALYSIS_HEAP_WALK_H
#define PYMEM_ANALYSIS_HEAP_WALK_H

#include "analysis/heap.h"

/** The objects that were met on one list: consecutive ones of the walk. */
struct walked_list {
	size_t count;
	uint8_t generation;
	uint8_t interpreter;
};

/** All objects, in the order of the lists. */
struct walk {
	uint64_t *addresses;
	size_t count, capacity;
	struct walked_list *lists;
	size_t list_count;
};

/**
 * Walks every list of every interpreter into the walk and the heap's index. A list that breaks off
 * is taken up again from its other end; what is damaged goes to the target's coverage.
 */
struct error *heap_walk(struct heap *heap, struct walk *walk, const struct progress *progress)
	__attribute__((warn_unused_result));

/** Frees what a walk holds. */
void walk_clear(struct walk *walk);

/**
 * Lists all objects of the heap's index, which are numbered, and reads their headers:
 * heap->addresses, ->types, ->refcounts and ->damaged_types. With all processors; types get their
 * numbers in the order in which they are met, by address of their objects.
 */
struct error *heap_read_headers(struct heap *heap, const struct progress *progress)
	__attribute__((warn_unused_result));

#endif
