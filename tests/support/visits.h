/**
 * @file
 * What the real tp_traverse functions of a real process visit: runs tests/programs/every_type.py
 * with the extension module traverse_truth.c, takes a core of it, and reads what was written down.
 */
#ifndef PYMEM_TESTS_VISITS_H
#define PYMEM_TESTS_VISITS_H

#include "support/python_process.h"

#include <stdint.h>

/** The visits of one object. */
struct visits {
	uint64_t object, type, traverse;
	uint64_t count;
	const uint64_t *targets;
};

/** A process that wrote its visits down, and its core. */
struct visits_run {
	struct python_process *process; /**< killed for the core; its folder is still there */
	char extension[600];		/**< folder of the modules that were built for it */
	char *core;
	struct visits *items;
	size_t count;
	uint64_t *words; /**< of the file; what items point into */
};

/**
 * Runs the program; skips the test if the interpreter's headers are not installed.
 * @param each objects of each kind; more make a larger heap
 */
struct visits_run *visits_start(const struct interpreter_choice *choice, unsigned each);

/** Removes all files and frees it. NULL is allowed. */
void visits_end(struct visits_run *run);

#endif
