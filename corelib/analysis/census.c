/* Counts the live words of all writable memory and of the saved registers, then compares. */
#include "analysis/census_scan.h"

#include "target/huge.h"
#include "target/jobs.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>

/* Each of a few threads may be about to count one more. */
#define FOUND_MAX (UINT32_MAX - 64)

/* What one worker does with words. */
struct counter {
	JOBS_APART const struct census *census;
	bool counts;
	const uint8_t *wanted; /* NULL: no words are looked for */
	struct census_words words, *all;
	bool failed; /* memory ran out */
};

static bool add_words(struct census_words *words, const struct census_pointer *items, size_t count)
{
	struct census_pointer *grown =
		huge_room(words->items, &words->capacity, words->count + count, sizeof(*grown));

	if (!grown)
		return false;
	words->items = grown;
	for (size_t i = 0; i < count; i++)
		grown[words->count++] = items[i];
	return true;
}

static void see_word(void *context, const struct holder *holder)
{
	struct counter *counter = context;
	const struct census *census = counter->census;
	uint32_t object = objects_find(census->objects, holder->value);

	if (object == HEAP_NONE)
		return;
	if (counter->counts &&
	    __atomic_load_n(&census->found[object], __ATOMIC_RELAXED) < FOUND_MAX)
		__atomic_fetch_add(&census->found[object], 1, __ATOMIC_RELAXED);
	/* Who holds the others is known: the objects that traverse_unaligned() has them from. */
	if (counter->wanted && counter->wanted[object] && !holder->is_near &&
	    holder->address % sizeof(uint64_t) == 0 &&
	    !add_words(&counter->words, &(struct census_pointer){holder->address, object}, 1))
		counter->failed = true;
}

static bool join_words(void *context)
{
	struct counter *counter = context;
	size_t count = counter->words.count;

	counter->words.count = 0;
	return !counter->failed && add_words(counter->all, counter->words.items, count);
}

static struct error *find_anomalies(struct census *census)
{
	const struct objects *objects = census->objects;
	size_t capacity = 0;

	for (uint32_t i = 0; i < objects->count; i++) {
		struct anomaly *anomaly;

		if (objects->refcounts[i] == HEAP_IMMORTAL || objects->types[i] == HEAP_NONE ||
		    objects->refcounts[i] <= 0 ||
		    (uint32_t)objects->refcounts[i] <= census->found[i])
			continue;
		anomaly = huge_room(census->anomalies, &capacity, census->anomaly_count + 1,
				    sizeof(*anomaly));
		if (!anomaly)
			return &error_no_memory;
		census->anomalies = anomaly;
		anomaly = &census->anomalies[census->anomaly_count++];
		*anomaly = (struct anomaly){
			.object = i,
			.kind = census->found[i] ? ANOMALY_EXCESS : ANOMALY_LOST,
			.refcount = objects->refcounts[i],
			.found = census->found[i],
		};
	}
	return NULL;
}

/*
 * What the kernel leaves out of a module's .bss was never written: it is zero. A mapped file is
 * left out if it is shared, with other processes or a driver, where references would mean nothing,
 * or if nobody wrote there.
 */
static bool may_hold_references(const struct target *target, const struct hole *hole)
{
	const struct mapping *mapping;

	if (!(hole->flags & PF_W) || hole->reason == hole_never_written ||
	    modules_at(target->modules, hole->start))
		return false;
	mapping = mappings_at(&target->mappings, hole->start);
	return hole->reason == hole_truncated || !mapping || !mapping->path ||
	       mapping->path[0] == '[';
}

/* Writable memory whose bytes are not to be had may hold any reference. */
static void look_for_holes(struct census *census)
{
	const struct target *target = census->objects->heap->runtime->target;
	const struct image *image = target->image;
	uint64_t bytes = 0;

	for (size_t i = 0; target->modules && i < image->hole_count; i++)
		if (may_hold_references(target, &image->holes[i]))
			bytes += image->holes[i].end - image->holes[i].start;
	if (!bytes)
		return;
	census->suspicion = true;
	coverage_add(&census->objects->heap->runtime->target->coverage, PROBLEM_NOTE,
		     "memory-not-dumped",
		     "%" PRIu64 " bytes of writable memory are not known; references in them "
		     "cannot be counted, so a leaked reference is a suspicion",
		     bytes);
}

/* A register may hold the only pointer; the stack of a thread without them is all taken as in use.
 * That a stack is missing the target has told. */
static void look_for_registers(struct census *census)
{
	struct target *target = census->objects->heap->runtime->target;
	size_t unknown = 0;

	for (size_t i = 0; i < target->thread_count; i++) {
		unknown += !target->threads[i].registers.rsp;
		census->suspicion = census->suspicion || target->threads[i].stack_missing;
	}
	if (!unknown)
		return;
	census->suspicion = true;
	coverage_add(&target->coverage, PROBLEM_NOTE, "registers-unknown",
		     "the registers of %zu of %zu threads are not known; what only they refer to "
		     "looks lost",
		     unknown, target->thread_count);
}

/* The references at no multiple of 8 of one object. @return false when out of memory */
static bool add_unaligned(struct census *census, uint32_t object, size_t *capacity)
{
	const struct objects *objects = census->objects;
	const struct reference *references;
	uint64_t *grown;
	size_t count;

	traverse_unaligned(objects->heap->traverser, objects->addresses[object],
			   objects_type(objects, object), &references, &count);
	if (!count)
		return true;
	grown = huge_room(census->unaligned, capacity, census->unaligned_count + count,
			  sizeof(*grown));
	if (!grown)
		return false;
	census->unaligned = grown;
	for (size_t i = 0; i < count; i++)
		grown[census->unaligned_count++] = references[i].slot;
	return true;
}

/* Which types may have such references, by index. @return NULL when out of memory */
static uint8_t *list_unaligned_types(const struct objects *objects, bool *any)
{
	struct type_cache *types = objects->heap->runtime->types;
	uint8_t *may_be = calloc((size_t)type_count(types) + 1, 1);

	for (uint32_t i = 0; may_be && i < type_count(types); i++) {
		may_be[i] = traverse_may_be_unaligned(objects->heap->traverser,
						      type_by_index(types, i));
		*any = *any || may_be[i];
	}
	return may_be;
}

static struct error *find_unaligned(struct census *census)
{
	const struct objects *objects = census->objects;
	// Arrays of a hostile heap may all claim the same memory.
	uint64_t budget = heap_reference_budget(objects->heap, objects->count);
	bool any = false, ok;
	uint8_t *may_be = list_unaligned_types(objects, &any);
	size_t capacity = 0;

	ok = may_be != NULL;
	for (uint32_t i = 0; any && ok && i < objects->count && census->unaligned_count < budget;
	     i++)
		if (objects->types[i] != HEAP_NONE && may_be[objects->types[i]])
			ok = add_unaligned(census, i, &capacity);
	free(may_be);
	return ok ? NULL : &error_no_memory;
}

struct error *census_begin(struct objects *objects, const struct progress *progress,
			   struct census **result)
{
	struct census *census = calloc(1, sizeof(*census));
	struct error *err;

	*result = NULL;
	if (!census)
		return &error_no_memory;
	census->objects = objects;
	err = census_mark_dead(objects, progress, &census->dead);
	if (!err)
		err = find_unaligned(census);
	if (err) {
		census_free(census);
		return err;
	}
	*result = census;
	return NULL;
}

/* Goes through all words, or through those of CENSUS_FAR if they need not be counted. */
static struct error *see_words(struct census *census, const uint8_t *wanted,
			       const struct progress *progress, struct census_words *words,
			       struct census_extent *extent)
{
	const struct objects *objects = census->objects;
	const struct image *image = objects->heap->runtime->target->image;
	struct counter counters[JOBS_WORKERS_MAX];
	void *workers[JOBS_WORKERS_MAX];
	struct census_scan scan = {
		.census = census,
		.part = census->counted ? CENSUS_FAR : CENSUS_ALL,
		.low = objects->count ? objects->addresses[0] : 1,
		.high = objects->count ? objects->addresses[objects->count - 1] : 0,
		.word = see_word,
		.join = wanted ? join_words : NULL,
		.workers = workers,
		.worker_count = jobs_workers(image_is_concurrent(image)),
	};
	struct error *err;

	for (size_t i = 0; i < scan.worker_count; i++) {
		counters[i] = (struct counter){
			.census = census,
			.counts = !census->counted,
			.wanted = wanted,
			.all = words,
		};
		workers[i] = &counters[i];
	}
	err = census_scan_run(&scan, progress, extent);
	for (size_t i = 0; i < scan.worker_count; i++)
		free(counters[i].words.items);
	return err;
}

static struct error *count(struct census *census, const uint8_t *wanted,
			   const struct progress *progress, struct census_words *words)
{
	struct census_extent extent;
	struct error *err;

	census->found = huge_zeroed((size_t)census->objects->count + 1, sizeof(*census->found));
	if (!census->found)
		return &error_no_memory;
	err = see_words(census, wanted, progress, words, &extent);
	if (!err)
		err = find_anomalies(census);
	if (err) {
		free(census->found);
		free(census->anomalies);
		census->found = NULL;
		census->anomalies = NULL;
		census->anomaly_count = 0;
		return err;
	}
	census->counted = true;
	census->scanned = extent.scanned;
	census->dead_bytes = extent.dead;
	look_for_holes(census);
	look_for_registers(census);
	return NULL;
}

struct error *census_count(struct census *census, const struct progress *progress)
{
	return census->counted ? NULL : count(census, NULL, progress, NULL);
}

struct error *census_find_words(struct census *census, const uint8_t *wanted,
				const struct progress *progress, struct census_words *words)
{
	struct census_extent extent;
	struct error *err;

	*words = (struct census_words){0};
	err = census->counted ? see_words(census, wanted, progress, words, &extent)
			      : count(census, wanted, progress, words);
	if (err) {
		free(words->items);
		*words = (struct census_words){0};
	}
	return err;
}

struct error *census_take(struct objects *objects, const struct progress *progress,
			  struct census **result)
{
	struct error *err = census_begin(objects, progress, result);

	if (!err)
		err = census_count(*result, progress);
	if (err) {
		census_free(*result);
		*result = NULL;
	}
	return err;
}

void census_free(struct census *census)
{
	if (!census)
		return;
	word_map_clear(&census->dead);
	free(census->unaligned);
	free(census->found);
	free(census->anomalies);
	free(census);
}
