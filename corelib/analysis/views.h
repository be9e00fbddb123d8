/**
 * @file
 * Views of a heap and its objects for the workers of a loop, one for each.
 */
#ifndef PYMEM_ANALYSIS_VIEWS_H
#define PYMEM_ANALYSIS_VIEWS_H

#include "analysis/objects.h"
#include "target/jobs.h"

/** The views. Zero-initialised is closed. */
struct views {
	struct heap *heap;			  /**< of which they are */
	struct heap *heaps[JOBS_WORKERS_MAX];	  /**< the one itself, where there is one worker */
	struct objects objects[JOBS_WORKERS_MAX]; /**< copies, with the heap of the same index */
	size_t count;
	size_t problems; /**< of the target's coverage, when they were opened */
};

/**
 * Opens as many as there should be workers: one where the target's memory is read by one thread at
 * a time. Until they are closed, nobody may traverse the heap.
 * @param objects NULL: only views of the heap are wanted
 */
struct error *views_open(struct heap *heap, const struct objects *objects, struct views *views)
	__attribute__((warn_unused_result));

/** Adds to traverser_usage() of the heap what a view has counted since. One thread at a time. */
void views_collect(struct views *views, size_t index);

/** Frees them, and puts what the workers added to the target's coverage in order. */
void views_close(struct views *views);

#endif
