/*
 * A process that is looked at while its collector runs: when it is about to begin, when it has
 * ended, when it calls a finalizer or a weakref's callback, and at any moment of it.
 *
 * The answer must be exact when the collector rests at a known place. At any moment it may be
 * partial, but never names an object that is not garbage.
 */
#include "support/jobs.h"

#include "support/collector_truth.h"
#include "support/found.h"
#include "support/inspection.h"
#include "support/python_process.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS = 2, SAMPLES = 10, PATH_SIZE = 8192 };

/* What is to be found at a moment of a collection. */
enum expected {
	ALL,	   /**< all that the collection finds */
	NOTHING,   /**< it is freed already */
	REACHABLE, /**< all but what the program says is reachable now */
	NOTHING_INVENTED,
};

static const struct moment {
	const char *words;
	enum expected expected;
} moments[] = {
	{"states.py start", ALL},
	{"states.py stop", NOTHING},
	{"states.py finalizer", REACHABLE},
	{"states.py weakref", ALL},
	{"states.py busy", NOTHING_INVENTED},
};

/* One moment in one interpreter: the state of a test. */
struct test_case {
	const struct interpreter_choice *python;
	const struct moment *moment;
};

static void free_text(char **text)
{
	free(*text);
}

static void end_program(struct python_process **process)
{
	program_end(*process);
}

// Takes the objects out of the truth that the program lists in the file "reachable".
static void leave_out_reachable(struct truth *truth, const char *folder)
{
	char path[PATH_SIZE], line[64];
	size_t kept = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/reachable", folder);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		const struct truth_object *object = truth_find(truth, strtoull(line, NULL, 16));

		assert_non_null(object);
		((struct truth_object *)object)->gone = true;
	}
	fclose(file);
	for (size_t i = 0; i < truth->count; i++) {
		if (truth->objects[i].gone)
			free(truth->objects[i].type);
		else
			truth->objects[kept++] = truth->objects[i];
	}
	truth->count = kept;
}

static void check_view(const struct view *view, const struct truth *truth, enum expected expected)
{
	struct found found __attribute__((cleanup(found_clear))) = {0};
	bool partial, *may_be_partial = expected == NOTHING_INVENTED ? &partial : NULL;
	char *lines __attribute__((cleanup(free_text))) =
		inspect(view, "cycles", "--ndjson", may_be_partial);

	found_read(&found, lines);
	if (expected == NOTHING)
		assert_int_equal(found.count, 0);
	else if (expected != NOTHING_INVENTED)
		found_check(&found, truth);
	else
		for (size_t i = 0; i < found.count; i++)
			if (!truth_find(truth, found.objects[i].address))
				fail_msg("invented: 0x%llx %s",
					 (unsigned long long)found.objects[i].address,
					 found.objects[i].type);
}

static bool is_collecting(const struct view *view, bool *partial)
{
	char *text __attribute__((cleanup(free_text))) = inspect(view, "info", "--json", partial);
	json_t *document = inspect_parse(text), *interpreter;
	bool collecting;

	interpreter = json_array_get(
		json_object_get(json_object_get(document, "result"), "interpreters"), 0);
	assert_non_null(interpreter);
	collecting = json_is_true(json_object_get(interpreter, "collecting"));
	json_decref(document);
	return collecting;
}

static void test_moment(void **state)
{
	const struct test_case *test = *state;
	enum expected expected = test->moment->expected;
	struct python_process *process __attribute__((cleanup(end_program))) = NULL;
	struct truth truth __attribute__((cleanup(truth_clear))) = {0};
	struct view view = {test->python, NULL, NULL};
	char *core __attribute__((cleanup(free_text))) = NULL;
	bool partial;
	const char *why;

	if (strcmp(test->python->root, "/") != 0 && geteuid() != 0)
		jobs_skip("only root can enter %s", test->python->root);
	view.process = process = program_start(test->python, test->moment->words);
	truth_read(&truth, process->folder, false);
	if (expected == REACHABLE)
		leave_out_reachable(&truth, process->folder);
	for (int i = 0; i < (expected == NOTHING_INVENTED ? SAMPLES : 1); i++) {
		check_view(&view, &truth, expected);
		usleep(7919);
	}
	core = program_core(process, &why);
	if (!core)
		jobs_skip("the live process is exact; %s", why);
	view.core = core;
	check_view(&view, &truth, expected);
	if (!is_collecting(&view, &partial))
		assert_int_equal(expected, NOTHING_INVENTED);
}

int main(int argc, char **argv)
{
	enum { MOMENTS = sizeof(moments) / sizeof(*moments) };
	size_t python_count, count = 0;
	struct interpreter_choice *pythons = interpreters_list(&python_count);
	struct CMUnitTest *tests = calloc(python_count * MOMENTS + 1, sizeof(*tests));
	struct test_case *cases = calloc(python_count * MOMENTS + 1, sizeof(*cases));
	int failed;

	for (size_t m = 0; m < MOMENTS; m++) {
		for (size_t i = 0; i < python_count; i++, count++) {
			char *name;

			if (asprintf(&name, "%s: %s", pythons[i].name, moments[m].words) < 0)
				return 1;
			cases[count] = (struct test_case){&pythons[i], &moments[m]};
			tests[count] =
				(struct CMUnitTest){name, test_moment, NULL, NULL, &cases[count]};
		}
	}
	failed = jobs_run_tests("collecting", tests, count, WORKERS, argc, argv);
	for (size_t i = 0; i < count; i++)
		free((char *)tests[i].name);
	free(tests);
	free(cases);
	interpreters_free(pythons, python_count);
	return failed;
}
