/**
 * @file
 * Real processes for tests: the Python interpreters of this machine, started with a program that
 * says when it is ready. All of them die with the test.
 */
#ifndef PYMEM_TESTS_CHILD_H
#define PYMEM_TESTS_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** A line of `scripts/interpreters list`. */
struct interpreter_file {
	char name[64], version[32], root[512], python[512];
};

/** The interpreters of this machine; *count is 0 if the list cannot be had. Free the result. */
struct interpreter_file *interpreter_files(size_t *count);

/** A process that was started. */
struct child {
	pid_t pid;
	int output; /**< its standard output */
};

/**
 * Runs `python -c program` with `directory` as its working directory, which is where its core goes.
 * Returns when it has printed "ready"; fails the test if it does not.
 */
struct child child_start(const struct interpreter_file *python, const char *program,
			 const char *directory);

/** The same for a function of the test, in a forked process. It must write "ready\n" to descriptor
 * 1. */
struct child child_run(void (*function)(void *context), void *context);

/** The letter of its state in /proc, or of a thread's by its tid: R, S, T, t, Z … */
char child_state(pid_t pid);

/** Waits, some seconds at most, until the state is one of the letters. @return is it? */
bool child_wait_state(pid_t pid, const char *letters);

/**
 * A field of its status in /proc, "TracerPid:" for example, without the blanks before its value. A
 * process or field that is not there fails the test.
 */
void child_status(pid_t pid, const char *name, char value[64]);

/** The process that traces it, 0: none. */
pid_t child_tracer(pid_t pid);

/** Reads a line of its output without the newline. @return false at the end of it */
bool child_line(const struct child *child, char *line, size_t size);

/** Kills it with the signal and waits for its end. @return the status of waitpid() */
int child_kill(struct child *child, int signal);

#endif
