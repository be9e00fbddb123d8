/**
 * @file
 * Walking the collector's lists: the first half of heap_open().
 */
#ifndef PYMEM_ANALYSIS_HEAP_WALK_H
#define PYMEM_ANALYSIS_HEAP_WALK_H

#include "analysis/heap.h"

/** An object as it was met on a list. */
struct walked {
	uint64_t address;
	uint32_t type; /**< type->index or HEAP_NONE */
	int32_t refcount;
	uint8_t generation;
	uint8_t interpreter;
};

/** All objects, in the order of the lists. */
struct walk {
	struct walked *items;
	size_t count, capacity;
};

/**
 * Walks every list of every interpreter into the walk and the heap's index. A list that breaks off
 * is taken up again from its other end; what is damaged goes to the target's coverage.
 */
struct error *heap_walk(struct heap *heap, struct walk *walk, const struct progress *progress)
	__attribute__((warn_unused_result));

#endif
