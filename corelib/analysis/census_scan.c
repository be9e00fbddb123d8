/* Goes through all live words of writable memory and of the saved registers. */
#include "analysis/census_scan.h"

#include "target/huge.h"
#include "target/jobs.h"

#include <elf.h>
#include <stdlib.h>

enum { GROUP = 512, WORD = 8, PIECE = 4 << 20 };

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

/* A piece of a segment. */
struct range {
	uint64_t start, end;
	bool is_near;
};

struct ranges {
	struct range *items;
	size_t count, capacity;
};

/* What one thread goes through. */
struct scanner {
	JOBS_APART const struct census_scan *scan;
	const struct ranges *ranges;
	void *worker;
	struct reader reader;
	struct census_extent extent;
};

static void scan_group(struct scanner *scanner, struct holder *holder, uint64_t address,
		       const uint8_t *bytes, size_t words)
{
	const struct census_scan *scan = scanner->scan;
	uint64_t live = ~word_map_group(&scan->census->dead, address & ~(uint64_t)(GROUP - 1));
	unsigned first = address >> 3 & 63;

	live >>= first;
	if (words < 64)
		live &= (UINT64_C(1) << words) - 1;
	scanner->extent.dead += (words - index_bit_count(live)) * WORD;
	while (live) {
		unsigned i = (unsigned)__builtin_ctzll(live);
		uint64_t value;

		live &= live - 1;
		memcpy(&value, bytes + i * WORD, sizeof(value));
		value &= TAG_MASK;
		if (value - scan->low > scan->high - scan->low)
			continue;
		holder->address = address + i * WORD;
		holder->value = value;
		scan->word(scanner->worker, holder);
	}
}

static void scan_range(struct scanner *scanner, const struct range *range)
{
	struct holder holder = {.is_near = range->is_near};
	uint64_t start = range->start, end = range->end;

	scanner->extent.scanned += end - start;
	while (start < end) {
		uint64_t next = (start & ~(uint64_t)(GROUP - 1)) + GROUP;
		const uint8_t *bytes;

		if (next > end)
			next = end;
		bytes = reader_at(&scanner->reader, start, (size_t)(next - start));
		if (bytes)
			scan_group(scanner, &holder, start, bytes, (size_t)(next - start) / WORD);
		start = next;
	}
}

static struct error *scan_piece(void *context, size_t start, size_t end)
{
	struct scanner *scanner = context;

	for (size_t i = start; i < end; i++)
		scan_range(scanner, &scanner->ranges->items[i]);
	return NULL;
}

static struct error *join_piece(void *context, size_t start, size_t end)
{
	const struct scanner *scanner = context;

	(void)start, (void)end;
	return !scanner->scan->join || scanner->scan->join(scanner->worker) ? NULL
									    : &error_no_memory;
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

/* @return false when out of memory */
static bool add_range(struct ranges *ranges, struct range range)
{
	struct range *items =
		huge_room(ranges->items, &ranges->capacity, ranges->count + 1, sizeof(*items));

	if (!items)
		return false;
	ranges->items = items;
	items[ranges->count++] = range;
	return true;
}

static bool list_ranges(const struct census_scan *scan, const struct target *target,
			struct ranges *ranges)
{
	for (size_t i = 0; i < target->image->segment_count; i++) {
		const struct segment *segment = &target->image->segments[i];
		uint64_t at = (segment->start + 7) & ~UINT64_C(7), end = segment->end & TAG_MASK;
		bool near = is_near(target, segment);

		if (!(segment->flags & PF_W) ||
		    (scan->part != CENSUS_ALL && near != (scan->part == CENSUS_NEAR)))
			continue;
		while (at < end) {
			uint64_t next = end - at > PIECE ? at + PIECE : end;

			if (!add_range(ranges, (struct range){at, next, near}))
				return false;
			at = next;
		}
	}
	return true;
}

static void scan_unaligned(const struct census_scan *scan, struct reader *reader)
{
	for (size_t i = 0; i < scan->census->unaligned_count; i++) {
		struct holder holder = {.address = scan->census->unaligned[i]};

		if (reader_u64(reader, holder.address, &holder.value) &&
		    holder.value - scan->low <= scan->high - scan->low)
			scan->word(scan->workers[0], &holder);
	}
}

static void scan_registers(const struct census_scan *scan, const struct target *target)
{
	for (size_t t = 0; t < target->thread_count; t++)
		for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
			struct holder holder = {
				.value = register_value(&target->threads[t], i) & TAG_MASK,
				.thread = (uint32_t)t,
				.name = registers[i].name,
				.is_near = true,
			};

			if (holder.value - scan->low <= scan->high - scan->low)
				scan->word(scan->workers[0], &holder);
		}
}

struct error *census_scan_run(const struct census_scan *scan, const struct progress *progress,
			      struct census_extent *extent)
{
	const struct target *target = scan->census->objects->heap->runtime->target;
	struct scanner scanners[JOBS_WORKERS_MAX];
	void *workers[JOBS_WORKERS_MAX];
	struct ranges ranges = {0};
	struct jobs_loop loop = {
		.step = 1,
		.run = scan_piece,
		.join = scan->join ? join_piece : NULL,
		.workers = workers,
		.worker_count = scan->worker_count,
		.phase = "counting references",
	};
	struct error *err = list_ranges(scan, target, &ranges) ? NULL : &error_no_memory;

	for (size_t i = 0; i < scan->worker_count; i++) {
		scanners[i] = (struct scanner){
			.scan = scan,
			.ranges = &ranges,
			.worker = scan->workers[i],
		};
		reader_init(&scanners[i].reader, target->image);
		workers[i] = &scanners[i];
	}
	loop.count = ranges.count;
	if (!err)
		err = jobs_loop(&loop, progress);
	if (!err && scan->part != CENSUS_NEAR)
		scan_unaligned(scan, &scanners[0].reader);
	if (!err && scan->part != CENSUS_FAR)
		scan_registers(scan, target);
	*extent = (struct census_extent){0};
	for (size_t i = 0; i < scan->worker_count; i++) {
		extent->scanned += scanners[i].extent.scanned;
		extent->dead += scanners[i].extent.dead;
	}
	free(ranges.items);
	return err;
}

struct error *census_scan_part(const struct census *census, enum census_part part,
			       const struct progress *progress, uint64_t low, uint64_t high,
			       census_word *word, void *context)
{
	const struct census_scan scan = {
		.census = census,
		.part = part,
		.low = low,
		.high = high,
		.word = word,
		.workers = &context,
		.worker_count = 1,
	};
	struct census_extent extent;

	return census_scan_run(&scan, progress, &extent);
}

struct error *census_scan(const struct census *census, const struct progress *progress,
			  uint64_t low, uint64_t high, census_word *word, void *context)
{
	return census_scan_part(census, CENSUS_ALL, progress, low, high, word, context);
}
