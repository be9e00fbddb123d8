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
	uint64_t size : 61; /**< usable bytes */
	uint64_t is_free : 1;
	uint64_t is_top : 1;	/**< free, at the end of its arena: what is handed out next */
	uint64_t is_cached : 1; /**< free, in the cache of a thread, which malloc counts as in use
				 */
};

/** What lies between malloc's headers and the address that it returns. */
enum { MALLOC_HEADER = 16 };

/** All chunks of all arenas, sorted by address. Read-only. */
struct malloc_heaps {
	struct malloc_chunk *chunks;
	size_t count;
	struct malloc_range {
		uint64_t start, end;
	} * ranges; /**< what the arenas span, sorted by start */
	size_t range_count;
	/** Chunks with a mapping of their own, header included, sorted: malloc_mapped_find(). */
	struct malloc_range *mapped;
	size_t mapped_count;
	size_t arenas; /**< found */
	size_t broken; /**< heaps whose chain of chunks breaks off; the rest of each is unknown */
};

/** Finds and walks them. A process with another malloc has none: an empty result. */
struct error *malloc_heaps_open(const struct target *target, struct malloc_heaps **heaps)
	__attribute__((warn_unused_result));

/** Is an address inside of what is known to be something else? */
typedef bool malloc_mapped_skip(const void *context, uint64_t address);

/**
 * Finds the chunks that malloc mapped by themselves, for 128 KiB or more: nothing lists them, so
 * they are known by their headers. Fills heaps->mapped.
 */
struct error *malloc_mapped_find(const struct target *target, malloc_mapped_skip *skip,
				 const void *context, struct malloc_heaps *heaps)
	__attribute__((warn_unused_result));

/** Frees them. NULL is allowed. */
void malloc_heaps_close(struct malloc_heaps *heaps);

/** @return the chunk whose usable bytes contain the address, or NULL */
const struct malloc_chunk *malloc_chunk_at(const struct malloc_heaps *heaps, uint64_t address);

#endif
