/**
 * @file
 * Runs real debuggers with the plugin of the build folder, on a Python program that leaks.
 */
#ifndef PYMEM_TESTS_GDB_H
#define PYMEM_TESTS_GDB_H

#include "support/python_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

/** A debugger of scripts/debuggers. */
struct gdb {
	const char *name; /**< "host", "gdb-minimal-bookworm", "host-lldb" */
	char version[32];
	char path[512]; /**< empty: not on this machine */
};

/**
 * Runs every test with Debian 12's GDB and its GDB without Python; with PYMEM_TEST_FULL in the
 * environment also with GDB 16 and newer. The state of a test is its struct gdb. For one that is
 * not on this machine its tests are skipped, with the reason.
 * @return as cmocka_run_group_tests()
 */
int gdb_run_tests(const char *group, const struct CMUnitTest *tests, size_t count,
		  CMFixtureFunction setup, CMFixtureFunction teardown);

/**
 * The same with any debuggers.
 * @param names end with NULL: all with PYMEM_TEST_FULL in the environment, else the first `usually`
 */
int debuggers_run_tests(const char *const *names, size_t usually, const char *group,
			const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
			CMFixtureFunction teardown);

/** The debugger of a test's state; skips the test if it is not on this machine. */
const struct gdb *gdb_of(void **state);

/** What a program wrote; strings end in NUL. */
struct gdb_output {
	int status; /**< exit code, or 128 + signal */
	char *out, *err;
};

/** A program under way. */
struct gdb_run {
	pid_t pid;
	int out, err; /**< files that it writes to */
};

/** Looks the debugger up. */
void gdb_find(struct gdb *gdb, const char *name);

/** Path of a file of the build folder: "pycore-inspect"; freed by the caller. */
char *build_path(const char *name);

/** Path of a file of the project; freed by the caller. */
char *source_path(const char *name);

/** The arguments of a run end with NULL. */
#define GDB_ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/**
 * Runs GDB in batch mode with the plugin's commands and nobody's settings, and waits. The output is
 * valid until gdb_output_clear().
 */
void gdb_batch(struct gdb_output *output, const struct gdb *gdb, const char *const *arguments);

/** Starts it only. */
void gdb_start(struct gdb_run *run, const struct gdb *gdb, const char *const *arguments);

/** Waits until the output has the text. @return false if it ends or two minutes pass before */
bool gdb_wait_for(struct gdb_run *run, const char *text);

/** Waits for the end, two minutes at most. */
void gdb_finish(struct gdb_run *run, struct gdb_output *output);

/** Starts any program: argv[0] is looked up in PATH, standard input is `input`. */
void program_begin(struct gdb_run *run, const char *input, const char *const *argv);

/** Runs any program the same way: argv[0] is looked up in PATH, standard input is `input`. */
void program_run(struct gdb_output *output, const char *input, const char *const *argv);

/** Frees the output; for the `cleanup` attribute. */
void gdb_output_clear(struct gdb_output *output);

/**
 * Starts a program of tests/programs in an interpreter of this machine that needs no chroot;
 * Debian's if there is one, for which GDB has the fewest symbols to read.
 */
struct python_process *gdb_python(const char *program);

/** Path of the executable that the process runs; freed by the caller. */
char *gdb_executable(const struct python_process *process);

#endif
