/*
 * What looks at threads, memory, paths and growth answers the same in a GDB and an LLDB that have a
 * process as pycore-inspect does, and in GDB the same of a core.
 */
#include "support/answer.h"
#include "support/lldb.h"
#include "support/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	WORDS_MAX = 6,
	TARGET_WORDS_MAX = 4,
	COMMANDS_MAX = 5,
	ARGUMENTS_MAX = 24,
	PATH_SIZE = 5000
};

/** A command with its arguments; "ADDRESS" stands for an object's address, "OLD" for a core. */
struct asked {
	const char *words[WORDS_MAX];
};

static const struct asked of_growing[] = {
	{{"diff", "OLD", "--limit=0"}},
	{{"path", "ADDRESS", "--paths=3"}},
	{{"threads", "--locals", "--limit=0"}},
	{{"retained"}},
	{{NULL}},
};

static const struct asked of_threads[] = {
	{{"threads", "--locals", "--limit=0"}},
	{{"memory", "--limit=0"}},
	{{NULL}},
};

static const struct asked of_core[] = {
	{{"threads"}}, {{"path", "ADDRESS"}}, {{"memory"}}, {{"triage"}}, {{NULL}},
};

/** A program, and a core of an earlier state of it, or of its end. */
struct subject {
	struct python_process *process;
	char pid[16], *core;
};

static struct subject growing, threads, crashed;
static char address[32];

static void free_text(char **text)
{
	free(*text);
}

static struct subject start(const char *program)
{
	struct subject subject = {.process = gdb_python(program)};

	snprintf(subject.pid, sizeof(subject.pid), "%d", (int)subject.process->pid);
	return subject;
}

/** The address of one of the objects that grow. */
static void find_object(void)
{
	struct run run __attribute__((cleanup(run_clear))) = {0};
	const char *found;

	run_tool(&run, RUN_ARGUMENTS(growing.core, "find", "--type=*Session", "--ndjson"));
	found = strstr(run.out, "\"address\":\"0x");
	assert_non_null(found);
	assert_int_equal(sscanf(found, "\"address\":\"%31[0-9a-fx]", address), 1);
}

static int start_programs(void **state)
{
	const char *why = NULL;

	(void)state;
	growing = start("growth.py 200");
	program_request(growing.process, "g");
	growing.core = program_gcore(growing.process);
	program_request(growing.process, "g");
	find_object();
	threads = start("memory.py threads");
	program_wait_idle(growing.process);
	program_wait_idle(threads.process);
	crashed = start("crash.py null");
	assert_int_equal(write(crashed.process->input, "\n", 1), 1);
	crashed.core = program_crash(crashed.process, &why);
	if (!crashed.core)
		print_message("%s\n", why);
	return 0;
}

static int stop_programs(void **state)
{
	(void)state;
	program_end(growing.process);
	program_end(threads.process);
	program_end(crashed.process);
	free(growing.core);
	free(crashed.core);
	return 0;
}

static const char *filled(const char *word)
{
	if (!strcmp(word, "ADDRESS"))
		return address;
	return strcmp(word, "OLD") ? word : growing.core;
}

static void path_of(const struct subject *subject, size_t number, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/answer%zu.json", subject->process->folder, number);
}

/** "pymem diff CORE --json --output FILE" for each; freed by the caller. @return how many */
static size_t debugger_commands(const struct subject *subject, const struct asked *asked,
				char *commands[COMMANDS_MAX])
{
	size_t count = 0;

	for (; asked[count].words[0]; count++) {
		char path[PATH_SIZE], line[2 * PATH_SIZE] = "pymem";

		for (size_t i = 0; i < WORDS_MAX && asked[count].words[i]; i++) {
			strcat(line, " ");
			strcat(line, filled(asked[count].words[i]));
		}
		path_of(subject, count, path);
		assert_true(asprintf(&commands[count], "%s --json --output %s", line, path) > 0);
	}
	return count;
}

/** Compares what the debugger wrote with what the tool says of the same target. */
static void compare(const struct subject *subject, const struct asked *asked,
		    const char *const *target)
{
	for (size_t i = 0; asked[i].words[0]; i++) {
		const char *arguments[ARGUMENTS_MAX];
		size_t count = 0;
		char path[PATH_SIZE];

		path_of(subject, i, path);
		for (size_t j = 0; target[j]; j++)
			arguments[count++] = target[j];
		for (size_t j = 0; j < WORDS_MAX && asked[i].words[j]; j++)
			arguments[count++] = filled(asked[i].words[j]);
		arguments[count++] = "--json";
		arguments[count] = NULL;
		assert_same_answer(answer_of_file(path), answer_of_tool(arguments));
		unlink(path);
	}
}

static void check_gdb(const struct gdb *gdb, const struct subject *subject,
		      const struct asked *asked, const char *const *target)
{
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	const char *arguments[ARGUMENTS_MAX];
	char *commands[COMMANDS_MAX];
	size_t count = 0, commands_count = debugger_commands(subject, asked, commands);

	for (size_t i = 0; target[i]; i++)
		arguments[count++] = target[i];
	for (size_t i = 0; i < commands_count; i++) {
		arguments[count++] = "-ex";
		arguments[count++] = commands[i];
	}
	arguments[count] = NULL;
	gdb_batch(&output, gdb, arguments);
	for (size_t i = 0; i < commands_count; i++)
		free(commands[i]);
	if (output.status)
		fail_msg("%s%s", output.out, output.err);
	compare(subject, asked, target);
}

static void processes_in_gdb(void **state)
{
	const struct gdb *gdb = gdb_of(state);

	check_gdb(gdb, &growing, of_growing, GDB_ARGUMENTS("-p", growing.pid));
	check_gdb(gdb, &threads, of_threads, GDB_ARGUMENTS("-p", threads.pid));
}

static void cores_in_gdb(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	char *executable __attribute__((cleanup(free_text))) = gdb_executable(growing.process);

	check_gdb(gdb, &growing, of_core, GDB_ARGUMENTS(executable, growing.core));
	if (!crashed.core)
		skip();
	check_gdb(gdb, &crashed, (const struct asked[]){{{"threads"}}, {{"triage"}}, {{NULL}}},
		  GDB_ARGUMENTS(executable, crashed.core));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes_in_gdb),
		cmocka_unit_test(cores_in_gdb),
	};

	return gdb_run_tests("gdb commands", tests, sizeof(tests) / sizeof(tests[0]),
			     start_programs, stop_programs);
}
