/*
 * Real LLDBs. See lldb.h.
 */
#include "support/lldb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 32, DEADLOCKS_SINCE = 20 };

/** The head of every command line. */
struct command_line {
	const char *argv[ARGUMENTS_MAX];
	size_t count;
	char *load; // the command that loads the plugin
};

static void add(struct command_line *line, const char *argument)
{
	assert_true(line->count < ARGUMENTS_MAX - 1);
	line->argv[line->count++] = argument;
}

static struct command_line command_line(const struct gdb *lldb)
{
	struct command_line line = {0};
	char *plugin = build_path("pymem-lldb.so");

	assert_true(asprintf(&line.load, "plugin load %s", plugin) > 0);
	free(plugin);
	add(&line, lldb->path);
	add(&line, "--no-lldbinit");
	// LLDB 21 can lock itself up while it loads the files of a core in parallel.
	if (atoi(lldb->version) >= DEADLOCKS_SINCE) {
		add(&line, "-O");
		add(&line, "settings set target.parallel-module-load false");
	}
	return line;
}

void lldb_start(struct gdb_run *run, const struct gdb *lldb, const char *input)
{
	struct command_line line = command_line(lldb);
	char *whole;

	assert_true(asprintf(&whole, "%s\n%s\nquit\n", line.load, input) > 0);
	program_begin(run, whole, line.argv);
	free(line.load);
	free(whole);
}

void lldb_session(struct gdb_output *output, const struct gdb *lldb, const char *input)
{
	struct gdb_run run;

	lldb_start(&run, lldb, input);
	gdb_finish(&run, output);
}

void lldb_batch(struct gdb_output *output, const struct gdb *lldb, const char *const *target,
		const char *const *commands)
{
	struct command_line line = command_line(lldb);

	add(&line, "--batch");
	for (; *target; target++)
		add(&line, *target);
	add(&line, "-o");
	add(&line, line.load);
	for (; *commands; commands++) {
		add(&line, "-o");
		add(&line, *commands);
	}
	program_run(output, "", line.argv);
	free(line.load);
}

char *lldb_answer_to(const struct gdb_output *output, const char *command)
{
	const char *begin, *end;
	char *prompt;

	assert_true(asprintf(&prompt, "(lldb) %s\n", command) > 0);
	begin = strstr(output->out, prompt);
	if (!begin) {
		print_error("no \"%s\" in:\n%s%s", prompt, output->out, output->err);
		fail();
	}
	begin += strlen(prompt);
	free(prompt);
	end = strstr(begin, "(lldb) ");
	return strndup(begin, end ? (size_t)(end - begin) : strlen(begin));
}

const struct gdb *lldb_of(void **state)
{
	const struct gdb *lldb = gdb_of(state);
	char *plugin = build_path("pymem-lldb.so");
	bool built = access(plugin, R_OK) == 0;

	free(plugin);
	if (!built) {
		printf("the LLDB plugin is not built: scripts/deps test installs LLDB's headers\n");
		skip();
	}
	return lldb;
}

int lldb_run_tests(const char *group, const struct CMUnitTest *tests, size_t count,
		   CMFixtureFunction setup, CMFixtureFunction teardown)
{
	static const char *const names[] = {"host-lldb", "lldb-19-trixie", "lldb-16-bookworm",
					    "lldb-21-sid", NULL};

	return debuggers_run_tests(names, 2, group, tests, count, setup, teardown);
}

bool is_lldb(const struct gdb *debugger)
{
	return strstr(debugger->name, "lldb");
}

const struct gdb *any_of(void **state)
{
	return is_lldb(*state) ? lldb_of(state) : gdb_of(state);
}

int any_run_tests(const char *group, const struct CMUnitTest *tests, size_t count,
		  CMFixtureFunction setup, CMFixtureFunction teardown)
{
	static const char *const names[] = {"host",	      "host-lldb",   "gdb-minimal-bookworm",
					    "lldb-19-trixie", "gdb-trixie",  "lldb-16-bookworm",
					    "gdb-sid",	      "lldb-21-sid", NULL};

	return debuggers_run_tests(names, 4, group, tests, count, setup, teardown);
}
