/*
 * The answer does not depend on how many processors there are: commands on the core of a heap made
 * by chance, with one processor and with all.
 */
#include "support/jobs.h"
#include "support/python_process.h"
#include "support/run.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECONDS_MAX = 300 };

static const char *const commands[] = {
	"triage --json",
	"leaks --json",
	"cycles --ndjson --limit 100",
	"types --json --limit 0",
};

/* The first processor that this process may use, and how many there are. */
static int first_processor(int *count)
{
	cpu_set_t processors;
	int first = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(processors), &processors), 0);
	*count = CPU_COUNT(&processors);
	while (!CPU_ISSET(first, &processors))
		first++;
	return first;
}

static void run_line(struct run *run, const char *before, const char *core, const char *root,
		     const char *command)
{
	char line[8192];

	snprintf(line, sizeof(line), "%s %s '%s' --sysroot '%s' %s", before, run_tool_path(), core,
		 root, command);
	run_start(run, NULL, RUN_ARGUMENTS("sh", "-c", line));
	if (!run_finish(run, SECONDS_MAX))
		fail_msg("stopped after %d s: %s", SECONDS_MAX, line);
	if (run->status)
		fail_msg("exit code %d: %s: %s", run->status, line, run->err);
}

static void compare(const char *core, const char *root, const char *command, const char *pinned)
{
	struct run one = {0}, all = {0};

	run_line(&one, pinned, core, root, command);
	run_line(&all, "", core, root, command);
	if (strcmp(one.out, all.out))
		fail_msg("another answer with more processors: %s", command);
	run_clear(&all);
	run_clear(&one);
}

static void check_program(const struct interpreter_choice *choice, const char *program)
{
	struct python_process *process;
	int count, first = first_processor(&count);
	char pinned[64], *core;

	if (count < 2)
		jobs_skip("there is one processor");
	process = program_start(choice, program);
	core = program_gcore(process);
	snprintf(pinned, sizeof(pinned), "taskset -c %d", first);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		compare(core, choice->root, commands[i], pinned);
	free(core);
	program_end(process);
}

static void one_answer_for_all(void **state)
{
	const struct interpreter_choice *choice = *state;

	check_program(choice, "random_heap.py 7 30000");
}

int main(int argc, char **argv)
{
	return jobs_run_on_interpreters("processors", one_answer_for_all, argc, argv);
}
