/* Filling ranges of bits, a group of 64 at a time. */
#include "analysis/word_map.h"

#include <stdlib.h>

static uint64_t *find_group(struct word_map *map, uint64_t address, bool make)
{
	uint64_t ***directory =
		&map->directories[address >> (WORD_MAP_REGION_BITS + WORD_MAP_DIRECTORY_BITS)];
	uint64_t **region;

	if (!*directory && make)
		*directory = calloc((size_t)1 << WORD_MAP_DIRECTORY_BITS, sizeof(**directory));
	if (!*directory)
		return NULL;
	region = &(
		*directory)[address >> WORD_MAP_REGION_BITS & ((1 << WORD_MAP_DIRECTORY_BITS) - 1)];
	if (!*region && make)
		*region = calloc(WORD_MAP_GROUPS, sizeof(**region));
	return *region ? &(*region)[address >> 9 & (WORD_MAP_GROUPS - 1)] : NULL;
}

bool word_map_fill(struct word_map *map, uint64_t start, uint64_t end, bool dead)
{
	const uint64_t limit = UINT64_C(1) << 47;

	if (end > limit)
		end = limit;
	start = (start + 7) & ~UINT64_C(7);
	end &= ~UINT64_C(7);
	while (start < end) {
		uint64_t next = (start & ~UINT64_C(511)) + 512, mask, *group;
		unsigned first = start >> 3 & 63, count;

		if (next > end)
			next = end;
		count = (unsigned)((next - start) >> 3);
		mask = (count == 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1) << first;
		group = find_group(map, start, dead);
		if (!group && dead)
			return false;
		if (group)
			*group = dead ? *group | mask : *group & ~mask;
		start = next;
	}
	return true;
}

void word_map_clear(struct word_map *map)
{
	for (size_t top = 0; top < 1 << WORD_MAP_TOP_BITS; top++) {
		uint64_t **directory = map->directories[top];

		for (size_t i = 0; directory && i < 1 << WORD_MAP_DIRECTORY_BITS; i++)
			free(directory[i]);
		free(directory);
		map->directories[top] = NULL;
	}
}
