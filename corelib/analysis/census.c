/* Counts the live words of all writable memory and of the saved registers, then compares. */
#include "analysis/census.h"

#include "target/huge.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>

enum { GROUP = 512, WORD = 8, PROGRESS_STEP = 64 << 20 };

/* Pointers may carry tags in their low bits. */
#define TAG_MASK (~UINT64_C(7))

/* General registers, which may hold the only pointer to an object. */
static const struct {
	const char *name;
	size_t offset;
} registers[] = {
#define REGISTER(name)                                         \
	{                                                      \
#name, offsetof(struct user_regs_struct, name) \
	}
	REGISTER(rax), REGISTER(rbx), REGISTER(rcx), REGISTER(rdx), REGISTER(rsi),
	REGISTER(rdi), REGISTER(rbp), REGISTER(r8),  REGISTER(r9),  REGISTER(r10),
	REGISTER(r11), REGISTER(r12), REGISTER(r13), REGISTER(r14), REGISTER(r15),
#undef REGISTER
};

static uint64_t register_value(const struct target_thread *thread, size_t i)
{
	uint64_t value;

	memcpy(&value, (const char *)&thread->registers + registers[i].offset, sizeof(value));
	return value;
}

/* What is done with each live word. */
struct scan {
	const struct image *image;
	struct reader reader;
	const struct word_map *dead;
	const struct progress *progress;
	uint64_t low, high; /* no object is outside */
	const struct target *target;
	enum census_part part;
	census_word *word;
	void *context;
	uint64_t scanned, dead_bytes, total;
};

static void scan_group(struct scan *scan, uint64_t address, const uint8_t *bytes, size_t words)
{
	uint64_t live = ~word_map_group(scan->dead, address & ~(uint64_t)(GROUP - 1));
	unsigned first = address >> 3 & 63;

	live >>= first;
	if (words < 64)
		live &= (UINT64_C(1) << words) - 1;
	scan->dead_bytes += (words - index_bit_count(live)) * WORD;
	while (live) {
		unsigned i = (unsigned)__builtin_ctzll(live);
		uint64_t value;

		live &= live - 1;
		memcpy(&value, bytes + i * WORD, sizeof(value));
		value &= TAG_MASK;
		if (value - scan->low <= scan->high - scan->low)
			scan->word(scan->context,
				   &(struct holder){.address = address + i * WORD, .value = value});
	}
}

static void scan_range(struct scan *scan, uint64_t start, uint64_t end)
{
	while (start < end) {
		uint64_t next = (start & ~(uint64_t)(GROUP - 1)) + GROUP;
		const uint8_t *bytes;

		if (next > end)
			next = end;
		bytes = reader_at(&scan->reader, start, (size_t)(next - start));
		if (bytes)
			scan_group(scan, start, bytes, (size_t)(next - start) / WORD);
		scan->scanned += next - start;
		start = next;
	}
}

static bool is_near(const struct target *target, const struct segment *segment)
{
	if (target->modules && modules_at(target->modules, segment->start))
		return true;
	for (size_t i = 0; i < target->thread_count; i++) {
		uint64_t top = target->threads[i].registers.rsp;

		if (top >= segment->start && top < segment->end)
			return true;
	}
	return false;
}

static bool is_scanned(const struct scan *scan, const struct segment *segment)
{
	return (segment->flags & PF_W) &&
	       (scan->part == CENSUS_ALL ||
		is_near(scan->target, segment) == (scan->part == CENSUS_NEAR));
}

static struct error *scan_all(struct scan *scan)
{
	for (size_t i = 0; i < scan->image->segment_count; i++)
		if (is_scanned(scan, &scan->image->segments[i]))
			scan->total +=
				scan->image->segments[i].end - scan->image->segments[i].start;
	for (size_t i = 0; i < scan->image->segment_count; i++) {
		const struct segment *segment = &scan->image->segments[i];
		uint64_t at = (segment->start + 7) & ~UINT64_C(7), end = segment->end & TAG_MASK;

		if (!is_scanned(scan, segment))
			continue;
		while (at < end) {
			uint64_t next = end - at > PROGRESS_STEP ? at + PROGRESS_STEP : end;
			struct error *err = progress_step(scan->progress, "counting references",
							  scan->scanned, scan->total);

			if (err)
				return err;
			scan_range(scan, at, next);
			at = next;
		}
	}
	return NULL;
}

static void count_word(void *context, const struct holder *holder)
{
	struct census *census = context;
	uint32_t object = objects_find(census->objects, holder->value);

	if (object != HEAP_NONE && census->found[object] != UINT32_MAX)
		census->found[object]++;
}

static void scan_registers(struct scan *scan)
{
	const struct target *target = scan->target;

	for (size_t t = 0; t < target->thread_count; t++)
		for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
			struct holder holder = {
				.value = register_value(&target->threads[t], i) & TAG_MASK,
				.thread = (uint32_t)t,
				.name = registers[i].name,
			};

			if (holder.value - scan->low <= scan->high - scan->low)
				scan->word(scan->context, &holder);
		}
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
		if (census->anomaly_count == capacity) {
			capacity = capacity ? capacity * 2 : 64;
			anomaly = huge_grow(census->anomalies, capacity, sizeof(*anomaly));
			if (!anomaly)
				return &error_no_memory;
			census->anomalies = anomaly;
		}
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
 * Writable memory whose bytes are not to be had may hold any reference. What the kernel leaves out
 * of a module's .bss was never written: it is zero.
 */
static void look_for_holes(struct census *census)
{
	const struct target *target = census->objects->heap->runtime->target;
	const struct image *image = target->image;
	const struct modules *modules = target->modules;
	uint64_t bytes = 0;

	for (size_t i = 0; modules && i < image->hole_count; i++)
		if ((image->holes[i].flags & PF_W) &&
		    image->holes[i].reason != hole_never_written &&
		    !modules_at(modules, image->holes[i].start))
			bytes += image->holes[i].end - image->holes[i].start;
	if (!bytes)
		return;
	census->suspicion = true;
	coverage_add(&census->objects->heap->runtime->target->coverage, PROBLEM_NOTE,
		     "memory-not-dumped",
		     "%" PRIu64 " bytes of writable memory are not in the dump; references in them "
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

struct error *census_take(struct objects *objects, const struct progress *progress,
			  struct census **result)
{
	struct census *census = calloc(1, sizeof(*census));
	struct target *target = objects->heap->runtime->target;
	struct scan scan = {.image = target->image,
			    .target = target,
			    .part = CENSUS_ALL,
			    .progress = progress,
			    .word = count_word};
	struct error *err = &error_no_memory;

	*result = NULL;
	if (!census)
		return err;
	census->objects = objects;
	census->found = huge_zeroed((size_t)objects->count + 1, sizeof(*census->found));
	if (census->found && census_mark_dead(objects, &census->dead)) {
		scan.dead = &census->dead;
		scan.context = census;
		scan.low = objects->count ? objects->addresses[0] : 1;
		scan.high = objects->count ? objects->addresses[objects->count - 1] : 0;
		reader_init(&scan.reader, target->image);
		err = scan_all(&scan);
	}
	if (!err) {
		scan_registers(&scan);
		census->scanned = scan.scanned;
		census->dead_bytes = scan.dead_bytes;
		err = find_anomalies(census);
	}
	if (err) {
		census_free(census);
		return err;
	}
	look_for_holes(census);
	look_for_registers(census);
	*result = census;
	return NULL;
}

void census_free(struct census *census)
{
	if (!census)
		return;
	word_map_clear(&census->dead);
	free(census->found);
	free(census->anomalies);
	free(census);
}

struct error *census_scan_part(const struct census *census, enum census_part part,
			       const struct progress *progress, uint64_t low, uint64_t high,
			       census_word *word, void *context)
{
	const struct target *target = census->objects->heap->runtime->target;
	struct scan scan = {
		.image = target->image,
		.target = target,
		.part = part,
		.dead = &census->dead,
		.progress = progress,
		.low = low,
		.high = high,
		.word = word,
		.context = context,
	};
	struct error *err;

	reader_init(&scan.reader, target->image);
	err = scan_all(&scan);
	if (!err && part != CENSUS_FAR)
		scan_registers(&scan);
	return err;
}

struct error *census_scan(const struct census *census, const struct progress *progress,
			  uint64_t low, uint64_t high, census_word *word, void *context)
{
	return census_scan_part(census, CENSUS_ALL, progress, low, high, word, context);
}
