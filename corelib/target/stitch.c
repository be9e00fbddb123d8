/*
 * Reads across segments that touch in the target but are apart on the host: they are copied
 * together once and kept, so that a reader can always hand out one pointer. Whole pages are copied,
 * so that one copy serves all small reads across the same border.
 */
#include "target/image_private.h"

#include <stdlib.h>

/** All copies together stay below this: only a forged image needs more. */
static const size_t STITCH_BYTES_MAX = (size_t)4 << 30;

/** One copy. */
struct stitch {
	uint64_t start, end;
	uint8_t *bytes;
};

/** The index of the first copy that starts behind `address`. */
static size_t search(const struct image_private *private, uint64_t address)
{
	size_t low = 0, count = private->stitch_count;

	while (count) {
		size_t half = count / 2;

		if (private->stitches[low + half].start <= address) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return low;
}

/** A copy that holds [start, end), or NULL. Copies may overlap; a few are tried. */
static const uint8_t *lookup(const struct image_private *private, uint64_t start, uint64_t end)
{
	size_t index = search(private, start);

	for (size_t tries = 0; index-- && tries < 8; tries++) {
		const struct stitch *stitch = &private->stitches[index];

		if (end <= stitch->end)
			return stitch->bytes + (start - stitch->start);
	}
	return NULL;
}

/** How many contiguous bytes there are from `address`, no more than `limit`. */
static size_t extent(const struct image *image, uint64_t address, size_t limit)
{
	size_t done = 0, available;

	while (done < limit && image_piece(image, address + done, limit - done, &available))
		done += available < limit - done ? available : limit - done;
	return done;
}

/** The range to copy for a read: whole pages as far as they are there. */
static void widen(const struct image *image, uint64_t *start, uint64_t *end)
{
	uint64_t page = *start & ~(uint64_t)(TARGET_PAGE - 1);
	uint64_t tail = -*end & (TARGET_PAGE - 1);

	if (extent(image, page, *start - page) == *start - page)
		*start = page;
	if (tail <= UINT64_MAX - *end)
		*end += extent(image, *end, tail);
}

/** A copy of [start, end). @return NULL when out of memory */
static uint8_t *copy(const struct image *image, uint64_t start, uint64_t end)
{
	size_t size = end - start, done = 0, available;
	uint8_t *bytes = malloc(size);

	while (bytes && done < size) {
		const uint8_t *host = image_piece(image, start + done, size - done, &available);

		if (!host) {
			free(bytes);
			return NULL;
		}
		if (available > size - done)
			available = size - done;
		memcpy(bytes + done, host, available);
		done += available;
	}
	return bytes;
}

/** Keeps a copy. @return false when out of memory */
static bool keep(struct image_private *private, struct stitch stitch)
{
	size_t count = private->stitch_count, index = search(private, stitch.start);
	struct stitch *stitches =
		reallocarray(private->stitches, count + 1, sizeof(*private->stitches));

	if (!stitches)
		return false;
	memmove(&stitches[index + 1], &stitches[index], (count - index) * sizeof(*stitches));
	stitches[index] = stitch;
	private->stitches = stitches;
	private->stitch_count++;
	return true;
}

/** The pointer for a read whose pieces happen to be contiguous on the host, or NULL. */
static const uint8_t *contiguous(const struct image *image, uint64_t address, size_t length)
{
	size_t done, available;
	const uint8_t *first = image_piece(image, address, length, &done);

	if (!first)
		return NULL;
	while (done < length) {
		if (image_piece(image, address + done, length - done, &available) != first + done)
			return NULL;
		done += available;
	}
	return first;
}

/** lookup() under the lock; also books `size` bytes if nothing was found and there is room. */
static const uint8_t *lookup_or_book(struct image_private *private, uint64_t start, uint64_t end,
				     size_t size, bool *booked)
{
	const uint8_t *bytes;

	pthread_mutex_lock(&private->lock);
	bytes = lookup(private, start, end);
	*booked = !bytes && size <= STITCH_BYTES_MAX - private->stitch_bytes;
	if (*booked)
	private->stitch_bytes += size;
	pthread_mutex_unlock(&private->lock);
	return bytes;
}

const void *stitch_find(const struct image *image, uint64_t address, size_t length)
{
	struct image_private *private = image->private;
	struct stitch stitch = {.start = address, .end = address + length};
	const uint8_t *bytes;
	bool booked, kept;

	bytes = lookup_or_book(private, address, address + length, 0, &booked);
	if (!bytes)
		bytes = contiguous(image, address, length);
	if (bytes)
		return bytes;
	if (extent(image, address, length) != length)
		return NULL;
	widen(image, &stitch.start, &stitch.end);
	// Another thread may have been faster.
	bytes = lookup_or_book(private, address, address + length, stitch.end - stitch.start,
			       &booked);
	if (bytes || !booked)
		return bytes;
	stitch.bytes = copy(image, stitch.start, stitch.end);
	pthread_mutex_lock(&private->lock);
	kept = stitch.bytes && keep(private, stitch);
	if (!kept)
	private->stitch_bytes -= stitch.end - stitch.start;
	pthread_mutex_unlock(&private->lock);
	if (!kept) {
		free(stitch.bytes);
		return NULL;
	}
	return stitch.bytes + (address - stitch.start);
}

void stitch_clear(struct image_private *private)
{
	for (size_t i = 0; i < private->stitch_count; i++)
		free(private->stitches[i].bytes);
	free(private->stitches);
	private->stitches = NULL;
	private->stitch_count = 0;
	private->stitch_bytes = 0;
}
