/*
 * A core whose files are below another root, as those of a container or of another host, in GDB and
 * in LLDB: --sysroot says where, --executable where one of them is, and in GDB "set sysroot" does.
 */
#include "support/answer.h"
#include "support/lldb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AUTO_OUTPUT struct gdb_output __attribute__((cleanup(gdb_output_clear)))
#define AUTO_TEXT   char *__attribute__((cleanup(free_text)))

/** Where the files are said to be. */
enum said {
	SAID_NOT,
	SAID_SYSROOT,	 /**< with --sysroot */
	SAID_EXECUTABLE, /**< with --executable, of the executable only */
	SAID_SETTING,	 /**< with "set sysroot" in GDB */
	SAID_COUNT
};

static struct interpreter_choice *choices;
static size_t choice_count;
static const char *root; /* of the program's files */
static struct python_process *python;
static char *core, *executable;
static char *expected[SAID_COUNT]; /* the tool's answers */

static void free_text(char **text)
{
	free(*text);
}

/* The kernel's core names the files as the process sees them, below its root. */
static void take_core(const struct interpreter_choice *choice)
{
	const char *why;

	root = choice->root;
	python = program_start(choice, "sessions.py");
	assert_true(asprintf(&executable, "%s%s", root, choice->python) > 0);
	core = program_core(python, &why);
	if (!core)
		print_message("%s\n", why);
}

static int start_program(void **state)
{
	(void)state;
	choices = interpreters_all(&choice_count);
	for (size_t i = 0; i < choice_count && !geteuid() && !python; i++)
		if (strcmp(choices[i].root, "/") != 0)
			take_core(&choices[i]);
	if (!core)
		return 0;
	expected[SAID_NOT] = answer_of_tool(GDB_ARGUMENTS(core, "leaks", "--json"));
	expected[SAID_SYSROOT] = expected[SAID_SETTING] =
		answer_of_tool(GDB_ARGUMENTS(core, "--sysroot", root, "leaks", "--json"));
	expected[SAID_EXECUTABLE] =
		answer_of_tool(GDB_ARGUMENTS(core, "-e", executable, "leaks", "--json"));
	// Else nothing would be tested.
	assert_contains(expected[SAID_NOT], "\"complete\": false");
	assert_contains(expected[SAID_SYSROOT], "\"complete\": true");
	assert_string_not_equal(expected[SAID_NOT], expected[SAID_EXECUTABLE]);
	return 0;
}

static int stop_program(void **state)
{
	(void)state;
	program_end(python);
	free(core);
	free(executable);
	free(expected[SAID_NOT]);
	free(expected[SAID_SYSROOT]);
	free(expected[SAID_EXECUTABLE]);
	interpreters_free(choices, choice_count);
	return 0;
}

static char *answer_path(enum said said)
{
	char *path;

	assert_true(asprintf(&path, "%s/answer%d.json", python->folder, (int)said) > 0);
	return path;
}

/* The command whose answer goes into that file. */
static char *leaks(enum said said)
{
	AUTO_TEXT path = answer_path(said);
	AUTO_TEXT words = NULL;
	char *command;

	if (said == SAID_SYSROOT)
		assert_true(asprintf(&words, "--sysroot '%s'", root) > 0);
	if (said == SAID_EXECUTABLE)
		assert_true(asprintf(&words, "--executable '%s'", executable) > 0);
	assert_true(asprintf(&command, "pymem leaks --json --output '%s' %s", path, words ?: "") >
		    0);
	return command;
}

static void check(const struct gdb_output *output, enum said said)
{
	AUTO_TEXT path = answer_path(said);
	AUTO_TEXT answer = NULL;

	if (access(path, R_OK))
		fail_msg("no answer %d: %s%s", (int)said, output->out, output->err);
	answer = answer_of_file(path);
	unlink(path);
	assert_string_equal(answer, expected[said]);
}

static void check_all(const struct gdb_output *output)
{
	check(output, SAID_NOT);
	check(output, SAID_SYSROOT);
	check(output, SAID_EXECUTABLE);
}

static void in_gdb(const struct gdb *gdb)
{
	AUTO_TEXT without = leaks(SAID_NOT);
	AUTO_TEXT by_word = leaks(SAID_SYSROOT);
	AUTO_TEXT one_file = leaks(SAID_EXECUTABLE);
	AUTO_TEXT by_setting = leaks(SAID_SETTING);
	AUTO_TEXT setting = NULL;
	AUTO_OUTPUT output = {0};

	assert_true(asprintf(&setting, "set sysroot %s", root) > 0);
	gdb_batch(&output, gdb,
		  GDB_ARGUMENTS("-c", core, "-ex", without, "-ex", by_word, "-ex", one_file, "-ex",
				setting, "-ex", by_setting, "-ex",
				"pymem --sysroot /nonexistent/root leaks"));
	check_all(&output);
	check(&output, SAID_SETTING);
	assert_contains(output.out, "pymem: /nonexistent/root: No such file or directory");
	assert_int_equal(output.status, 1);
}

static void in_lldb(const struct gdb *lldb)
{
	AUTO_TEXT without = leaks(SAID_NOT);
	AUTO_TEXT by_word = leaks(SAID_SYSROOT);
	AUTO_TEXT one_file = leaks(SAID_EXECUTABLE);
	AUTO_OUTPUT output = {0};

	lldb_batch(&output, lldb, GDB_ARGUMENTS("--core", core),
		   GDB_ARGUMENTS(without, by_word, one_file,
				 "pymem leaks --sysroot /nonexistent/root"));
	check_all(&output);
	assert_contains(output.err, "pymem: /nonexistent/root: No such file or directory");
	assert_int_equal(output.status, 1);
}

static void finds_files(void **state)
{
	const struct gdb *debugger = any_of(state);

	if (!core) {
		print_message("no core of a program with a root of its own\n");
		skip();
	}
	if (is_lldb(debugger))
		in_lldb(debugger);
	else
		in_gdb(debugger);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(finds_files)};

	return any_run_tests("debugger files", tests, 1, start_program, stop_program);
}
