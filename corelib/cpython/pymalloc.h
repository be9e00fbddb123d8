/**
 * @file
 * pymalloc, CPython's allocator of blocks up to 512 bytes (Objects/obmalloc.c): its arenas and
 * pools, and which blocks are in use. Almost every small object lives in one, tracked by the
 * collector or not.
 */
#ifndef PYMEM_CPYTHON_PYMALLOC_H
#define PYMEM_CPYTHON_PYMALLOC_H

#include "cpython/runtime.h"

enum {
	PYMALLOC_ALIGNMENT = 16,
	PYMALLOC_CLASSES = 32,	   /**< block sizes 16, 32 … 512 */
	PYMALLOC_BLOCKS_MAX = 1024 /**< in the largest pool, of 16 KiB */
};

/** A pool that has blocks in use: a header, then blocks of one size. */
struct pymalloc_pool {
	uint64_t address;
	uint32_t block_size; /**< in bytes */
	uint32_t used;	     /**< blocks in use, as the pool counts them */
	uint32_t first;	     /**< offset of the first block */
	uint32_t carved;     /**< offset behind the last block that was ever handed out */
	uint64_t freeblock;  /**< first of the free list, or 0 */
};

/** An arena: where pools are cut from. All of it that is in no block in use is dead memory. */
struct pymalloc_arena {
	uint64_t start, end;
};

/** All of them, of every interpreter, sorted by address. Read-only. */
struct pymalloc {
	struct pymalloc_arena *arenas;
	size_t arena_count;
	struct pymalloc_pool *pools;
	size_t pool_count;
	uint32_t *pool_table; /**< by address: one more than the number of the pool; internal */
	size_t pool_slots;    /**< of the table, a power of two */
	uint32_t pool_size;   /**< 4 KiB up to 3.9, then 16 KiB; 0: no pool in use */
	uint64_t used_blocks; /**< sum over the pools */
	uint64_t damaged;     /**< pools whose header makes no sense; they are left out */
	const char *source;   /**< how the state was found, for people */
};

/**
 * Reads the allocator's state. A process without pymalloc (PYTHONMALLOC=malloc) has no arenas.
 * @return NULL with an empty result if the state cannot be found, which adds to the coverage
 */
struct error *pymalloc_open(struct runtime *runtime, struct pymalloc **pymalloc)
	__attribute__((warn_unused_result));

/** Frees it. NULL is allowed. */
void pymalloc_close(struct pymalloc *pymalloc);

/** @return the pool that covers an address, or NULL */
const struct pymalloc_pool *pymalloc_pool_at(const struct pymalloc *pymalloc, uint64_t address);

/** @return the arena that covers an address, or NULL */
const struct pymalloc_arena *pymalloc_arena_at(const struct pymalloc *pymalloc, uint64_t address);

/** Bytes of an arena, which follow from the size of pools: 256 KiB up to 3.9, then 1 MiB
 * (Objects/obmalloc.c ARENA_SIZE). */
static inline uint64_t pymalloc_arena_size(const struct pymalloc *pymalloc)
{
	return pymalloc->pool_size == 1 << 12 ? 1 << 18 : 1 << 20;
}

/** How many blocks of a pool were ever handed out: those in use and those on its free list. */
static inline uint32_t pymalloc_block_count(const struct pymalloc_pool *pool)
{
	return (pool->carved - pool->first) / pool->block_size;
}

/**
 * Finds the free blocks of a pool.
 * @param is_free one byte a block, PYMALLOC_BLOCKS_MAX of them, set to 1 for a free one, else 0
 * @return false if the free list is damaged: it leaves the pool, meets itself, or does not agree
 * with the count; is_free then tells what could be followed
 */
bool pymalloc_free_blocks(const struct pymalloc_pool *pool, struct reader *reader,
			  uint8_t *is_free);

#endif
