/*
 * What waits: each generator, coroutine, task and greenlet on the collector's lists that is neither
 * running nor finished, and which of them are awaited by another.
 */
#include "analysis/stacks_private.h"

#include "target/huge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	STEP = 1 << 16,
	CHAIN_MAX = 1 << 20,
	KIND_UNKNOWN = 0xff,
};

/** The search. */
struct search {
	struct stacks *stacks;
	struct heap *heap;
	const struct progress *progress;
	uint8_t *kinds; /**< enum waiting_kind by type->index, or KIND_UNKNOWN */
	size_t kind_count;
	uint8_t *is_awaited; /**< by object */
	uint32_t *found;     /**< objects of a kind that can wait */
	uint32_t found_count;
	uint32_t capacity; /**< of stacks->suspended */
};

static enum waiting_kind object_kind(struct search *search, uint32_t object)
{
	uint32_t index = search->heap->types[object];

	if (index >= search->kind_count)
		return WAITING_NONE;
	if (search->kinds[index] == KIND_UNKNOWN)
		search->kinds[index] = (uint8_t)waiting_kind(heap_type(search->heap, object));
	return search->kinds[index];
}

static enum waiting_kind address_kind(struct search *search, uint64_t address, uint32_t *object)
{
	*object = address ? heap_find(search->heap, address) : HEAP_NONE;
	return *object == HEAP_NONE ? WAITING_NONE : object_kind(search, *object);
}

static struct error *find_objects(struct search *search)
{
	struct heap *heap = search->heap;

	for (uint32_t i = 0; i < heap->count; i++) {
		if (i % STEP == 0) {
			struct error *err = progress_step(search->progress,
							  "looking for what waits", i, heap->count);

			if (err)
				return err;
		}
		if (object_kind(search, i) == WAITING_NONE)
			continue;
		/* Grows by doubling: a power of two is full. */
		if (!(search->found_count & (search->found_count - 1))) {
			uint32_t *found = reallocarray(
				search->found, search->found_count ? search->found_count * 2ul : 1,
				sizeof(*found));

			if (!found)
				return &error_no_memory;
			search->found = found;
		}
		search->found[search->found_count++] = i;
	}
	return NULL;
}

/*
 * Who awaits whom
 */

static bool read_task(struct search *search, uint32_t object, struct task *task)
{
	struct heap *heap = search->heap;

	return task_read(heap->traverser, heap->addresses[object], heap_type(heap, object), task) &&
	       !task->is_done;
}

static void mark_awaited(struct search *search, uint32_t object)
{
	struct heap *heap = search->heap;
	enum waiting_kind kind = object_kind(search, object);
	uint64_t awaits = 0;
	uint32_t awaited;
	struct task task;

	if (waiting_is_generator(kind))
		awaits = generator_awaits(heap->runtime, &heap->reader, heap->addresses[object]);
	else if (kind == WAITING_TASK && read_task(search, object, &task))
		awaits = task.coroutine;
	if (awaits && waiting_is_generator(address_kind(
			      search, awaited_object(heap->traverser, awaits), &awaited)))
		search->is_awaited[awaited] = 1;
}

/* Goes from a generator to what it awaits, as long as that has a frame. */
static struct error *follow(struct search *search, uint64_t address, struct suspended *suspended)
{
	struct stacks *stacks = search->stacks;
	struct heap *heap = search->heap;
	enum generator_state state = GENERATOR_SUSPENDED;
	uint32_t object;
	struct frame frame;

	for (int i = 0; waiting_is_generator(address_kind(search, address, &object)) &&
			(state = generator_state(heap->runtime, &heap->reader, address)) <=
				GENERATOR_SUSPENDED;
	     i++) {
		suspended->stack.damaged =
			i == CHAIN_MAX ||
			!frame_read(heap->runtime, &heap->reader,
				    generator_frame(heap->runtime, &heap->reader, address), &frame);
		if (suspended->stack.damaged)
			break;
		if (!stacks_add_frame(stacks, &frame))
			return &error_no_memory;
		suspended->is_created = !i && state == GENERATOR_CREATED;
		address = generator_awaits(heap->runtime, &heap->reader, address);
		address = address ? awaited_object(heap->traverser, address) : 0;
	}
	suspended->awaits = suspended->stack.damaged ? 0 : address;
	return NULL;
}

/* Which of the kinds it is, and whether it waits at all. @return false: it runs, is done, or is
 * part of another one */
static struct error *read_waiting(struct search *search, uint32_t object,
				  struct suspended *suspended, bool *waits)
{
	struct stacks *stacks = search->stacks;
	struct heap *heap = search->heap;
	uint64_t address = heap->addresses[object], frame;
	enum generator_state state;
	struct error *err = NULL;
	struct task task;
	char whose[64];

	*suspended = (struct suspended){.object = address,
					.kind = object_kind(search, object),
					.stack = {.first = stacks->frame_count}};
	*waits = false;
	if (suspended->kind == WAITING_TASK) {
		*waits = read_task(search, object, &task) &&
			 generator_state(heap->runtime, &heap->reader, task.coroutine) !=
				 GENERATOR_RUNNING;
		if (*waits && task.coroutine)
			err = follow(search, awaited_object(heap->traverser, task.coroutine),
				     suspended);
		if (*waits && task.waiter)
			suspended->awaits = task.waiter;
	} else if (suspended->kind == WAITING_GREENLET) {
		frame = greenlet_frame(heap->traverser, address);
		*waits = frame != 0;
		snprintf(whose, sizeof(whose), "greenlet at 0x%" PRIx64, address);
		return frame ? stacks_walk(stacks,
					   frame_of_object(heap->runtime, &heap->reader, frame),
					   whose, &suspended->stack)
			     : NULL;
	} else {
		state = generator_state(heap->runtime, &heap->reader, address);
		*waits = state <= GENERATOR_SUSPENDED && !search->is_awaited[object];
		if (*waits)
			err = follow(search, address, suspended);
	}
	suspended->stack.count = stacks->frame_count - suspended->stack.first;
	return err;
}

static void finish(struct search *search, struct suspended *suspended)
{
	struct heap *heap = search->heap;
	struct object_header header;

	if (suspended->awaits &&
	    object_header(heap->runtime, &heap->reader, suspended->awaits, &header))
		suspended->awaits_type = type_get(heap->runtime->types, &heap->reader, header.type);
	if (suspended->stack.damaged)
		coverage_add(&heap->runtime->target->coverage, PROBLEM_PARTIAL, "damaged-stack",
			     "%s at 0x%" PRIx64 ": its frame is unreadable or makes no sense",
			     waiting_kind_name(suspended->kind), suspended->object);
	search->stacks->kind_counts[suspended->kind]++;
}

static struct error *read_all(struct search *search)
{
	struct stacks *stacks = search->stacks;

	for (uint32_t i = 0; i < search->found_count; i++)
		mark_awaited(search, search->found[i]);
	stacks->suspended = calloc((size_t)search->found_count + 1, sizeof(*stacks->suspended));
	if (!stacks->suspended)
		return &error_no_memory;
	for (uint32_t i = 0; i < search->found_count; i++) {
		struct suspended *suspended = &stacks->suspended[stacks->suspended_count];
		struct error *err = NULL;
		bool waits;

		if (i % STEP == 0)
			err = progress_step(search->progress, "reading what waits", i,
					    search->found_count);
		if (!err)
			err = read_waiting(search, search->found[i], suspended, &waits);
		if (err)
			return err;
		if (!waits)
			continue;
		finish(search, suspended);
		stacks->suspended_count++;
	}
	return NULL;
}

/*
 * Groups
 */

static int by_kind(const void *left, const void *right)
{
	const struct suspended *a = left, *b = right;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->object < b->object ? -1 : a->object > b->object;
}

static bool same_place(const struct stacks *stacks, const struct suspended *a,
		       const struct suspended *b)
{
	return a->kind == b->kind && a->is_created == b->is_created &&
	       a->awaits_type == b->awaits_type && stack_equal(stacks, &a->stack, &b->stack);
}

/* The slot of a group in a table of `size` slots, a power of two; an empty one if it is new. */
static uint32_t *find_slot(const struct stacks *stacks, uint32_t *table, uint64_t size,
			   const struct suspended *suspended)
{
	uint64_t at = stack_hash(stacks, &suspended->stack);

	for (;; at++) {
		uint32_t *slot = &table[at & (size - 1)];

		if (*slot == HEAP_NONE ||
		    same_place(stacks, &stacks->suspended[stacks->groups[*slot].example],
			       suspended))
			return slot;
	}
}

static int by_size(const void *left, const void *right, void *context)
{
	const struct suspended_group *a = left, *b = right;
	const struct stacks *stacks = context;
	enum waiting_kind kinds[2] = {stacks->suspended[a->example].kind,
				      stacks->suspended[b->example].kind};

	if (kinds[0] != kinds[1])
		return kinds[0] < kinds[1] ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return a->example < b->example ? -1 : a->example > b->example;
}

static struct error *make_groups(struct stacks *stacks)
{
	uint64_t size = 16;
	uint32_t *table, *place;

	while (size < stacks->suspended_count * UINT64_C(2))
		size *= 2;
	table = malloc(size * sizeof(*table));
	place = calloc((size_t)stacks->suspended_count + 1, sizeof(*place));
	stacks->groups = calloc((size_t)stacks->suspended_count + 1, sizeof(*stacks->groups));
	if (!table || !place || !stacks->groups) {
		free(table);
		free(place);
		return &error_no_memory;
	}
	memset(table, 0xff, size * sizeof(*table)); /* HEAP_NONE */
	for (uint32_t i = 0; i < stacks->suspended_count; i++) {
		uint32_t *slot = find_slot(stacks, table, size, &stacks->suspended[i]);

		if (*slot == HEAP_NONE) {
			*slot = stacks->group_count++;
			stacks->groups[*slot].example = i;
		}
		stacks->groups[*slot].count++;
		stacks->suspended[i].group = stacks->groups[*slot].example;
	}
	if (stacks->group_count)
		qsort_r(stacks->groups, stacks->group_count, sizeof(*stacks->groups), by_size,
			stacks);
	for (uint32_t i = 0; i < stacks->group_count; i++)
		place[stacks->groups[i].example] = i;
	for (uint32_t i = 0; i < stacks->suspended_count; i++)
		stacks->suspended[i].group = place[stacks->suspended[i].group];
	free(table);
	free(place);
	return NULL;
}

struct error *stacks_find_waiting(struct stacks *stacks, const struct progress *progress)
{
	struct heap *heap = stacks->heap;
	struct search search = {
		.stacks = stacks,
		.heap = heap,
		.progress = progress,
		.kind_count = type_count(heap->runtime->types),
		.is_awaited = huge_zeroed((size_t)heap->count + 1, 1),
	};
	struct error *err = &error_no_memory;

	search.kinds = malloc(search.kind_count + 1);
	if (search.kinds && search.is_awaited) {
		memset(search.kinds, KIND_UNKNOWN, search.kind_count);
		err = find_objects(&search);
		if (!err)
			err = read_all(&search);
		if (!err && stacks->suspended_count)
			qsort(stacks->suspended, stacks->suspended_count,
			      sizeof(*stacks->suspended), by_kind);
		if (!err)
			err = make_groups(stacks);
	}
	free(search.kinds);
	free(search.is_awaited);
	free(search.found);
	return err;
}
