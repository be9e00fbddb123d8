/*
 * A program that leaks nothing, in memory that held much else before: the census finds all
 * references to its objects.
 */
#include "support/jobs.h"
#include "support/opened.h"

#include <inttypes.h>
#include <stdio.h>

enum { SEEDS = 2, OBJECTS_MIN = 1000, SHOWN_MAX = 5 };

static void check_file(const struct census *census, const struct python_process *process)
{
	FILE *file = program_file(process, "held");
	size_t count = 0, wrong = 0;
	uint64_t address;

	for (; fscanf(file, "%" SCNx64, &address) == 1 && wrong < SHOWN_MAX; count++)
		wrong += !opened_all_found(census, address);
	fclose(file);
	assert_int_equal(wrong, 0);
	assert_true(count >= OBJECTS_MIN);
}

static void check_program(const struct interpreter_choice *choice, int seed)
{
	struct python_process *process;
	struct opened opened;
	struct census *census;
	char program[64];

	snprintf(program, sizeof(program), "recycled.py %d", seed);
	process = program_start(choice, program);
	program_wait_idle(process);
	opened_open(&opened, choice, process, NULL);
	assert_null(census_take(opened.objects, NULL, &census));
	check_file(census, process);
	census_free(census);
	opened_close(&opened);
	program_end(process);
}

static void all_references_are_found(void **state)
{
	for (int seed = 1; seed <= SEEDS; seed++)
		check_program(*state, seed);
}

int main(int argc, char **argv)
{
	return jobs_run_on_interpreters("census", all_references_are_found, argc, argv);
}
