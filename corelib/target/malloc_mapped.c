/*
 * A chunk that malloc mapped by itself starts on a page, with the size of whole pages and the
 * IS_MMAPPED bit alone (malloc/malloc.c, sysmalloc_mmap()). From glibc 2.43 on the size leaves the
 * header out.
 */
#include "target/malloc_heap.h"

#include <elf.h>
#include <stdlib.h>

enum { PAGE = 4096, IS_MMAPPED = 2 };

static bool add(struct malloc_heaps *heaps, size_t *capacity, uint64_t start, uint64_t end)
{
	if (heaps->mapped_count == *capacity) {
		size_t wanted = *capacity ? *capacity * 2 : 64;
		struct malloc_range *mapped = reallocarray(heaps->mapped, wanted, sizeof(*mapped));

		if (!mapped)
			return false;
		heaps->mapped = mapped;
		*capacity = wanted;
	}
	heaps->mapped[heaps->mapped_count++] = (struct malloc_range){start, end};
	return true;
}

/* The size of the chunk that begins at a page; 0: none does. */
static uint64_t chunk_size(struct reader *reader, uint64_t at, uint64_t end)
{
	uint64_t before, size;

	if (!reader_u64(reader, at, &before) || before || !reader_u64(reader, at + 8, &size) ||
	    (size & 15) != IS_MMAPPED)
		return 0;
	size -= IS_MMAPPED;
	if (size % PAGE == PAGE - MALLOC_HEADER)
		size += MALLOC_HEADER;
	if (size % PAGE)
		return 0;
	return size >= PAGE && size <= end - at ? size : 0;
}

/*
 * How far a chunk that begins in a segment can reach. Pages that were never written are no segment,
 * and madvise(), which numpy calls for large arrays, makes two mappings of one.
 */
static uint64_t reach(const struct mappings *mappings, const struct segment *segment)
{
	const struct mapping *mapping = mappings_at(mappings, segment->start);
	const struct mapping *last = mappings->items + mappings->count;
	uint64_t end = segment->end;

	for (; mapping && mapping < last && mapping->start <= end && !mapping->path &&
	       (mapping->flags & PF_W);
	     mapping++)
		end = mapping->end > end ? mapping->end : end;
	return end;
}

struct error *malloc_mapped_find(const struct target *target, malloc_mapped_skip *skip,
				 const void *context, struct malloc_heaps *heaps)
{
	const struct image *image = target->image;
	struct reader reader;
	uint64_t done = 0;
	size_t capacity = 0;

	reader_init(&reader, image);
	for (size_t s = 0; s < image->segment_count; s++) {
		const struct segment *segment = &image->segments[s];
		uint64_t at = (segment->start + PAGE - 1) & ~(uint64_t)(PAGE - 1);
		uint64_t end = reach(&target->mappings, segment);

		if (at < done)
			at = done;
		while ((segment->flags & PF_W) && at + PAGE <= segment->end) {
			uint64_t size = chunk_size(&reader, at, end);

			if (!size || skip(context, at)) {
				at += PAGE;
				continue;
			}
			if (!add(heaps, &capacity, at, at + size))
				return &error_no_memory;
			at += size;
			done = at;
		}
	}
	return NULL;
}
