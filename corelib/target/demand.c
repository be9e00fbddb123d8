/*
 * Memory whose ranges nobody tells: a debugger on a remote target only reads. The address space is
 * divided into regions, each of which becomes a lazy segment once a byte of it could be read. Pages
 * that could not be read are remembered, as many as fit a small table, so that a bad pointer that
 * is met again and again costs one question.
 */
#include "target/image_private.h"

#include <stdlib.h>

enum {
	REGION_SHIFT = 26, /**< regions of 64 MiB */
	REGION_MAX = 1 << 15,
	ABSENT_SLOTS = 1 << 13,
};

/** User addresses of x86-64 with four-level page tables. Nothing is mapped in the first 64 KiB. */
static const uint64_t ADDRESS_MIN = 1 << 16, ADDRESS_MAX = 1ull << 47;

/** The regions by number, open addressing. */
struct demand {
	struct segment **regions;
	size_t size, count;
	uint64_t absent[ABSENT_SLOTS]; /**< page numbers; 0: empty */
};

struct error *demand_enable(struct image *image, struct fetcher fetcher)
{
	struct demand *demand = calloc(1, sizeof(*demand));

	if (!demand)
		return &error_no_memory;
	demand->size = 64;
	demand->regions = calloc(demand->size, sizeof(*demand->regions));
	if (!demand->regions) {
		free(demand);
		return &error_no_memory;
	}
	image->private->demand = demand;
	image->private->fetcher = fetcher;
	return NULL;
}

void demand_destroy(struct demand *demand)
{
	if (!demand)
		return;
	for (size_t i = 0; i < demand->size; i++) {
		if (demand->regions[i])
			free(demand->regions[i]->fetched);
		free(demand->regions[i]);
	}
	free(demand->regions);
	free(demand);
}

/** The slot of a region, or the empty one where it would stand. */
static struct segment **slot_of(const struct demand *demand, uint64_t region)
{
	size_t slot = region * 0x9e3779b97f4a7c15u >> 32 & (demand->size - 1);

	while (demand->regions[slot] && demand->regions[slot]->start >> REGION_SHIFT != region)
		slot = (slot + 1) & (demand->size - 1);
	return &demand->regions[slot];
}

/** Doubles the table when it is half full. @return false when out of memory */
static bool grow(struct demand *demand)
{
	struct demand larger = {.size = demand->size * 2};

	if (demand->count * 2 < demand->size)
		return true;
	larger.regions = calloc(larger.size, sizeof(*larger.regions));
	if (!larger.regions)
		return false;
	for (size_t i = 0; i < demand->size; i++)
		if (demand->regions[i])
			*slot_of(&larger, demand->regions[i]->start >> REGION_SHIFT) =
				demand->regions[i];
	free(demand->regions);
	demand->regions = larger.regions;
	demand->size = larger.size;
	return true;
}

/** Makes the region of an address. @return NULL if there is no room for it */
static struct segment *make(const struct image *image, uint64_t region)
{
	struct demand *demand = image->private->demand;
	struct segment *segment;
	struct error *err;

	if (demand->count == REGION_MAX || !grow(demand))
		return NULL;
	segment = calloc(1, sizeof(*segment));
	if (!segment)
		return NULL;
	*segment = (struct segment){.start = region << REGION_SHIFT,
				    .end = (region + 1) << REGION_SHIFT,
				    .flags = PF_R | PF_W | PF_X,
				    .source = SEGMENT_DEBUGGER};
	err = lazy_prepare(image->private, segment);
	if (err) {
		error_free(err);
		free(segment);
		return NULL;
	}
	*slot_of(demand, region) = segment;
	demand->count++;
	return segment;
}

/** Can the page be read? Asks the debugger if that is not known. */
static bool probe(struct image_private *private, uint64_t page)
{
	uint64_t *absent = &private->demand->absent[page % ABSENT_SLOTS];
	uint8_t bytes[TARGET_PAGE];

	if (*absent == page)
		return false;
	if (private->fetcher.fetch(private->fetcher.context, page * TARGET_PAGE, bytes,
				   sizeof(bytes)))
		return true;
	*absent = page;
	return false;
}

const struct segment *demand_segment(const struct image *image, uint64_t address)
{
	__attribute__((cleanup(image_unlock))) struct image_private *private = image->private;
	struct segment *segment;

	pthread_mutex_lock(&private->lock);
	if (address < ADDRESS_MIN || address >= ADDRESS_MAX)
		return NULL;
	segment = *slot_of(private->demand, address >> REGION_SHIFT);
	if (segment || !probe(private, address / TARGET_PAGE))
		return segment;
	return make(image, address >> REGION_SHIFT);
}
