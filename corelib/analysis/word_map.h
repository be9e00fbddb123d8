/**
 * @file
 * One bit for each word of the target's memory: which words are dead. Regions of 1 MiB are made on
 * demand; a region that is not there has no bit set.
 */
#ifndef PYMEM_ANALYSIS_WORD_MAP_H
#define PYMEM_ANALYSIS_WORD_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WORD_MAP_REGION_BITS = 20,
	WORD_MAP_DIRECTORY_BITS = 14,
	WORD_MAP_TOP_BITS = 47 - WORD_MAP_REGION_BITS - WORD_MAP_DIRECTORY_BITS,
	WORD_MAP_GROUPS = 1 << (WORD_MAP_REGION_BITS - 3 - 6), /**< of 64 words, in a region */
};

/** The map; zero-initialised is empty. Several threads may fill it, then any may read. */
struct word_map {
	uint64_t **directories[1 << WORD_MAP_TOP_BITS];
};

/**
 * Sets or clears the bits of all words that lie wholly in [start, end).
 * @return false when out of memory; addresses outside the user half are ignored
 */
bool word_map_fill(struct word_map *map, uint64_t start, uint64_t end, bool dead);

/** Copies a map to an empty one. @return false when out of memory */
bool word_map_copy(struct word_map *map, const struct word_map *from);

/** The bits of the 64 words from `address` on, which is a multiple of 512; bit 0 is the first. */
static inline uint64_t word_map_group(const struct word_map *map, uint64_t address)
{
	uint64_t **directory, *region;

	if (address >> 47)
		return 0;
	directory = map->directories[address >> (WORD_MAP_REGION_BITS + WORD_MAP_DIRECTORY_BITS)];
	region = directory ? directory[address >> WORD_MAP_REGION_BITS &
				       ((1 << WORD_MAP_DIRECTORY_BITS) - 1)]
			   : NULL;
	return region ? region[address >> 9 & (WORD_MAP_GROUPS - 1)] : 0;
}

/** Is the word at an address dead? */
static inline bool word_map_is_dead(const struct word_map *map, uint64_t address)
{
	return word_map_group(map, address & ~UINT64_C(511)) >> (address >> 3 & 63) & 1;
}

/** Frees what it holds. */
void word_map_clear(struct word_map *map);

#endif
