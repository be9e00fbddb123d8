/**
 * @file
 * The heaps of glibc's malloc (2.26 and later): which chunks are in use and which are free, so that
 * dead memory is told from live memory. Nothing but the shape of the memory is used: no symbols.
 */
#ifndef PYMEM_TARGET_MALLOC_HEAP_H
#define PYMEM_TARGET_MALLOC_HEAP_H

#include "target/target.h"

/** One chunk that malloc handed out, or has free. */
struct malloc_chunk {
	uint64_t address;   /**< what malloc returned: behind the chunk's header */
	uint64_t size : 63; /**< usable bytes */
	uint64_t is_free : 1;
};

/** All chunks of all arenas, sorted by address. Read-only. */
struct malloc_heaps {
	struct malloc_chunk *chunks;
	size_t count;
	struct malloc_range {
		uint64_t start, end;
	} * ranges; /**< what the arenas span, sorted by start */
	size_t range_count;
	size_t arenas; /**< found */
	size_t broken; /**< heaps whose chain of chunks breaks off; the rest of each is unknown */
};

/** Finds and walks them. A process with another malloc has none: an empty result. */
struct error *malloc_heaps_open(const struct target *target, struct malloc_heaps **heaps)
	__attribute__((warn_unused_result));

/** Frees them. NULL is allowed. */
void malloc_heaps_close(struct malloc_heaps *heaps);

/** @return the chunk whose usable bytes contain the address, or NULL */
const struct malloc_chunk *malloc_chunk_at(const struct malloc_heaps *heaps, uint64_t address);

#endif
