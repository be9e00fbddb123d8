/*
 * What killed a process: the signal, the address, the thread and the line that it was at, from a
 * core of the kernel and of gcore.
 */
#include "support/answer.h"
#include "support/inspection.h"
#include "support/jobs.h"
#include "support/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** What the program says of its end; "-": none. */
struct expected {
	int thread, line, signal, code;
	char address[32], sender[16];
};

static struct expected read_expected(const struct python_process *process)
{
	FILE *file = program_file(process, "crash");
	struct expected expected;

	assert_int_equal(fscanf(file, "%d %d %d %d %31s %15s", &expected.thread, &expected.line,
				&expected.signal, &expected.code, expected.address,
				expected.sender),
			 6);
	fclose(file);
	return expected;
}

static json_int_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		fail_msg("no number %s", key);
	return json_integer_value(value);
}

static void check_signal(const json_t *signal, const struct expected *expected)
{
	const json_t *address = json_object_get(signal, "address");

	assert_int_equal(number(signal, "number"), expected->signal);
	assert_string_equal(json_string_value(json_object_get(signal, "name")), "SIGSEGV");
	assert_int_equal(number(signal, "code"), expected->code);
	assert_string_equal(json_is_null(address) ? "-" : json_string_value(address),
			    expected->address);
	if (expected->sender[0] == '-')
		assert_true(json_is_null(json_object_get(signal, "sender")));
	else
		assert_int_equal(number(signal, "sender"), atoi(expected->sender));
	assert_true(
		json_is_string(json_object_get(json_object_get(signal, "instruction"), "module")));
}

/** The thread that took the signal, and no other, is the one that crashed, where it crashed. */
static void check_threads(const json_t *threads, const struct expected *expected)
{
	const json_t *thread;
	size_t i, took = 0;

	json_array_foreach(threads, i, thread)
	{
		const json_t *frames = json_object_get(thread, "frames");
		const json_t *newest = json_array_get(frames, json_array_size(frames) - 1);

		if (!json_is_true(json_object_get(thread, "took_signal")))
			continue;
		took++;
		assert_int_equal(number(thread, "tid"), expected->thread);
		assert_int_equal(number(newest, "line"), expected->line);
	}
	assert_int_equal(took, 1);
}

static void check_text(const struct view *view, const struct expected *expected)
{
	struct run run __attribute__((cleanup(run_clear))) = {0};
	char words[96], where[32];

	run_tool(&run, RUN_ARGUMENTS("--sysroot", view->python->root, view->core));
	assert_int_equal(run.status, 0);
	snprintf(words, sizeof(words), "killed by SIGSEGV");
	if (expected->address[0] != '-')
		snprintf(words, sizeof(words), "killed by SIGSEGV at address %s (%s)",
			 expected->address, expected->code == 1 ? "not mapped" : "no permission");
	assert_contains(run.out, words);
	snprintf(words, sizeof(words), "%d \"worker\" took SIGSEGV", expected->thread);
	snprintf(where, sizeof(where), "/crash.py:%d crash", expected->line);
	assert_contains(run.out, words);
	assert_contains(run.out, where);
}

static void check_crash(const struct interpreter_choice *choice, const char *way)
{
	struct view view = {.python = choice};
	struct expected expected;
	const char *why = NULL;
	char program[32], *text, *core;
	json_t *document, *result;

	snprintf(program, sizeof(program), "crash.py %s", way);
	struct python_process *process = program_start(choice, program);

	expected = read_expected(process);
	assert_int_equal(write(process->input, "\n", 1), 1);
	view.process = process;
	view.core = core = program_crash(process, &why);
	if (!core)
		jobs_skip("%s", why);
	text = inspect(&view, "threads", "--json", NULL);
	document = inspect_parse(text);
	result = json_object_get(document, "result");
	check_signal(json_object_get(result, "signal"), &expected);
	check_threads(json_object_get(result, "threads"), &expected);
	check_text(&view, &expected);
	json_decref(document);
	free(text);
	free(core);
	program_end(process);
}

/** A process that gcore looked at did not die. gcore leaves out the stacks of threads whose guard
 * is no mapping of its own, as of glibc 2.42 on. */
static void check_alive(const struct interpreter_choice *choice)
{
	struct view view = {.python = choice};
	json_t *document, *result, *thread;
	size_t i;
	char *text, *core;
	bool partial;
	struct python_process *process = program_start(choice, "crash.py sent");

	view.process = process;
	view.core = core = program_gcore(process);
	text = inspect(&view, "threads", "--json", &partial);
	document = inspect_parse(text);
	result = json_object_get(document, "result");
	assert_true(json_is_null(json_object_get(result, "signal")));
	json_array_foreach(json_object_get(result, "threads"), i, thread)
		assert_false(json_is_true(json_object_get(thread, "took_signal")));
	json_decref(document);
	free(text);
	free(core);
	program_end(process);
}

static void crashes_are_told(void **state)
{
	static const char *const ways[] = {"null", "code", "sent"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		check_crash(*state, ways[i]);
	check_alive(*state);
}

int main(int argc, char **argv)
{
	return jobs_run_on_interpreters("crash", crashes_are_told, argc, argv);
}
