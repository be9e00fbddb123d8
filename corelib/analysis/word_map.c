/* Filling ranges of bits, a group of 64 at a time. */
#include "analysis/word_map.h"

#include <stdlib.h>
#include <string.h>

/* Sets a pointer to new memory of zeros, unless another thread was first. */
static void *make(void *place, size_t count, size_t size)
{
	void **pointer = place, *made = calloc(count, size), *other = NULL;

	if (made && !__atomic_compare_exchange_n(pointer, &other, made, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_ACQUIRE)) {
		free(made);
		made = other;
	}
	return made;
}

static uint64_t *find_group(struct word_map *map, uint64_t address, bool wanted)
{
	uint64_t ***directory =
		&map->directories[address >> (WORD_MAP_REGION_BITS + WORD_MAP_DIRECTORY_BITS)];
	uint64_t **regions = __atomic_load_n(directory, __ATOMIC_ACQUIRE), **place, *region;

	if (!regions && wanted)
		regions = make(directory, (size_t)1 << WORD_MAP_DIRECTORY_BITS, sizeof(*regions));
	if (!regions)
		return NULL;
	place = &regions[address >> WORD_MAP_REGION_BITS & ((1 << WORD_MAP_DIRECTORY_BITS) - 1)];
	region = __atomic_load_n(place, __ATOMIC_ACQUIRE);
	if (!region && wanted)
		region = make(place, WORD_MAP_GROUPS, sizeof(*region));
	return region ? &region[address >> 9 & (WORD_MAP_GROUPS - 1)] : NULL;
}

/* Most words that are marked were marked before: looking costs less than writing. */
static void change(uint64_t *group, uint64_t mask, bool dead)
{
	uint64_t bits = __atomic_load_n(group, __ATOMIC_RELAXED);

	if (dead && (bits & mask) != mask)
		__atomic_fetch_or(group, mask, __ATOMIC_RELAXED);
	else if (!dead && (bits & mask))
		__atomic_fetch_and(group, ~mask, __ATOMIC_RELAXED);
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
			change(group, mask, dead);
		start = next;
	}
	return true;
}

static bool copy_directory(struct word_map *map, const struct word_map *from, size_t top)
{
	const size_t directory_size = (size_t)1 << WORD_MAP_DIRECTORY_BITS;
	uint64_t **directory = calloc(directory_size, sizeof(*directory));

	map->directories[top] = directory;
	for (size_t i = 0; directory && i < directory_size; i++) {
		const uint64_t *region = from->directories[top][i];

		if (!region)
			continue;
		directory[i] = malloc(WORD_MAP_GROUPS * sizeof(**directory));
		if (!directory[i])
			return false;
		memcpy(directory[i], region, WORD_MAP_GROUPS * sizeof(**directory));
	}
	return directory != NULL;
}

bool word_map_copy(struct word_map *map, const struct word_map *from)
{
	for (size_t top = 0; top < 1 << WORD_MAP_TOP_BITS; top++)
		if (from->directories[top] && !copy_directory(map, from, top))
			return false;
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
