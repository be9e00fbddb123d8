/*
 * What a leaked reference keeps alive. For tracked objects: what would be unreachable if the leaked
 * references did not count, and is not so already. For the others: their refcounts are taken down
 * as CPython would do when it frees what refers to them.
 */
#include "analysis/leaked_private.h"
#include "analysis/owned.h"
#include "analysis/sizes.h"

#include "target/huge.h"

#include <stdlib.h>

/* The work in progress. */
struct keeping {
	struct leaked *leaked;
	const struct unreachable *unreachable;
	const struct objects *objects;
	struct heap *heap;
	uint8_t *dying;	   /* by number in the heap: freed without the leaked references */
	uint8_t *assigned; /* by number in objects: a head, or kept by one */
	int32_t *pending;  /* by number in objects: refcounts taken down, of untracked ones */
	struct kept_objects *kept;
	struct owned owned;
	uint32_t *stack;
	size_t depth, stack_capacity;
};

static int32_t clamp(uint64_t excess)
{
	return excess > INT32_MAX / 2 ? INT32_MAX / 2 : (int32_t)excess;
}

/* dying = unreachable without the leaked references, and reachable with them */
static struct error *find_dying(struct keeping *work)
{
	const struct unreachable *unreachable = work->unreachable;
	const struct leaked *leaked = work->leaked;
	uint32_t count = work->heap->count;
	int32_t *remaining = huge_array((size_t)count + 1, sizeof(*remaining));
	bool ok = false;

	if (remaining) {
		memcpy(remaining, unreachable->remaining, count * sizeof(*remaining));
		for (uint32_t i = 0; i < leaked->head_count; i++) {
			const struct leaked_head *head = &leaked->heads[i];
			uint32_t n = heap_find(work->heap, work->objects->addresses[head->object]);

			if (n != HEAP_NONE && remaining[n] > 0)
				remaining[n] -= clamp(head->excess);
		}
		ok = unreachable_propagate(unreachable, remaining, work->dying);
	}
	for (uint32_t i = 0; ok && i < count; i++)
		work->dying[i] = remaining[i] != INT32_MIN && !work->dying[i];
	for (uint32_t i = 0; ok && i < unreachable->count; i++)
		work->dying[unreachable->objects[i]] = 0;
	free(remaining);
	return ok ? NULL : &error_no_memory;
}

static bool push(struct keeping *work, uint32_t object)
{
	if (work->depth == work->stack_capacity) {
		size_t capacity = work->stack_capacity ? work->stack_capacity * 2 : 1024;
		uint32_t *stack = huge_grow(work->stack, capacity, sizeof(*stack));

		if (!stack)
			return false;
		work->stack = stack;
		work->stack_capacity = capacity;
	}
	work->stack[work->depth++] = object;
	return true;
}

static bool add_kept(struct keeping *work, uint32_t object, uint32_t head)
{
	struct kept_objects *kept = work->kept;

	if (kept->count == kept->capacity) {
		size_t capacity = kept->capacity ? kept->capacity * 2 : 1024;
		struct kept_object *items = huge_grow(kept->items, capacity, sizeof(*items));

		if (!items)
			return false;
		kept->items = items;
		kept->capacity = capacity;
	}
	kept->items[kept->count++] = (struct kept_object){object, head};
	return true;
}

/* Does the object die with what has died so far? A reference to it was just given back. */
static bool dies(struct keeping *work, uint32_t object)
{
	uint32_t tracked;

	if (work->objects->places[object] != OBJECT_TRACKED)
		return work->pending[object] != HEAP_IMMORTAL && --work->pending[object] == 0;
	tracked = heap_find(work->heap, work->objects->addresses[object]);
	return tracked != HEAP_NONE && work->dying[tracked];
}

/* Gives back what one dead object owns. */
static bool release(struct keeping *work, uint32_t object, struct leaked_head *head)
{
	if (!owned_read(work->objects, object, &work->owned))
		return false;
	for (size_t i = 0; i < work->owned.count; i++) {
		uint32_t target = objects_find(work->objects, work->owned.items[i].target);

		if (target == HEAP_NONE)
			continue;
		head->in_cycle |= target == head->object;
		if (!dies(work, target) || work->assigned[target])
			continue;
		work->assigned[target] = 1;
		head->kept_objects++;
		head->kept_bytes += object_bytes(work->objects, target);
		if (!add_kept(work, target, (uint32_t)(head - work->leaked->heads)) ||
		    !push(work, target))
			return false;
	}
	return true;
}

static bool keep_by(struct keeping *work, struct leaked_head *head)
{
	const struct objects *objects = work->objects;
	uint32_t tracked = heap_find(work->heap, objects->addresses[head->object]);

	head->kept_objects = 1;
	head->kept_bytes = object_bytes(objects, head->object);
	head->is_freed = objects->places[head->object] == OBJECT_TRACKED
				 ? tracked != HEAP_NONE && work->dying[tracked]
				 : head->found == 0;
	if (!head->is_freed)
		return true;
	work->depth = 0;
	if (!push(work, head->object))
		return false;
	while (work->depth)
		if (!release(work, work->stack[--work->depth], head))
			return false;
	return true;
}

static bool allocate(struct keeping *work)
{
	size_t count = (size_t)work->objects->count + 1;

	work->dying = huge_zeroed((size_t)work->heap->count + 1, 1);
	work->assigned = huge_zeroed(count, 1);
	work->pending = huge_array(count, sizeof(*work->pending));
	if (!work->dying || !work->assigned || !work->pending)
		return false;
	memcpy(work->pending, work->objects->refcounts, (count - 1) * sizeof(*work->pending));
	return true;
}

/* Heads keep each other out: one that another refers to is still a leak of its own. */
static struct error *keep_all(struct keeping *work)
{
	struct leaked *leaked = work->leaked;

	for (uint32_t i = 0; i < leaked->head_count; i++)
		work->assigned[leaked->heads[i].object] = 1;
	for (uint32_t i = 0; i < leaked->head_count; i++) {
		if (!keep_by(work, &leaked->heads[i]))
			return &error_no_memory;
		leaked->kept_objects += leaked->heads[i].kept_objects;
		leaked->kept_bytes += leaked->heads[i].kept_bytes;
	}
	return NULL;
}

struct error *leaked_keep(struct leaked *leaked, const struct unreachable *unreachable,
			  struct kept_objects *kept)
{
	struct keeping work = {
		.leaked = leaked,
		.unreachable = unreachable,
		.objects = leaked->census->objects,
		.heap = leaked->census->objects->heap,
		.kept = kept,
	};
	struct error *err = allocate(&work) ? find_dying(&work) : &error_no_memory;

	if (!err)
		err = keep_all(&work);
	free(work.dying);
	free(work.assigned);
	free(work.pending);
	free(work.stack);
	owned_clear(&work.owned);
	return err;
}
