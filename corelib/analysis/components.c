/*
 * Tarjan's algorithm with an explicit stack: the depth is the target's to choose. Then every object
 * that is in no cycle is given to the first cycle, in order of the references, that it hangs off.
 */
#include "analysis/components.h"

#include "target/huge.h"

#include <stdlib.h>

#define UNSEEN UINT32_MAX

/* State of the search, by position. */
struct search {
	const struct unreachable *unreachable;
	struct components *result;
	uint32_t *order; /* of discovery; UNSEEN */
	uint32_t *low;	 /* lowest order that can be reached and is still open */
	uint64_t *next;	 /* next reference to follow */
	uint32_t *path;	 /* the depth-first path */
	uint32_t *open;	 /* discovered, not yet in a component */
	uint32_t depth, open_count, discovered;
};

static bool search_init(struct search *search, uint32_t count)
{
	size_t size = (size_t)count + 1;

	search->order = malloc(size * sizeof(*search->order));
	search->low = malloc(size * sizeof(*search->low));
	search->next = malloc(size * sizeof(*search->next));
	search->path = malloc(size * sizeof(*search->path));
	search->open = malloc(size * sizeof(*search->open));
	return search->order && search->low && search->next && search->path && search->open;
}

static void search_free(struct search *search)
{
	free(search->order);
	free(search->low);
	free(search->next);
	free(search->path);
	free(search->open);
}

static void discover(struct search *search, uint32_t position)
{
	uint32_t object = search->unreachable->objects[position];

	search->order[position] = search->low[position] = search->discovered++;
	search->next[position] = search->unreachable->first[object];
	search->path[search->depth++] = position;
	search->open[search->open_count++] = position;
}

/* Everything that was opened since this position is one component. */
static void close_component(struct search *search, uint32_t position)
{
	struct components *result = search->result;
	bool single = search->open[search->open_count - 1] == position;
	uint32_t closed;

	do {
		closed = search->open[--search->open_count];
		result->of[closed] = result->count;
		/* One object may still reference itself: step() has marked it then. */
		if (!single)
			result->is_member[closed] = 1;
	} while (closed != position);
	result->count++;
}

/* Follows one reference of the object at the end of the path, or leaves it. */
static void step(struct search *search)
{
	const struct unreachable *unreachable = search->unreachable;
	struct components *result = search->result;
	uint32_t position = search->path[search->depth - 1];
	uint32_t object = unreachable->objects[position], target;

	if (search->next[position] < unreachable->first[object + 1]) {
		target = result->position[unreachable->targets[search->next[position]++]];
		if (target == COMPONENT_NONE)
			return;
		if (target == position)
			result->is_member[position] = 1;
		if (search->order[target] == UNSEEN)
			discover(search, target);
		else if (result->of[target] == UNSEEN &&
			 search->order[target] < search->low[position])
			search->low[position] = search->order[target];
		return;
	}
	search->depth--;
	if (search->depth) {
		uint32_t parent = search->path[search->depth - 1];

		if (search->low[position] < search->low[parent])
			search->low[parent] = search->low[position];
	}
	if (search->low[position] == search->order[position])
		close_component(search, position);
}

static void find_components(struct search *search)
{
	uint32_t count = search->unreachable->count;

	for (uint32_t i = 0; i < count; i++)
		search->order[i] = search->result->of[i] = UNSEEN;
	for (uint32_t i = 0; i < count; i++) {
		if (search->order[i] != UNSEEN)
			continue;
		discover(search, i);
		while (search->depth)
			step(search);
	}
}

/* Positions ordered by component, those of the highest, which nothing references, first. */
static uint32_t *topological_order(const struct components *components, uint32_t count)
{
	uint32_t *start = huge_zeroed((size_t)components->count + 1, sizeof(*start));
	uint32_t *order = huge_array((size_t)count + 1, sizeof(*order));

	if (start && order) {
		for (uint32_t i = 0; i < count; i++)
			start[components->count - 1 - components->of[i] + 1]++;
		for (uint32_t c = 0; c < components->count; c++)
			start[c + 1] += start[c];
		for (uint32_t i = 0; i < count; i++)
			order[start[components->count - 1 - components->of[i]]++] = i;
	} else {
		free(order);
		order = NULL;
	}
	free(start);
	return order;
}

/*
 * In topological order an object that hangs off a cycle comes after whatever references it. One
 * that nothing references (its refcount was 0) owns itself.
 */
static bool find_owners(const struct unreachable *unreachable, struct components *components)
{
	uint32_t *order = topological_order(components, unreachable->count);

	if (!order)
		return false;
	for (uint32_t i = 0; i < unreachable->count; i++)
		components->owner[i] =
			components->is_member[i] ? components->of[i] : COMPONENT_NONE;
	for (uint32_t i = 0; i < unreachable->count; i++) {
		uint32_t position = order[i], object = unreachable->objects[position];

		if (components->owner[position] == COMPONENT_NONE)
			components->owner[position] = components->of[position];
		for (uint64_t e = unreachable->first[object]; e < unreachable->first[object + 1];
		     e++) {
			uint32_t target = components->position[unreachable->targets[e]];

			if (target != COMPONENT_NONE && components->owner[target] == COMPONENT_NONE)
				components->owner[target] = components->owner[position];
		}
	}
	free(order);
	return true;
}

static bool components_init(struct components *components, const struct unreachable *unreachable)
{
	size_t count = (size_t)unreachable->count + 1, all = (size_t)unreachable->heap->count + 1;

	components->of = huge_array(count, sizeof(*components->of));
	components->is_member = huge_zeroed(count, 1);
	components->owner = huge_array(count, sizeof(*components->owner));
	components->position = huge_array(all, sizeof(*components->position));
	if (!components->of || !components->is_member || !components->owner ||
	    !components->position)
		return false;
	for (size_t i = 0; i < all; i++)
		components->position[i] = COMPONENT_NONE;
	for (uint32_t i = 0; i < unreachable->count; i++)
		components->position[unreachable->objects[i]] = i;
	return true;
}

struct error *components_compute(const struct unreachable *unreachable, struct components **result)
{
	struct components *components = calloc(1, sizeof(*components));
	struct search search = {.unreachable = unreachable, .result = components};
	bool done = false;

	*result = NULL;
	if (components && components_init(components, unreachable) &&
	    search_init(&search, unreachable->count)) {
		find_components(&search);
		done = find_owners(unreachable, components);
	}
	search_free(&search);
	if (!done) {
		components_free(components);
		return &error_no_memory;
	}
	*result = components;
	return NULL;
}

void components_free(struct components *components)
{
	if (!components)
		return;
	free(components->of);
	free(components->is_member);
	free(components->owner);
	free(components->position);
	free(components);
}
