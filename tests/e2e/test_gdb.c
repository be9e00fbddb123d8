/*
 * pymem in real GDBs, on a real Python: what it answers, and through which of GDB's channels.
 */
#include "support/gdb.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct python python;
static char pid[16], core[128], directory[64];

// A process and a core of it, for all tests.
static int start_program(void **state)
{
	struct gdb host;
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char *program = source_path("tests/programs/sessions.py"), *command;

	(void)state;
	if (!python_start(&python, python_of_this_machine(), GDB_ARGUMENTS(program, "1000")))
		return -1;
	free(program);
	snprintf(pid, sizeof(pid), "%d", (int)python.pid);
	snprintf(directory, sizeof(directory), "%s", python.directory);
	snprintf(core, sizeof(core), "%s/core", python.directory);
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
	python_stop(&python);
	return 0;
}

static void assert_contains(const char *text, const char *part)
{
	if (strstr(text, part))
		return;
	print_error("no \"%s\" in:\n%s\n", part, text);
	fail();
}

static void assert_lacks(const char *text, const char *part)
{
	if (!strstr(text, part))
		return;
	print_error("\"%s\" in:\n%s\n", part, text);
	fail();
}

// The document without what may differ; freed by the caller.
static char *comparable(json_t *document)
{
	char *text;

	assert_non_null(json_object_get(document, "target"));
	json_object_del(document, "target");
	text = json_dumps(document, JSON_INDENT(1));
	json_decref(document);
	return text;
}

static char *json_of_file(const char *path)
{
	json_error_t error;
	json_t *document = json_load_file(path, 0, &error);

	if (!document)
		print_error("%s: %s\n", path, error.text);
	assert_non_null(document);
	return comparable(document);
}

static char *json_of_tool(const char *const *arguments)
{
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char *tool = build_path("pycore-inspect");
	const char *argv[16] = {tool};
	json_t *document;

	for (size_t i = 0; arguments[i]; i++)
		argv[i + 1] = arguments[i];
	program_run(&output, "", argv);
	free(tool);
	document = json_loads(output.out, 0, NULL);
	if (!document)
		print_error("%s%s", output.out, output.err);
	assert_non_null(document);
	return comparable(document);
}

// "pymem leaks --json --output FILE" in GDB, as json_of_tool().
static char *json_of_gdb(const struct gdb *gdb, const char *const *target)
{
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	const char *arguments[16];
	char path[128], command[256], *text;
	size_t count = 0;

	snprintf(path, sizeof(path), "%s/answer.json", directory);
	snprintf(command, sizeof(command), "pymem leaks --json --output %s", path);
	unlink(path);
	for (; target[count]; count++)
		arguments[count] = target[count];
	arguments[count++] = "-ex";
	arguments[count++] = command;
	arguments[count] = NULL;
	gdb_batch(&output, gdb, arguments);
	if (access(path, R_OK) < 0)
		print_error("%s%s", output.out, output.err);
	text = json_of_file(path);
	unlink(path);
	return text;
}

static void assert_same_and_free(char *one, char *other)
{
	assert_string_equal(one, other);
	free(one);
	free(other);
}

static void live_process(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};

	gdb_batch(&output, gdb,
		  GDB_ARGUMENTS("-p", pid, "-ex", "pymem", "-ex", "pymem leaks", "-ex",
				"print $pymem_status"));
	assert_contains(output.out, "Session");
	assert_contains(output.out, "$1 = 0\n");
	assert_lacks(output.err, "pymem");
}

static void live_process_as_the_tool(void **state)
{
	const struct gdb *gdb = gdb_of(state);

	assert_same_and_free(json_of_gdb(gdb, GDB_ARGUMENTS("-p", pid)),
			     json_of_tool(GDB_ARGUMENTS("-p", pid, "leaks", "--json")));
}

static void core_as_the_tool(void **state)
{
	const struct gdb *gdb = gdb_of(state);

	assert_same_and_free(json_of_gdb(gdb, GDB_ARGUMENTS(python.executable, core)),
			     json_of_tool(GDB_ARGUMENTS(core, "leaks", "--json")));
	assert_same_and_free(json_of_gdb(gdb, GDB_ARGUMENTS("-c", core)),
			     json_of_tool(GDB_ARGUMENTS(core, "leaks", "--json")));
}

static void core_as_the_process(void **state)
{
	const struct gdb *gdb = gdb_of(state);

	assert_same_and_free(json_of_gdb(gdb, GDB_ARGUMENTS(python.executable, core)),
			     json_of_gdb(gdb, GDB_ARGUMENTS("-p", pid)));
}

static void through_pipe(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char path[128], command[256];

	snprintf(path, sizeof(path), "%s/piped", directory);
	snprintf(command, sizeof(command), "pipe pymem leaks --json | cat >%s", path);
	gdb_batch(&output, gdb, GDB_ARGUMENTS("-p", pid, "-ex", command));
	assert_same_and_free(json_of_file(path),
			     json_of_tool(GDB_ARGUMENTS("-p", pid, "leaks", "--json")));
	unlink(path);
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
	char path[128], set_file[256];

	snprintf(path, sizeof(path), "%s/log", directory);
	snprintf(set_file, sizeof(set_file), "set logging file %s", path);
	gdb_batch(&output, gdb,
		  GDB_ARGUMENTS("-p", pid, "-ex", set_file, "-ex", "set logging redirect on", "-ex",
				"set logging enabled on", "-ex", "pymem leaks --json", "-ex",
				"set logging enabled off"));
	assert_lacks(output.out, "schema_version");
	assert_same_and_free(json_of_file(path),
			     json_of_tool(GDB_ARGUMENTS("-p", pid, "leaks", "--json")));
	unlink(path);
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
	char path[128];
	FILE *script;

	snprintf(path, sizeof(path), "%s/script", directory);
	script = fopen(path, "w");
	fputs("pymem info\necho first\\n\npymem leaks --nonsense\necho second\\n\n", script);
	fclose(script);
	gdb_batch(&output, gdb, GDB_ARGUMENTS("-p", pid, "-x", path));
	assert_contains(output.out, "first");
	assert_contains(output.out, "pymem: ");
	assert_lacks(output.out, "second");
	assert_int_equal(output.status, 1);
	gdb_output_clear(&output);
	gdb_batch(&output, gdb,
		  GDB_ARGUMENTS("-p", pid, "-ex", "pymem leaks --nonsense", "-ex",
				"quit $pymem_status"));
	assert_int_equal(output.status, 2);
	unlink(path);
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
		cmocka_unit_test(process_that_is_no_python),
		cmocka_unit_test(status_ends_scripts),
		cmocka_unit_test(help_and_completion),
	};

	return gdb_run_tests("gdb", tests, sizeof(tests) / sizeof(tests[0]), start_program,
			     stop_program);
}
