/*
 * Each expression of `path` is evaluated in the process that it was made from, and must give the
 * object that was asked for: for a sample of all its objects. Where there are several paths they
 * share nothing; where there is none the reason is right.
 */
#include "support/jobs.h"
#include "support/python_process.h"
#include "support/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OTHERS = 250, /* objects of the sample that are not the program's own: it adds twice as
			 many of those */
	ADDRESSES_MAX = 4096,
	WORDS_SHARE_MAX = 12, /* per cent: what only C code holds */
	SECONDS_MAX = 60,
};

/* What became of the sample. */
struct tally {
	size_t all, ok, words, own, none, verdicts, wrong;
};

static FILE *open_in(const struct python_process *process, const char *name, const char *mode)
{
	char path[5000];

	snprintf(path, sizeof(path), "%s/%s", process->folder, name);
	return fopen(path, mode);
}

/* Asks for all addresses of the sample at once. */
static void ask(const struct interpreter_choice *choice, const struct python_process *process,
		struct run *run)
{
	const char **arguments = calloc(ADDRESSES_MAX + 12, sizeof(*arguments));
	char(*addresses)[24] = calloc(ADDRESSES_MAX, sizeof(*addresses)), pid[16];
	FILE *sample = open_in(process, "sample", "r");
	size_t count = 0, used = 0;

	assert_non_null(arguments);
	assert_non_null(addresses);
	assert_non_null(sample);
	snprintf(pid, sizeof(pid), "%d", (int)process->pid);
	arguments[used++] = run_tool_path();
	arguments[used++] = "--sysroot";
	arguments[used++] = choice->root;
	arguments[used++] = "-p";
	arguments[used++] = pid;
	arguments[used++] = "--ndjson";
	arguments[used++] = "--paths=3";
	arguments[used++] = "path";
	while (count < ADDRESSES_MAX && fscanf(sample, "%23s", addresses[count]) == 1)
		arguments[used++] = addresses[count++];
	fclose(sample);
	run_program(run, arguments);
	free(arguments);
	free(addresses);
	assert_int_equal(run->status, 0);
	assert_string_equal(run->err, "");
}

/* Has the program evaluate the answer. */
static FILE *evaluate(const struct python_process *process, const struct run *run)
{
	FILE *file = open_in(process, "answer", "w");

	assert_non_null(file);
	assert_int_equal(fwrite(run->out, 1, run->out_size, file), run->out_size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(write(process->input, "\n", 1), 1);
	for (int i = 0; i < SECONDS_MAX * 20; i++) {
		file = open_in(process, "results", "r");
		if (file)
			return file;
		usleep(50000);
	}
	fail_msg("no results");
	return NULL;
}

static void count_line(const char *line, struct tally *tally)
{
	tally->all++;
	if (!strcmp(line, "ok\n"))
		tally->ok++;
	else if (!strncmp(line, "words ", 6))
		tally->words++;
	else if (!strcmp(line, "own\n"))
		tally->own++;
	else if (!strcmp(line, "verdict\n"))
		tally->verdicts++;
	else if (!strncmp(line, "none static ", 12))
		tally->none++;
	else {
		tally->wrong++;
		print_error("%.400s", line);
	}
}

static void expressions_give_the_object(void **state)
{
	const struct interpreter_choice *choice = *state;
	struct run run __attribute__((cleanup(run_clear))) = {0};
	struct tally tally = {0};
	char command[64], *line = NULL;
	struct python_process *process;
	size_t size = 0;
	FILE *results;

	snprintf(command, sizeof(command), "paths.py %d", OTHERS);
	process = program_start(choice, command);
	ask(choice, process, &run);
	results = evaluate(process, &run);
	while (getline(&line, &size, results) > 0)
		count_line(line, &tally);
	free(line);
	fclose(results);
	print_message("%s: %zu objects: %zu evaluated, %zu in words, %zu static, %zu of the thread "
		      "that evaluates\n",
		      choice->name, tally.all, tally.ok, tally.words, tally.none, tally.own);
	assert_int_equal(tally.wrong, 0);
	assert_int_equal(tally.verdicts, 3); /* of garbage */
	assert_true(tally.all >= 3 * OTHERS);
	assert_true(tally.words * 100 <= tally.all * WORDS_SHARE_MAX);
	assert_true(tally.own * 100 <= tally.all * 2);
	program_end(process);
}

int main(int argc, char **argv)
{
	return jobs_run_on_interpreters("path", expressions_give_the_object, argc, argv);
}
