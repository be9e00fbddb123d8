/**
 * @file
 * Work for several threads, where the target's memory can be read by more than one: two jobs at
 * once, or one loop in pieces.
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

enum { JOBS_WORKERS_MAX = 8 };

/** For the first member of what a worker writes to, where those of several are in an array: two
 * processors that write to one cache line wait for each other. */
#define JOBS_APART _Alignas(JOBS_LINE)
enum { JOBS_LINE = 128 };

/** Zeroed memory for what one worker writes to, for free(). @return NULL when out of memory */
void *jobs_memory(size_t size) __attribute__((malloc, warn_unused_result));

/**
 * How many workers a loop should have: one a processor that this process may use, at most
 * JOBS_WORKERS_MAX.
 * @param concurrent may several threads read the target's memory? false: one worker
 */
size_t jobs_workers(bool concurrent);

/**
 * A loop over many items in pieces of consecutive ones. Each worker has a thread, the first that of
 * the caller, and takes the next piece when it is done with one. What the pieces gave is taken over
 * in their order, so that the outcome does not depend on how many workers there are.
 */
struct jobs_loop {
	size_t count; /**< of items */
	size_t step;  /**< items of a piece */
	/** Works on the items [start, end). Many of these run at once, one for each worker. */
	struct error *(*run)(void *worker, size_t start, size_t end);
	/** Takes over what run() has just left in the worker. One of these runs at a time. NULL:
	 * there is nothing to take over, and no order to be kept. */
	struct error *(*join)(void *worker, size_t start, size_t end);
	void *const *workers; /**< what run() and join() are handed; at least one */
	size_t worker_count;
	const char *phase; /**< for the progress */
};

/**
 * Runs a loop. Between two pieces the first worker reports and asks whether the user wants to stop.
 * @return the error of the first piece that failed (of any, without join()), or of the user; NULL:
 * all pieces are done
 */
struct error *jobs_loop(const struct jobs_loop *loop, const struct progress *progress)
	__attribute__((warn_unused_result));

#endif
