/* Numbers what the collector's lists and the allocators have, all in one index. */
#include "analysis/objects_search.h"

#include "analysis/dying.h"
#include "analysis/interned.h"
#include "target/huge.h"
#include "target/jobs.h"

#include <stdlib.h>

enum { PIECE_STEP = 1 << 16 };

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

static void set(struct objects *objects, uint64_t address, uint32_t type, int32_t refcount,
		enum object_place place)
{
	uint32_t number = index_find(&objects->index, address);

	objects->types[number] = type;
	objects->refcounts[number] = refcount;
	objects->places[number] = (uint8_t)place;
}

/* No two of these write to the same number. */
static struct error *set_tracked(void *worker, size_t start, size_t end)
{
	struct objects *objects = worker;
	const struct heap *heap = objects->heap;

	for (size_t i = start; i < end; i++)
		set(objects, heap->addresses[i], heap->types[i], heap->refcounts[i],
		    OBJECT_TRACKED);
	return NULL;
}

static struct error *list_addresses(void *worker, size_t start, size_t end)
{
	struct objects *objects = worker;

	index_list(&objects->index, (uint32_t)start, (uint32_t)end, objects->addresses);
	return NULL;
}

/* With all processors: these read nothing of the target. */
static struct error *for_all(struct objects *objects, uint32_t count,
			     struct error *(*run)(void *worker, size_t start, size_t end),
			     const struct progress *progress)
{
	void *workers[JOBS_WORKERS_MAX];
	const struct jobs_loop loop = {
		.count = count,
		.step = PIECE_STEP,
		.run = run,
		.workers = workers,
		.worker_count = jobs_workers(true),
		.phase = "numbering objects",
	};

	for (size_t i = 0; i < JOBS_WORKERS_MAX; i++)
		workers[i] = objects;
	return jobs_loop(&loop, progress);
}

/*
 * Tracked objects are not looked for, so that no address is in both. The finds of a forged heap may
 * overlap: each address counts once.
 */
static struct error *number(struct objects *objects, const struct finds *finds,
			    const struct progress *progress)
{
	struct error *err;

	if (!index_copy(&objects->index, &objects->heap->index))
		return &error_no_memory;
	for (size_t i = 0; i < finds->count; i++)
		if (index_insert(&objects->index, finds->items[i].address) == INDEX_NO_MEMORY)
			return &error_no_memory;
	if (!index_number(&objects->index))
		return &error_no_memory;
	objects->count = objects->index.count;
	if (!allocate(objects))
		return &error_no_memory;
	err = for_all(objects, objects->count, list_addresses, progress);
	if (!err)
		err = for_all(objects, objects->heap->count, set_tracked, progress);
	for (size_t i = 0; !err && i < finds->count; i++) {
		const struct find *find = &finds->items[i];

		set(objects, find->address, find->type, find->refcount, find->place);
	}
	for (uint32_t n = 0; !err && n < objects->count; n++)
		objects->place_counts[objects->places[n]]++;
	return err;
}

static struct error *find_objects(struct objects *objects, const struct progress *progress)
{
	struct finds finds;
	struct error *err = objects_search(objects, progress, &finds);

	if (!err)
		err = number(objects, &finds, progress);
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
