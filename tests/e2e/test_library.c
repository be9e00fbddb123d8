/*
 * The library's API on real processes: a handle answers as the tool does, however many commands it
 * was asked before, and stays what it was when it was opened.
 */
#include "pymem.h"
#include "support/answer.h"
#include "support/jobs.h"
#include "support/python_process.h"
#include "support/run.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT 1234

/* A program, and how to open it. */
struct subject {
	const struct interpreter_choice *choice;
	struct python_process *process;
	struct pymem_options options;
};

static struct subject start(const struct interpreter_choice *choice)
{
	return (struct subject){
		.choice = choice,
		.process = program_start(choice, "library.py 1234"),
		.options = {.size = sizeof(struct pymem_options), .sysroot = choice->root},
	};
}

static struct pymem *open_live(const struct subject *subject)
{
	struct pymem *process;
	int status = pymem_open_pid(subject->process->pid, &subject->options, &process);

	if (status != PYMEM_OK)
		fail_msg("status %d: %s", status, pymem_error(process));
	assert_string_equal(pymem_error(process), "");
	return process;
}

/* An answer that must be whole. @return free it */
static char *ask(struct pymem *process, const char *const *words)
{
	char *text;
	size_t length;
	int status = pymem_ask(process, words, &text, &length);

	if (status != PYMEM_OK)
		fail_msg("%s: status %d: %s", words[0], status, pymem_error(process));
	assert_int_equal(strlen(text), length);
	return text;
}

/*
 * Answers
 */

/* Commands on one handle, in an order that lets each find what others left. */
static const char *const asked[][8] = {
	{"types", "--json"},
	{"info", "--json"},
	{"triage", "--json"},
	{"threads", "--json"},
	{"cycles", "1", "--json"},
	{"find", "--type", "*Kept", "--json", "--limit", "10"},
	{"memory", "--json"},
	{"leaks", "--json"},
	{"retained", "--json"},
	{"refcounts", "--json", "--redact"},
	{"check", "--json"},
	{"cycles", "--ndjson"},
	{"info", "--json"},
	{"leaks"},
	{"triage"},
	{"threads"},
	{"types"},
	{"types", "--json"},
};

static void assert_as_tool(struct pymem *process, const struct subject *subject, const char *core,
			   const char *const *words)
{
	struct run run __attribute__((cleanup(run_clear))) = {0};
	const char *arguments[16] = {core, "--sysroot", subject->choice->root};
	char *text = ask(process, words);

	memcpy(arguments + 3, words, 8 * sizeof(*words));
	run_tool(&run, arguments);
	assert_int_equal(run.status, 0);
	if (strcmp(run.out, text) != 0)
		fail_msg("%s %s: the library says\n%s\nthe tool says\n%s", words[0],
			 words[1] ? words[1] : "", text, run.out);
	free(text);
}

static void answers_are_those_of_the_tool(void **state)
{
	struct subject subject = start(*state);
	char *core = program_gcore(subject.process);
	struct pymem *process;

	subject.options.utf8 = true;
	setenv("LC_ALL", "C.UTF-8", 1);
	assert_int_equal(pymem_open_core(core, &subject.options, &process), PYMEM_OK);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		assert_as_tool(process, &subject, core, asked[i]);
	assert_as_tool(process, &subject, core, (const char *const[8]){"diff", core, "--json"});
	pymem_close(process);
	free(core);
	program_end(subject.process);
}

/* What the process does after it was opened is not seen; a second handle sees it. */
static void a_handle_is_a_snapshot(void **state)
{
	static const char *const words[] = {"cycles", "--json", NULL};
	struct subject subject = start(*state);
	struct pymem *process = open_live(&subject), *later;
	char *before = ask(process, words), *after, *changed;
	FILE *file = NULL;
	char path[sizeof(subject.process->folder) + 16];

	assert_int_equal(write(subject.process->input, "\n", 1), 1);
	snprintf(path, sizeof(path), "%s/changed", subject.process->folder);
	for (int i = 0; !file && i < 1000; i++, usleep(10000))
		file = fopen(path, "re");
	assert_non_null(file);
	fclose(file);
	after = ask(process, words);
	assert_string_equal(before, after);
	later = open_live(&subject);
	changed = ask(later, words);
	assert_contains(before, "\"cycles\": 1234");
	assert_contains(changed, "\"cycles\": 2468");
	free(before);
	free(after);
	free(changed);
	pymem_close(process);
	pymem_close(later);
	program_end(subject.process);
}

/*
 * Objects
 */

struct walk {
	uint64_t last;
	size_t count, stop_at;
	bool tracked;
};

static bool visit(void *context, const struct pymem_object *object)
{
	struct walk *walk = context;

	assert_true(object->address > walk->last);
	walk->last = object->address;
	assert_string_equal(object->type, "__main__.Kept");
	assert_true(object->size >= 16);
	assert_int_equal(object->refcount, 1);
	walk->tracked = object->tracked;
	return ++walk->count != walk->stop_at;
}

static bool count_all(void *context, const struct pymem_object *object)
{
	(void)object;
	++*(size_t *)context;
	return true;
}

static void objects_are_those_of_the_process(void **state)
{
	struct subject subject = start(*state);
	struct pymem *process = open_live(&subject);
	struct walk whole = {0}, part = {.stop_at = 10}, none = {0};
	size_t all = 0;

	assert_int_equal(pymem_each_object(process, "*.Kept", visit, &whole), PYMEM_OK);
	assert_int_equal(whole.count, COUNT);
	assert_true(whole.tracked);
	assert_int_equal(pymem_each_object(process, "*.Kept", visit, &part), PYMEM_OK);
	assert_int_equal(part.count, 10);
	assert_int_equal(pymem_each_object(process, "Kept", visit, &none), PYMEM_OK);
	assert_int_equal(none.count, 0);
	assert_int_equal(pymem_each_object(process, NULL, count_all, &all), PYMEM_OK);
	assert_true(all > 4 * COUNT);
	pymem_close(process);
	program_end(subject.process);
}

/*
 * Callbacks and threads
 */

struct watch {
	size_t reports, asked, stop_at;
};

static void count_report(void *context, const char *phase, uint64_t done, uint64_t total)
{
	struct watch *watch = context;

	(void)done;
	(void)total;
	assert_true(*phase != '\0');
	watch->reports++;
}

static bool stop_after(void *context)
{
	struct watch *watch = context;

	return watch->stop_at && ++watch->asked >= watch->stop_at;
}

static void a_call_can_be_stopped(void **state)
{
	static const char *const words[] = {"leaks", "--json", NULL};
	struct subject subject = start(*state);
	struct watch watch = {0};
	struct pymem *process;
	char *text, *again;

	subject.options.progress = count_report;
	subject.options.interrupted = stop_after;
	subject.options.context = &watch;
	process = open_live(&subject);
	text = ask(process, words);
	assert_true(watch.reports > 0);
	watch.stop_at = 3;
	assert_int_equal(pymem_ask(process, words, &again, NULL), PYMEM_INTERRUPTED);
	assert_null(again);
	assert_string_not_equal(pymem_error(process), "");
	watch = (struct watch){0};
	again = ask(process, words);
	assert_string_equal(text, again);
	free(again);
	assert_int_equal(pymem_ask(process,
				   (const char *const[]){"leaks", "--time-limit", "1ms", NULL},
				   &again, NULL),
			 PYMEM_ERROR);
	assert_contains(pymem_error(process), "time limit");
	again = ask(process, words);
	assert_string_equal(text, again);
	free(text);
	free(again);
	pymem_close(process);
	program_end(subject.process);
}

static void *count_kept(void *core)
{
	struct pymem_options options = {.size = sizeof(options)};
	struct walk walk = {0};
	struct pymem *process;
	int status = pymem_open_core(core, &options, &process);

	if (status == PYMEM_OK)
		status = pymem_each_object(process, "*.Kept", visit, &walk);
	pymem_close(process);
	return (void *)(uintptr_t)(status == PYMEM_OK ? walk.count : 0);
}

static void handles_work_side_by_side(void **state)
{
	struct subject subject = start(*state);
	char *core = program_gcore(subject.process);
	pthread_t threads[4];
	void *count;

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_kept, core), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &count), 0);
		assert_int_equal((uintptr_t)count, COUNT);
	}
	free(core);
	program_end(subject.process);
}

static void options_apply_to_every_answer(void **state)
{
	static const char *const find[] = {"find", "--type", "str", "--str", "__main__", NULL};
	struct subject subject = start(*state);
	struct pymem *process = open_live(&subject);
	char *told = ask(process, find), *hidden;

	pymem_close(process);
	subject.options.redact = true;
	process = open_live(&subject);
	hidden = ask(process, find);
	assert_contains(told, "'__main__'");
	assert_lacks(hidden, "'__main__'");
	free(told);
	free(hidden);
	hidden = ask(process, (const char *const[]){"info", "--json", NULL});
	assert_contains(hidden, "\"redacted\": true");
	free(hidden);
	pymem_close(process);
	program_end(subject.process);
}

static void fail_on_is_a_status(void **state)
{
	struct subject subject = start(*state);
	struct pymem *process = open_live(&subject);
	const char *const found[] = {"leaks", "--fail-on=cycles:1234", NULL};
	const char *const not_found[] = {"leaks", "--fail-on=cycles:1235", NULL};
	const char *const help[] = {"leaks", "--fail-on=cycles", "--help", NULL};
	char *text;

	assert_int_equal(pymem_ask(process, found, &text, NULL), PYMEM_FINDINGS);
	assert_contains(text, "cycles");
	free(text);
	free(ask(process, not_found));
	text = ask(process, help);
	assert_contains(text, "Usage:");
	free(text);
	pymem_close(process);
	program_end(subject.process);
}

int main(int argc, char **argv)
{
	size_t count;
	struct interpreter_choice *choices = interpreters_list(&count), *here = NULL;
	struct interpreter_choice *oldest = choices, *newest = choices;
	int failed;

	// Two are enough: what answers hold is tested elsewhere. Files of threads lie on this host.
	for (size_t i = 0; i < count; i++) {
		if (strverscmp(choices[i].version, oldest->version) < 0)
			oldest = &choices[i];
		if (strverscmp(choices[i].version, newest->version) > 0)
			newest = &choices[i];
		if (!strcmp(choices[i].root, "/"))
			here = &choices[i];
	}
	const struct CMUnitTest tests[] = {
		{"answers_are_those_of_the_tool, oldest", answers_are_those_of_the_tool, NULL, NULL,
		 oldest},
		{"answers_are_those_of_the_tool, newest", answers_are_those_of_the_tool, NULL, NULL,
		 newest},
		{"a_handle_is_a_snapshot", a_handle_is_a_snapshot, NULL, NULL, newest},
		{"objects, oldest", objects_are_those_of_the_process, NULL, NULL, oldest},
		{"objects, newest", objects_are_those_of_the_process, NULL, NULL, newest},
		{"a_call_can_be_stopped", a_call_can_be_stopped, NULL, NULL, newest},
		{"handles_work_side_by_side", handles_work_side_by_side, NULL, NULL, here},
		{"options_apply_to_every_answer", options_apply_to_every_answer, NULL, NULL,
		 newest},
		{"fail_on_is_a_status", fail_on_is_a_status, NULL, NULL, newest},
	};

	assert_non_null(here);
	failed = jobs_run_tests("library", tests, sizeof(tests) / sizeof(tests[0]), 2, argc, argv);
	interpreters_free(choices, count);
	return failed;
}
