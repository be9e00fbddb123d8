/*
 * The examples of the manual pages and of the README do what they say, on a real process.
 */
#include "support/jobs.h"
#include "support/python_process.h"
#include "support/run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const pages[] = {"docs/man/pycore-inspect.1", "docs/man/pymem-json.5",
				    "README.md"};

/** An interpreter that needs no --sysroot. */
static const struct interpreter_choice *choose(const struct interpreter_choice *choices,
					       size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(choices[i].root, "/"))
			return &choices[i];
	fail_msg("no interpreter outside of chroots");
	return NULL;
}

/** The address of the object that the program calls "session". */
static void read_address(const struct python_process *process, char address[32])
{
	FILE *file = program_file(process, "addresses");
	char name[32] = "";

	memcpy(address, "0x", 2);
	while (strcmp(name, "session") && fscanf(file, "%29s %31s", address + 2, name) == 2)
		;
	assert_string_equal(name, "session");
	fclose(file);
}

static void examples_run(void **state)
{
	size_t count;
	struct interpreter_choice *choices = interpreters_list(&count);
	struct python_process *process = program_start(choose(choices, count), "contract.py");
	char *core = program_gcore(process);
	struct run run __attribute__((cleanup(run_clear))) = {0};
	const struct run_options options = {.folder = process->folder};
	char program[4096], paths[3][4096], here[2048], address[32], pid[16];

	(void)state;
	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(program, sizeof(program), "%s/tests/programs/run_examples.py", here);
	for (size_t i = 0; i < 3; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", here, pages[i]);
	snprintf(pid, sizeof(pid), "%d", (int)process->pid);
	read_address(process, address);
	run_start(&run, &options,
		  RUN_ARGUMENTS("python3", program, run_tool_path(), pid, core, address, paths[0],
				paths[1], paths[2]));
	assert_true(run_finish(&run, 300));
	if (run.status)
		fail_msg("%s%s", run.out, run.err);
	print_message("%s", run.out);
	free(core);
	program_end(process);
	interpreters_free(choices, count);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(examples_run)};

	return jobs_run_tests("manual", tests, 1, 1, argc, argv);
}
