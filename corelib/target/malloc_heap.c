/*
 * An arena (struct malloc_state, malloc/malloc.c) is known by its 127 bins: circular lists whose
 * heads lie in the struct, so that an empty bin points at itself and the first chunk of any other
 * points back. The main arena is in libc's data; the others stand at the start of heaps that are
 * aligned to 64 MiB. Chunks stand next to each other; a free one is told by the PREV_INUSE bit of
 * the next, by a fast bin, or by the cache of a thread.
 */
#include "target/malloc_heap.h"

#include <elf.h>
#include <stdlib.h>

enum {
	BINS = 127,
	BINS_SIZE = BINS * 16,
	BINMAP_SIZE = 16,
	FASTBINS = 10,
	ARENAS_MAX = 4096,
	HEAPS_MAX = 65536,
	CHUNK_MIN = 32,
	LEAD_MIN = 16,
	LEAD_MAX = 160,
	HEADER = 16,
};

/* Offsets around `bins` in malloc_state. */
enum {
	TOP_BEFORE = 16,
	NEXT_BEHIND = BINS_SIZE + BINMAP_SIZE,
	SYSTEM_MEM_BEHIND = NEXT_BEHIND + 24
};

#define HEAP_ALIGNMENT (UINT64_C(64) << 20)
#define SIZE_FLAGS     UINT64_C(7)
#define PREV_INUSE     UINT64_C(1)

/* One reading. */
struct survey {
	const struct target *target;
	struct reader reader;
	struct malloc_heaps *heaps;
	size_t chunk_capacity, range_capacity;
	uint64_t arenas[ARENAS_MAX]; /* addresses of their bins */
	size_t arena_count;
	uint64_t lead; /* how far the bins are from the start of an arena; 0: not known */
};

/* Bin i is a pseudo-chunk 16 bytes in front of its pair of links. */
static bool bin_fits(struct reader *reader, uint64_t bins, unsigned i)
{
	uint64_t links = bins + i * 16, self = links - HEADER, forward, backward, link;

	if (!reader_u64(reader, links, &forward) || !reader_u64(reader, links + 8, &backward))
		return false;
	if (forward == self && backward == self)
		return true;
	return reader_u64(reader, forward + HEADER + 8, &link) && link == self &&
	       reader_u64(reader, backward + HEADER, &link) && link == self;
}

static bool is_arena(struct reader *reader, uint64_t bins)
{
	for (unsigned i = 0; i < BINS; i++)
		if (!bin_fits(reader, bins, i))
			return false;
	return true;
}

/* Looks for an arena in a range; empty bins make a cheap first test. */
static uint64_t find_arena(struct reader *reader, uint64_t start, uint64_t end)
{
	for (uint64_t at = (start + 7) & ~UINT64_C(7); at + BINS_SIZE <= end; at += 8) {
		uint64_t word;

		/* The largest bins are hardly ever used. */
		if (reader_u64(reader, at + (BINS - 1) * 16, &word) &&
		    word == at + (BINS - 1) * 16 - HEADER && is_arena(reader, at))
			return at;
	}
	return 0;
}

/* Only the C library's own data can hold the main arena; a static executable has it in its own. */
static uint64_t find_main_arena(struct survey *survey)
{
	const struct image *image = survey->target->image;
	const struct modules *modules = survey->target->modules;

	for (size_t i = 0; modules && i < modules->count; i++) {
		const struct module *module = &modules->items[i];

		for (size_t s = 0; s < image->segment_count; s++) {
			const struct segment *segment = &image->segments[s];
			uint64_t found;

			if (!(segment->flags & PF_W) || segment->end <= module->start ||
			    segment->start >= module->end)
				continue;
			found = find_arena(&survey->reader, segment->start, segment->end);
			if (found)
				return found;
		}
	}
	return 0;
}

static bool add_range(struct survey *survey, uint64_t start, uint64_t end)
{
	struct malloc_heaps *heaps = survey->heaps;

	if (heaps->range_count == survey->range_capacity) {
		size_t capacity = survey->range_capacity ? survey->range_capacity * 2 : 64;
		struct malloc_range *ranges = realloc(heaps->ranges, capacity * sizeof(*ranges));

		if (!ranges)
			return false;
		heaps->ranges = ranges;
		survey->range_capacity = capacity;
	}
	heaps->ranges[heaps->range_count++] = (struct malloc_range){start, end};
	return true;
}

static bool add_chunk(struct survey *survey, uint64_t chunk, uint64_t size, bool is_free)
{
	struct malloc_heaps *heaps = survey->heaps;

	if (heaps->count == survey->chunk_capacity) {
		size_t capacity = survey->chunk_capacity ? survey->chunk_capacity * 2 : 4096;
		struct malloc_chunk *chunks = realloc(heaps->chunks, capacity * sizeof(*chunks));

		if (!chunks)
			return false;
		heaps->chunks = chunks;
		survey->chunk_capacity = capacity;
	}
	/* A chunk in use reaches into the first word of the next one's header. */
	heaps->chunks[heaps->count++] =
		(struct malloc_chunk){chunk + HEADER, size - HEADER + 8, is_free, false, false};
	return true;
}

/* Walks the chunks of [first, end). The last one is the top chunk or a fence of no use. */
static bool walk_chunks(struct survey *survey, uint64_t first, uint64_t end, uint64_t top)
{
	uint64_t at = first;

	while (at < end && at != top) {
		uint64_t size, next;

		if (!reader_u64(&survey->reader, at + 8, &size))
			break;
		size &= ~SIZE_FLAGS;
		if (size < CHUNK_MIN || size % 16 || size > end - at) {
			/* Two fence posts end a heap that is full. */
			if (size == 16 && end - at <= 64)
				at = end;
			break;
		}
		if (!reader_u64(&survey->reader, at + size + 8, &next))
			next = PREV_INUSE;
		if (!add_chunk(survey, at, size, !(next & PREV_INUSE)))
			return false;
		at += size;
	}
	if (at == top && top < end) {
		if (!add_chunk(survey, top, end - top, true))
			return false;
		survey->heaps->chunks[survey->heaps->count - 1].is_top = 1;
	}
	survey->heaps->broken += at < end && at != top;
	return add_range(survey, first, at < end && at != top ? at : end);
}

/* The main arena: one range that ends with the top chunk, as long as system_mem says. */
static bool walk_main(struct survey *survey, uint64_t bins)
{
	struct reader *reader = &survey->reader;
	uint64_t top, size, system, end, start;
	const struct segment *segment;

	if (!reader_u64(reader, bins - TOP_BEFORE, &top) || !top ||
	    !reader_u64(reader, top + 8, &size) ||
	    !reader_u64(reader, bins + SYSTEM_MEM_BEHIND, &system))
		return true;
	end = top + (size & ~SIZE_FLAGS);
	segment = image_segment(survey->target->image, top);
	if (!segment || system > end)
		return true;
	start = end - system;
	/* Where the break moved under somebody else's hands, begin with the mapping. */
	if (start < segment->start)
		start = segment->start;
	return walk_chunks(survey, (start + 15) & ~UINT64_C(15), end, top);
}

/* heap_info: {ar_ptr, prev, size, …}; the first heap of an arena holds its malloc_state. */
static bool walk_heap(struct survey *survey, uint64_t heap, uint64_t bins, uint64_t top)
{
	uint64_t size, first;

	if (!reader_u64(&survey->reader, heap + 16, &size) || size > HEAP_ALIGNMENT)
		return true;
	first = bins - heap < HEAP_ALIGNMENT && bins > heap ? bins + SYSTEM_MEM_BEHIND + 16
							    : heap + 32;
	first = (first + 15) & ~UINT64_C(15);
	/* The header has grown in some releases: the first chunk is where a sane size stands. */
	for (int tries = 0; tries < 4; tries++, first += 16) {
		uint64_t chunk;

		if (reader_u64(&survey->reader, first + 8, &chunk) &&
		    (chunk & ~SIZE_FLAGS) >= CHUNK_MIN && (chunk & ~SIZE_FLAGS) <= size &&
		    !(chunk & 8))
			break;
	}
	return walk_chunks(survey, first, heap + size, top);
}

static bool walk_heaps_of(struct survey *survey, uint64_t bins)
{
	uint64_t top, heap;

	if (!reader_u64(&survey->reader, bins - TOP_BEFORE, &top))
		return true;
	heap = top & ~(HEAP_ALIGNMENT - 1);
	for (int i = 0; heap && i < HEAPS_MAX; i++) {
		uint64_t previous;

		if (!walk_heap(survey, heap, bins, top))
			return false;
		if (!reader_u64(&survey->reader, heap + 8, &previous) ||
		    previous % HEAP_ALIGNMENT || previous == heap)
			break;
		heap = previous;
	}
	return true;
}

/* Arenas are in a circle through `next`, which points at their starts; bins are as far in as in the
 * main. */
static void collect_arenas(struct survey *survey, uint64_t main_bins)
{
	uint64_t at = main_bins, next, lead;

	survey->arenas[survey->arena_count++] = main_bins;
	/* How far bins are from the start of the struct: the circle's only or last link says so. */
	while (survey->arena_count < ARENAS_MAX) {
		if (!reader_u64(&survey->reader, at + NEXT_BEHIND, &next) || !next)
			return;
		if (next < main_bins && main_bins - next <= LEAD_MAX) {
			survey->lead = main_bins - next;
			return;
		}
		for (lead = LEAD_MIN; lead <= LEAD_MAX; lead += 8)
			if (is_arena(&survey->reader, next + lead))
				break;
		if (lead > LEAD_MAX)
			return;
		at = next + lead;
		survey->arenas[survey->arena_count++] = at;
	}
}

static int compare_chunks(const void *left, const void *right)
{
	const struct malloc_chunk *a = left, *b = right;

	return a->address < b->address ? -1 : a->address > b->address;
}

static int compare_ranges(const void *left, const void *right)
{
	const struct malloc_range *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

const struct malloc_chunk *malloc_chunk_at(const struct malloc_heaps *heaps, uint64_t address)
{
	size_t low = 0, high = heaps->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (heaps->chunks[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && address - heaps->chunks[low - 1].address < heaps->chunks[low - 1].size
		       ? &heaps->chunks[low - 1]
		       : NULL;
}

static struct malloc_chunk *mark_free(struct malloc_heaps *heaps, uint64_t address)
{
	struct malloc_chunk *chunk = (struct malloc_chunk *)malloc_chunk_at(heaps, address);

	if (!chunk || chunk->address != address)
		return NULL;
	chunk->is_free = 1;
	return chunk;
}

/* Links of fast bins and thread caches are masked with their own place (safe-linking, 2.32+). */
static uint64_t unmask(struct reader *reader, uint64_t slot)
{
	uint64_t value, plain;

	if (!reader_u64(reader, slot, &value) || !value)
		return 0;
	plain = value ^ slot >> 12;
	/* Before 2.32 the link stands as it is. */
	return plain % 16 == 0 ? plain : value;
}

static void mark_fast_bins(struct survey *survey, uint64_t bins)
{
	uint64_t first = bins - TOP_BEFORE - FASTBINS * 8;

	/* glibc 2.43 has none. */
	if (survey->lead && survey->lead < TOP_BEFORE + FASTBINS * 8)
		return;
	for (int i = 0; i < FASTBINS; i++) {
		uint64_t chunk;

		reader_u64(&survey->reader, first + (uint64_t)i * 8, &chunk);
		for (size_t n = 0; chunk && chunk % 16 == 0 && n < survey->heaps->count; n++) {
			mark_free(survey->heaps, chunk + HEADER);
			chunk = unmask(&survey->reader, chunk + HEADER);
		}
	}
}

/*
 * tcache_perthread_struct (malloc/malloc.c): a uint16_t for each bin, then a head for each, in a
 * chunk of its own of exactly that size. Up to 2.41 the numbers count the chunks in the bin, from
 * 2.42 on the room that is left in it, and there are bins of large chunks behind those of one size.
 */
struct tcache_shape {
	unsigned bins;
	bool counts; /* the numbers are those of chunks; else of room, which an empty bin has */
};

static const struct tcache_shape tcache_shapes[] = {{64, true}, {76, false}};

enum { TCACHE_EXACT_BINS = 64, TCACHE_COUNT_MAX = 128 };

static bool tcache_head(struct survey *survey, const struct malloc_chunk *chunk,
			const struct tcache_shape *shape, unsigned bin, uint64_t *head)
{
	return reader_u64(&survey->reader, chunk->address + shape->bins * 2 + (uint64_t)bin * 8,
			  head);
}

/* May a chunk stand in a bin? */
static bool fits_bin(const struct malloc_chunk *chunk, unsigned bin)
{
	uint64_t exact = (uint64_t)(bin + 2) * 16 - 8;

	return bin < TCACHE_EXACT_BINS ? chunk->size == exact
				       : chunk->size > TCACHE_EXACT_BINS * 16;
}

/* It is one if each head is the start of a chunk of its bin, or zero where the bin is empty. */
static bool is_tcache(struct survey *survey, const struct malloc_chunk *chunk,
		      const struct tcache_shape *shape)
{
	size_t used = 0;

	if (chunk->is_free || chunk->size < shape->bins * 10 || chunk->size > shape->bins * 10 + 16)
		return false;
	for (unsigned i = 0; i < shape->bins; i++) {
		const void *bytes = reader_at(&survey->reader, chunk->address + i * 2, 2);
		const struct malloc_chunk *head;
		uint16_t number;
		uint64_t entry;

		if (!bytes || !tcache_head(survey, chunk, shape, i, &entry))
			return false;
		memcpy(&number, bytes, sizeof(number));
		if (number > TCACHE_COUNT_MAX || (!shape->counts && !entry && !number))
			return false;
		if (!entry)
			continue;
		head = malloc_chunk_at(survey->heaps, entry);
		if ((shape->counts && !number) || !head || head->address != entry ||
		    !fits_bin(head, i))
			return false;
		used++;
	}
	return used > 0;
}

static void mark_tcache(struct survey *survey, const struct malloc_chunk *cache,
			const struct tcache_shape *shape)
{
	for (unsigned i = 0; i < shape->bins; i++) {
		uint64_t entry = 0;

		tcache_head(survey, cache, shape, i, &entry);
		for (size_t n = 0; entry && n < TCACHE_COUNT_MAX; n++) {
			struct malloc_chunk *chunk = mark_free(survey->heaps, entry);

			if (chunk)
				chunk->is_cached = 1;
			entry = unmask(&survey->reader, entry);
		}
	}
}

static void mark_tcaches(struct survey *survey)
{
	const struct malloc_heaps *heaps = survey->heaps;

	for (size_t c = 0; c < heaps->count; c++)
		for (size_t s = 0; s < sizeof(tcache_shapes) / sizeof(tcache_shapes[0]); s++)
			if (is_tcache(survey, &heaps->chunks[c], &tcache_shapes[s]))
				mark_tcache(survey, &heaps->chunks[c], &tcache_shapes[s]);
}

struct error *malloc_heaps_open(const struct target *target, struct malloc_heaps **result)
{
	struct survey *survey = calloc(1, sizeof(*survey));
	struct malloc_heaps *heaps = calloc(1, sizeof(*heaps));
	uint64_t bins;
	bool ok = true;

	*result = NULL;
	if (!survey || !heaps) {
		free(survey);
		free(heaps);
		return &error_no_memory;
	}
	survey->target = target;
	survey->heaps = heaps;
	reader_init(&survey->reader, target->image);
	bins = find_main_arena(survey);
	if (bins)
		collect_arenas(survey, bins);
	for (size_t i = 0; i < survey->arena_count && ok; i++)
		ok = i ? walk_heaps_of(survey, survey->arenas[i]) : walk_main(survey, bins);
	heaps->arenas = survey->arena_count;
	if (ok) {
		if (heaps->count)
			qsort(heaps->chunks, heaps->count, sizeof(*heaps->chunks), compare_chunks);
		if (heaps->range_count)
			qsort(heaps->ranges, heaps->range_count, sizeof(*heaps->ranges),
			      compare_ranges);
		for (size_t i = 0; i < survey->arena_count; i++)
			mark_fast_bins(survey, survey->arenas[i]);
		mark_tcaches(survey);
	}
	free(survey);
	if (!ok) {
		malloc_heaps_close(heaps);
		return &error_no_memory;
	}
	*result = heaps;
	return NULL;
}

void malloc_heaps_close(struct malloc_heaps *heaps)
{
	if (!heaps)
		return;
	free(heaps->chunks);
	free(heaps->ranges);
	free(heaps->mapped);
	free(heaps);
}
