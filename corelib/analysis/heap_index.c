/* The slow half of the index: marking and numbering. */
#include "analysis/heap_index.h"

#include <stdlib.h>

static struct index_region *region_make(struct heap_index *index, uint64_t address)
{
	struct index_region ***directory =
		&index->directories[address >> (INDEX_REGION_BITS + INDEX_DIRECTORY_BITS)];
	struct index_region **region;

	if (!*directory)
		*directory = calloc((size_t)1 << INDEX_DIRECTORY_BITS, sizeof(**directory));
	if (!*directory)
		return NULL;
	region = &(*directory)[address >> INDEX_REGION_BITS & ((1 << INDEX_DIRECTORY_BITS) - 1)];
	if (!*region)
		*region = calloc(1, sizeof(**region));
	return *region;
}

enum index_insertion index_insert(struct heap_index *index, uint64_t address)
{
	struct index_region *region;
	unsigned bit = address >> INDEX_ALIGNMENT_BITS & (INDEX_WORDS * 64 - 1);
	uint64_t mask = UINT64_C(1) << bit % 64;

	if (!address || address >> 47 || address & ((1 << INDEX_ALIGNMENT_BITS) - 1))
		return INDEX_INVALID;
	region = region_make(index, address);
	/* The last number is kept for "none". */
	if (!region || index->count == UINT32_MAX - 1)
		return INDEX_NO_MEMORY;
	if (region->bits[bit / 64] & mask)
		return INDEX_PRESENT;
	region->bits[bit / 64] |= mask;
	index->count++;
	return INDEX_ADDED;
}

static uint32_t number_region(struct index_region *region, uint64_t base, uint32_t next,
			      uint64_t *addresses)
{
	for (unsigned i = 0; i < INDEX_WORDS; i++) {
		uint64_t word = region->bits[i];

		region->rank[i] = next;
		if (!addresses) {
			next += index_bit_count(word);
			continue;
		}
		while (word) {
			uint64_t bit = i * 64 + (uint64_t)__builtin_ctzll(word);

			addresses[next++] = base + (bit << INDEX_ALIGNMENT_BITS);
			word &= word - 1;
		}
	}
	return next;
}

void index_number(struct heap_index *index, uint64_t *addresses)
{
	uint32_t next = 0;

	for (uint64_t top = 0; top < 1 << INDEX_TOP_BITS; top++) {
		struct index_region **directory = index->directories[top];

		for (uint64_t i = 0; directory && i < 1 << INDEX_DIRECTORY_BITS; i++)
			if (directory[i])
				next = number_region(directory[i],
						     (top << INDEX_DIRECTORY_BITS | i)
							     << INDEX_REGION_BITS,
						     next, addresses);
	}
}

void index_clear(struct heap_index *index)
{
	for (size_t top = 0; top < 1 << INDEX_TOP_BITS; top++) {
		struct index_region **directory = index->directories[top];

		for (size_t i = 0; directory && i < 1 << INDEX_DIRECTORY_BITS; i++)
			free(directory[i]);
		free(directory);
		index->directories[top] = NULL;
	}
	index->count = 0;
}
