/*
 * Each expression of `path` is evaluated in the process that it was made from, and must give the
 * object that was asked for: for a sample of all its objects. Where there are several paths they
 * share nothing; where there is none the reason is right.
 */
#include "support/inspection.h"
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
	SAMPLE_MAX = 40, /* objects asked for in cores */
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

/*
 * Cores
 */

/* What is answered for the first objects of a sample, of a core or, where it is NULL, of a process.
 * NULL if the stacks of threads are not in the core: gcore cannot read them with newer glibc. */
static json_t *answer(const struct interpreter_choice *choice, const char *core, const char *pid,
		      char addresses[][24], size_t count)
{
	struct run run __attribute__((cleanup(run_clear))) = {0};
	const char *arguments[SAMPLE_MAX + 10] = {"--sysroot", choice->root, "--json", "--paths=3"};
	size_t used = 4;
	json_t *document, *result;

	if (core) {
		arguments[used++] = core;
	} else {
		arguments[used++] = "-p";
		arguments[used++] = pid;
	}
	arguments[used++] = "path";
	for (size_t i = 0; i < count; i++)
		arguments[used++] = addresses[i];
	run_tool(&run, arguments);
	assert_int_equal(run.status, 0);
	if (strstr(run.out, "missing-stacks"))
		return NULL;
	document = inspect_parse(run.out);
	result = json_incref(json_object_get(document, "result"));
	json_decref(document);
	assert_int_equal(json_array_size(json_object_get(result, "objects")), count);
	return result;
}

static void assert_same(json_t *live, json_t *core, const char *what)
{
	const json_t *objects = json_object_get(live, "objects");
	json_t *object;
	size_t i;

	// The first that differs: all of them are more than anybody reads.
	json_array_foreach(json_object_get(core, "objects"), i,
			   object) if (!json_equal(object, json_array_get(objects, i)))
		fail_msg("%s: %s\nnot %s", what, json_dumps(object, 0),
			 json_dumps(json_array_get(objects, i), 0));
	assert_true(json_equal(live, core));
	json_decref(core);
}

/* A core of gcore and one of the kernel tell what the process tells. */
static void cores_tell_the_same(void **state)
{
	const struct interpreter_choice *choice = *state;
	struct python_process *process = program_start(choice, "paths.py 20");
	char addresses[SAMPLE_MAX][24], pid[16], *core;
	FILE *sample = open_in(process, "sample", "r");
	const char *why = NULL;
	size_t count = 0;
	json_t *live, *from_core;

	assert_non_null(sample);
	while (count < SAMPLE_MAX && fscanf(sample, "%23s", addresses[count]) == 1)
		count++;
	fclose(sample);
	snprintf(pid, sizeof(pid), "%d", (int)process->pid);
	program_wait_idle(process);
	live = answer(choice, NULL, pid, addresses, count);
	core = program_gcore(process);
	from_core = answer(choice, core, NULL, addresses, count);
	if (from_core)
		assert_same(live, from_core, "gcore");
	free(core);
	program_wait_idle(process);
	core = program_core(process, &why);
	if (core)
		assert_same(live, answer(choice, core, NULL, addresses, count), "core");
	else
		print_message("%s\n", why);
	free(core);
	json_decref(live);
	program_end(process);
}

int main(int argc, char **argv)
{
	size_t count;
	struct interpreter_choice *choices = interpreters_list(&count);
	struct CMUnitTest *tests = calloc(2 * count + 1, sizeof(*tests));
	char(*names)[64] = calloc(count + 1, sizeof(*names));
	int failed;

	for (size_t i = 0; tests && names && i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "%s, cores", choices[i].name);
		tests[2 * i] = (struct CMUnitTest){choices[i].name, expressions_give_the_object,
						   NULL, NULL, &choices[i]};
		tests[2 * i + 1] =
			(struct CMUnitTest){names[i], cores_tell_the_same, NULL, NULL, &choices[i]};
	}
	failed = jobs_run_tests("path", tests, 2 * count, 2, argc, argv);
	free(names);
	free(tests);
	interpreters_free(choices, count);
	return failed;
}
