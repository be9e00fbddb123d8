/*
 * The lists are circular and doubly linked through the PyGC_Head in front of each object. Every
 * object is marked in the index as it is met, which bounds the walk: a list that runs into itself
 * or into another ends there.
 *
 * Each list is walked from both ends at once. The walk waits for memory at every step, and so two
 * steps wait together; and what a broken link hides from one end is found from the other.
 */
#include "analysis/heap_walk.h"
#include "target/huge.h"

#include <inttypes.h>
#include <stdlib.h>

enum { TYPE_SLOTS = 1024, PROGRESS_STEP = 1 << 17 };

/* Both low bits of the links may be flags of the collector (Include/internal/pycore_gc.h). */
#define GC_LINK_MASK (~UINT64_C(3))

/* What a walk over one list knows. */
struct walker {
	struct heap *heap;
	struct walk *walk;
	const struct progress *progress;
	struct {
		uint64_t address;
		uint32_t index;
	} types[TYPE_SLOTS]; /* the type cache locks; most objects are of few types */
	uint64_t head;
	uint8_t interpreter, generation;
	bool check_prev; /* false while the collector was running: _gc_prev holds counts */
	uint64_t bad_links, first_bad;
};

/* What a step in one direction came to. */
enum step_result {
	STEP_GOES_ON,
	STEP_HEAD,   /* the list ends: its head comes next */
	STEP_MET,    /* an object that was met before */
	STEP_BROKEN, /* the link leads to no readable, sane address */
	STEP_NO_MEMORY,
};

/* One end of a walk. */
struct end {
	uint32_t link, back_link; /* offsets in PyGC_Head: the way it goes, and the way back */
	uint64_t at;		  /* last good element */
	bool stopped;
};

static uint32_t find_type(struct walker *walker, uint64_t address)
{
	size_t slot = (address >> 4) % TYPE_SLOTS;
	const struct type *type;

	if (walker->types[slot].address == address && address)
		return walker->types[slot].index;
	type = type_get(walker->heap->runtime->types, &walker->heap->reader, address);
	walker->types[slot].address = address;
	walker->types[slot].index = type ? type->index : HEAP_NONE;
	return walker->types[slot].index;
}

static bool append(struct walker *walker, uint64_t object)
{
	struct heap *heap = walker->heap;
	struct walk *walk = walker->walk;
	struct object_header header;
	struct walked *item;

	if (walk->count == walk->capacity) {
		size_t capacity = walk->capacity ? walk->capacity * 2 : 1 << 16;
		struct walked *items = huge_grow(walk->items, capacity, sizeof(*items));

		if (!items)
			return false;
		walk->items = items;
		walk->capacity = capacity;
	}
	item = &walk->items[walk->count++];
	*item = (struct walked){
		.address = object,
		.generation = walker->generation,
		.interpreter = walker->interpreter,
		.type = HEAP_NONE,
	};
	if (object_header(heap->runtime, &heap->reader, object, &header)) {
		item->type = find_type(walker, header.type);
		item->refcount = heap_refcount(&header);
	}
	heap->damaged_types += item->type == HEAP_NONE;
	return true;
}

static enum step_result step(struct walker *walker, struct end *end)
{
	const struct layout *layout = &walker->heap->runtime->layout;
	struct reader *reader = &walker->heap->reader;
	uint64_t next, back;

	if (!reader_u64(reader, end->at + end->link, &next))
		return STEP_BROKEN;
	next &= GC_LINK_MASK;
	if (next == walker->head)
		return STEP_HEAD;
	if (!reader_u64(reader, next + end->back_link, &back))
		return STEP_BROKEN;
	switch (index_insert(&walker->heap->index, next + layout->PyGC_Head_size)) {
	case INDEX_ADDED:
		break;
	case INDEX_PRESENT:
		return STEP_MET;
	case INDEX_INVALID:
		return STEP_BROKEN;
	case INDEX_NO_MEMORY:
		return STEP_NO_MEMORY;
	}
	if (walker->check_prev && (back & GC_LINK_MASK) != end->at && !walker->bad_links++)
		walker->first_bad = next;
	if (!append(walker, next + layout->PyGC_Head_size))
		return STEP_NO_MEMORY;
	end->at = next;
	return STEP_GOES_ON;
}

static void report_damage(const struct walker *walker, const char *what, uint64_t at)
{
	walker->heap->damaged_lists++;
	coverage_add(&walker->heap->runtime->target->coverage, PROBLEM_PARTIAL, "damaged-gc-list",
		     "generation %u of interpreter %u: %s at 0x%" PRIx64, walker->generation,
		     walker->interpreter, what, at);
}

static bool leads_to(struct walker *walker, const struct end *from, uint64_t to)
{
	uint64_t next;

	return reader_u64(&walker->heap->reader, from->at + from->link, &next) &&
	       (next & GC_LINK_MASK) == to;
}

/* Have the ends met: does each lead to where the other is? */
static bool ends_meet(struct walker *walker, const struct end *end, const struct end *other)
{
	return leads_to(walker, end, other->at) && leads_to(walker, other, end->at);
}

/* Is what comes next in memory that the process had, but the dump has not? */
static bool leads_out_of_dump(struct walker *walker, const struct end *end)
{
	uint64_t next;

	return reader_u64(&walker->heap->reader, end->at + end->link, &next) &&
	       image_hole(walker->heap->reader.image, next & GC_LINK_MASK);
}

/* Takes a step and judges where it stops. @return false when out of memory */
static bool advance(struct walker *walker, struct end *end, struct end *other)
{
	enum step_result result = step(walker, end);

	switch (result) {
	case STEP_GOES_ON:
		return true;
	case STEP_NO_MEMORY:
		return false;
	case STEP_HEAD:
	case STEP_MET:
		/* A list of none ends where it begins; else the ends meet on the way. */
		if (walker->check_prev && ends_meet(walker, end, other))
			other->stopped = true;
		else if (walker->check_prev || result == STEP_MET)
			report_damage(walker, "the links do not match", end->at);
		break;
	case STEP_BROKEN:
		report_damage(walker,
			      leads_out_of_dump(walker, end)
				      ? "memory that is not in the dump follows the element"
				      : "a link leads nowhere",
			      end->at);
		break;
	}
	end->stopped = true;
	return true;
}

static struct error *walk_list(struct walker *walker)
{
	const struct layout *layout = &walker->heap->runtime->layout;
	struct end forward = {layout->PyGC_Head__gc_next, layout->PyGC_Head__gc_prev, walker->head,
			      false};
	struct end backward = {layout->PyGC_Head__gc_prev, layout->PyGC_Head__gc_next, walker->head,
			       !walker->check_prev};
	size_t steps = 0;

	walker->bad_links = 0;
	while (!forward.stopped || !backward.stopped) {
		if (!forward.stopped && !advance(walker, &forward, &backward))
			return &error_no_memory;
		if (!backward.stopped && !advance(walker, &backward, &forward))
			return &error_no_memory;
		if (++steps % PROGRESS_STEP == 0) {
			struct error *err = progress_step(walker->progress, "reading the GC lists",
							  walker->walk->count, 0);

			if (err)
				return err;
		}
	}
	if (walker->bad_links)
		report_damage(walker, "the links of neighbours do not match", walker->first_bad);
	return NULL;
}

/*
 * While a collection is under way, the objects under suspicion are on lists whose heads are locals
 * of the collector's C functions (Python/gc.c gc_collect_main: unreachable, finalizers, ...). Such
 * a head is two words on the stack in use of some thread, and the last element of its list leads
 * back to it in every phase.
 */
static bool is_stack_head(struct walker *walker, uint64_t head)
{
	const struct layout *layout = &walker->heap->runtime->layout;
	struct reader *reader = &walker->heap->reader;
	uint64_t next, prev, back;

	if (!reader_u64(reader, head + layout->PyGC_Head__gc_next, &next) ||
	    !reader_u64(reader, head + layout->PyGC_Head__gc_prev, &prev))
		return false;
	next &= GC_LINK_MASK;
	prev &= GC_LINK_MASK;
	return next != head && prev != head && !(next & 15) && !(prev & 15) &&
	       reader_u64(reader, prev + layout->PyGC_Head__gc_next, &back) &&
	       (back & GC_LINK_MASK) == head && reader_u64(reader, next, &back);
}

static struct error *walk_stack(struct walker *walker, uint64_t stack_pointer)
{
	enum { RED_ZONE = 128, STACK_MAX = 64 << 20 };
	const struct segment *segment = image_segment(walker->heap->reader.image, stack_pointer);
	uint64_t end;

	if (!segment || stack_pointer % 8)
		return NULL;
	end = segment->end - stack_pointer > STACK_MAX ? stack_pointer + STACK_MAX : segment->end;
	for (uint64_t at = stack_pointer - RED_ZONE; at + 16 <= end; at += 8) {
		struct error *err;

		if (!is_stack_head(walker, at))
			continue;
		walker->head = at;
		err = walk_list(walker);
		if (err)
			return err;
	}
	return NULL;
}

static struct error *walk_suspects(struct walker *walker, const struct interpreter *interpreter)
{
	struct target *target = walker->heap->runtime->target;
	size_t before = walker->walk->count;
	struct error *err = NULL;

	walker->generation = GENERATION_COUNT - 1;
	for (size_t i = 0; i < target->thread_count && !err; i++)
		err = walk_stack(walker, target->threads[i].registers.rsp);
	walker->heap->suspects += walker->walk->count - before;
	coverage_add(&target->coverage, target->thread_count ? PROBLEM_NOTE : PROBLEM_PARTIAL,
		     "collection-under-way",
		     "the collector of interpreter %" PRId64
		     " was running; %zu objects were on its "
		     "own lists%s",
		     interpreter->id, walker->walk->count - before,
		     target->thread_count ? "" : ", which cannot be found without the stacks");
	return err;
}

struct error *heap_walk(struct heap *heap, struct walk *walk, const struct progress *progress)
{
	struct runtime *runtime = heap->runtime;
	struct walker *walker = calloc(1, sizeof(*walker));
	struct error *err = NULL;

	if (!walker)
		return &error_no_memory;
	walker->heap = heap;
	walker->walk = walk;
	walker->progress = progress;
	for (size_t i = 0; i < runtime->interpreter_count && !err; i++) {
		const struct interpreter *interpreter = &runtime->interpreters[i];

		if (interpreter->shares_gc)
			continue;
		walker->interpreter = (uint8_t)i;
		walker->check_prev = !interpreter->collecting;
		for (int g = 0; g < GENERATION_LISTS && !err; g++) {
			size_t before = walk->count;

			walker->generation = (uint8_t)g;
			walker->head = interpreter->generations[g].head;
			err = walk_list(walker);
			heap->list_counts[i][g] = walk->count - before;
		}
		if (!err && interpreter->collecting)
			err = walk_suspects(walker, interpreter);
	}
	free(walker);
	return err;
}
