/* What an object owns. */
#include "analysis/owned.h"

#include <stdlib.h>
#include <string.h>

static bool reserve(struct owned *owned, size_t more)
{
	size_t capacity = owned->capacity ? owned->capacity : 64;
	struct reference *items;

	if (more <= owned->capacity - owned->count)
		return true;
	while (capacity - owned->count < more)
		capacity *= 2;
	items = realloc(owned->items, capacity * sizeof(*items));
	if (!items)
		return false;
	owned->items = items;
	owned->capacity = capacity;
	return true;
}

bool owned_add(struct owned *owned, const struct reference *items, size_t count)
{
	if (!count)
		return true;
	if (!reserve(owned, count))
		return false;
	memcpy(owned->items + owned->count, items, count * sizeof(*items));
	owned->count += count;
	return true;
}

/*
 * dict_traverse() visits keys only of tables that may have other keys than str; up to 3.10 that is
 * not known by the shape of the table. The keys of a split table belong to the class.
 */
static bool add_keys(const struct objects *objects, uint64_t object, struct owned *owned)
{
	struct reader *reader = &objects->heap->reader;
	struct dict_view view;

	if (!dict_open(objects->heap->runtime, reader, object, &view) || view.values ||
	    dict_visits_keys(objects->heap->traverser, &view))
		return true;
	for (uint64_t i = 0; i < view.count; i++) {
		uint64_t key, value, slot;

		if (!dict_entry(reader, &view, i, &key, &value, &slot) || !key)
			continue;
		if (!owned_add(owned,
			       &(struct reference){
				       .target = key,
				       .slot = view.entries + i * view.entry_size + view.key_offset,
			       },
			       1))
			return false;
	}
	return true;
}

/* The dict of interned str owns nothing. */
static bool owns_nothing(const struct objects *objects, uint32_t object)
{
	for (size_t i = 0; i < objects->interned_count; i++)
		if (objects->interned[i] == object)
			return true;
	return false;
}

bool owned_read(const struct objects *objects, uint32_t object, struct owned *owned)
{
	struct heap *heap = objects->heap;
	uint64_t address = objects->addresses[object];
	const struct type *type = objects_type(objects, object);

	owned->count = owned->visited_count = 0;
	owned->result = type ? TRAVERSE_NONE : TRAVERSE_DAMAGED;
	if (!type || !type->traverse)
		return true;
	owned->result = traverse_object(heap->traverser, address, type, &owned->visited,
					&owned->visited_count);
	if (owns_nothing(objects, object))
		return true;
	if (!reserve(owned, owned->visited_count))
		return false;
	for (size_t i = 0; i < owned->visited_count; i++)
		if (!owned->visited[i].borrowed)
			owned->items[owned->count++] = owned->visited[i];
	return !(type->flags & TPFLAGS_DICT_SUBCLASS) || add_keys(objects, address, owned);
}

void owned_clear(struct owned *owned)
{
	free(owned->items);
	*owned = (struct owned){0};
}
