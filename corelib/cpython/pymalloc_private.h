/**
 * @file
 * Between pymalloc.c, which reads arenas and pools, and pymalloc_find.c, which finds the state.
 */
#ifndef PYMEM_CPYTHON_PYMALLOC_PRIVATE_H
#define PYMEM_CPYTHON_PYMALLOC_PRIVATE_H

#include "cpython/pymalloc.h"

/** One allocator: a process has one, and one more for each isolated interpreter (3.12+). */
struct pymalloc_state {
	uint64_t used_pools;  /**< address of the table of pools with free blocks */
	uint64_t arenas;      /**< address of the array of arena_object; 0: none yet */
	uint32_t arena_total; /**< its length, unused elements included */
	uint32_t pool_size;   /**< 0: no pool in use */
	const char *source;   /**< how it was found */
};

/**
 * Finds the allocators: through the interpreters (3.12+), by the symbols of static data where there
 * are any, else by the shape of the table of used pools.
 * @param states owned by the caller; a state that was not found is not in it and is in the coverage
 */
struct error *pymalloc_find(struct runtime *runtime, struct reader *reader,
			    struct pymalloc_state **states, size_t *count)
	__attribute__((warn_unused_result));

/** Decodes a pool's header. @return false if it makes no sense */
bool pymalloc_read_pool(const struct layout *layout, struct reader *reader, uint64_t address,
			struct pymalloc_pool *pool, uint32_t *pool_size);

#endif
