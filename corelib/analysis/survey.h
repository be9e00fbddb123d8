/**
 * @file
 * One look at every object for all that is asked of all objects: to read an object takes most of
 * the time, whatever it is read for.
 */
#ifndef PYMEM_ANALYSIS_SURVEY_H
#define PYMEM_ANALYSIS_SURVEY_H

#include "analysis/heap_check.h"

/** What is wanted beside the graph and the sizes. */
struct survey_wishes {
	bool verdict, check;
};

/** What it gave. All of it is the caller's. */
struct survey {
	struct graph *graph;
	uint64_t *sizes;		/**< object_bytes() of each object */
	struct deduction *deduction;	/**< for unreachable_end(); or NULL */
	struct heap_checking *checking; /**< for heap_check_end(); NULL also where the graph left
					   objects out: the check then reads for itself */
};

/** Makes it, with all processors. On an error nothing of it is there. */
struct error *survey_make(const struct objects *objects, const struct survey_wishes *wishes,
			  const struct progress *progress, struct survey *survey)
	__attribute__((warn_unused_result));

/** Frees what is there. */
void survey_clear(struct survey *survey);

#endif
