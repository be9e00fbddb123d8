/*
 * What grew between two states of a process, or of two processes of one program: exactly what the
 * program says that it made grow, whatever else it does in between.
 */
#include "support/answer.h"
#include "support/inspection.h"
#include "support/jobs.h"
#include "support/run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AUTO_RUN  struct run __attribute__((cleanup(run_clear)))
#define AUTO_JSON json_t __attribute__((cleanup(free_json)))

enum { COUNT = 300, ARGUMENTS_MAX = 16, EXIT_PARTIAL = 4 };

static void free_json(json_t **json)
{
	json_decref(*json);
}

/* A program that grows on request. */
struct subject {
	const struct interpreter_choice *python;
	struct python_process *process;
	char pid[16];
};

static struct subject start(const struct interpreter_choice *python)
{
	struct subject subject = {.python = python};
	char program[32];

	snprintf(program, sizeof(program), "growth.py %d", COUNT);
	subject.process = program_start(python, program);
	snprintf(subject.pid, sizeof(subject.pid), "%d", (int)subject.process->pid);
	return subject;
}

/* Runs the tool on the process or the core; arguments end in NULL. */
static void run_on(struct run *run, const struct subject *subject, const char *const *arguments)
{
	const char *all[ARGUMENTS_MAX] = {"--sysroot", subject->python->root};
	size_t count = 2;

	while (*arguments)
		all[count++] = *arguments++;
	all[count] = NULL;
	run_tool(run, all);
}

#define RUN_ON(run, subject, ...) run_on(run, subject, RUN_ARGUMENTS(__VA_ARGS__))

static json_t *result_of(const struct run *run, int status)
{
	json_t *document, *result;

	if (run->status != status)
		fail_msg("exit code %d, not %d: %s", run->status, status, run->err);
	document = inspect_parse(run->out);
	result = json_incref(json_object_get(document, "result"));
	json_decref(document);
	assert_non_null(result);
	return result;
}

static json_int_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		fail_msg("no number %s", key);
	return json_integer_value(value);
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static bool ends_in(const char *whole, const char *end)
{
	return strlen(whole) >= strlen(end) && !strcmp(whole + strlen(whole) - strlen(end), end);
}

/* The entry of an array of which a member ends in a text; it is taken out of the array. */
static json_t *take(const json_t *result, const char *array, const char *key, const char *end)
{
	json_t *entries = json_object_get(result, array), *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		if (!ends_in(text(entry, key), end))
			continue;
		json_incref(entry);
		json_array_remove(entries, i);
		return entry;
	}
	fail_msg("no %s in %s: %s", end, array, json_dumps(entries, JSON_INDENT(1)));
	return NULL;
}

static void check_holder(const json_t *result, const char *path, const char *root,
			 const char *mostly)
{
	AUTO_JSON *row = take(result, "holders", "path", path);

	assert_string_equal(text(row, "root"), root);
	assert_int_equal(number(row, "items_before"), COUNT);
	assert_int_equal(number(row, "items"), 2 * COUNT);
	assert_true(ends_in(text(row, "mostly"), mostly) || strstr(text(row, "mostly"), mostly));
	assert_true(number(row, "bytes_grown") > COUNT * 40);
	assert_true(json_is_true(json_object_get(row, "steady")));
}

/* How many objects of a type a row gained. */
static json_int_t gained(const json_t *row, const char *type)
{
	const json_t *part;
	size_t i;

	json_array_foreach(json_object_get(row, "types"), i, part)
	{
		if (!strcmp(text(part, "type"), type))
			return number(part, "objects_grown");
	}
	return 0;
}

static void check_others(const json_t *result, bool is_3_15)
{
	// From 3.15 on a bytearray keeps its bytes in an object of that type.
	AUTO_JSON *buffer =
		take(result, "holders", "path", is_3_15 ? "app.buffer[…]" : "app.buffer");
	AUTO_JSON *chain = take(result, "holders", "path", "app.head");
	AUTO_JSON *garbage = take(result, "holders", "root", "garbage");
	AUTO_JSON *lost = take(result, "holders", "root", "nothing");

	assert_in_range(number(buffer, "bytes_grown"), COUNT * 100, COUNT * 120);
	assert_int_equal(gained(chain, "__main__.Node"), COUNT);
	assert_int_equal(gained(garbage, "__main__.Request"), COUNT);
	assert_int_equal(gained(garbage, "__main__.Answer"), COUNT);
	// A stale word of a C stack may seem to hold one.
	assert_in_range(gained(lost, "__main__.Lost"), COUNT - 3, COUNT + 3);
}

static void check_groups(const json_t *result)
{
	AUTO_JSON *cycles = take(result, "cycles", "modules", "__main__");
	AUTO_JSON *leaked = take(result, "leaked", "type", "__main__.Lost");

	assert_non_null(strstr(text(cycles, "shape"), "Request.answer -> Answer"));
	assert_int_equal(number(cycles, "cycles_before"), COUNT);
	assert_int_equal(number(cycles, "cycles"), 2 * COUNT);
	assert_in_range(number(leaked, "heads_before"), COUNT - 3, COUNT);
	assert_in_range(number(leaked, "heads"), 2 * COUNT - 3, 2 * COUNT);
	assert_int_equal(number(leaked, "excess"), 1);
	assert_int_equal(json_array_size(json_object_get(result, "cycles")), 0);
	assert_int_equal(json_array_size(json_object_get(result, "leaked")), 0);
}

static void check_type(const json_t *result, const char *type, json_int_t grown)
{
	AUTO_JSON *row = take(result, "types", "type", type);

	assert_int_equal(number(row, "objects_grown"), grown);
	assert_int_equal(number(row, "objects") - number(row, "objects_before"), grown);
}

/* All that the program made grow, and nothing else. */
static void check_growth(const json_t *result, bool is_3_15)
{
	AUTO_JSON *cache = take(result, "holders", "path", "app.cache._entries");

	assert_int_equal(number(cache, "items_before"), COUNT);
	assert_int_equal(number(cache, "items"), 2 * COUNT);
	assert_string_equal(text(cache, "type"), "dict");
	assert_string_equal(text(cache, "mostly"), "__main__.Session");
	assert_int_equal(gained(cache, "__main__.Session"), COUNT);
	assert_int_equal(gained(cache, "list"), COUNT);
	assert_int_equal(gained(cache, "str"), COUNT);
	assert_int_equal(gained(cache, "float"), 2 * COUNT);
	check_holder(result, ": jobs", "frame", "coroutine handler");
	check_holder(result, "app.cache.by_user[…]", "modules", "tuple");
	check_holder(result, "app.cache.recent", "modules", "__main__.Visit");
	check_holder(result, "app.cache.by_page", "modules", "__main__.Visit");
	check_others(result, is_3_15);
	if (json_array_size(json_object_get(result, "holders")))
		fail_msg("more holders: %s",
			 json_dumps(json_object_get(result, "holders"), JSON_INDENT(1)));
	check_groups(result);
	check_type(result, "__main__.Session", COUNT);
	check_type(result, "__main__.Visit", 2 * COUNT);
	check_type(result, "coroutine", COUNT);
	check_type(result, "float", 5 * COUNT);
	check_type(result, "tuple", COUNT);
}

/* One gcore, then the process itself and another process of the program. */
static void growth_is_found(void **state)
{
	struct subject subject = start(*state), other = start(*state);
	bool is_3_15 = !strncmp(subject.python->version, "3.15", 4);
	AUTO_RUN first = {0}, second = {0}, third = {0};
	char *core;

	program_request(subject.process, "gc");
	core = program_gcore(subject.process);
	program_request(subject.process, "cgc");
	RUN_ON(&first, &subject, "-p", subject.pid, "diff", core, "--json", "--limit=0");
	AUTO_JSON *same = result_of(&first, 0);

	check_growth(same, is_3_15);
	assert_true(json_is_true(json_object_get(same, "one_process")));
	program_request(other.process, "cgccgc");
	RUN_ON(&second, &other, "-p", other.pid, "diff", core, "--json", "--limit=0");
	AUTO_JSON *run = result_of(&second, 0);

	check_growth(run, is_3_15);
	assert_true(json_is_false(json_object_get(run, "one_process")));
	RUN_ON(&third, &subject, core, "diff", core);
	assert_int_equal(third.status, 0);
	assert_memory_equal(third.out, "No growth", 9);
	free(core);
	program_end(subject.process);
	program_end(other.process);
}

/*
 * Once
 */

static const struct interpreter_choice *newest;

/* Of two cores of one process the collector tells the age, in whatever order they are named. */
static void cores_are_ordered_by_age(void **state)
{
	struct subject subject = start(newest);
	AUTO_RUN forth = {0}, back = {0}, lines = {0};
	char *old, *new;

	(void)state;
	program_request(subject.process, "g");
	old = program_gcore(subject.process);
	// gcore names its file by the pid.
	char kept[5000];

	snprintf(kept, sizeof(kept), "%s.old", old);
	assert_int_equal(rename(old, kept), 0);
	program_request(subject.process, "xg");
	new = program_gcore(subject.process);
	RUN_ON(&forth, &subject, kept, "diff", new, "--json");
	RUN_ON(&back, &subject, "diff", new, kept, "--json");
	AUTO_JSON *one = result_of(&forth, 0);
	AUTO_JSON *two = result_of(&back, 0);

	assert_true(number(one, "bytes_grown") > 0);
	assert_true(json_equal(one, two));
	RUN_ON(&lines, &subject, kept, "diff", new, "--ndjson");
	assert_int_equal(lines.status, 0);
	assert_contains(lines.out, "{\"row\":\"holder\",\"path\":\"app.cache._entries\"");
	assert_contains(lines.out, "{\"row\":\"leaked\",\"type\":\"__main__.Lost\"");
	free(old);
	free(new);
	program_end(subject.process);
}

static void snapshots_show_steady_growth(void **state)
{
	struct subject subject = start(newest);
	AUTO_RUN run = {0};

	(void)state;
	program_request(subject.process, "s");
	RUN_ON(&run, &subject, "-p", subject.pid, "diff", "--every", "400ms", "--times=4",
	       "--json");
	AUTO_JSON *result = result_of(&run, 0);
	AUTO_JSON *cache = take(result, "holders", "path", "app.cache._entries");

	assert_int_equal(json_array_size(json_object_get(result, "snapshots")), 4);
	assert_int_equal(json_array_size(json_object_get(cache, "objects_by_snapshot")), 4);
	assert_true(number(cache, "items") > number(cache, "items_before"));
	program_end(subject.process);
}

/* From two snapshots on an answer is given, whatever ends the waiting. */
static void waiting_may_end_early(void **state)
{
	static const int signals[] = {SIGINT, 0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct subject subject = start(newest);
		AUTO_RUN run = {0};

		run_start(&run, &(struct run_options){0},
			  RUN_ARGUMENTS(run_tool_path(), "--sysroot", newest->root, "-p",
					subject.pid, "diff", "--every", "700ms", "--times=1000"));
		usleep(3500000);
		if (signals[i])
			kill(run.pid, signals[i]);
		else
			kill(subject.process->pid, SIGKILL);
		assert_true(run_finish(&run, 60));
		assert_int_equal(run.status, EXIT_PARTIAL);
		assert_contains(run.out, "No growth");
		assert_contains(run.out, " of 1000 snapshots: ");
		assert_contains(run.err, "answered in part");
		program_end(subject.process);
	}
}

static void one_snapshot_is_no_answer(void **state)
{
	struct subject subject = start(newest);
	AUTO_RUN run = {0};

	(void)state;
	run_start(&run, &(struct run_options){0},
		  RUN_ARGUMENTS(run_tool_path(), "--sysroot", newest->root, "-p", subject.pid,
				"diff", "--every", "10m"));
	usleep(2000000);
	kill(subject.process->pid, SIGKILL);
	assert_true(run_finish(&run, 60));
	assert_int_equal(run.status, 1);
	assert_string_equal(run.out, "");
	assert_contains(run.err, "ended after 1 of the snapshots");
	program_end(subject.process);
}

static void wrong_words_are_told(void **state)
{
	struct subject subject = start(newest);
	AUTO_RUN both = {0}, none = {0}, times = {0}, time = {0};
	char *core = program_gcore(subject.process);

	(void)state;
	RUN_ON(&both, &subject, "-p", subject.pid, "diff", core, "--every", "1s");
	assert_int_equal(both.status, 2);
	RUN_ON(&none, &subject, core, "diff");
	assert_int_equal(none.status, 2);
	assert_contains(none.err, "second core");
	RUN_ON(&times, &subject, "-p", subject.pid, "diff", "--times=1");
	assert_int_equal(times.status, 2);
	RUN_ON(&time, &subject, "-p", subject.pid, "diff", "--every=soon");
	assert_int_equal(time.status, 2);
	assert_contains(time.err, "30s");
	free(core);
	program_end(subject.process);
}

int main(int argc, char **argv)
{
	size_t count;
	struct interpreter_choice *choices = interpreters_list(&count);
	const struct CMUnitTest once[] = {
		cmocka_unit_test(cores_are_ordered_by_age),
		cmocka_unit_test(snapshots_show_steady_growth),
		cmocka_unit_test(waiting_may_end_early),
		cmocka_unit_test(one_snapshot_is_no_answer),
		cmocka_unit_test(wrong_words_are_told),
	};
	size_t others = sizeof(once) / sizeof(once[0]);
	struct CMUnitTest *tests = calloc(count + others + 1, sizeof(*tests));
	int failed;

	newest = choices;
	for (size_t i = 0; tests && i < count; i++) {
		if (strverscmp(choices[i].version, newest->version) > 0)
			newest = &choices[i];
		tests[i] = (struct CMUnitTest){choices[i].name, growth_is_found, NULL, NULL,
					       &choices[i]};
	}
	if (tests)
		memcpy(tests + count, once, sizeof(once));
	failed = jobs_run_tests("diff", tests, count + others, 3, argc, argv);
	free(tests);
	interpreters_free(choices, count);
	return failed;
}
