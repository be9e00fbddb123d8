/*
 * One pass over all that objects own, one over the collector's links, one over the pools. What is
 * dying at this moment is no damage: an object that a thread has in hand may have refcount 0.
 */
#include "analysis/heap_check_private.h"

#include "target/huge.h"

#include <stdlib.h>

/* Both low bits of the links may be flags of the collector (Include/internal/pycore_gc.h). */
#define GC_LINK_MASK (~UINT64_C(3))

const char *damage_name(enum damage_kind kind)
{
	static const char *const names[DAMAGE_KINDS] = {
		[DAMAGE_FREED] = "freed",	[DAMAGE_NO_OBJECT] = "no-object",
		[DAMAGE_REFCOUNT] = "refcount", [DAMAGE_TYPE] = "type",
		[DAMAGE_LINK] = "gc-link",	[DAMAGE_BACK_LINK] = "gc-back-link",
		[DAMAGE_POOL] = "pool",
	};

	return names[kind];
}

static void add_damage(struct heap_checking *work, struct damage damage)
{
	struct heap_check *check = work->check;

	check->total++;
	check->kind_counts[damage.kind]++;
	if (check->damage_count < DAMAGES_MAX)
		check->damages[check->damage_count++] = damage;
}

/*
 * Over-released objects
 */

/* @return false when out of memory */
static bool add_over_released(struct heap_checking *work, uint32_t object, uint64_t owners)
{
	struct heap_check *check = work->check;

	if (check->over_released_count == work->over_released_capacity) {
		size_t capacity = check->over_released_count * 2 + 64;
		struct anomaly *items =
			reallocarray(check->over_released, capacity, sizeof(*items));

		if (!items)
			return false;
		check->over_released = items;
		work->over_released_capacity = capacity;
	}
	check->over_released[check->over_released_count++] = (struct anomaly){
		.object = object,
		.kind = ANOMALY_OVER_RELEASED,
		.refcount = work->objects->refcounts[object],
		.found = owners,
	};
	return true;
}

/* Tracked objects: as the collector would count. The others: all owners that are known. */
static bool is_over_released(const struct heap_checking *work, uint32_t object, uint64_t *owners)
{
	const struct objects *objects = work->objects;
	uint32_t tracked;
	int32_t remaining;

	*owners = work->owners[object];
	if (objects->refcounts[object] == HEAP_IMMORTAL || objects->refcounts[object] <= 0 ||
	    objects->types[object] == HEAP_NONE)
		return false;
	if (objects->places[object] != OBJECT_TRACKED)
		return heap_check_is_believed(work, object) &&
		       *owners > (uint32_t)objects->refcounts[object];
	tracked = heap_find(objects->heap, objects->addresses[object]);
	remaining = tracked == HEAP_NONE ? 0 : work->unreachable->remaining[tracked];
	if (remaining >= 0 || remaining == INT32_MIN)
		return false;
	*owners = (uint64_t)((int64_t)objects->refcounts[object] - remaining);
	return true;
}

static struct error *find_over_released(struct heap_checking *work)
{
	uint64_t owners;

	for (uint32_t i = 0; i < work->objects->count; i++)
		if (is_over_released(work, i, &owners) && !add_over_released(work, i, owners))
			return &error_no_memory;
	return NULL;
}

/*
 * The collector's lists
 */

static bool is_list_head(const struct runtime *runtime, uint64_t address)
{
	for (size_t i = 0; i < runtime->interpreter_count; i++)
		for (int g = 0; g < GENERATION_LISTS; g++)
			if (runtime->interpreters[i].generations[g].head == address)
				return true;
	return false;
}

static void check_link(struct heap_checking *work, uint64_t head, uint32_t object)
{
	const struct layout *layout = &work->runtime->layout;
	uint64_t next, back, at = head + layout->PyGC_Head__gc_next;

	if (!reader_u64(&work->reader, at, &next))
		return;
	next &= GC_LINK_MASK;
	if (!is_list_head(work->runtime, next) &&
	    heap_find(work->objects->heap, next + layout->PyGC_Head_size) == HEAP_NONE) {
		add_damage(work, (struct damage){.kind = DAMAGE_LINK,
						 .address = at,
						 .value = next,
						 .object = object});
		return;
	}
	at = next + layout->PyGC_Head__gc_prev;
	if (reader_u64(&work->reader, at, &back) && (back & GC_LINK_MASK) != head)
		add_damage(work,
			   (struct damage){.kind = DAMAGE_BACK_LINK,
					   .address = at,
					   .value = back & GC_LINK_MASK,
					   .expected = head,
					   .object = objects_find(work->objects,
								  next + layout->PyGC_Head_size)});
}

static void check_type(struct heap_checking *work, uint32_t tracked)
{
	const struct heap *heap = work->objects->heap;
	struct damage damage = {
		.kind = DAMAGE_TYPE,
		.address = heap->addresses[tracked] + work->runtime->layout.PyObject_ob_type,
		.object = objects_find(work->objects, heap->addresses[tracked]),
	};

	reader_u64(&work->reader, damage.address, &damage.value);
	add_damage(work, damage);
}

static void check_heads(struct heap_checking *work)
{
	const struct runtime *runtime = work->runtime;

	for (size_t i = 0; i < runtime->interpreter_count; i++)
		for (int g = 0; g < GENERATION_LISTS; g++)
			if (!runtime->interpreters[i].collecting &&
			    !runtime->interpreters[i].shares_gc &&
			    runtime->interpreters[i].generations[g].head)
				check_link(work, runtime->interpreters[i].generations[g].head,
					   HEAP_NONE);
}

/* The walk over the lists has told whether there is anything to be found. */
static void check_lists(struct heap_checking *work)
{
	const struct heap *heap = work->objects->heap;
	const struct runtime *runtime = work->runtime;

	if (heap->damaged_lists)
		check_heads(work);
	if (!heap->damaged_lists && !heap->damaged_types)
		return;
	for (uint32_t i = 0; i < heap->count; i++) {
		if (heap->types[i] == HEAP_NONE)
			check_type(work, i);
		// While the collector runs, _gc_prev holds counts.
		if (heap->damaged_lists && !runtime->interpreters[heap->interpreter[i]].collecting)
			check_link(work, heap->addresses[i] - runtime->layout.PyGC_Head_size,
				   objects_find(work->objects, heap->addresses[i]));
	}
}

static void check_pools(struct heap_checking *work)
{
	const struct pymalloc *pymalloc = work->objects->pymalloc;
	uint8_t is_free[PYMALLOC_BLOCKS_MAX];

	for (size_t p = 0; p < pymalloc->pool_count; p++) {
		const struct pymalloc_pool *pool = &pymalloc->pools[p];

		if (!pymalloc_free_blocks(pool, &work->reader, is_free))
			add_damage(work, (struct damage){.kind = DAMAGE_POOL,
							 .address = pool->address,
							 .value = pool->freeblock,
							 .object = HEAP_NONE});
	}
}

static int compare_damages(const void *left, const void *right)
{
	const struct damage *a = left, *b = right;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return a->value < b->value ? -1 : a->value > b->value;
}

struct error *heap_check_begin(const struct objects *objects, struct heap_checking **result)
{
	struct heap_checking *work = calloc(1, sizeof(*work));

	*result = NULL;
	if (!work)
		return &error_no_memory;
	work->runtime = objects->heap->runtime;
	reader_init(&work->reader, work->runtime->target->image);
	work->owners = huge_zeroed((size_t)objects->count + 1, sizeof(*work->owners));
	work->check = calloc(1, sizeof(*work->check));
	if (work->check)
		work->check->damages = calloc(DAMAGES_MAX, sizeof(*work->check->damages));
	work->facts = huge_array((size_t)objects->count + 1, sizeof(*work->facts));
	if (!work->owners || !work->facts || !work->check || !work->check->damages) {
		heap_checking_free(work);
		return &error_no_memory;
	}
	heap_check_note_facts(work, objects);
	*result = work;
	return NULL;
}

struct error *heap_check_end(struct heap_checking *work, const struct census *census,
			     const struct unreachable *unreachable, const struct progress *progress,
			     struct heap_check **result)
{
	struct heap_check *check = work->check;
	struct error *err;

	*result = NULL;
	work->census = census;
	work->objects = census->objects;
	work->unreachable = unreachable;
	err = heap_check_references(work, false, progress);
	if (!err)
		err = find_over_released(work);
	if (err)
		return err;
	check_lists(work);
	check_pools(work);
	qsort(check->damages, check->damage_count, sizeof(*check->damages), compare_damages);
	work->check = NULL;
	*result = check;
	return NULL;
}

void heap_checking_free(struct heap_checking *work)
{
	if (!work)
		return;
	heap_check_free(work->check);
	free(work->owners);
	free(work->facts);
	free(work);
}

struct error *heap_check_run(const struct census *census, const struct unreachable *unreachable,
			     const struct progress *progress, struct heap_check **check)
{
	struct heap_checking *work;
	struct error *err = heap_check_begin(census->objects, &work);

	*check = NULL;
	if (err)
		return err;
	work->census = census;
	work->objects = census->objects;
	err = heap_check_references(work, true, progress);
	if (!err)
		err = heap_check_end(work, census, unreachable, progress, check);
	heap_checking_free(work);
	return err;
}

void heap_check_free(struct heap_check *check)
{
	if (!check)
		return;
	free(check->damages);
	free(check->over_released);
	free(check);
}
