/**
 * @file
 * A sleeping Python with some threads, how it is dumped, and what must be seen of it.
 */
#ifndef PYMEM_TESTS_SLEEPER_H
#define PYMEM_TESTS_SLEEPER_H

#include "support/child.h"
#include "target/target.h"

/** A program of four threads that sleep. */
extern const char sleeper[];

/** Ends a test that fails with the error's message; NULL is allowed. */
void check(struct error *err);

/** CMocka group set-up and tear-down: the list of interpreters, and a temporary directory, where
 * cores go. */
int sleeper_setup(void **state);
int sleeper_teardown(void **state);

/** The interpreters of this machine. */
extern struct interpreter_file *interpreters;
extern size_t interpreter_count;

/** Starts any interpreter, for tests that are not about Python; skips the test if there is none. */
struct child start_any(const char *program);

/** Is there a Python in the target, and can its parts be read? */
void check_python(struct target *target);

/** Makes the kernel dump it. @return false if cores do not land where they are expected */
bool kernel_core(struct child *child, char *path, size_t size);

/** Dumps it with gcore, after which it goes on. @return false if there is no gcore */
bool gdb_core(const struct child *child, char *path, size_t size);

#endif
