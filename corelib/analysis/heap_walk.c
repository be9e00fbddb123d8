/*
 * The lists are circular and doubly linked through the PyGC_Head in front of each object. Every
 * object is marked in the index as it is met, which bounds the walk: a list that runs into itself
 * or into another ends there.
 *
 * Each list is walked from both ends at once, a long one by two threads. The walk waits for memory
 * at every step, and so two steps wait together; and what a broken link hides from one end is found
 * from the other.
 */
#include "analysis/heap_walk.h"
#include "target/huge.h"
#include "target/jobs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRESS_STEP = 1 << 17, ALONE_STEPS = 1 << 13 };

/* Both low bits of the links may be flags of the collector (Include/internal/pycore_gc.h). */
#define GC_LINK_MASK (~UINT64_C(3))

/* What a walk over one list knows. */
struct walker {
	struct heap *heap;
	struct reader *reader;
	struct walk *walk;
	const struct progress *progress;
	uint64_t head;
	uint8_t interpreter, generation;
	bool shared;	 /* another walker is on the same list */
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

static bool append(struct walk *walk, uint64_t object)
{
	uint64_t *addresses =
		huge_room(walk->addresses, &walk->capacity, walk->count + 1, sizeof(*addresses));

	if (!addresses)
		return false;
	walk->addresses = addresses;
	walk->addresses[walk->count++] = object;
	return true;
}

static enum step_result step(struct walker *walker, struct end *end)
{
	const struct layout *layout = &walker->heap->runtime->layout;
	struct reader *reader = walker->reader;
	struct heap_index *index = &walker->heap->index;
	uint64_t next, back, object;

	if (!reader_u64(reader, end->at + end->link, &next))
		return STEP_BROKEN;
	next &= GC_LINK_MASK;
	if (next == walker->head)
		return STEP_HEAD;
	object = next + layout->PyGC_Head_size;
	if (!reader_u64(reader, next + end->back_link, &back))
		return STEP_BROKEN;
	switch (walker->shared ? index_insert_shared(index, object) : index_insert(index, object)) {
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
	if (!append(walker->walk, object))
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

	return reader_u64(walker->reader, from->at + from->link, &next) &&
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

	return reader_u64(walker->reader, end->at + end->link, &next) &&
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

/*
 * Two threads
 */

/* One of the threads: a copy of the walker that goes one way. */
struct side {
	JOBS_APART struct walker walker;
	struct reader reader;
	struct walk walk;
	struct end end;
	enum step_result result;
};

static struct error *walk_side(void *context, const struct progress *progress)
{
	struct side *side = context;

	do {
		side->result = step(&side->walker, &side->end);
		if (side->result == STEP_NO_MEMORY)
			return &error_no_memory;
		if (side->walk.count % PROGRESS_STEP == 0) {
			struct error *err = progress_step(progress, "reading the GC lists",
							  side->walk.count, 0);

			if (err)
				return err;
		}
	} while (side->result == STEP_GOES_ON);
	return NULL;
}

static void side_begin(struct side *side, const struct walker *walker, const struct end *end)
{
	side->walker = *walker;
	side->walker.reader = &side->reader;
	side->walker.walk = &side->walk;
	side->walker.shared = true;
	side->walker.bad_links = 0;
	reader_init(&side->reader, walker->heap->reader.image);
	side->end = *end;
}

static bool is_clean(const struct side *side)
{
	return !side->walker.bad_links && (side->result == STEP_MET || side->result == STEP_HEAD);
}

/* Takes over what a side has met; if not, the index is as before. @return false: out of memory */
static bool take_side(struct walker *walker, const struct side *side, bool take)
{
	struct walk *walk = walker->walk;
	uint64_t *addresses;

	if (!take) {
		for (size_t i = 0; i < side->walk.count; i++)
			index_remove(&walker->heap->index, side->walk.addresses[i]);
		return true;
	}
	addresses = huge_room(walk->addresses, &walk->capacity, walk->count + side->walk.count,
			      sizeof(*addresses));
	if (!addresses)
		return false;
	walk->addresses = addresses;
	if (side->walk.count)
		memcpy(addresses + walk->count, side->walk.addresses,
		       side->walk.count * sizeof(*addresses));
	walk->count += side->walk.count;
	return true;
}

/*
 * Goes on from both ends with a thread for each. What is met where depends on who comes first, but
 * not which objects there are, if both meet and all links match; if not, nothing was done, and one
 * thread is to find out what is wrong, the same each time.
 */
static struct error *walk_apart(struct walker *walker, struct end *forward, struct end *backward)
{
	struct side *sides = jobs_memory(2 * sizeof(*sides));
	struct error *err;
	bool clean;

	if (!sides)
		return &error_no_memory;
	side_begin(&sides[0], walker, forward);
	side_begin(&sides[1], walker, backward);
	err = jobs_run(&(struct job){walk_side, &sides[0]}, &(struct job){walk_side, &sides[1]},
		       true, walker->progress);
	clean = !err && is_clean(&sides[0]) && is_clean(&sides[1]) &&
		ends_meet(walker, &sides[0].end, &sides[1].end);
	for (int i = 0; i < 2; i++) {
		if (!err && !take_side(walker, &sides[i], clean))
			err = &error_no_memory;
		walk_clear(&sides[i].walk);
	}
	forward->stopped = backward->stopped = clean;
	free(sides);
	return err;
}

/* Is it worth it, and possible, to go on with two threads? */
static bool is_long(const struct walker *walker, size_t steps, const struct end *forward,
		    const struct end *backward)
{
	return steps == ALONE_STEPS && !forward->stopped && !backward->stopped &&
	       !walker->bad_links && jobs_workers(image_is_concurrent(walker->reader->image)) > 1;
}

static struct error *walk_list(struct walker *walker)
{
	const struct layout *layout = &walker->heap->runtime->layout;
	struct end forward = {layout->PyGC_Head__gc_next, layout->PyGC_Head__gc_prev, walker->head,
			      false};
	struct end backward = {layout->PyGC_Head__gc_prev, layout->PyGC_Head__gc_next, walker->head,
			       !walker->check_prev};
	struct error *err = NULL;
	size_t steps = 0;

	walker->bad_links = 0;
	while (!err && (!forward.stopped || !backward.stopped)) {
		if ((!forward.stopped && !advance(walker, &forward, &backward)) ||
		    (!backward.stopped && !advance(walker, &backward, &forward)))
			return &error_no_memory;
		if (++steps % PROGRESS_STEP == 0)
			err = progress_step(walker->progress, "reading the GC lists",
					    walker->walk->count, 0);
		if (!err && is_long(walker, steps, &forward, &backward))
			err = walk_apart(walker, &forward, &backward);
	}
	if (!err && walker->bad_links)
		report_damage(walker, "the links of neighbours do not match", walker->first_bad);
	return err;
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
	struct reader *reader = walker->reader;
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

/* What was met since there were `before` objects is of the list at hand. */
static void end_list(struct walker *walker, size_t before)
{
	struct walk *walk = walker->walk;

	walk->lists[walk->list_count++] = (struct walked_list){
		.count = walk->count - before,
		.generation = walker->generation,
		.interpreter = walker->interpreter,
	};
}

static struct error *walk_suspects(struct walker *walker, const struct interpreter *interpreter)
{
	struct target *target = walker->heap->runtime->target;
	size_t before = walker->walk->count;
	struct error *err = NULL;

	walker->generation = GENERATION_COUNT - 1;
	for (size_t i = 0; i < target->thread_count && !err; i++)
		err = walk_stack(walker, target->threads[i].registers.rsp);
	end_list(walker, before);
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

/* All lists of an interpreter that has some of its own. */
static struct error *walk_interpreter(struct walker *walker, size_t number)
{
	struct heap *heap = walker->heap;
	const struct interpreter *interpreter = &heap->runtime->interpreters[number];
	struct error *err = NULL;

	walker->interpreter = (uint8_t)number;
	walker->check_prev = !interpreter->collecting;
	for (int g = 0; g < GENERATION_LISTS && !err; g++) {
		size_t before = walker->walk->count;

		walker->generation = (uint8_t)g;
		walker->head = interpreter->generations[g].head;
		err = walk_list(walker);
		end_list(walker, before);
		heap->list_counts[number][g] = walker->walk->count - before;
	}
	return !err && interpreter->collecting ? walk_suspects(walker, interpreter) : err;
}

struct error *heap_walk(struct heap *heap, struct walk *walk, const struct progress *progress)
{
	const struct runtime *runtime = heap->runtime;
	struct walker walker = {
		.heap = heap,
		.reader = &heap->reader,
		.walk = walk,
		.progress = progress,
	};
	struct error *err = NULL;

	walk->lists =
		calloc(runtime->interpreter_count * (GENERATION_LISTS + 1), sizeof(*walk->lists));
	if (!walk->lists)
		return &error_no_memory;
	for (size_t i = 0; i < runtime->interpreter_count && !err; i++)
		if (!runtime->interpreters[i].shares_gc)
			err = walk_interpreter(&walker, i);
	return err;
}

void walk_clear(struct walk *walk)
{
	free(walk->addresses);
	free(walk->lists);
	*walk = (struct walk){0};
}
