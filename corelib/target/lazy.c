/*
 * Segments whose bytes are fetched on first touch. The host memory is reserved at once, so that
 * pointers never change, and filled chunk by chunk. A chunk that is not readable as a whole is
 * tried page by page.
 *
 * segment.fetched holds a state for each chunk and behind these a mask of readable pages for each
 * chunk, valid where the state says so. States only ever go from unknown to another one, under the
 * image's lock; readers look at them without it.
 */
#include "target/image_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

enum chunk_state {
	CHUNK_UNKNOWN,
	CHUNK_THERE,
	CHUNK_PARTLY, /**< see its mask of pages */
	CHUNK_ABSENT,
};

enum {
	FETCH_CHUNKS = FETCH_SIZE / CHUNK_SIZE, /**< most chunks fetched by one call */
	RUN_CHUNKS = 16,			/**< how far lazy_run() looks to each side */
};

uint8_t lazy_pending[1];

static size_t chunk_count(const struct segment *segment)
{
	return (segment->end - segment->start + CHUNK_SIZE - 1) / CHUNK_SIZE;
}

/** The masks of pages, which stand behind the states. */
static uint16_t *page_masks(const struct segment *segment)
{
	return (uint16_t *)(segment->fetched + ((chunk_count(segment) + 1) & ~(size_t)1));
}

static enum chunk_state chunk_state(const struct segment *segment, size_t chunk)
{
	return __atomic_load_n(&segment->fetched[chunk], __ATOMIC_ACQUIRE);
}

static void set_state(const struct segment *segment, size_t chunk, enum chunk_state state)
{
	__atomic_store_n(&segment->fetched[chunk], state, __ATOMIC_RELEASE);
}

static uint64_t chunk_start(const struct segment *segment, size_t chunk)
{
	return segment->start + (uint64_t)chunk * CHUNK_SIZE;
}

static uint64_t chunk_end(const struct segment *segment, size_t chunk)
{
	uint64_t left = segment->end - chunk_start(segment, chunk);

	return chunk_start(segment, chunk) + (left < CHUNK_SIZE ? left : CHUNK_SIZE);
}

/** Reserves host memory that is aligned so that whole fetches fit huge pages. @return NULL with
 * errno set */
static uint8_t *reserve(size_t size)
{
	size_t extra = size < FETCH_SIZE ? 0 : FETCH_SIZE, head;
	uint8_t *host = mmap(NULL, size + extra, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (host == MAP_FAILED)
		return NULL;
	if (extra) {
		head = -(uintptr_t)host % FETCH_SIZE;
		if (head)
			munmap(host, head);
		host += head;
		size = (size + TARGET_PAGE - 1) & ~(size_t)(TARGET_PAGE - 1);
		if (extra - head)
			munmap(host + size, extra - head);
	}
	return host;
}

struct error *lazy_prepare(struct image_private *private, struct segment *segment)
{
	size_t size = segment->end - segment->start, chunks = chunk_count(segment);
	uint8_t *fetched = calloc(chunks + 1, sizeof(uint8_t) + sizeof(uint16_t));
	uint8_t *host = reserve(size);
	struct error *err;

	err = host ? image_own(private, host, size)
		   : error_system(errno, "cannot reserve %zu bytes for memory of the process",
				  size);
	if (!err && !fetched)
		err = &error_no_memory;
	if (err) {
		free(fetched);
		return err;
	}
	segment->host = host;
	segment->fetched = fetched;
	return NULL;
}

static bool fetch(struct image_private *private, const struct segment *segment, uint64_t start,
		  uint64_t end)
{
	uint8_t *host = (uint8_t *)segment->host + (start - segment->start);

	return private->fetcher.fetch &&
	       private->fetcher.fetch(private->fetcher.context, start, host, end - start);
}

/** Fetches one chunk by pages. */
static void fetch_pages(struct image_private *private, const struct segment *segment, size_t chunk)
{
	uint64_t start = chunk_start(segment, chunk), end = chunk_end(segment, chunk);
	unsigned int mask = 0;

	for (unsigned int page = 0; start < end; page++, start += TARGET_PAGE) {
		uint64_t stop = end - start < TARGET_PAGE ? end : start + TARGET_PAGE;

		if (fetch(private, segment, start, stop))
			mask |= 1u << page;
	}
	page_masks(segment)[chunk] = mask;
	set_state(segment, chunk, mask ? CHUNK_PARTLY : CHUNK_ABSENT);
}

/** Fetches the chunks [first, last], none of which is known yet. */
static void fetch_chunks(struct image_private *private, const struct segment *segment, size_t first,
			 size_t last)
{
	if (fetch(private, segment, chunk_start(segment, first), chunk_end(segment, last))) {
		for (size_t chunk = first; chunk <= last; chunk++)
			set_state(segment, chunk, CHUNK_THERE);
		return;
	}
	if (first == last) {
		fetch_pages(private, segment, first);
		return;
	}
	for (size_t chunk = first; chunk <= last; chunk++)
		fetch_chunks(private, segment, chunk, chunk);
}

/**
 * Makes the states of the chunks from `first` on known, up to `last` or the first one that is not
 * wholly there.
 */
static void ensure(struct image_private *private, const struct segment *segment, size_t first,
		   size_t last)
{
	__attribute__((cleanup(image_unlock))) struct image_private *locked = private;

	pthread_mutex_lock(&private->lock);
	while (first <= last) {
		size_t stop = first;

		if (chunk_state(segment, first) == CHUNK_UNKNOWN) {
			if (private->closed)
				return;
			while (stop < last && stop + 1 - first < FETCH_CHUNKS &&
			       chunk_state(segment, stop + 1) == CHUNK_UNKNOWN)
				stop++;
			fetch_chunks(private, segment, first, stop);
		}
		for (; first <= stop; first++)
			if (chunk_state(segment, first) != CHUNK_THERE)
				return;
	}
}

/** The end of the bytes that are there from `address` on, in one chunk. */
static uint64_t known_end(const struct segment *segment, size_t chunk, uint64_t address)
{
	uint64_t end = chunk_end(segment, chunk);
	unsigned int page = (address - chunk_start(segment, chunk)) / TARGET_PAGE;
	uint64_t stop = chunk_start(segment, chunk) + (uint64_t)page * TARGET_PAGE;

	switch (chunk_state(segment, chunk)) {
	case CHUNK_THERE:
		return end;
	case CHUNK_PARTLY:
		while (stop < end && page_masks(segment)[chunk] >> page & 1) {
			stop += TARGET_PAGE;
			page++;
		}
		return stop < address ? address : stop < end ? stop : end;
	default:
		return address;
	}
}

const uint8_t *lazy_piece(struct image_private *private, const struct segment *segment,
			  uint64_t address, size_t wanted, size_t *available)
{
	uint64_t left = segment->end - address, end = address;
	size_t first = (address - segment->start) / CHUNK_SIZE;
	size_t last = (address + (wanted < left ? wanted : left) - 1 - segment->start) / CHUNK_SIZE;

	for (size_t chunk = first; chunk <= last; chunk++) {
		if (chunk_state(segment, chunk) == CHUNK_UNKNOWN)
			ensure(private, segment, chunk, last);
		end = known_end(segment, chunk, end);
		if (end != chunk_end(segment, chunk))
			break;
	}
	*available = end - address;
	return end == address ? NULL : segment->host + (address - segment->start);
}

bool lazy_run(const struct segment *segment, uint64_t address, uint64_t *start, uint64_t *end)
{
	size_t chunk = (address - segment->start) / CHUNK_SIZE, first = chunk, last = chunk;
	size_t chunks = chunk_count(segment);

	if (chunk_state(segment, chunk) != CHUNK_THERE)
		return false;
	while (first && chunk - first < RUN_CHUNKS &&
	       chunk_state(segment, first - 1) == CHUNK_THERE)
		first--;
	while (last + 1 < chunks && last - chunk < RUN_CHUNKS &&
	       chunk_state(segment, last + 1) == CHUNK_THERE)
		last++;
	*start = chunk_start(segment, first);
	*end = chunk_end(segment, last);
	return true;
}

uint64_t lazy_fetch(struct image_private *private, const struct segment *segment, uint64_t start,
		    uint64_t end)
{
	size_t first = (start - segment->start) / CHUNK_SIZE;
	size_t last = (end - 1 - segment->start) / CHUNK_SIZE;

	for (size_t chunk = first; chunk <= last; chunk++)
		if (chunk_state(segment, chunk) == CHUNK_UNKNOWN)
			ensure(private, segment, chunk, last);
	return chunk_end(segment, last);
}

void lazy_settle(struct segment *segment)
{
	size_t chunks = chunk_count(segment);

	for (size_t chunk = 0; chunk < chunks; chunk++)
		if (chunk_state(segment, chunk) != CHUNK_THERE)
			return;
	free(segment->fetched);
	segment->fetched = NULL;
}
