/**
 * @file
 * All objects of a target, for tests that look at them in this process.
 */
#ifndef PYMEM_TESTS_OPENED_H
#define PYMEM_TESTS_OPENED_H

#include "analysis/census.h"

#include "support/python_process.h"

/** What is open, each on top of the one before. */
struct opened {
	struct target *target;
	struct runtime *runtime;
	struct heap *heap;
	struct objects *objects;
};

/**
 * Opens a program's process, or a core of it. Any error fails the test.
 * @param core NULL: the process
 */
void opened_open(struct opened *opened, const struct interpreter_choice *choice,
		 const struct python_process *process, const char *core);

/** Closes it; the process goes on. */
void opened_close(struct opened *opened);

/**
 * Has the census found as many references to an object as its refcount says, or more?
 * @return false for what is no object, too; says what was found
 */
bool opened_all_found(const struct census *census, uint64_t address);

#endif
