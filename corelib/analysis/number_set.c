/* A growing array whose duplicates are sorted out each time it is full. */
#include "analysis/number_set.h"

#include <stdlib.h>

static int compare_numbers(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

void number_set_finish(struct number_set *set)
{
	size_t kept = 0;

	if (!set->count)
		return;
	qsort(set->items, set->count, sizeof(*set->items), compare_numbers);
	for (size_t i = 0; i < set->count; i++)
		if (!kept || set->items[kept - 1] != set->items[i])
			set->items[kept++] = set->items[i];
	set->count = kept;
}

bool number_set_add(struct number_set *set, uint64_t number)
{
	if (set->count && set->items[set->count - 1] == number)
		return true;
	if (set->count == set->capacity) {
		number_set_finish(set);
		if (set->count * 2 >= set->capacity) {
			size_t capacity = set->capacity ? set->capacity * 2 : 64;
			uint64_t *items = realloc(set->items, capacity * sizeof(*items));

			if (!items)
				return false;
			set->items = items;
			set->capacity = capacity;
		}
	}
	set->items[set->count++] = number;
	return true;
}

bool number_set_has(const struct number_set *set, uint64_t number)
{
	return set->count &&
	       bsearch(&number, set->items, set->count, sizeof(*set->items), compare_numbers);
}

static uint64_t mix(uint64_t value)
{
	value ^= value >> 32;
	value *= UINT64_C(0xd6e8feb86659fd93);
	value ^= value >> 32;
	value *= UINT64_C(0xd6e8feb86659fd93);
	return value ^ value >> 32;
}

uint64_t number_set_hash(struct number_set *set)
{
	uint64_t hash;

	number_set_finish(set);
	hash = set->count;
	for (size_t i = 0; i < set->count; i++)
		hash = mix(hash ^ set->items[i]) + i;
	return hash;
}

void number_set_clear(struct number_set *set)
{
	free(set->items);
	*set = (struct number_set){0};
}
