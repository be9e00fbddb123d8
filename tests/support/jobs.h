/**
 * @file
 * Tests side by side: the test program starts itself once for each test, a few at a time, and
 * reports the results in order.
 */
#ifndef PYMEM_TESTS_JOBS_H
#define PYMEM_TESTS_JOBS_H

#include <stddef.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/**
 * Runs a group of tests like cmocka_run_group_tests(), each in a process of its own, `workers` at
 * a time. `PROGRAM --only TEXT` runs those tests whose names contain the text, in one process.
 * @return as cmocka_run_group_tests()
 */
int jobs_run_tests(const char *group, const struct CMUnitTest *tests, size_t count,
		   unsigned int workers, int argc, char **argv);

/**
 * Runs one test on each interpreter of interpreters_list(), two at a time; its state is the struct
 * interpreter_choice.
 */
int jobs_run_on_interpreters(const char *group, CMUnitTestFunction test, int argc, char **argv);

/** Skips the running test, and says why. */
_Noreturn void jobs_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
