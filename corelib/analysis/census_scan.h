/**
 * @file
 * The words that the census goes through, for its own files.
 */
#ifndef PYMEM_ANALYSIS_CENSUS_SCAN_H
#define PYMEM_ANALYSIS_CENSUS_SCAN_H

#include "analysis/census.h"

/** How much memory was gone through, in bytes. */
struct census_extent {
	uint64_t scanned, dead;
};

/** A scan by several workers. */
struct census_scan {
	const struct census *census;
	enum census_part part;
	uint64_t low, high; /**< words with a value outside are not passed on */
	census_word *word;  /**< called by several threads at once */
	/** Takes over what a worker was told since the last time; in order of address. May be NULL.
	 * @return false when out of memory */
	bool (*join)(void *worker);
	void *const *workers; /**< contexts of word() and join() */
	size_t worker_count;
};

/**
 * Goes through words as census_scan_part() does, but for the order: each worker has words of a
 * piece of memory in order of address. The registers are told the first worker, and not joined.
 * @param extent set
 */
struct error *census_scan_run(const struct census_scan *scan, const struct progress *progress,
			      struct census_extent *extent) __attribute__((warn_unused_result));

#endif
