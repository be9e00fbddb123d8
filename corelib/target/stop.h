/**
 * @file
 * Stopping all threads of a process with ptrace, and letting them go on as they were. All calls
 * must come from one thread of ours: the kernel ties a tracee to it. When it ends, however it ends,
 * the kernel lets the process go on.
 */
#ifndef PYMEM_TARGET_STOP_H
#define PYMEM_TARGET_STOP_H

#include "target/progress.h"
#include "target/target.h"

/** A process that is stopped. */
struct stop;

/**
 * Stops all threads of a process.
 * @return an error that says what is needed if that is not permitted; then nothing is stopped
 */
struct error *stop_process(pid_t pid, const struct progress *progress, struct stop **stop)
	__attribute__((warn_unused_result));

/** Copies threads with their registers. @return NULL when out of memory */
struct target_thread *stop_threads(const struct stop *stop, size_t *count);

/** How many threads did not stop in time: they wait in the kernel. */
size_t stop_unstopped(const struct stop *stop);

/** Lets all threads go on and frees `stop`. NULL is allowed. */
void stop_release(struct stop *stop);

/** Why a process cannot be looked at: an error for the errno value of a failed attempt. */
struct error *stop_refused(pid_t pid, int errno_value) __attribute__((warn_unused_result));

#endif
