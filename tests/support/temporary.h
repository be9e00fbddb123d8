/**
 * @file
 * A directory for the files of one test program, removed with all that is in it.
 */
#ifndef PYMEM_TESTS_TEMPORARY_H
#define PYMEM_TESTS_TEMPORARY_H

#include <stddef.h>

/** CMocka group set-up: makes the directory. */
int temporary_setup(void **state);

/** CMocka group tear-down: removes it. */
int temporary_teardown(void **state);

/** The path of a file in the directory; static, valid until the fourth next call. */
const char *temporary_path(const char *name);

/** Writes a file into the directory; missing directories in its name are made. @return its path, as
 * above */
const char *temporary_file(const char *name, const void *bytes, size_t size);

#endif
