/**
 * @file
 * What image.c, lazy.c and stitch.c share about an image. For the openers of this room it also
 * offers lazy segments, whose bytes are fetched when a reader first asks for them.
 */
#ifndef PYMEM_TARGET_IMAGE_PRIVATE_H
#define PYMEM_TARGET_IMAGE_PRIVATE_H

#include "target/image.h"

#include <elf.h>
#include <pthread.h>

/** Lazy memory is fetched and remembered in chunks of this many bytes, and in pages where a chunk
 * is not readable as a whole. */
enum {
	TARGET_PAGE = 4096,
	CHUNK_PAGES = 16,
	CHUNK_SIZE = CHUNK_PAGES * TARGET_PAGE,
	FETCH_SIZE = 2 << 20, /**< most that is fetched at once: a huge page */
};

/** Where the bytes of lazy memory come from. Called with the image's lock held, by one thread at a
 * time. */
struct fetcher {
	/** Reads exactly `length` bytes, no more than FETCH_SIZE, into `buffer`. That is zeroed and
	 * may be left so for pages that are known to hold zeros; for FETCH_SIZE it is aligned to
	 * that. @return false if any of the bytes is not readable */
	bool (*fetch)(void *context, uint64_t address, void *buffer, size_t length);
	void *context;
};

/** Host memory that is unmapped with the image. */
struct host_map {
	void *address;
	size_t size;
};

struct stitch;
struct demand;

/** The part of an image that only this room sees. */
struct image_private {
	pthread_mutex_t lock; /**< guards fetching and stitches */
	uint64_t *starts;     /**< start of each segment, packed for the search */
	size_t segment_capacity, hole_capacity;
	size_t sorted_segments, sorted_holes; /**< how many image_finish() has seen */
	struct host_map *maps;
	size_t map_count;
	const uint8_t *zeros; /**< what readers see of hole_never_written; NULL: nothing */
	size_t zeros_size;
	struct fetcher fetcher;	 /**< of lazy segments */
	bool closed;		 /**< no more fetching: what is not there is absent */
	struct stitch *stitches; /**< sorted by start */
	size_t stitch_count;
	size_t stitch_bytes;
	struct demand *demand; /**< memory whose ranges are not known; NULL: none */
};

/** Appends a lazy range; see image_add(). Its host memory is made by image_finish(). */
struct error *image_add_lazy(struct image *image, uint64_t start, uint64_t size, uint32_t flags,
			     enum segment_source source) __attribute__((warn_unused_result));

/** Gives the image host memory to unmap when it is destroyed. On error it is unmapped at once. */
struct error *image_own(struct image_private *private, void *address, size_t size)
	__attribute__((warn_unused_result));

/** Takes the image's lock; for `cleanup`, since a debugger's callback may throw through C. */
void image_unlock(struct image_private **private);

/*
 * image.c
 */

/**
 * The first range at or behind `from` and below `limit` that is neither in a segment nor in a hole.
 * What was added after the last image_finish() does not count yet.
 */
bool image_next_gap(const struct image *image, uint64_t from, uint64_t limit, uint64_t *start,
		    uint64_t *end);

/** @return the index of the first segment that ends behind `address`, or segment_count */
size_t image_search(const struct image *image, uint64_t address);

/**
 * The bytes from `address` on, fetched if they are lazy.
 * @param wanted how many the caller would like, at least 1
 * @param available set to how many contiguous bytes there are on the host; can be more than wanted
 * @return NULL if there is not one
 */
const uint8_t *image_piece(const struct image *image, uint64_t address, size_t wanted,
			   size_t *available);

/**
 * The zeros from `address` on in memory that was never written.
 * @param available set to how many contiguous ones there are on the host
 * @return NULL if it is none
 */
const uint8_t *image_zeros(const struct image *image, uint64_t address, size_t *available);

/** Makes the zeros that the holes need. Without address space for them readers find nothing there.
 */
struct error *image_make_zeros(struct image *image) __attribute__((warn_unused_result));

/*
 * lazy.c
 */

/** The value of segment.fetched between image_add_lazy() and image_finish(). */
extern uint8_t lazy_pending[1];

/** Gives a lazy segment its host memory and its map of chunks. */
struct error *lazy_prepare(struct image_private *private, struct segment *segment)
	__attribute__((warn_unused_result));

/** image_piece() of a lazy segment that contains `address`. */
const uint8_t *lazy_piece(struct image_private *private, const struct segment *segment,
			  uint64_t address, size_t wanted, size_t *available);

/** The run of fetched chunks around `address`, whose chunk was fetched whole, within a window of
 * about 2 MiB. @return false if its chunk is only partly there */
bool lazy_run(const struct segment *segment, uint64_t address, uint64_t *start, uint64_t *end);

/** Fetches [start, end) of a lazy segment and what is left of its last chunk. @return the end of
 * what is known now */
uint64_t lazy_fetch(struct image_private *private, const struct segment *segment, uint64_t start,
		    uint64_t end);

/** Makes a segment that is there as a whole one that is lazy no more. No other thread may be
 * reading. */
void lazy_settle(struct segment *segment);

/*
 * demand.c
 */

/** Makes all addresses of the process part of the image: what is there turns out when it is read.
 * The fetcher is then only called by the thread that reads. */
struct error *demand_enable(struct image *image, struct fetcher fetcher)
	__attribute__((warn_unused_result));

/** image_segment() for an image with unknown ranges. */
const struct segment *demand_segment(const struct image *image, uint64_t address);

/** Frees the regions, not their host memory, which is the image's. NULL is allowed. */
void demand_destroy(struct demand *demand);

/*
 * stitch.c
 */

/** A contiguous copy of `length` bytes that are apart on the host; kept until the image goes. */
const void *stitch_find(const struct image *image, uint64_t address, size_t length);

/** Frees all copies. */
void stitch_clear(struct image_private *private);

#endif
