/*
 * The shape of a cycle is the set of its pairs (type of the referrer, type of the referent). Counts
 * are left out on purpose: a ring of five nodes and one of six are the same bug.
 */
#include "analysis/cycles_private.h"
#include "analysis/number_set.h"

bool cycle_shape(const struct unreachable *unreachable, const struct components *components,
		 const struct clusters *clusters, uint32_t owner, uint64_t *shape)
{
	const struct heap *heap = unreachable->heap;
	struct number_set pairs = {0};
	bool ok = true;

	for (uint32_t i = clusters->start[owner]; ok && i < clusters->start[owner + 1]; i++) {
		uint32_t position = clusters->positions[i], object = unreachable->objects[position];
		uint64_t from = heap->types[object];

		if (components->of[position] != owner)
			continue;
		ok = number_set_add(&pairs, from << 32 | from);
		for (uint64_t e = unreachable->first[object];
		     ok && e < unreachable->first[object + 1]; e++) {
			uint32_t target = components->position[unreachable->targets[e]];

			if (target != COMPONENT_NONE && components->of[target] == owner)
				ok = number_set_add(
					&pairs, from << 32 | heap->types[unreachable->targets[e]]);
		}
	}
	*shape = number_set_hash(&pairs);
	number_set_clear(&pairs);
	return ok;
}
