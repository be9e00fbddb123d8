/**
 * @file
 * Runs real LLDBs with the plugin of the build folder. They are found, run and skipped like GDBs.
 */
#ifndef PYMEM_TESTS_LLDB_H
#define PYMEM_TESTS_LLDB_H

#include "support/gdb.h"

/** Runs every test with LLDB 14 and 19; with PYMEM_TEST_FULL also with 16 and the newest. */
int lldb_run_tests(const char *group, const struct CMUnitTest *tests, size_t count,
		   CMFixtureFunction setup, CMFixtureFunction teardown);

/** The LLDB of a test's state; skips the test if it, or the plugin, is not here. */
const struct gdb *lldb_of(void **state);

/** Runs every test with a GDB and an LLDB and then two more; with PYMEM_TEST_FULL with all. */
int any_run_tests(const char *group, const struct CMUnitTest *tests, size_t count,
		  CMFixtureFunction setup, CMFixtureFunction teardown);

/** The debugger of a test's state, of either kind; skips the test if it is not here. */
const struct gdb *any_of(void **state);

/** Which kind is it? */
bool is_lldb(const struct gdb *debugger);

/**
 * Starts LLDB with nobody's settings and the plugin loaded. It reads the lines of `input`: a
 * command that fails ends nothing, and each is shown as "(lldb) COMMAND" before its output.
 */
void lldb_start(struct gdb_run *run, const struct gdb *lldb, const char *input);

/** The same, and waits for the end. */
void lldb_session(struct gdb_output *output, const struct gdb *lldb, const char *input);

/** Runs LLDB in batch mode with the arguments, the plugin loaded behind the target. */
void lldb_batch(struct gdb_output *output, const struct gdb *lldb, const char *const *target,
		const char *const *commands);

/** What a session printed for a command, the first of its name; freed by the caller. */
char *lldb_answer_to(const struct gdb_output *output, const char *command);

#endif
