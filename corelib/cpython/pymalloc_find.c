/*
 * The table of used pools is an array of 32 pairs of list links, one pair a size class. A class
 * without a pool that has free blocks points at itself, 16 bytes in front of its pair; the first
 * pool of any other class points back there and is of that class. Nothing else in a process looks
 * like it, so the table is found without symbols, and every way of finding it is checked by it.
 */
#include "cpython/pymalloc_private.h"

#include <elf.h>
#include <stdlib.h>

enum {
	TABLE_SIZE = PYMALLOC_CLASSES * 16,
	LINK_BIAS = 16,
	ARENA_TOTAL_MAX = 1 << 22,
	ARENA_POOLS_MAX = 4096
};

/* Is class k of a table at `table` right? Sets *pool if it has one. */
static bool class_fits(const struct layout *layout, struct reader *reader, uint64_t table,
		       unsigned k, uint64_t *pool)
{
	uint64_t head = table + k * 16 - LINK_BIAS, next, prev;
	uint32_t szidx, size;
	struct pymalloc_pool decoded;

	if (!reader_u64(reader, table + k * 16, &next) ||
	    !reader_u64(reader, table + k * 16 + 8, &prev))
		return false;
	if (next == head && prev == head)
		return true;
	if (next & 0xfff || !reader_u64(reader, next + layout->pool_header_prevpool, &prev) ||
	    prev != head || !reader_u32(reader, next + layout->pool_header_szidx, &szidx) ||
	    szidx != k || !pymalloc_read_pool(layout, reader, next, &decoded, &size))
		return false;
	*pool = next;
	return true;
}

static bool table_fits(const struct layout *layout, struct reader *reader, uint64_t table,
		       uint64_t *pool)
{
	*pool = 0;
	for (unsigned k = 0; k < PYMALLOC_CLASSES; k++)
		if (!class_fits(layout, reader, table, k, pool))
			return false;
	return true;
}

/* A table that fits in a writable range; the whole of it is looked at. */
static uint64_t scan_range(const struct layout *layout, struct reader *reader, uint64_t start,
			   uint64_t end, uint64_t *pool)
{
	for (uint64_t at = (start + 7) & ~UINT64_C(7); at + TABLE_SIZE <= end; at += 8) {
		uint64_t word;

		/* Cheap first: the first link is its own head or the start of a page. */
		if (!reader_u64(reader, at, &word) ||
		    (word != at - LINK_BIAS && (!word || word & 0xfff)))
			continue;
		if (table_fits(layout, reader, at, pool))
			return at;
	}
	return 0;
}

/* Static data of the python module, and the anonymous memory that its .bss runs on into. */
static uint64_t scan_module(struct runtime *runtime, struct reader *reader, uint64_t *pool)
{
	const struct image *image = runtime->target->image;
	uint64_t start = runtime->address, end = runtime->address;

	if (runtime->module) {
		start = runtime->module->start;
		end = runtime->module->end;
	}
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct segment *segment = &image->segments[i];
		uint64_t found;

		if (!(segment->flags & PF_W) || segment->end <= start || segment->start > end)
			continue;
		found = scan_range(&runtime->layout, reader, segment->start, segment->end, pool);
		if (found)
			return found;
		if (segment->end > end)
			end = segment->end;
	}
	return 0;
}

/*
 * An arena is mapped, so it begins with a page, and all of it is cut into pools but for one where
 * it is not aligned to them (new_arena()). Less would also fit a static that happens to point at an
 * object of the arena.
 */
static bool arena_covers(const struct layout *layout, struct reader *reader, uint64_t arenas,
			 uint32_t index, uint64_t pool, uint32_t pool_size)
{
	uint64_t object = arenas + (uint64_t)index * layout->arena_object_size, address;
	/* 256 KiB of 4 KiB pools, or 1 MiB of 16 KiB. */
	const uint32_t whole = 64;
	uint32_t pools;

	return reader_u64(reader, object + layout->arena_object_address, &address) && address &&
	       reader_u32(reader, object + layout->arena_object_ntotalpools, &pools) &&
	       address % 4096 == 0 && (pools == whole || pools == whole - 1) && address <= pool &&
	       pool - address < (uint64_t)whole * pool_size;
}

/* The array as long as `maxarenas`, an unsigned, says. */
static uint32_t arena_array_length(const struct layout *layout, struct reader *reader,
				   uint64_t arenas, uint64_t maxarenas_at)
{
	uint32_t length;

	if (reader_u32(reader, maxarenas_at, &length) && length && length <= ARENA_TOTAL_MAX &&
	    reader_at(reader, arenas, (size_t)length * layout->arena_object_size))
		return length;
	return 0;
}

/*
 * The array as long as its elements make sense, for when no symbol says where maxarenas is. It may
 * run on into zeros behind its end, which are like unused elements.
 */
static uint32_t arena_array_extent(const struct layout *layout, struct reader *reader,
				   uint64_t arenas)
{
	uint32_t length = 0, pools;
	uint64_t address, cut;

	while (length < ARENA_TOTAL_MAX) {
		uint64_t object = arenas + (uint64_t)length * layout->arena_object_size;

		if (!reader_u64(reader, object + layout->arena_object_address, &address) ||
		    !reader_u64(reader, object + layout->arena_object_pool_address, &cut) ||
		    !reader_u32(reader, object + layout->arena_object_ntotalpools, &pools))
			break;
		if (address && (address & 0xf || cut < address || cut - address > 2 << 20 ||
				pools > ARENA_POOLS_MAX))
			break;
		length++;
	}
	return length;
}

/* Up to 3.11 `arenas` is a static of its own: the pointer whose element covers a pool in use. */
static void scan_arenas(struct runtime *runtime, struct reader *reader, uint64_t pool,
			struct pymalloc_state *state)
{
	const struct layout *layout = &runtime->layout;
	const struct segment *segment;
	uint32_t index;

	reader_u32(reader, pool + layout->pool_header_arenaindex, &index);
	/* Near the table first: both are statics of one file, in .data and .bss of one module. */
	for (size_t i = 0; i < runtime->target->image->segment_count; i++) {
		uint64_t low = runtime->module ? runtime->module->start : runtime->address;

		segment = &runtime->target->image->segments[i];
		if (!(segment->flags & PF_W) || segment->end <= low ||
		    segment->start > state->used_pools + (64 << 20))
			continue;
		for (uint64_t at = (segment->start + 7) & ~UINT64_C(7); at + 8 <= segment->end;
		     at += 8) {
			uint64_t arenas;

			if (!reader_u64(reader, at, &arenas) || arenas < 0x1000 || arenas & 7 ||
			    arenas >> 47 ||
			    !arena_covers(layout, reader, arenas, index, pool, state->pool_size))
				continue;
			state->arena_total = arena_array_extent(layout, reader, arenas);
			if (state->arena_total > index) {
				state->arenas = arenas;
				return;
			}
		}
	}
}

static bool symbol_word(struct runtime *runtime, struct reader *reader, const char *name,
			uint64_t *address, uint64_t *value)
{
	struct symbol symbol;

	if (!runtime->target->modules || !modules_symbol(runtime->target->modules, name, &symbol))
		return false;
	*address = symbol.address;
	return reader_u64(reader, symbol.address, value);
}

/* Takes pool_size from a pool that is in the table. */
static void take_pool(const struct layout *layout, struct reader *reader, uint64_t pool,
		      struct pymalloc_state *state)
{
	struct pymalloc_pool decoded;

	if (pool)
		pymalloc_read_pool(layout, reader, pool, &decoded, &state->pool_size);
}

/* 3.12+: a struct, in the interpreter (3.12) or behind a pointer of it (3.13+). */
static bool state_of_interpreter(struct runtime *runtime, struct reader *reader,
				 const struct interpreter *interpreter,
				 struct pymalloc_state *state)
{
	const struct layout *layout = &runtime->layout;
	uint64_t base, pool;

	if (!layout_has(layout->PyInterpreterState_obmalloc))
		return false;
	base = interpreter->address + layout->PyInterpreterState_obmalloc;
	if (!layout_has(layout->PyInterpreterState_obmalloc_pools) &&
	    !reader_u64(reader, base, &base))
		return false;
	*state = (struct pymalloc_state){.used_pools = base + layout->obmalloc_state_pools,
					 .source = "the interpreter's obmalloc"};
	if (!table_fits(layout, reader, state->used_pools, &pool))
		return false;
	take_pool(layout, reader, pool, state);
	reader_u64(reader, base + layout->obmalloc_state_arenas, &state->arenas);
	state->arena_total = arena_array_length(layout, reader, state->arenas,
						base + layout->obmalloc_state_maxarenas);
	return true;
}

/* Up to 3.11: statics, by symbol or by shape. Later: the same shape, if the interpreter did not
 * tell. */
static bool static_state(struct runtime *runtime, struct reader *reader,
			 struct pymalloc_state *state)
{
	const struct layout *layout = &runtime->layout;
	uint64_t word, address, pool;

	*state = (struct pymalloc_state){.source = "symbol usedpools"};
	if (!symbol_word(runtime, reader, "usedpools", &state->used_pools, &word) ||
	    !table_fits(layout, reader, state->used_pools, &pool)) {
		state->used_pools = scan_module(runtime, reader, &pool);
		state->source = "shape of the table of used pools";
	}
	if (!state->used_pools)
		return false;
	take_pool(layout, reader, pool, state);
	if (layout_has(layout->obmalloc_state_arenas)) {
		reader_u64(reader, state->used_pools + layout->obmalloc_state_arenas,
			   &state->arenas);
		state->arena_total =
			arena_array_length(layout, reader, state->arenas,
					   state->used_pools + layout->obmalloc_state_maxarenas);
	} else if (symbol_word(runtime, reader, "arenas", &address, &word) &&
		   symbol_word(runtime, reader, "maxarenas", &address, &pool)) {
		state->arenas = word;
		state->arena_total = arena_array_length(layout, reader, word, address);
	} else if (pool) {
		scan_arenas(runtime, reader, pool, state);
	}
	return true;
}

/*
 * The table may be without a pool, when each pool in use is full: then any arena tells the size of
 * a pool by how it is cut up.
 */
static void settle_pool_size(struct runtime *runtime, struct reader *reader,
			     struct pymalloc_state *state)
{
	const struct layout *layout = &runtime->layout;

	for (uint32_t i = 0; i < state->arena_total && !state->pool_size; i++) {
		uint64_t object = state->arenas + (uint64_t)i * layout->arena_object_size, address;
		struct pymalloc_pool pool;

		if (!reader_u64(reader, object + layout->arena_object_address, &address) ||
		    !address)
			continue;
		for (uint64_t size = 1 << 12; size <= 1 << 14 && !state->pool_size; size <<= 2) {
			uint32_t found;

			if (pymalloc_read_pool(layout, reader, (address + size - 1) & ~(size - 1),
					       &pool, &found) &&
			    found == size)
				state->pool_size = found;
		}
	}
}

struct error *pymalloc_find(struct runtime *runtime, struct reader *reader,
			    struct pymalloc_state **states, size_t *count)
{
	*count = 0;
	*states = calloc(runtime->interpreter_count + 1, sizeof(**states));
	if (!*states)
		return &error_no_memory;
	for (size_t i = 0; i < runtime->interpreter_count; i++) {
		struct pymalloc_state *state = &(*states)[*count];
		bool known = false;

		if (!state_of_interpreter(runtime, reader, &runtime->interpreters[i], state))
			continue;
		for (size_t k = 0; k < *count; k++)
			known |= (*states)[k].used_pools == state->used_pools;
		*count += !known;
	}
	if (!*count && static_state(runtime, reader, &(*states)[0]))
		*count = 1;
	for (size_t i = 0; i < *count; i++)
		settle_pool_size(runtime, reader, &(*states)[i]);
	if (!*count)
		coverage_add(&runtime->target->coverage, PROBLEM_PARTIAL, "pymalloc-not-found",
			     "the state of CPython's small-object allocator was not found");
	return NULL;
}
