/*
 * The shape of a cycle is the set of its pairs (type of the referrer, type of the referent). Counts
 * are left out on purpose: a ring of five nodes and one of six are the same bug.
 */
#include "analysis/cycles_private.h"

#include <stdlib.h>

/* A set of pairs of type indexes, kept small by sorting out duplicates as it grows. */
struct pairs {
	uint64_t *items;
	size_t count, capacity;
};

static int compare_pairs(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

static void pairs_unique(struct pairs *pairs)
{
	size_t kept = 0;

	if (!pairs->count)
		return;
	qsort(pairs->items, pairs->count, sizeof(*pairs->items), compare_pairs);
	for (size_t i = 0; i < pairs->count; i++)
		if (!kept || pairs->items[kept - 1] != pairs->items[i])
			pairs->items[kept++] = pairs->items[i];
	pairs->count = kept;
}

static bool pairs_add(struct pairs *pairs, uint64_t pair)
{
	if (pairs->count && pairs->items[pairs->count - 1] == pair)
		return true;
	if (pairs->count == pairs->capacity) {
		pairs_unique(pairs);
		if (pairs->count * 2 >= pairs->capacity) {
			size_t capacity = pairs->capacity ? pairs->capacity * 2 : 64;
			uint64_t *items = realloc(pairs->items, capacity * sizeof(*items));

			if (!items)
				return false;
			pairs->items = items;
			pairs->capacity = capacity;
		}
	}
	pairs->items[pairs->count++] = pair;
	return true;
}

static uint64_t mix(uint64_t value)
{
	value ^= value >> 32;
	value *= UINT64_C(0xd6e8feb86659fd93);
	value ^= value >> 32;
	value *= UINT64_C(0xd6e8feb86659fd93);
	return value ^ value >> 32;
}

bool cycle_shape(const struct unreachable *unreachable, const struct components *components,
		 const struct clusters *clusters, uint32_t owner, uint64_t *shape)
{
	const struct heap *heap = unreachable->heap;
	struct pairs pairs = {0};
	bool ok = true;

	for (uint32_t i = clusters->start[owner]; ok && i < clusters->start[owner + 1]; i++) {
		uint32_t position = clusters->positions[i], object = unreachable->objects[position];
		uint64_t from = heap->types[object];

		if (components->of[position] != owner)
			continue;
		ok = pairs_add(&pairs, from << 32 | from);
		for (uint64_t e = unreachable->first[object];
		     ok && e < unreachable->first[object + 1]; e++) {
			uint32_t target = components->position[unreachable->targets[e]];

			if (target != COMPONENT_NONE && components->of[target] == owner)
				ok = pairs_add(&pairs,
					       from << 32 | heap->types[unreachable->targets[e]]);
		}
	}
	pairs_unique(&pairs);
	*shape = pairs.count;
	for (size_t i = 0; i < pairs.count; i++)
		*shape = mix(*shape ^ pairs.items[i]) + i;
	free(pairs.items);
	return ok;
}
