/**
 * @file
 * One Python process, and a core of the same program, for the tests of the command line.
 */
#ifndef PYMEM_TESTS_SPECIMEN_H
#define PYMEM_TESTS_SPECIMEN_H

#include "support/python_process.h"

/** They live as long as a group of tests. */
struct specimen {
	struct interpreter_choice *pythons;
	size_t python_count;
	const struct interpreter_choice *python; /**< one that needs no chroot */
	struct python_process *process;
	struct python_process *dumped; /**< its folder holds the core */
	char *core;
	char pid[16];
};

/** The specimen of this test program; valid between set-up and tear-down. */
extern struct specimen specimen;

/** CMocka group set-up: starts both programs and takes the core. */
int specimen_setup(void **state);

/** CMocka group tear-down. */
int specimen_teardown(void **state);

/** Path of a new, empty file name in the specimen's folder; static, valid until the fourth next
 * call. */
const char *specimen_path(const char *name);

#endif
