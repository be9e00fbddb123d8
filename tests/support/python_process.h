/**
 * @file
 * Programs of tests/programs running in real interpreters: those that scripts/interpreters lists,
 * some of which live in a folder to chroot into.
 */
#ifndef PYMEM_TESTS_PYTHON_PROCESS_H
#define PYMEM_TESTS_PYTHON_PROCESS_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/** An interpreter of this machine. */
struct interpreter_choice {
	char *name;    /**< "pyenv-3.13.0" */
	char *version; /**< "3.13.0" */
	char *root;    /**< "/", or the folder to chroot into */
	char *python;  /**< path below the root */
};

/**
 * The interpreters to test: one of each minor version, or all with PYMEM_TEST_FULL in the
 * environment. Aborts the test if scripts/interpreters fails.
 * @return free it with interpreters_free()
 */
struct interpreter_choice *interpreters_list(size_t *count);

/** All interpreters of this machine, in the same way. */
struct interpreter_choice *interpreters_all(size_t *count);

/** Frees the list. */
void interpreters_free(struct interpreter_choice *choices, size_t count);

/** A running program. */
struct python_process {
	pid_t pid;
	int input;		     /**< its stdin; its end ends the program */
	char folder[4096];	     /**< its working directory, as this process sees it */
	struct python_process *next; /**< internal */
};

/**
 * Starts a program and waits until it says "ready". A program that ends before that fails the test
 * with its output.
 * @param program name in tests/programs, with VARIABLE=value words in front of it and arguments
 * behind it, if any; the current directory is the project's
 */
struct python_process *program_start(const struct interpreter_choice *choice, const char *program);

/**
 * Waits until no thread of it has had the processor for a while: what it does after it has said
 * that it is ready, such as returning from the write, is done then. Gives up after some seconds.
 */
void program_wait_idle(const struct python_process *process);

/**
 * Has a program do something, a request for each byte on its input, and waits until its file "done"
 * has grown by as many bytes. Not done in a minute, or more than was asked for, fails the test.
 */
void program_request(const struct python_process *process, const char *requests);

/** Opens a file that the program has written into its folder; one that is missing fails the test.
 */
FILE *program_file(const struct python_process *process, const char *name);

/**
 * Kills the program with SIGABRT, so that the kernel writes a core into its folder.
 * @return the core's path, to be freed; NULL, with the reason in *why, if the kernel of this
 * machine puts cores elsewhere or may not write them
 */
char *program_core(struct python_process *process, const char **why);

/**
 * Waits for a program that kills itself, and has the kernel write a core.
 * @return as program_core()
 */
char *program_crash(struct python_process *process, const char **why);

/** Has gcore write a core into the program's folder. @return its path, to be freed */
char *program_gcore(const struct python_process *process);

/** Kills the program, removes its folder (not with PYMEM_TEST_KEEP in the environment), frees it.
 * NULL is allowed. What a failed test leaves is ended in the same way when this process ends. */
void program_end(struct python_process *process);

#endif
