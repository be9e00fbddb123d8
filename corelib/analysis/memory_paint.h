/**
 * @file
 * Between memory_map.c, which says what is where, and memory_paint.c, which counts it: a cursor
 * that goes through the address space once, so that no byte is counted twice, however the target's
 * structures overlap.
 */
#ifndef PYMEM_ANALYSIS_MEMORY_PAINT_H
#define PYMEM_ANALYSIS_MEMORY_PAINT_H

#include "analysis/memory_map.h"

/** What is not claimed by anybody: the mapping decides. */
#define PAINT_REST MEMORY_KINDS

/** A counting. */
struct painter {
	const struct target *target;
	const struct residency *residency;
	struct memory_map *map;
	uint64_t cursor;  /**< all below is counted */
	size_t mapping;	  /**< index of the first that ends behind the cursor */
	size_t range;	  /**< the same of the resident ranges */
	const char *path; /**< of the file that what is painted belongs to though it is anonymous;
			     NULL: the mapping's own */
	size_t file_capacity, unknown_capacity;
	bool failed; /**< memory ran out */
};

/**
 * Counts what is mapped from the cursor up to `end` as one kind.
 * @return how many bytes that were, of memory that was not counted before
 */
uint64_t paint(struct painter *painter, uint64_t end, unsigned kind);

/** The same for one block: what is before it is painted as `before`. Nothing if all of it lies
 * below the cursor. */
void paint_block(struct painter *painter, uint64_t start, uint64_t end, unsigned before,
		 unsigned kind);

/** Counts `count` blocks of one kind from the cursor up to `end`, unless none of it is new. */
void paint_blocks(struct painter *painter, uint64_t end, unsigned kind, uint64_t count);

/** Paints the rest, and sorts and joins the lists. */
void paint_end(struct painter *painter);

#endif
