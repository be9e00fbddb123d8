/**
 * @file
 * Between stacks.c, which reads threads, and stacks_waiting.c, which looks for what waits.
 */
#ifndef PYMEM_ANALYSIS_STACKS_PRIVATE_H
#define PYMEM_ANALYSIS_STACKS_PRIVATE_H

#include "analysis/stacks.h"

/** Appends a frame. @return false when out of memory */
bool stacks_add_frame(struct stacks *stacks, const struct frame *frame);

/**
 * Walks from a frame to its callers, and puts the oldest first.
 * @param whose for the coverage: "thread 1234"
 */
struct error *stacks_walk(struct stacks *stacks, uint64_t address, const char *whose,
			  struct stack *stack) __attribute__((warn_unused_result));

/** Finds what waits, and groups it. */
struct error *stacks_find_waiting(struct stacks *stacks, const struct progress *progress)
	__attribute__((warn_unused_result));

#endif
