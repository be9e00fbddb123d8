/* Numbers what the collector's lists and the allocators have: two lists in order of address become
 * one. */
#include "analysis/objects_search.h"

#include "analysis/dying.h"
#include "analysis/interned.h"
#include "target/huge.h"

#include <stdlib.h>

static bool allocate(struct objects *objects)
{
	size_t count = (size_t)objects->count + 1;

	objects->addresses = huge_array(count, sizeof(*objects->addresses));
	objects->types = huge_array(count, sizeof(*objects->types));
	objects->refcounts = huge_array(count, sizeof(*objects->refcounts));
	objects->places = huge_array(count, 1);
	objects->type_table = type_table(objects->heap->runtime->types);
	return objects->type_table && objects->addresses && objects->types && objects->refcounts &&
	       objects->places;
}

/*
 * Puts the finds in order of address, by their numbers in an index. Those of a forged heap may
 * overlap: each address counts once. @return false when out of memory
 */
static bool sort_by(struct heap_index *index, struct finds *finds)
{
	struct find *sorted;
	uint64_t *addresses;

	for (size_t i = 0; i < finds->count; i++)
		if (index_insert(index, finds->items[i].address) == INDEX_NO_MEMORY)
			return false;
	sorted = huge_array(index->count, sizeof(*sorted));
	addresses = huge_array(index->count, sizeof(*addresses));
	if (sorted && addresses) {
		index_number(index, addresses);
		for (size_t i = 0; i < finds->count; i++)
			sorted[index_find(index, finds->items[i].address)] = finds->items[i];
		free(finds->items);
		finds->items = sorted;
		finds->count = index->count;
	} else {
		free(sorted);
	}
	free(addresses);
	return addresses && finds->items == sorted;
}

static bool sort(struct finds *finds)
{
	struct heap_index *index;
	size_t ascending = 1;
	bool done;

	while (ascending < finds->count &&
	       finds->items[ascending - 1].address < finds->items[ascending].address)
		ascending++;
	if (ascending >= finds->count)
		return true;
	index = calloc(1, sizeof(*index));
	done = index && sort_by(index, finds);
	if (index)
		index_clear(index);
	free(index);
	return done;
}

/* Tracked objects are not looked for, so that no address is in both. */
static bool merge(struct objects *objects, const struct finds *finds)
{
	const struct heap *heap = objects->heap;
	uint32_t tracked = 0;
	size_t found = 0;

	for (uint32_t n = 0; n < objects->count; n++) {
		bool is_tracked = found == finds->count ||
				  (tracked < heap->count &&
				   heap->addresses[tracked] < finds->items[found].address);
		const struct find *find = is_tracked ? NULL : &finds->items[found++];
		uint64_t address = find ? find->address : heap->addresses[tracked];

		objects->addresses[n] = address;
		objects->types[n] = find ? find->type : heap->types[tracked];
		objects->refcounts[n] = find ? find->refcount : heap->refcounts[tracked];
		objects->places[n] = find ? find->place : OBJECT_TRACKED;
		objects->place_counts[objects->places[n]]++;
		tracked += is_tracked;
		if (index_insert(&objects->index, address) == INDEX_NO_MEMORY)
			return false;
	}
	index_number(&objects->index, NULL);
	return true;
}

static struct error *number(struct objects *objects, struct finds *finds)
{
	if (!sort(finds) || finds->count > HEAP_NONE - 1 - objects->heap->count)
		return &error_no_memory;
	objects->count = objects->heap->count + (uint32_t)finds->count;
	return allocate(objects) && merge(objects, finds) ? NULL : &error_no_memory;
}

static struct error *find_objects(struct objects *objects, const struct progress *progress)
{
	struct finds finds;
	struct error *err = objects_search(objects, progress, &finds);

	if (!err)
		err = number(objects, &finds);
	objects->dead = finds.dead;
	objects->dead_count = finds.dead_count;
	finds.dead = NULL;
	finds_clear(&finds);
	return err;
}

struct error *objects_open(struct heap *heap, struct allocators *allocators,
			   const struct progress *progress, struct objects **result)
{
	struct objects *objects = calloc(1, sizeof(*objects));
	struct error *err = NULL;

	*result = NULL;
	if (!objects) {
		allocators_close(allocators);
		return &error_no_memory;
	}
	objects->heap = heap;
	objects->allocators = allocators;
	if (!allocators)
		err = allocators_open(heap->runtime, &objects->allocators);
	if (!err) {
		objects->pymalloc = objects->allocators->pymalloc;
		objects->malloc_heaps = objects->allocators->malloc_heaps;
		err = find_objects(objects, progress);
	}
	if (!err) {
		dying_find(objects);
		objects->interned = interned_find(objects, &objects->interned_count);
		err = objects->interned ? NULL : &error_no_memory;
	}
	if (err) {
		objects_close(objects);
		return err;
	}
	*result = objects;
	return NULL;
}

void objects_close(struct objects *objects)
{
	if (!objects)
		return;
	allocators_close(objects->allocators);
	index_clear(&objects->index);
	free(objects->addresses);
	free(objects->types);
	free(objects->type_table);
	free(objects->refcounts);
	free(objects->places);
	free(objects->dead);
	free(objects->interned);
	free(objects);
}
