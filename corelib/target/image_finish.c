/*
 * From the ranges that were added to a table without overlaps: sort, cut so that the range that was
 * added first wins, join what is contiguous. O(n log n) for any input, since a core's headers may
 * be forged.
 */
#include "target/image_private.h"

#include <stdlib.h>

/** A range that was added, and when. */
struct added {
	struct segment segment;
	size_t order;
};

static int compare_start(const void *left, const void *right)
{
	const struct added *a = left, *b = right;

	if (a->segment.start != b->segment.start)
		return a->segment.start < b->segment.start ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

static int compare_hole(const void *left, const void *right)
{
	const struct hole *a = left, *b = right;

	return (a->start > b->start) - (a->start < b->start);
}

/** The ranges that cover the sweep's position: a binary heap, the one added first on top. */
struct active {
	const struct added **items;
	size_t count;
};

static void active_push(struct active *active, const struct added *item)
{
	size_t at = active->count++;

	while (at && active->items[(at - 1) / 2]->order > item->order) {
		active->items[at] = active->items[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	active->items[at] = item;
}

static void active_pop(struct active *active)
{
	const struct added *last = active->items[--active->count];
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= active->count)
			break;
		if (child + 1 < active->count &&
		    active->items[child + 1]->order < active->items[child]->order)
			child++;
		if (active->items[child]->order > last->order)
			break;
		active->items[at] = active->items[child];
		at = child;
	}
	active->items[at] = last;
}

/** Appends the part [start, end) of a range to the table, joined to the last one if it goes on
 * there. */
static void emit(struct image *image, const struct segment *segment, uint64_t start, uint64_t end)
{
	struct segment piece = *segment;
	struct segment *last =
		image->segment_count ? &image->segments[image->segment_count - 1] : NULL;

	if (piece.host)
		piece.host += start - segment->start;
	piece.start = start;
	piece.end = end;
	if (last && last->end == start && last->host && piece.host && !last->fetched &&
	    !piece.fetched && last->flags == piece.flags && last->source == piece.source &&
	    last->host + (last->end - last->start) == piece.host) {
		last->end = end;
		return;
	}
	image->segments[image->segment_count++] = piece;
}

/** Goes over the sorted ranges from low to high addresses and emits what is on top. */
static void sweep(struct image *image, const struct added *added, size_t count,
		  struct active *active)
{
	uint64_t position = 0;
	size_t next = 0;

	while (next < count || active->count) {
		uint64_t stop;

		while (active->count && active->items[0]->segment.end <= position)
			active_pop(active);
		if (!active->count) {
			if (next == count)
				break;
			position = added[next].segment.start;
		}
		while (next < count && added[next].segment.start <= position)
			active_push(active, &added[next++]);
		stop = active->items[0]->segment.end;
		if (next < count && added[next].segment.start < stop)
			stop = added[next].segment.start;
		emit(image, &active->items[0]->segment, position, stop);
		position = stop;
	}
}

/** Cuts, joins and sorts image->segments. */
static struct error *arrange(struct image *image)
{
	size_t count = image->segment_count;
	struct added *added = calloc(count, sizeof(*added));
	// A range that is cut in the middle makes two: no more pieces than starts and ends.
	struct segment *pieces = calloc(count, 2 * sizeof(*pieces));
	struct active active = {calloc(count, sizeof(*active.items)), 0};

	if (!added || !pieces || !active.items) {
		free(added);
		free(pieces);
		free(active.items);
		return &error_no_memory;
	}
	for (size_t i = 0; i < count; i++)
		added[i] = (struct added){image->segments[i], i};
	qsort(added, count, sizeof(*added), compare_start);
	free(image->segments);
	image->segments = pieces;
	image->segment_count = 0;
	image->private->segment_capacity = 2 * count;
	sweep(image, added, count, &active);
	free(added);
	free(active.items);
	return NULL;
}

/** Joins holes that touch and cuts those that overlap; the one that starts first wins. */
static void arrange_holes(struct image *image)
{
	size_t kept = 0;

	if (image->hole_count)
		qsort(image->holes, image->hole_count, sizeof(*image->holes), compare_hole);
	for (size_t i = 0; i < image->hole_count; i++) {
		struct hole hole = image->holes[i];
		struct hole *last = kept ? &image->holes[kept - 1] : NULL;

		if (last && hole.start < last->end)
			hole.start = last->end;
		if (hole.start >= hole.end)
			continue;
		if (last && hole.start == last->end && hole.reason == last->reason &&
		    hole.flags == last->flags)
			last->end = hole.end;
		else
			image->holes[kept++] = hole;
	}
	image->hole_count = kept;
	image->private->sorted_holes = kept;
}

struct error *image_finish(struct image *image)
{
	struct error *err;

	arrange_holes(image);
	err = image_make_zeros(image);
	if (err)
		return err;
	if (!image->segment_count)
		return NULL;
	err = arrange(image);
	if (err)
		return err;
	free(image->private->starts);
	image->private->starts = calloc(image->segment_count, sizeof(*image->private->starts));
	if (!image->private->starts)
		return &error_no_memory;
	for (size_t i = 0; i < image->segment_count; i++) {
		struct segment *segment = &image->segments[i];

		image->private->starts[i] = segment->start;
		if (segment->fetched == lazy_pending) {
			err = lazy_prepare(image->private, segment);
			if (err)
				return err;
		}
	}
	image->private->sorted_segments = image->segment_count;
	return NULL;
}
