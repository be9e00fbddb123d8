/*
 * `show` and `find` answer the same of a process in GDB, of the process by the tool, and of a core.
 */
#include "support/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct python_process *python;
static char *core, pid[16];

static int start_program(void **state)
{
	(void)state;
	python = gdb_python("showable.py");
	snprintf(pid, sizeof(pid), "%d", (int)python->pid);
	core = program_gcore(python);
	return 0;
}

static int stop_program(void **state)
{
	(void)state;
	program_end(python);
	free(core);
	return 0;
}

/* The address of an object whose line in the file "objects" has the text. */
static void find_object(const char *part, char *address, size_t size)
{
	char *line = NULL;
	size_t length = 0;
	FILE *file;

	file = program_file(python, "objects");
	*address = '\0';
	while (!*address && getline(&line, &length, file) > 0)
		if (strstr(line, part))
			snprintf(address, size, "0x%lx",
				 strtoul(line + strlen("{\"address\": "), NULL, 10));
	fclose(file);
	free(line);
	assert_true(*address);
}

static void check_same(const struct gdb *gdb, const char *command, const char *argument,
		       const char *option)
{
	char words[256], *of_tool;

	snprintf(words, sizeof(words), "pymem %s %s %s --json", command, argument, option);
	of_tool = answer_of_tool(GDB_ARGUMENTS("-p", pid, command, argument, option, "--json"));
	assert_contains(of_tool, "\"type\"");
	assert_same_answer(answer_of_gdb(gdb, python->folder, words, GDB_ARGUMENTS("-p", pid)),
			   strdup(of_tool));
	assert_same_answer(answer_of_tool(GDB_ARGUMENTS(core, command, argument, option, "--json")),
			   of_tool);
}

static void the_same_is_shown(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	char address[32];

	find_object("__main__.Session", address, sizeof(address));
	check_same(gdb, "show", address, "--depth=3");
	find_object("collections.OrderedDict", address, sizeof(address));
	check_same(gdb, "show", address, "--redact");
}

static void the_same_is_found(void **state)
{
	check_same(gdb_of(state), "find", "--type=__main__.*", "--limit=0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_is_shown),
		cmocka_unit_test(the_same_is_found),
	};

	return gdb_run_tests("gdb show", tests, sizeof(tests) / sizeof(tests[0]), start_program,
			     stop_program);
}
