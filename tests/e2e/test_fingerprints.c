/*
 * Fingerprints are the same in another process with another hash seed and in another micro release
 * of the interpreter, and different for different findings; --fail-on tells scripts of findings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/inspection.h"
#include "support/python_process.h"
#include "support/run.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUTO_RUN struct run __attribute__((cleanup(run_clear)))

// What an instance with inline values and a dict visits changed in 3.13.13, and parts of the
// standard library that the program uses change: so many of some 170 groups differ between micro
// releases.
enum { CHANGED = 3 };

/** The fingerprints of one process, sorted. */
struct prints {
	char *items[256];
	size_t count;
};

static int compare_text(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void add_groups(struct prints *prints, const json_t *groups)
{
	const json_t *group;
	size_t i;

	json_array_foreach(groups, i, group)
	{
		const char *text = json_string_value(json_object_get(group, "fingerprint"));

		assert_non_null(text);
		assert_true(prints->count < 256);
		prints->items[prints->count++] = strdup(text);
	}
}

// The fingerprints of all cycles in a program that makes every kind of them.
static struct prints read_prints(const struct interpreter_choice *choice, const char *seed)
{
	struct prints prints = {.count = 0};
	char program[64];

	snprintf(program, sizeof(program), "PYTHONHASHSEED=%s zoo.py plain", seed);
	struct python_process *process = program_start(choice, program);
	const struct view view = {.python = choice, .process = process};
	char *text = inspect(&view, "cycles", "--json", NULL);
	json_t *document = inspect_parse(text);

	add_groups(&prints, json_object_get(json_object_get(document, "result"), "groups"));
	qsort(prints.items, prints.count, sizeof(prints.items[0]), compare_text);
	json_decref(document);
	free(text);
	program_end(process);
	return prints;
}

static void free_prints(struct prints *prints)
{
	for (size_t i = 0; i < prints->count; i++)
		free(prints->items[i]);
}

// How many of the first are not in the second.
static size_t count_missing(const struct prints *prints, const struct prints *others)
{
	size_t missing = 0;

	for (size_t i = 0; i < prints->count; i++)
		if (!bsearch(&prints->items[i], others->items, others->count,
			     sizeof(others->items[0]), compare_text)) {
			print_message("only in one: %s\n", prints->items[i]);
			missing++;
		}
	return missing;
}

// `changed`: of how many groups what tp_traverse visits may have changed.
static void assert_same(const struct prints *prints, const struct prints *others, size_t changed)
{
	assert_true(prints->count > 20);
	assert_true(count_missing(prints, others) <= changed);
	assert_true(count_missing(others, prints) <= changed);
}

static size_t minor_length(const char *version)
{
	return (size_t)(strrchr(version, '.') - version) + 1;
}

// Do they run the same program? What there is to import, and so what it makes, depends on the root.
static bool comparable(const struct interpreter_choice *a, const struct interpreter_choice *b)
{
	return !strncmp(a->version, b->version, minor_length(b->version)) &&
	       !strcmp(a->root, "/") == !strcmp(b->root, "/");
}

static void test_seeds_and_micro_releases(void **state)
{
	size_t count;
	struct interpreter_choice *choices = interpreters_all(&count);
	struct prints all[64];

	(void)state;
	assert_true(count && count <= 64);
	for (size_t i = 0; i < count; i++) {
		char seed[24];
		size_t first = 0;

		snprintf(seed, sizeof(seed), "%zu", i + 1);
		all[i] = read_prints(&choices[i], seed);
		while (!comparable(&choices[first], &choices[i]))
			first++;
		print_message("%s: %zu fingerprints\n", choices[i].name, all[i].count);
		if (first < i)
			assert_same(&all[first], &all[i], CHANGED);
	}
	struct prints again = read_prints(&choices[0], "4711");
	assert_same(&all[0], &again, 0);
	free_prints(&again);
	for (size_t i = 0; i < count; i++)
		free_prints(&all[i]);
	interpreters_free(choices, count);
}

static const json_t *group_of_type(const json_t *groups, const char *type, const char *kind)
{
	const json_t *group;
	size_t i;

	json_array_foreach(groups, i, group)
	{
		const char *name = json_string_value(json_object_get(group, "type"));
		const char *what = json_string_value(json_object_get(group, "kind"));

		if (name && what && !strcmp(name, type) && !strcmp(what, kind))
			return group;
	}
	return NULL;
}

// Leaked references: the same in two processes, others for other types.
static void test_leaked_references(void **state)
{
	static const char *const types[] = {"list", "dict", "bytes", "int"};
	size_t count;
	struct interpreter_choice *choices = interpreters_list(&count);
	char *first[4] = {NULL};

	(void)state;
	for (int run = 0; run < 2; run++) {
		struct python_process *process = program_start(
			&choices[count - 1], run ? "PYTHONHASHSEED=1 leak.py 20 1000"
						 : "PYTHONHASHSEED=2 leak.py 30 1000");
		const struct view view = {.python = &choices[count - 1], .process = process};
		char *text = inspect(&view, "refcounts", "--json", NULL);
		json_t *document = inspect_parse(text);
		const json_t *leaked =
			json_object_get(json_object_get(document, "result"), "leaked");

		for (size_t i = 0; i < 4; i++) {
			const json_t *group =
				group_of_type(json_object_get(leaked, "groups"), types[i], "lost");
			const char *print =
				json_string_value(json_object_get(group, "fingerprint"));

			assert_non_null(print);
			if (first[i])
				assert_string_equal(print, first[i]);
			else
				first[i] = strdup(print);
		}
		json_decref(document);
		free(text);
		program_end(process);
	}
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(first[i], first[k]);
	for (size_t i = 0; i < 4; i++)
		free(first[i]);
	interpreters_free(choices, count);
}

static void expect(const struct python_process *process, const char *command, const char *list,
		   int status, const char *message)
{
	AUTO_RUN run = {0};
	char pid[16], option[128];

	snprintf(pid, sizeof(pid), "%d", process->pid);
	snprintf(option, sizeof(option), "--fail-on=%s", list);
	run_tool(&run, RUN_ARGUMENTS("-p", pid, command, option));
	if (run.status != status || !strstr(run.err, message))
		fail_msg("%s %s: exit code %d, not %d: %s", command, option, run.status, status,
			 run.err);
	if (status != 2)
		assert_true(run.out_size > 0);
}

static void test_exit_code(void **state)
{
	size_t count;
	struct interpreter_choice *choices = interpreters_list(&count);
	struct python_process *process = program_start(&choices[0], "leak.py 20 1000");

	(void)state;
	expect(process, "leaks", "lost", 5, "");
	expect(process, "leaks", "lost:1000000", 0, "");
	expect(process, "triage", "lost:1000000,excess:10", 5, "");
	expect(process, "refcounts", "over-released:10", 5, "");
	expect(process, "check", "damage", 5, "");
	expect(process, "cycles", "cycles:1000000", 0, "");
	expect(process, "cycles", "lost", 2, "cycles does not look for lost");
	expect(process, "leaks", "cycle", 2, "did you mean cycles?");
	expect(process, "leaks", "lost:many", 2, "needs a number");
	expect(process, "leaks", "lost:0", 2, "needs a number");
	expect(process, "info", "lost", 2, "info takes no option --fail-on");
	program_end(process);
	interpreters_free(choices, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seeds_and_micro_releases),
		cmocka_unit_test(test_leaked_references),
		cmocka_unit_test(test_exit_code),
	};

	return cmocka_run_group_tests_name("fingerprints", tests, NULL, NULL);
}
