/**
 * @file
 * Runs a program and keeps what it writes.
 */
#ifndef PYMEM_TESTS_RUN_H
#define PYMEM_TESTS_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** The end of a list of arguments. */
#define RUN_ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/** A program that runs, or has ended. */
struct run {
	pid_t pid;
	int status;	  /**< exit code, or 128 + signal */
	char *out, *err;  /**< what it wrote, NUL-terminated */
	size_t out_size;  /**< bytes in `out` */
	double seconds;	  /**< that it took */
	double kilobytes; /**< the most memory that it had resident */
	int out_file, err_file;
	double started;
};

/** Who the program runs as, and where; zero-initialised is as the test itself. */
struct run_options {
	uid_t user;	    /**< other than 0: that user and group, and no other rights */
	const char *folder; /**< its working directory */
};

/** Starts a program; argv[0] is a path or looked up in PATH. Its standard input is empty. */
void run_start(struct run *run, const struct run_options *options, const char *const *argv);

/** Has it ended? It still is to be waited for with run_finish(). */
bool run_ended(const struct run *run);

/** Seconds since it was started. */
double run_seconds(const struct run *run);

/** Waits for its end, `seconds` at most, and then kills it. @return false if it was killed */
bool run_finish(struct run *run, int seconds);

/** Both, with a limit of two minutes, which fails the test. */
void run_program(struct run *run, const char *const *argv);

/** Path of the built pycore-inspect. */
const char *run_tool_path(void);

/** Runs the built pycore-inspect with the arguments behind it. */
void run_tool(struct run *run, const char *const *arguments);

/** Frees what was written; for the `cleanup` attribute. */
void run_clear(struct run *run);

#endif
