/* Lists the pages that are in memory, as ranges. */
#include "target/residency.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

enum { PAGE = 4096, BATCH = 512 };

/* Bits of a pagemap entry, see Documentation/admin-guide/mm/pagemap.rst of Linux. */
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_SWAPPED (UINT64_C(1) << 62)

/*
 * PAGEMAP_SCAN (Linux 6.7, include/uapi/linux/fs.h), which many machines' headers lack. It can tell
 * the page of zeros that is shown wherever memory was read but never written, which Rss leaves out.
 */
struct scan_region {
	uint64_t start, end, categories;
};

struct scan_argument {
	uint64_t size, flags, start, end, walk_end, vector, vector_length, max_pages,
		category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN_IOCTL   _IOWR('f', 16, struct scan_argument)
#define SCAN_PRESENT (UINT64_C(1) << 3)
#define SCAN_SWAPPED (UINT64_C(1) << 4)
#define SCAN_ZERO    (UINT64_C(1) << 5)

/* Larger ones are address space that was reserved; reading the page tables of it takes seconds. */
#define MAPPING_MAX  (UINT64_C(1) << 40)
#define RESERVED_MAX (UINT64_C(1) << 36)

/* The user half of the address space. */
#define USER_END (UINT64_C(1) << 47)

static bool add_range(struct residency *residency, uint64_t start, uint64_t end)
{
	struct resident_range *last =
		residency->count ? &residency->ranges[residency->count - 1] : NULL;

	residency->bytes += end - start;
	if (last && last->end == start) {
		last->end = end;
		return true;
	}
	if (residency->count == residency->capacity) {
		size_t capacity = residency->capacity ? residency->capacity * 2 : 256;
		struct resident_range *ranges =
			reallocarray(residency->ranges, capacity, sizeof(*ranges));

		if (!ranges)
			return false;
		residency->ranges = ranges;
		residency->capacity = capacity;
	}
	residency->ranges[residency->count++] = (struct resident_range){start, end};
	return true;
}

/* Adds the pages of one batch. @return false when out of memory */
static bool add_entries(struct residency *residency, uint64_t address, const uint64_t *entries,
			size_t pages)
{
	for (size_t i = 0; i < pages; i++) {
		uint64_t page = address + i * PAGE;

		if (entries[i] & PAGEMAP_SWAPPED)
			residency->swapped += PAGE;
		else if ((entries[i] & PAGEMAP_PRESENT) && !add_range(residency, page, page + PAGE))
			return false;
	}
	return true;
}

static bool is_asked(const struct mapping *mapping)
{
	uint64_t size = mapping->end - mapping->start;

	/* Pages of the kernel's own, which it does not count as the process's. */
	if (mapping->path && !strncmp(mapping->path, "[vvar", 5))
		return false;
	return mapping->start < USER_END && size <= MAPPING_MAX &&
	       (mapping->flags || size <= RESERVED_MAX);
}

/* Answers of scan(). */
enum scan_result { SCANNED, SCAN_NOT_POSSIBLE, SCAN_NO_MEMORY };

/* Adds what is present of a mapping, and counts what is swapped out. */
static enum scan_result scan(struct residency *residency, int pagemap,
			     const struct mapping *mapping)
{
	static const uint64_t wanted[] = {SCAN_PRESENT | SCAN_ZERO, SCAN_SWAPPED};
	struct scan_region regions[BATCH];

	for (size_t pass = 0; pass < sizeof(wanted) / sizeof(wanted[0]); pass++) {
		uint64_t at = mapping->start;

		while (at < mapping->end) {
			struct scan_argument argument = {
				.size = sizeof(argument),
				.start = at,
				.end = mapping->end,
				.vector = (uintptr_t)regions,
				.vector_length = BATCH,
				.category_inverted = wanted[pass] & SCAN_ZERO,
				.category_mask = wanted[pass],
				.return_mask = SCAN_PRESENT,
			};
			int count = ioctl(pagemap, SCAN_IOCTL, &argument);

			if (count < 0)
				return SCAN_NOT_POSSIBLE;
			for (int i = 0; i < count; i++)
				if (pass)
					residency->swapped += regions[i].end - regions[i].start;
				else if (!add_range(residency, regions[i].start, regions[i].end))
					return SCAN_NO_MEMORY;
			if (argument.walk_end <= at)
				break;
			at = argument.walk_end;
		}
	}
	residency->source = RESIDENCY_PAGEMAP;
	return SCANNED;
}

/* The same on older kernels, where each page has an entry. @return false when out of memory */
static bool read_entries(struct residency *residency, int pagemap, const struct mapping *mapping)
{
	uint64_t entries[BATCH];
	uint64_t at = mapping->start;

	while (at < mapping->end) {
		size_t pages = (mapping->end - at) / PAGE, size;

		pages = pages < BATCH ? pages : BATCH;
		size = pages * sizeof(*entries);
		if (!pages || pread(pagemap, entries, size,
				    (off_t)(at / PAGE * sizeof(*entries))) != (ssize_t)size)
			break;
		residency->source = RESIDENCY_PAGEMAP;
		if (!add_entries(residency, at, entries, pages))
			return false;
		at += pages * PAGE;
	}
	return true;
}

struct error *residency_read(struct residency *residency, int pagemap,
			     const struct mappings *mappings)
{
	bool scans = true;

	*residency = (struct residency){0};
	for (size_t i = 0; pagemap >= 0 && i < mappings->count; i++) {
		const struct mapping *mapping = &mappings->items[i];
		enum scan_result result = SCAN_NOT_POSSIBLE;

		if (!is_asked(mapping))
			continue;
		if (scans)
			result = scan(residency, pagemap, mapping);
		scans = result != SCAN_NOT_POSSIBLE;
		if (result == SCAN_NO_MEMORY ||
		    (!scans && !read_entries(residency, pagemap, mapping)))
			return &error_no_memory;
	}
	return NULL;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
	static const uint8_t zeros[PAGE];

	return !memcmp(bytes, zeros, length);
}

struct error *residency_of_dump(struct residency *residency, const struct image *image)
{
	*residency = (struct residency){.source = RESIDENCY_DUMP};
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct segment *segment = &image->segments[i];
		uint64_t at = segment->start;

		while (segment->source == SEGMENT_CORE && at < segment->end) {
			uint64_t next = (at & ~(uint64_t)(PAGE - 1)) + PAGE;

			if (next > segment->end)
				next = segment->end;
			if (is_zero(segment->host + (at - segment->start), (size_t)(next - at)))
				residency->zeros += next - at;
			else if (!add_range(residency, at, next))
				return &error_no_memory;
			at = next;
		}
	}
	return NULL;
}

void residency_clear(struct residency *residency)
{
	free(residency->ranges);
	*residency = (struct residency){0};
}
