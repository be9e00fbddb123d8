/* Reads arenas and pools once the state of the allocator is found (pymalloc_find.c). */
#include "cpython/pymalloc_private.h"

#include <inttypes.h>
#include <stdlib.h>

enum { ARENAS_MAX = 1 << 22, ARENA_POOLS_MAX = 4096 };

/* Growing arrays of one reading. */
struct gathering {
	const struct runtime *runtime;
	struct reader *reader;
	struct pymalloc *pymalloc;
	size_t arena_capacity, pool_capacity;
};

static bool grow(void **items, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? *capacity * 2 : 64;
	void *grown;

	if (count < *capacity)
		return true;
	grown = realloc(*items, wanted * size);
	if (!grown)
		return false;
	*items = grown;
	*capacity = wanted;
	return true;
}

bool pymalloc_read_pool(const struct layout *layout, struct reader *reader, uint64_t address,
			struct pymalloc_pool *pool, uint32_t *pool_size)
{
	uint32_t szidx, next, last;

	*pool = (struct pymalloc_pool){.address = address, .first = layout->pool_header_size};
	if (!reader_u32(reader, address + layout->pool_header_count, &pool->used) ||
	    !reader_u32(reader, address + layout->pool_header_szidx, &szidx) ||
	    !reader_u32(reader, address + layout->pool_header_nextoffset, &next) ||
	    !reader_u32(reader, address + layout->pool_header_maxnextoffset, &last) ||
	    !reader_u64(reader, address + layout->pool_header_freeblock, &pool->freeblock) ||
	    szidx >= PYMALLOC_CLASSES)
		return false;
	pool->block_size = (szidx + 1) * PYMALLOC_ALIGNMENT;
	*pool_size = last + pool->block_size;
	/* nextoffset runs past the last whole block when the pool is carved up. */
	pool->carved = next > last + pool->block_size ? last + pool->block_size : next;
	if ((*pool_size != 1 << 12 && *pool_size != 1 << 14) || pool->carved < pool->first)
		return false;
	pool->carved -= (pool->carved - pool->first) % pool->block_size;
	return pool->used <= pymalloc_block_count(pool);
}

static bool add_pool(struct gathering *work, uint64_t address)
{
	const struct layout *layout = &work->runtime->layout;
	struct pymalloc *pymalloc = work->pymalloc;
	struct pymalloc_pool pool;
	uint32_t size, used;

	/* A pool that is entirely free keeps a stale header. */
	if (!reader_u32(work->reader, address + layout->pool_header_count, &used) || !used)
		return true;
	if (!pymalloc_read_pool(layout, work->reader, address, &pool, &size) ||
	    size != pymalloc->pool_size) {
		pymalloc->damaged++;
		return true;
	}
	if (!grow((void **)&pymalloc->pools, pymalloc->pool_count, &work->pool_capacity,
		  sizeof(pool)))
		return false;
	pymalloc->pools[pymalloc->pool_count++] = pool;
	pymalloc->used_blocks += pool.used;
	return true;
}

/* An arena_object in use: pools from `address`, aligned, up to pool_address were cut so far. */
static bool add_arena(struct gathering *work, uint64_t object)
{
	const struct layout *layout = &work->runtime->layout;
	struct pymalloc *pymalloc = work->pymalloc;
	uint64_t address, cut, first, size = pymalloc->pool_size;
	uint32_t pools;

	if (!reader_u64(work->reader, object + layout->arena_object_address, &address) || !address)
		return true;
	if (!reader_u64(work->reader, object + layout->arena_object_pool_address, &cut) ||
	    !reader_u32(work->reader, object + layout->arena_object_ntotalpools, &pools) ||
	    pools > ARENA_POOLS_MAX) {
		pymalloc->damaged++;
		return true;
	}
	first = (address + size - 1) & ~(size - 1);
	if (!grow((void **)&pymalloc->arenas, pymalloc->arena_count, &work->arena_capacity,
		  sizeof(*pymalloc->arenas)))
		return false;
	pymalloc->arenas[pymalloc->arena_count++] =
		(struct pymalloc_arena){address, first + pools * size};
	for (uint64_t at = first; at < cut && at < first + pools * size; at += size)
		if (!add_pool(work, at))
			return false;
	return true;
}

static int compare_pools(const void *left, const void *right)
{
	const struct pymalloc_pool *a = left, *b = right;

	return a->address < b->address ? -1 : a->address > b->address;
}

static int compare_arenas(const void *left, const void *right)
{
	const struct pymalloc_arena *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

static struct error *gather(struct gathering *work, const struct pymalloc_state *state)
{
	const struct layout *layout = &work->runtime->layout;
	struct pymalloc *pymalloc = work->pymalloc;
	uint64_t count = state->arena_total;

	if (count > ARENAS_MAX)
		return NULL;
	pymalloc->pool_size = state->pool_size;
	pymalloc->source = state->source;
	for (uint64_t i = 0; i < count; i++)
		if (!add_arena(work, state->arenas + i * layout->arena_object_size))
			return &error_no_memory;
	return NULL;
}

/* Pools are aligned to their size: which one covers an address is a look-up. */
static size_t pool_slot(const struct pymalloc *pymalloc, uint64_t address)
{
	return (size_t)(address / pymalloc->pool_size * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
	       (pymalloc->pool_slots - 1);
}

static bool index_pools(struct pymalloc *pymalloc)
{
	if (!pymalloc->pool_count)
		return true;
	if (pymalloc->pool_count >= UINT32_MAX)
		return false;
	for (pymalloc->pool_slots = 2; pymalloc->pool_slots < pymalloc->pool_count * 2;)
		pymalloc->pool_slots *= 2;
	pymalloc->pool_table = calloc(pymalloc->pool_slots, sizeof(*pymalloc->pool_table));
	if (!pymalloc->pool_table)
		return false;
	for (size_t i = 0; i < pymalloc->pool_count; i++) {
		size_t slot = pool_slot(pymalloc, pymalloc->pools[i].address);

		while (pymalloc->pool_table[slot])
			slot = (slot + 1) & (pymalloc->pool_slots - 1);
		pymalloc->pool_table[slot] = (uint32_t)i + 1;
	}
	return true;
}

struct error *pymalloc_open(struct runtime *runtime, struct pymalloc **result)
{
	struct pymalloc *pymalloc = calloc(1, sizeof(*pymalloc));
	struct pymalloc_state *states = NULL;
	struct reader reader;
	struct gathering work = {.runtime = runtime, .reader = &reader, .pymalloc = pymalloc};
	struct error *err = NULL;
	size_t count = 0;

	*result = NULL;
	if (!pymalloc)
		return &error_no_memory;
	reader_init(&reader, runtime->target->image);
	err = pymalloc_find(runtime, &reader, &states, &count);
	for (size_t i = 0; i < count && !err; i++)
		err = gather(&work, &states[i]);
	free(states);
	if (!err && pymalloc->pool_count)
		qsort(pymalloc->pools, pymalloc->pool_count, sizeof(*pymalloc->pools),
		      compare_pools);
	if (!err && !index_pools(pymalloc))
		err = &error_no_memory;
	if (err) {
		pymalloc_close(pymalloc);
		return err;
	}
	if (pymalloc->arena_count)
		qsort(pymalloc->arenas, pymalloc->arena_count, sizeof(*pymalloc->arenas),
		      compare_arenas);
	if (pymalloc->damaged)
		coverage_add(&runtime->target->coverage, PROBLEM_PARTIAL, "damaged-pools",
			     "%" PRIu64 " pools or arenas of pymalloc make no sense",
			     pymalloc->damaged);
	*result = pymalloc;
	return NULL;
}

void pymalloc_close(struct pymalloc *pymalloc)
{
	if (!pymalloc)
		return;
	free(pymalloc->arenas);
	free(pymalloc->pools);
	free(pymalloc->pool_table);
	free(pymalloc);
}

const struct pymalloc_pool *pymalloc_pool_at(const struct pymalloc *pymalloc, uint64_t address)
{
	size_t slot;

	if (!pymalloc->pool_count)
		return NULL;
	for (slot = pool_slot(pymalloc, address); pymalloc->pool_table[slot];
	     slot = (slot + 1) & (pymalloc->pool_slots - 1)) {
		const struct pymalloc_pool *pool = &pymalloc->pools[pymalloc->pool_table[slot] - 1];

		if (address - pool->address < pymalloc->pool_size)
			return pool;
	}
	return NULL;
}

const struct pymalloc_arena *pymalloc_arena_at(const struct pymalloc *pymalloc, uint64_t address)
{
	size_t low = 0, high = pymalloc->arena_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pymalloc->arenas[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && address < pymalloc->arenas[low - 1].end ? &pymalloc->arenas[low - 1] : NULL;
}

bool pymalloc_free_blocks(const struct pymalloc_pool *pool, struct reader *reader, uint8_t *is_free)
{
	uint32_t count = pymalloc_block_count(pool), found = 0;
	uint64_t at = pool->freeblock;

	memset(is_free, 0, PYMALLOC_BLOCKS_MAX);
	while (at) {
		uint64_t offset = at - pool->address - pool->first;
		uint32_t block = (uint32_t)(offset / pool->block_size);

		if (at < pool->address + pool->first || offset % pool->block_size ||
		    block >= count || is_free[block])
			return false;
		is_free[block] = 1;
		found++;
		if (!reader_u64(reader, at, &at))
			return false;
	}
	return found + pool->used == count;
}
