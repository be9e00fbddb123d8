/* Blocks of pymalloc and chunks of malloc, looked up by address. */
#include "analysis/block.h"

enum { PRESIZE_MAX = 32, STEP = 16 };

/* The object whose header is where one would be in this block. */
static uint32_t object_in(const struct objects *objects, uint64_t start, uint64_t end)
{
	for (uint64_t front = 0; front <= PRESIZE_MAX; front += STEP) {
		uint64_t address = start + objects->debug_offset + front;
		uint32_t object = address < end ? objects_find(objects, address) : HEAP_NONE;

		if (object != HEAP_NONE)
			return object;
	}
	return HEAP_NONE;
}

static struct block pool_block(const struct objects *objects, const struct pymalloc_pool *pool,
			       uint64_t address)
{
	struct block block = {.owner = BLOCK_PYMALLOC, .object = HEAP_NONE};
	uint8_t is_free[PYMALLOC_BLOCKS_MAX];
	uint64_t first = pool->address + pool->first, i;

	if (address < first)
		return (struct block){.object = HEAP_NONE};
	i = (address - first) / pool->block_size;
	block.start = first + i * pool->block_size;
	block.end = block.start + pool->block_size;
	pymalloc_free_blocks(pool, &objects->heap->reader, is_free);
	block.is_free = i >= pymalloc_block_count(pool) || is_free[i];
	if (!block.is_free)
		block.object = object_in(objects, block.start, block.end);
	return block;
}

static struct block chunk_block(const struct objects *objects, const struct malloc_chunk *chunk)
{
	struct block block = {
		.owner = BLOCK_MALLOC,
		.start = chunk->address,
		.end = chunk->address + chunk->size,
		.is_free = chunk->is_free,
		.object = HEAP_NONE,
	};

	if (!block.is_free)
		block.object = object_in(objects, block.start, block.end);
	return block;
}

/* The last object that begins at or below an address, and its header. */
static uint32_t object_below(const struct objects *objects, uint64_t address)
{
	uint32_t low = 0, high = objects->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (objects->addresses[middle] <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : HEAP_NONE;
}

/* Objects above the threshold of malloc have a mapping of their own, which no heap lists. */
static struct block mapped_block(const struct objects *objects, uint64_t address)
{
	const struct block none = {.object = HEAP_NONE};
	uint32_t object = object_below(objects, address);
	const struct type *type;
	struct object_size size;
	uint64_t start;

	if (object == HEAP_NONE || objects->types[object] == HEAP_NONE)
		return none;
	type = type_by_index(objects->heap->runtime->types, objects->types[object]);
	object_measure(objects->heap->traverser, objects->addresses[object], type, &size);
	start = objects->addresses[object];
	if (address - start >= size.object)
		return none;
	return (struct block){
		.owner = BLOCK_MAPPED,
		.start = start - size.header - objects->debug_offset,
		.end = start + size.object,
		.object = object,
	};
}

struct block block_at(const struct objects *objects, uint64_t address)
{
	const struct pymalloc_pool *pool = pymalloc_pool_at(objects->pymalloc, address);
	const struct malloc_chunk *chunk;

	if (pool)
		return pool_block(objects, pool, address);
	if (pymalloc_arena_at(objects->pymalloc, address))
		return (struct block){
			.owner = BLOCK_PYMALLOC, .is_free = true, .object = HEAP_NONE};
	chunk = malloc_chunk_at(objects->malloc_heaps, address);
	return chunk ? chunk_block(objects, chunk) : mapped_block(objects, address);
}

struct block block_before(const struct objects *objects, const struct block *block)
{
	const struct block none = {.object = HEAP_NONE};
	const struct malloc_heaps *heaps = objects->malloc_heaps;
	const struct malloc_chunk *chunk;
	struct block before;

	if (block->owner == BLOCK_PYMALLOC && block->start) {
		before = block_at(objects, block->start - 1);
		return before.owner == BLOCK_PYMALLOC && before.start ? before : none;
	}
	if (block->owner != BLOCK_MALLOC)
		return none;
	chunk = malloc_chunk_at(heaps, block->start);
	return chunk && chunk > heaps->chunks ? chunk_block(objects, chunk - 1) : none;
}

struct block block_behind(const struct objects *objects, const struct block *block)
{
	const struct block none = {.object = HEAP_NONE};
	const struct malloc_heaps *heaps = objects->malloc_heaps;
	const struct malloc_chunk *chunk;
	const struct pymalloc_pool *pool;

	if (block->owner == BLOCK_PYMALLOC && block->start) {
		pool = pymalloc_pool_at(objects->pymalloc, block->start);
		return pool && block->end < pool->address + pool->carved
			       ? pool_block(objects, pool, block->end)
			       : none;
	}
	if (block->owner != BLOCK_MALLOC)
		return none;
	chunk = malloc_chunk_at(heaps, block->start);
	return chunk && chunk + 1 < heaps->chunks + heaps->count ? chunk_block(objects, chunk + 1)
								 : none;
}
