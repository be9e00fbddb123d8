/**
 * @file
 * All objects counted by type or by the module of their type.
 */
#ifndef PYMEM_ANALYSIS_HISTOGRAM_H
#define PYMEM_ANALYSIS_HISTOGRAM_H

#include "analysis/dominators.h"

/** Which objects are counted. */
struct histogram_filter {
	const char *type;  /**< pattern of fnmatch() for the type's name; NULL: all */
	uint64_t min_size; /**< bytes of the object alone */
	int generation;	   /**< 0 to 2, GENERATION_PERMANENT; -1: all, untracked ones too */
	bool unreachable;  /**< only what garbage alone holds, itself included */
	uint32_t under;	   /**< node: only what it dominates, without itself; NODE_OUTSIDE: all */
};

/** One type, or all types of one module. */
struct histogram_row {
	uint32_t type; /**< index of the type, or of one of the module's; HEAP_NONE: damaged */
	uint64_t objects;
	uint64_t bytes;	   /**< of the objects alone */
	uint64_t retained; /**< of them together: what one of them holds for another counts once */
	uint32_t example;  /**< the object that retains most */
};

/** The rows, most bytes first. */
struct histogram {
	struct histogram_row *rows;
	size_t count;
	uint64_t objects, bytes; /**< of all rows */
};

/** Counts. @param by_module types of one module make one row */
struct error *histogram_make(const struct dominators *dominators,
			     const struct histogram_filter *filter, bool by_module,
			     const struct progress *progress, struct histogram *histogram)
	__attribute__((warn_unused_result));

/** Frees the rows. */
void histogram_clear(struct histogram *histogram);

#endif
