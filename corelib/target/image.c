/*
 * The table of segments: built by the openers, sorted and cut by image_finish(), searched ever
 * after. Holes stand beside it, so that an answer can say why bytes are missing.
 */
#include "target/image_private.h"

#include <stdlib.h>
#include <sys/mman.h>

const char hole_never_written[] = "never written";
const char hole_truncated[] = "truncated";

/** Reserved address space can be larger than what this process has itself. */
static const size_t ZEROS_MAX = (size_t)1 << 30;

struct image *image_create(void)
{
	struct image *image = calloc(1, sizeof(*image));

	if (!image)
		return NULL;
	image->private = calloc(1, sizeof(*image->private));
	if (!image->private) {
		free(image);
		return NULL;
	}
	pthread_mutex_init(&image->private->lock, NULL);
	return image;
}

void image_destroy(struct image *image)
{
	struct image_private *private;

	if (!image)
		return;
	private = image->private;
	stitch_clear(private);
	demand_destroy(private->demand);
	for (size_t i = 0; i < image->segment_count; i++)
		if (image->segments[i].fetched != lazy_pending)
			free(image->segments[i].fetched);
	for (size_t i = 0; i < private->map_count; i++)
		munmap(private->maps[i].address, private->maps[i].size);
	pthread_mutex_destroy(&private->lock);
	free(private->maps);
	free(private->starts);
	free(private);
	free(image->segments);
	free(image->holes);
	free(image);
}

void image_unlock(struct image_private **private)
{
	pthread_mutex_unlock(&(*private)->lock);
}

struct error *image_own(struct image_private *private, void *address, size_t size)
{
	struct host_map *maps;

	// Grows by doubling: a power of two is full.
	if (!(private->map_count & (private->map_count - 1))) {
		size_t capacity = private->map_count ? private->map_count * 2 : 1;

		maps = reallocarray(private->maps, capacity, sizeof(*maps));
		if (!maps) {
			munmap(address, size);
			return &error_no_memory;
		}
		private->maps = maps;
	}
	private->maps[private->map_count++] = (struct host_map){address, size};
	return NULL;
}

/** Makes room for one more element of an array. @return false when out of memory */
static bool reserve(void **items, size_t *capacity, size_t count, size_t size)
{
	size_t larger = *capacity ? *capacity * 2 : 64;
	void *grown;

	if (count < *capacity)
		return true;
	grown = reallocarray(*items, larger, size);
	if (!grown)
		return false;
	*items = grown;
	*capacity = larger;
	return true;
}

/** The end of a range that starts at `start`; the very last byte of the address space is given up
 * so that it fits. */
static uint64_t range_end(uint64_t start, uint64_t size)
{
	return size > UINT64_MAX - start ? UINT64_MAX : start + size;
}

static struct error *append_segment(struct image *image, struct segment segment)
{
	if (segment.start == segment.end)
		return NULL;
	if (!reserve((void **)&image->segments, &image->private->segment_capacity,
		     image->segment_count, sizeof(segment)))
		return &error_no_memory;
	image->segments[image->segment_count++] = segment;
	return NULL;
}

struct error *image_add(struct image *image, uint64_t start, uint64_t size, const void *host,
			uint32_t flags, enum segment_source source)
{
	return append_segment(image, (struct segment){.start = start,
						      .end = range_end(start, size),
						      .host = host,
						      .flags = flags,
						      .source = source});
}

struct error *image_add_lazy(struct image *image, uint64_t start, uint64_t size, uint32_t flags,
			     enum segment_source source)
{
	return append_segment(image, (struct segment){.start = start,
						      .end = range_end(start, size),
						      .flags = flags,
						      .source = source,
						      .fetched = lazy_pending});
}

struct error *image_add_hole(struct image *image, uint64_t start, uint64_t end, uint32_t flags,
			     const char *reason)
{
	if (start >= end)
		return NULL;
	if (!reserve((void **)&image->holes, &image->private->hole_capacity, image->hole_count,
		     sizeof(*image->holes)))
		return &error_no_memory;
	image->holes[image->hole_count++] = (struct hole){start, end, flags, reason};
	return NULL;
}

size_t image_search(const struct image *image, uint64_t address)
{
	const uint64_t *starts = image->private->starts;
	size_t low = 0, count = image->private->sorted_segments;

	// The number of segments that start at or below the address.
	while (count) {
		size_t half = count / 2;

		if (starts[low + half] <= address) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	if (low && address < image->segments[low - 1].end)
		return low - 1;
	return low;
}

const struct segment *image_segment(const struct image *image, uint64_t address)
{
	size_t index = image_search(image, address);

	if (index < image->private->sorted_segments && image->segments[index].start <= address)
		return &image->segments[index];
	return image->private->demand ? demand_segment(image, address) : NULL;
}

bool image_is_concurrent(const struct image *image)
{
	return !image->private->demand;
}

/** The index of the first hole that ends behind `address`, or their number. */
static size_t search_holes(const struct image *image, uint64_t address)
{
	size_t low = 0, count = image->private->sorted_holes;

	while (count) {
		size_t half = count / 2;

		if (image->holes[low + half].start <= address) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	if (low && address < image->holes[low - 1].end)
		return low - 1;
	return low;
}

const struct hole *image_hole(const struct image *image, uint64_t address)
{
	size_t index = search_holes(image, address);

	if (index < image->private->sorted_holes && image->holes[index].start <= address)
		return &image->holes[index];
	return NULL;
}

struct error *image_make_zeros(struct image *image)
{
	struct image_private *private = image->private;
	struct error *err;
	uint64_t size = 0;
	void *zeros;

	for (size_t i = 0; i < image->hole_count; i++) {
		const struct hole *hole = &image->holes[i];

		if (hole->reason == hole_never_written && hole->end - hole->start > size)
			size = hole->end - hole->start;
	}
	size = size < ZEROS_MAX ? size : ZEROS_MAX;
	if (size <= private->zeros_size)
		return NULL;
	// Pages that are only read are all the same one.
	zeros = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (zeros == MAP_FAILED)
		return NULL;
	err = image_own(private, zeros, size);
	if (err)
		return err;
	private->zeros = zeros;
	private->zeros_size = size;
	return NULL;
}

const uint8_t *image_zeros(const struct image *image, uint64_t address, size_t *available)
{
	const struct hole *hole = image->private->zeros ? image_hole(image, address) : NULL;
	uint64_t left;

	*available = 0;
	if (!hole || hole->reason != hole_never_written)
		return NULL;
	left = hole->end - address;
	*available = left < image->private->zeros_size ? left : image->private->zeros_size;
	return image->private->zeros;
}

bool image_next_gap(const struct image *image, uint64_t from, uint64_t limit, uint64_t *start,
		    uint64_t *end)
{
	size_t segments = image->private->sorted_segments, holes = image->private->sorted_holes;

	while (from < limit) {
		size_t segment = image_search(image, from), hole = search_holes(image, from);

		if (segment < segments && image->segments[segment].start <= from) {
			from = image->segments[segment].end;
			continue;
		}
		if (hole < holes && image->holes[hole].start <= from) {
			from = image->holes[hole].end;
			continue;
		}
		*start = from;
		*end = limit;
		if (segment < segments && image->segments[segment].start < *end)
			*end = image->segments[segment].start;
		if (hole < holes && image->holes[hole].start < *end)
			*end = image->holes[hole].start;
		return true;
	}
	return false;
}

const uint8_t *image_piece(const struct image *image, uint64_t address, size_t wanted,
			   size_t *available)
{
	const struct segment *segment = image_segment(image, address);

	*available = 0;
	if (!segment)
		return image_zeros(image, address, available);
	if (segment->fetched)
		return lazy_piece(image->private, segment, address, wanted, available);
	*available = segment->end - address;
	return segment->host + (address - segment->start);
}
