/**
 * @file
 * The blocks in use that are no Python object: tables of dicts and lists, buffers, memory of C
 * code; and which of them belong to a Python object.
 */
#ifndef PYMEM_ANALYSIS_RAW_BLOCKS_H
#define PYMEM_ANALYSIS_RAW_BLOCKS_H

#include "analysis/objects.h"

/** One block: of a pool, or a chunk of malloc without its header. */
struct raw_block {
	uint64_t start, end; /**< usable bytes */
};

/** All of them, by number in order of address. */
struct raw_blocks {
	struct raw_block *items;
	uint32_t count;
	/**
	 * By number: a word of a Python object points at it, or one of a block that is itself
	 * owned. One that is not is held by static data, a stack, or nobody.
	 */
	uint8_t *owned;
};

/** Goes through objects and blocks in order of address at once, to tell which block is what. */
struct block_cursor {
	const struct objects *objects;
	uint32_t object; /**< the first that is not below the block at hand */
};

/** @return the object in a block, by number, or HEAP_NONE; blocks must come in order of address */
uint32_t block_cursor_object(struct block_cursor *cursor, uint64_t start, uint64_t end);

/** Lists them and finds the owned ones. */
struct error *raw_blocks_find(struct objects *objects, const struct progress *progress,
			      struct raw_blocks *raw) __attribute__((warn_unused_result));

/** Frees what it holds. */
void raw_blocks_clear(struct raw_blocks *raw);

#endif
