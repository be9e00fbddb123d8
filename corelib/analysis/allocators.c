/* Arenas are unused but for the blocks in use, and so is what malloc has free. */
#include "analysis/allocators.h"

#include <stdlib.h>

static bool in_arena(const void *context, uint64_t address)
{
	return pymalloc_arena_at(context, address) != NULL;
}

/* Neighbours that are in use are taken together. */
static bool mark_pool(struct word_map *unused, const struct pymalloc_pool *pool,
		      const uint8_t *is_free)
{
	uint32_t count = pymalloc_block_count(pool), first = 0;
	uint64_t start = pool->address + pool->first;

	for (uint32_t b = 0; b <= count; b++) {
		if (b < count && !is_free[b])
			continue;
		if (!word_map_fill(unused, start + (uint64_t)first * pool->block_size,
				   start + (uint64_t)b * pool->block_size, false))
			return false;
		first = b + 1;
	}
	return true;
}

static bool mark_unused(struct allocators *allocators, const struct image *image)
{
	const struct pymalloc *pymalloc = allocators->pymalloc;
	const struct malloc_heaps *heaps = allocators->malloc_heaps;
	uint8_t is_free[PYMALLOC_BLOCKS_MAX];
	struct reader reader;

	reader_init(&reader, image);
	for (size_t i = 0; i < heaps->count; i++)
		if (heaps->chunks[i].is_free &&
		    !word_map_fill(&allocators->unused, heaps->chunks[i].address,
				   heaps->chunks[i].address + heaps->chunks[i].size, true))
			return false;
	for (size_t i = 0; i < pymalloc->arena_count; i++)
		if (!word_map_fill(&allocators->unused, pymalloc->arenas[i].start,
				   pymalloc->arenas[i].end, true))
			return false;
	for (size_t p = 0; p < pymalloc->pool_count; p++) {
		pymalloc_free_blocks(&pymalloc->pools[p], &reader, is_free);
		if (!mark_pool(&allocators->unused, &pymalloc->pools[p], is_free))
			return false;
	}
	return true;
}

struct error *allocators_open(struct runtime *runtime, struct allocators **result)
{
	struct allocators *allocators = calloc(1, sizeof(*allocators));
	struct error *err = allocators ? NULL : &error_no_memory;

	*result = NULL;
	if (!err)
		err = pymalloc_open(runtime, &allocators->pymalloc);
	if (!err)
		err = malloc_heaps_open(runtime->target, &allocators->malloc_heaps);
	if (!err)
		err = malloc_mapped_find(runtime->target, in_arena, allocators->pymalloc,
					 allocators->malloc_heaps);
	if (!err && !mark_unused(allocators, runtime->target->image))
		err = &error_no_memory;
	if (err) {
		allocators_close(allocators);
		return err;
	}
	*result = allocators;
	return NULL;
}

void allocators_close(struct allocators *allocators)
{
	if (!allocators)
		return;
	pymalloc_close(allocators->pymalloc);
	malloc_heaps_close(allocators->malloc_heaps);
	word_map_clear(&allocators->unused);
	free(allocators);
}
