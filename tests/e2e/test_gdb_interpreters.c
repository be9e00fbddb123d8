/*
 * GDB and the tool say the same of every Python that is on this machine, on a heap with garbage of
 * every kind: of the process, and of a core that GDB wrote.
 */
#include "support/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void end_program(struct python_process **process)
{
	program_end(*process);
}

static void agrees_with_the_tool(void **state)
{
	const struct interpreter_choice *choice = *state;
	struct python_process *python __attribute__((cleanup(end_program))) =
		program_start(choice, "zoo.py");
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char pid[16], *core, *command;
	struct gdb gdb;

	gdb_find(&gdb, "host");
	gdb_of((void *[]){&gdb});
	snprintf(pid, sizeof(pid), "%d", (int)python->pid);
	assert_same_answer(
		answer_of_gdb(&gdb, python->folder, "pymem leaks --json", GDB_ARGUMENTS("-p", pid)),
		answer_of_tool(GDB_ARGUMENTS("-p", pid, "leaks", "--json")));

	assert_true(asprintf(&core, "%s/core", python->folder) > 0);
	assert_true(asprintf(&command, "generate-core-file %s", core) > 0);
	gdb_batch(&output, &gdb, GDB_ARGUMENTS("-p", pid, "-ex", command));
	assert_same_answer(answer_of_gdb(&gdb, python->folder, "pymem leaks --json",
					 GDB_ARGUMENTS("-c", core)),
			   answer_of_tool(GDB_ARGUMENTS(core, "leaks", "--json")));
	free(command);
	free(core);
}

int main(void)
{
	size_t count;
	struct interpreter_choice *choices = interpreters_list(&count);
	struct CMUnitTest *tests = calloc(count, sizeof(*tests));
	int result;

	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){.name = choices[i].name,
					       .test_func = agrees_with_the_tool,
					       .initial_state = &choices[i]};
	result = _cmocka_run_group_tests("gdb interpreters", tests, count, NULL, NULL);
	free(tests);
	interpreters_free(choices, count);
	return result;
}
