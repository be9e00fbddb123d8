/**
 * @file
 * How long work tells its caller where it is, and learns that the user wants it to stop. The lowest
 * room defines it so that every room can report; only front ends draw anything.
 */
#ifndef PYMEM_TARGET_PROGRESS_H
#define PYMEM_TARGET_PROGRESS_H

#include "target/error.h"

#include <stddef.h>

/** Callbacks of the front end; each may be NULL. */
struct progress {
	/** Called now and then: what is going on, and how much of it is done (total 0: unknown). */
	void (*report)(void *context, const char *phase, uint64_t done, uint64_t total);
	/** Returns true once the user has asked to stop (Ctrl-C). Must be cheap. */
	bool (*interrupted)(void *context);
	void *context;
};

/**
 * Reports a step. Call it every few thousand objects, not for each.
 * @param progress may be NULL
 * @return ERROR_INTERRUPTED when the user asked to stop, else NULL
 */
struct error *progress_step(const struct progress *progress, const char *phase, uint64_t done,
			    uint64_t total) __attribute__((warn_unused_result));

#endif
