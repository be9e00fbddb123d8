/**
 * @file
 * Which pages of the process are really in memory: what /proc/PID/pagemap says of a live one, what
 * a core has of a dead one.
 */
#ifndef PYMEM_TARGET_RESIDENCY_H
#define PYMEM_TARGET_RESIDENCY_H

#include "target/image.h"
#include "target/mapping.h"

/** How the pages are known. */
enum residency_source {
	RESIDENCY_UNKNOWN, /**< not at all: no pages are listed */
	RESIDENCY_PAGEMAP, /**< the kernel's page tables: what smaps calls Rss */
	RESIDENCY_DUMP,	   /**< pages in the core that are not all zeros: those were never written,
			      or nothing of them is lost */
};

/** Pages [start, end) that are there. */
struct resident_range {
	uint64_t start, end;
};

/** All of them, sorted, apart from each other. Zero-initialised is not known. */
struct residency {
	enum residency_source source;
	struct resident_range *ranges;
	size_t count, capacity;
	uint64_t bytes;	  /**< of all ranges */
	uint64_t swapped; /**< bytes that the kernel has swapped out; only RESIDENCY_PAGEMAP */
	uint64_t zeros;	  /**< bytes of the dump in pages of zeros; only RESIDENCY_DUMP */
};

/**
 * Asks the page tables of a live process.
 * @param pagemap /proc/PID/pagemap; -1, or one that cannot be read, leaves it unknown
 */
struct error *residency_read(struct residency *residency, int pagemap,
			     const struct mappings *mappings) __attribute__((warn_unused_result));

/** Looks through what a core has dumped for pages that are not all zeros. */
struct error *residency_of_dump(struct residency *residency, const struct image *image)
	__attribute__((warn_unused_result));

/** Frees it, leaves it unknown. */
void residency_clear(struct residency *residency);

#endif
