/*
 * Ownership spreads from the words of the objects, as that of a garbage collector that knows no
 * types: a pointer to the start of a block, or to a few bytes behind it, where the values of an
 * instance have a prefix (PyDictValues, 3.11+) or the debug allocator has its own words.
 */
#include "analysis/raw_blocks.h"

#include "target/huge.h"

#include <stdlib.h>

enum { WORD = 8, STEP = 16, PREFIX_MAX = 64, PRESIZE_MAX = 32, PROGRESS_STEP = 1 << 16 };

/* Objects that claim more than this are damaged, or their items are no pointers. */
#define OBJECT_MAX (UINT64_C(1) << 36)

/* One search. */
struct ownership {
	struct objects *objects;
	struct raw_blocks *raw;
	struct heap_index *index; /* start of a block -> its number */
	struct block_cursor cursor;
	size_t capacity;
	uint32_t *pending;
	uint32_t pending_count;
	uint64_t low, high; /* where the blocks are */
};

uint32_t block_cursor_object(struct block_cursor *cursor, uint64_t start, uint64_t end)
{
	const struct objects *objects = cursor->objects;
	uint64_t address;

	/* Streams of blocks start anew at a lower address. */
	if (cursor->object && objects->addresses[cursor->object - 1] >= start)
		cursor->object = 0;
	if (!cursor->object && objects->count && objects->addresses[0] < start) {
		uint32_t low = 0, high = objects->count;

		while (low < high) {
			uint32_t middle = low + (high - low) / 2;

			if (objects->addresses[middle] < start)
				low = middle + 1;
			else
				high = middle;
		}
		cursor->object = low;
	}
	while (cursor->object < objects->count && objects->addresses[cursor->object] < start)
		cursor->object++;
	if (cursor->object == objects->count)
		return HEAP_NONE;
	address = objects->addresses[cursor->object];
	return address < end && address - start <= objects->debug_offset + PRESIZE_MAX
		       ? cursor->object
		       : HEAP_NONE;
}

/* Blocks of a forged heap may overlap or be out of line: those are left out. */
static bool add_raw(struct ownership *work, uint64_t start, uint64_t end)
{
	struct raw_blocks *raw = work->raw;
	struct raw_block *items;

	if ((raw->count && start <= raw->items[raw->count - 1].start) ||
	    block_cursor_object(&work->cursor, start, end) != HEAP_NONE)
		return true;
	items = raw->count < UINT32_MAX - 1
			? huge_room(raw->items, &work->capacity, raw->count + 1, sizeof(*items))
			: NULL;
	if (!items)
		return false;
	raw->items = items;
	switch (index_insert(work->index, start)) {
	case INDEX_NO_MEMORY:
		return false;
	case INDEX_ADDED:
		raw->items[raw->count++] = (struct raw_block){start, end};
		break;
	case INDEX_PRESENT:
	case INDEX_INVALID:
		break;
	}
	return true;
}

/* @return false when out of memory */
static bool add_pool(struct ownership *work, const struct pymalloc_pool *pool)
{
	uint64_t at = pool->address + pool->first;
	uint8_t is_free[PYMALLOC_BLOCKS_MAX];

	pymalloc_free_blocks(pool, &work->objects->heap->reader, is_free);
	for (uint32_t b = 0; b < pymalloc_block_count(pool); b++, at += pool->block_size)
		if (!is_free[b] && !add_raw(work, at, at + pool->block_size))
			return false;
	return true;
}

static bool add_chunk(struct ownership *work, const struct malloc_chunk *chunk)
{
	return chunk->is_free || add_raw(work, chunk->address, chunk->address + chunk->size);
}

/* All blocks in use that are no objects: pools and chunks are in order of address each. */
static bool list_blocks(struct ownership *work)
{
	const struct pymalloc *pymalloc = work->objects->pymalloc;
	const struct malloc_heaps *heaps = work->objects->malloc_heaps;
	size_t p = 0, c = 0, m = 0;

	for (;;) {
		uint64_t pool = p < pymalloc->pool_count ? pymalloc->pools[p].address : UINT64_MAX;
		uint64_t chunk = c < heaps->count ? heaps->chunks[c].address : UINT64_MAX;
		uint64_t mapped = m < heaps->mapped_count ? heaps->mapped[m].start : UINT64_MAX;
		bool ok;

		if (p < pymalloc->pool_count && pool <= chunk && pool <= mapped)
			ok = add_pool(work, &pymalloc->pools[p++]);
		else if (c < heaps->count && chunk <= mapped)
			ok = add_chunk(work, &heaps->chunks[c++]);
		else if (m < heaps->mapped_count)
			ok = add_raw(work, mapped + MALLOC_HEADER, heaps->mapped[m++].end);
		else
			return true;
		if (!ok)
			return false;
	}
}

/* Numbers the blocks, which are in order of address. */
static bool number(struct ownership *work)
{
	struct raw_blocks *raw = work->raw;

	raw->owned = huge_zeroed((size_t)raw->count + 1, 1);
	work->pending = huge_array((size_t)raw->count + 1, sizeof(*work->pending));
	work->low = raw->count ? raw->items[0].start : 1;
	work->high = raw->count ? raw->items[raw->count - 1].start + PREFIX_MAX : 0;
	return raw->owned && work->pending && index_number(work->index);
}

static void own(struct ownership *work, uint64_t value)
{
	uint64_t at = value & ~(uint64_t)(STEP - 1);

	if (value - work->low > work->high - work->low)
		return;
	for (unsigned back = 0; back <= PREFIX_MAX; back += STEP, at -= STEP) {
		uint32_t block;

		/* Most words lead to objects, and no block of these begins with one. */
		if (objects_find(work->objects, at) != HEAP_NONE)
			return;
		block = index_find(work->index, at);
		if (block == UINT32_MAX)
			continue;
		if (!work->raw->owned[block] && value < work->raw->items[block].end) {
			work->raw->owned[block] = 1;
			work->pending[work->pending_count++] = block;
		}
		return;
	}
}

/* All words of [start, end). */
static void own_from(struct ownership *work, uint64_t start, uint64_t end)
{
	struct reader *reader = &work->objects->heap->reader;

	for (uint64_t at = (start + WORD - 1) & ~(uint64_t)(WORD - 1); at + WORD <= end;) {
		uint64_t stop = (at & ~UINT64_C(4095)) + 4096;
		const uint8_t *bytes;

		stop = stop > end ? end & ~(uint64_t)(WORD - 1) : stop;
		bytes = reader_at(reader, at, (size_t)(stop - at));
		for (uint64_t i = 0; bytes && i < stop - at; i += WORD) {
			uint64_t value;

			memcpy(&value, bytes + i, sizeof(value));
			own(work, value);
		}
		at = stop;
	}
}

/* Text and numbers point at nothing, however they look, and a tuple at objects only. */
static bool is_leaf(const struct type *type)
{
	return (type->flags &
		(TPFLAGS_BYTES_SUBCLASS | TPFLAGS_LONG_SUBCLASS | TPFLAGS_TUPLE_SUBCLASS)) &&
	       !(type->flags & TPFLAGS_HEAPTYPE);
}

/* What is in front of an object but for its GC head, then what is behind its own header: the words
 * of both headers point at objects and lists of them. */
static void own_from_object(struct ownership *work, uint64_t object, const struct type *type,
			    uint64_t extent)
{
	const struct layout *layout = &work->objects->heap->runtime->layout;
	uint64_t head = object - (type->flags & TPFLAGS_HAVE_GC ? layout->PyGC_Head_size : 0);

	own_from(work, object - type->presize, head);
	own_from(work, object + layout->PyObject_size, object + extent);
}

static struct error *own_from_objects(struct ownership *work, const struct progress *progress)
{
	struct objects *objects = work->objects;

	for (uint32_t i = 0; i < objects->count; i++) {
		const struct type *type = objects_type(objects, i);
		uint64_t at = objects->addresses[i], extent;

		if (i % PROGRESS_STEP == 0) {
			struct error *err = progress_step(progress, "finding owners of buffers", i,
							  objects->count);

			if (err)
				return err;
		}
		if (!type || is_leaf(type))
			continue;
		extent = object_extent(objects->heap->traverser, at, type);
		/* Only a str that is not compact has pointers, behind its header. */
		if ((type->flags & TPFLAGS_UNICODE_SUBCLASS) && extent > (uint64_t)type->basicsize)
			extent = (uint64_t)type->basicsize;
		if (extent < OBJECT_MAX)
			own_from_object(work, at, type, extent);
	}
	return NULL;
}

struct error *raw_blocks_find(struct objects *objects, const struct progress *progress,
			      struct raw_blocks *raw)
{
	struct ownership work = {.objects = objects, .raw = raw, .cursor = {.objects = objects}};
	struct error *err = &error_no_memory;

	*raw = (struct raw_blocks){0};
	work.index = calloc(1, sizeof(*work.index));
	if (work.index && list_blocks(&work) && number(&work))
		err = own_from_objects(&work, progress);
	while (!err && work.pending_count) {
		const struct raw_block *block = &raw->items[work.pending[--work.pending_count]];

		own_from(&work, block->start, block->end);
	}
	if (work.index)
		index_clear(work.index);
	free(work.index);
	free(work.pending);
	if (err)
		raw_blocks_clear(raw);
	return err;
}

void raw_blocks_clear(struct raw_blocks *raw)
{
	free(raw->items);
	free(raw->owned);
	*raw = (struct raw_blocks){0};
}
