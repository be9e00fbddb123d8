/**
 * @file
 * The block of memory that an address is in, as the allocators see it, and the blocks beside it:
 * what overwrites one is usually the one before.
 */
#ifndef PYMEM_ANALYSIS_BLOCK_H
#define PYMEM_ANALYSIS_BLOCK_H

#include "analysis/objects.h"

/** Who manages a block. */
enum block_owner {
	BLOCK_NONE,	/**< no allocator that is known */
	BLOCK_PYMALLOC, /**< a block of a pool, or a pool without blocks in use */
	BLOCK_MALLOC,	/**< a chunk of malloc */
	BLOCK_MAPPED,	/**< an object with a mapping of its own */
};

/** One block. */
struct block {
	enum block_owner owner;
	uint64_t start, end; /**< usable bytes; both 0 where they are not known */
	bool is_free;
	uint32_t object; /**< the object in it, by number; HEAP_NONE: raw memory, or free */
};

/** The block that contains an address. Its owner is BLOCK_NONE if there is none. */
struct block block_at(const struct objects *objects, uint64_t address);

/** The block right before or behind another, in the same pool or heap; BLOCK_NONE if there is none.
 */
struct block block_before(const struct objects *objects, const struct block *block);
struct block block_behind(const struct objects *objects, const struct block *block);

#endif
