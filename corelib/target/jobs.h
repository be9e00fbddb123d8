/**
 * @file
 * Two pieces of work at once, where the target's memory can be read by two threads.
 */
#ifndef PYMEM_TARGET_JOBS_H
#define PYMEM_TARGET_JOBS_H

#include "target/progress.h"

#include <pthread.h>

/**
 * Starts a thread of the library's own, to be joined. It takes no signals: those are the program's,
 * or the debugger's. But for SIGBUS, of a mapped file that got shorter: blocked, it kills.
 * @return 0, or the number of an error
 */
int jobs_start_thread(pthread_t *id, void *(*run)(void *context), void *context);

/** A piece of work. */
struct job {
	/** Does it. @return an error, or NULL */
	struct error *(*run)(void *context, const struct progress *progress);
	void *context;
};

/**
 * Runs two jobs, the first in the calling thread and the second in one of its own, or both in the
 * calling thread, one after the other. Only what the first does is reported. When it fails or the
 * user asks to stop, the second is stopped at its next step.
 * @param concurrent false: one after the other; so it is too where no thread can be made
 * @return the error of the first, or else of the second; NULL: both are done
 */
struct error *jobs_run(const struct job *first, const struct job *second, bool concurrent,
		       const struct progress *progress) __attribute__((warn_unused_result));

#endif
