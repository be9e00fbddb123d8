/*
 * pymem in real GDBs, on a real Python: what it answers, and through which of GDB's channels.
 */
#include "support/answer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct python_process *python;
static char *executable, *core, pid[16];

// A process and a core of it, for all tests.
static int start_program(void **state)
{
	struct gdb host;
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char *command;

	(void)state;
	python = gdb_python("sessions.py");
	executable = gdb_executable(python);
	snprintf(pid, sizeof(pid), "%d", (int)python->pid);
	assert_true(asprintf(&core, "%s/core", python->folder) > 0);
	gdb_find(&host, "host");
	assert_true(asprintf(&command, "generate-core-file %s", core) > 0);
	gdb_batch(&output, &host, GDB_ARGUMENTS("-p", pid, "-ex", command));
	free(command);
	if (access(core, R_OK) == 0)
		return 0;
	print_error("%s%s", output.out, output.err);
	return -1;
}

static int stop_program(void **state)
{
	(void)state;
	program_end(python);
	free(executable);
	free(core);
	return 0;
}

// A file in the folder of the program, and a GDB command that ends in its name.
struct named_file {
	char *path, *command;
};

static void named_file_clear(struct named_file *file)
{
	unlink(file->path);
	free(file->path);
	free(file->command);
}

static struct named_file named_file(const char *command, const char *name)
{
	struct named_file file;

	assert_true(asprintf(&file.path, "%s/%s", python->folder, name) > 0);
	assert_true(asprintf(&file.command, "%s%s", command, file.path) > 0);
	return file;
}

static char *leaks_of_gdb(const struct gdb *gdb, const char *const *target)
{
	return answer_of_gdb(gdb, python->folder, "pymem leaks --json", target);
}

static void live_process(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};

	gdb_batch(&output, gdb,
		  GDB_ARGUMENTS("-p", pid, "-ex", "pymem", "-ex", "pymem leaks", "-ex",
				"print $pymem_status", "-ex", "pymem leaks --json"));
	assert_contains(output.out, "Session");
	assert_lacks(output.out, "registers-unknown");
	assert_contains(output.out, "$1 = 0\n");
	assert_lacks(output.err, "pymem");
}

static void live_process_as_the_tool(void **state)
{
	const struct gdb *gdb = gdb_of(state);

	assert_same_answer(leaks_of_gdb(gdb, GDB_ARGUMENTS("-p", pid)),
			   answer_of_tool(GDB_ARGUMENTS("-p", pid, "leaks", "--json")));
}

static void core_as_the_tool(void **state)
{
	const struct gdb *gdb = gdb_of(state);

	assert_same_answer(leaks_of_gdb(gdb, GDB_ARGUMENTS(executable, core)),
			   answer_of_tool(GDB_ARGUMENTS(core, "leaks", "--json")));
	assert_same_answer(leaks_of_gdb(gdb, GDB_ARGUMENTS("-c", core)),
			   answer_of_tool(GDB_ARGUMENTS(core, "leaks", "--json")));
}

// Coverage differs: a core of generate-core-file has neither code nor the headers to check the
// files by that have it.
static void core_as_the_process(void **state)
{
	const struct gdb *gdb = gdb_of(state);

	assert_same_answer(answer_result(leaks_of_gdb(gdb, GDB_ARGUMENTS(executable, core))),
			   answer_result(leaks_of_gdb(gdb, GDB_ARGUMENTS("-p", pid))));
}

static void through_pipe(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	struct named_file file __attribute__((cleanup(named_file_clear))) =
		named_file("pipe pymem leaks --json | cat >", "piped");

	gdb_batch(&output, gdb, GDB_ARGUMENTS("-p", pid, "-ex", file.command));
	assert_same_answer(answer_of_file(file.path),
			   answer_of_tool(GDB_ARGUMENTS("-p", pid, "leaks", "--json")));
}

static void through_a_pipe_that_breaks(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};

	gdb_batch(&output, gdb,
		  GDB_ARGUMENTS("-p", pid, "-ex", "pymem info", "-ex",
				"pipe pymem leaks --json | true", "-ex",
				"pipe pymem leaks --json | head -n 1", "-ex",
				"echo still here\\n"));
	assert_contains(output.out, "still here");
}

static void into_a_log(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	struct named_file file __attribute__((cleanup(named_file_clear))) =
		named_file("set logging file ", "log");

	gdb_batch(&output, gdb,
		  GDB_ARGUMENTS("-p", pid, "-ex", file.command, "-ex", "set logging redirect on",
				"-ex", "set logging enabled on", "-ex", "pymem leaks --json", "-ex",
				"set logging enabled off"));
	assert_lacks(output.out, "schema_version");
	assert_same_answer(answer_of_file(file.path),
			   answer_of_tool(GDB_ARGUMENTS("-p", pid, "leaks", "--json")));
}

static void through_gdb_mi(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char *commands = build_path("pymem.gdb");
	char *line, *rest;

	program_run(&output,
		    "-interpreter-exec console \"pymem leaks\"\n"
		    "-interpreter-exec console \"pymem leaks --nonsense\"\n"
		    "-interpreter-exec console \"print $pymem_status\"\n"
		    "-gdb-exit\n",
		    GDB_ARGUMENTS(gdb->path, "-nx", "-q", "-i=mi", "-iex", "set auto-load off",
				  "-iex", "set debuginfod enabled off", "-ix", commands, "-p",
				  pid));
	free(commands);
	assert_contains(output.out, "Session");
	assert_contains(output.out, "^error,msg=\"Undefined command: \\\"pymem-exit-status-2");
	assert_contains(output.out, "= 2\\n");
	// Nothing gets between MI's records.
	for (line = strtok_r(output.out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (!strchr("^*+=~@&0123456789", line[0]) && strncmp(line, "(gdb)", 5) != 0)
			fail_msg("not a record of MI: %s", line);
}

// No files, no /proc: memory alone, and the dynamic linker's list in it.
static void through_a_remote_target(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	char connect[128];

	if (access("/usr/bin/gdbserver", X_OK) < 0) {
		printf("no gdbserver here: scripts/deps test installs it\n");
		skip();
	}
	snprintf(connect, sizeof(connect), "target remote | gdbserver --once --attach - %s", pid);
	assert_same_answer(
		answer_result(answer_of_gdb(gdb, python->folder, "pymem cycles --json",
					    GDB_ARGUMENTS("-iex", "set sysroot /", "-iex",
							  "set remotetimeout 60", "-ex", connect))),
		answer_result(answer_of_tool(GDB_ARGUMENTS("-p", pid, "cycles", "--json"))));
}

static void process_that_is_no_python(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};

	gdb_batch(&output, gdb,
		  GDB_ARGUMENTS("-ex", "starti", "-ex", "pymem leaks", "-ex", "print $pymem_status",
				"-ex", "kill", "/bin/true"));
	assert_contains(output.out, "pymem: ");
	assert_contains(output.out, "= 3");
	assert_contains(output.err, "pymem-exit-status-3");
}

static void status_ends_scripts(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	struct named_file file __attribute__((cleanup(named_file_clear))) =
		named_file("source ", "script");
	FILE *script = fopen(file.path, "w");

	assert_non_null(script);
	fputs("pymem info\necho first\\n\npymem leaks --nonsense\necho second\\n\n", script);
	fclose(script);
	gdb_batch(&output, gdb, GDB_ARGUMENTS("-p", pid, "-x", file.path));
	assert_contains(output.out, "first");
	assert_contains(output.out, "pymem: ");
	assert_lacks(output.out, "second");
	assert_int_equal(output.status, 1);
	gdb_output_clear(&output);
	gdb_batch(&output, gdb,
		  GDB_ARGUMENTS("-p", pid, "-ex", "pymem leaks --nonsense", "-ex",
				"quit $pymem_status"));
	assert_int_equal(output.status, 2);
}

static void help_and_completion(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};

	gdb_batch(&output, gdb,
		  GDB_ARGUMENTS("-ex", "help pymem", "-ex", "help pymem cycles", "-ex",
				"complete pymem "));
	assert_contains(output.out, "Usage: pymem [COMMAND]");
	assert_contains(output.out, "pymem leaks -- ");
	assert_contains(output.out, "Usage: pymem cycles [N]");
	assert_contains(output.out, "\npymem cycles\n");
	assert_contains(output.out, "\npymem info\n");
	assert_string_equal(output.err, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(live_process),
		cmocka_unit_test(live_process_as_the_tool),
		cmocka_unit_test(core_as_the_tool),
		cmocka_unit_test(core_as_the_process),
		cmocka_unit_test(through_pipe),
		cmocka_unit_test(through_a_pipe_that_breaks),
		cmocka_unit_test(into_a_log),
		cmocka_unit_test(through_gdb_mi),
		cmocka_unit_test(through_a_remote_target),
		cmocka_unit_test(process_that_is_no_python),
		cmocka_unit_test(status_ends_scripts),
		cmocka_unit_test(help_and_completion),
	};

	return gdb_run_tests("gdb", tests, sizeof(tests) / sizeof(tests[0]), start_program,
			     stop_program);
}
