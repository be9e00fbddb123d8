/*
 * glibc 2.35 and later keep in malloc'ed memory which module is where, for unwinding
 * (elf/dl-find_object.c, struct dlfo_mappings_segment). They allocate room for many more modules
 * than there are and do not fill it: an address that is left there from an earlier use of the block
 * holds nothing. Such a block is known by its second word, which is its own address.
 */
#include "analysis/census.h"

/* The struct, and what it is aligned to: cache_line_size_estimate. */
enum { SEGMENT_ALIGNMENT = 128, SEGMENT_HEADER = 32, ENTRY_SIZE = 32 };

struct segment_header {
	uint64_t previous;
	uint64_t to_free; /* what malloc() returned */
	uint64_t size, allocated;
};

/* An entry begins with the bounds of the module's mapping. */
static bool is_entry(struct reader *reader, uint64_t address)
{
	uint64_t start, end;

	return reader_u64(reader, address, &start) && reader_u64(reader, address + 8, &end) &&
	       start && start < end;
}

static bool mark_block(struct reader *reader, const struct malloc_chunk *chunk,
		       struct word_map *dead)
{
	uint64_t start =
		(chunk->address + SEGMENT_ALIGNMENT - 1) & ~(uint64_t)(SEGMENT_ALIGNMENT - 1);
	uint64_t end = chunk->address + chunk->size, room, filled;
	const struct segment_header *header;

	if (end < chunk->address || start >= end || end - start < SEGMENT_HEADER + ENTRY_SIZE)
		return true;
	room = (end - start - SEGMENT_HEADER) / ENTRY_SIZE;
	header = reader_at(reader, start, sizeof(*header));
	if (!header || header->to_free != chunk->address || !header->size ||
	    header->size > header->allocated || header->allocated > room)
		return true;
	filled = start + SEGMENT_HEADER + header->size * ENTRY_SIZE;
	if (!is_entry(reader, start + SEGMENT_HEADER))
		return true;
	return word_map_fill(dead, chunk->address, start, true) &&
	       word_map_fill(dead, filled, end, true);
}

bool census_mark_linker(const struct objects *objects, struct reader *reader, struct word_map *dead)
{
	const struct malloc_heaps *heaps = objects->malloc_heaps;

	for (size_t i = 0; i < heaps->count; i++)
		if (!heaps->chunks[i].is_free && !mark_block(reader, &heaps->chunks[i], dead))
			return false;
	return true;
}
