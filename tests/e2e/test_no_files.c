/*
 * Cores whose executable and libraries are not here: CPython is found, its version told and its
 * types named from the dumped memory alone. For a heap of types that have decoders the unreachable
 * set is still the real collector's, types included; for others nothing is invented.
 */
#include "support/jobs.h"

#include "support/answer.h"
#include "support/collector_truth.h"
#include "support/found.h"
#include "support/inspection.h"
#include "support/python_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORKERS = 2 };

/* One program in one interpreter: the state of a test. */
struct test_case {
	const struct interpreter_choice *python;
	const char *program;
	bool native; /**< all its types have decoders */
};

struct subject {
	struct python_process *process;
	struct truth truth;
	struct interpreter_choice hidden; /**< the same, with an empty folder as its root */
	char *folder;			  /**< that folder */
};

static void subject_clear(struct subject *subject)
{
	if (subject->folder)
		rmdir(subject->folder);
	free(subject->folder);
	program_end(subject->process);
	truth_clear(&subject->truth);
}

static void free_text(char **text)
{
	free(*text);
}

/*
 * Debian took the newer rule of managed dicts (gh-130327) into its 3.13.5, and only the machine
 * code tells: without it that build is read by the rule of its version, which can miss garbage.
 * From 3.14 on the program's own trash has two metatypes of _ctypes, which have no decoder.
 */
static bool is_exact(const struct test_case *test, const struct truth *truth)
{
	for (size_t i = 0; i < truth->count; i++)
		if (strncmp(truth->objects[i].type, "_ctypes.", 8) == 0)
			return false;
	return test->native && strcmp(test->python->version, "3.13.5") != 0;
}

/* Each object is one that the collector found. */
static void check_subset(const struct found *found, const struct truth *truth)
{
	for (size_t i = 0; i < found->count; i++)
		if (!truth_find(truth, found->objects[i].address))
			fail_msg("%s at %#llx is in use", found->objects[i].type,
				 (unsigned long long)found->objects[i].address);
}

static void check_core(const struct test_case *test, const struct subject *subject,
		       const char *core)
{
	const struct view view = {&subject->hidden, subject->process, core};
	struct found found __attribute__((cleanup(found_clear))) = {0};
	char *lines __attribute__((cleanup(free_text))) = NULL;
	char *info __attribute__((cleanup(free_text))) = NULL;
	bool partial;

	lines = inspect(&view, "cycles", "--ndjson", &partial);
	assert_true(partial);
	found_read(&found, lines);
	assert_true(found.count > 0);
	if (is_exact(test, &subject->truth))
		found_check(&found, &subject->truth);
	else
		check_subset(&found, &subject->truth);
	// What those few objects hold is little.
	if (test->native)
		assert_true((subject->truth.count - found.count) * 50 < subject->truth.count);
	info = inspect(&view, "info", "--json", &partial);
	assert_true(partial);
	assert_contains(info, "types-without-file");
	assert_contains(info, "missing-file");
	assert_contains(info, test->python->version);
}

static void test_files_hidden(void **state)
{
	const struct test_case *test = *state;
	struct subject subject __attribute__((cleanup(subject_clear))) = {0};
	char *core __attribute__((cleanup(free_text))) = NULL;
	const char *why;

	if (strcmp(test->python->root, "/") != 0 && geteuid() != 0)
		jobs_skip("only root can enter %s", test->python->root);
	subject.process = program_start(test->python, test->program);
	truth_read(&subject.truth, subject.process->folder, false);
	assert_true(subject.truth.count > 0);
	assert_true(asprintf(&subject.folder, "%s/empty", subject.process->folder) > 0);
	assert_int_equal(mkdir(subject.folder, 0700), 0);
	subject.hidden = *test->python;
	subject.hidden.root = subject.folder;
	if (getenv("PYMEM_TEST_FULL") && test->native) {
		core = program_gcore(subject.process);
		check_core(test, &subject, core);
		free(core);
		core = NULL;
	}
	core = program_core(subject.process, &why);
	if (!core)
		jobs_skip("%s", why);
	check_core(test, &subject, core);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *words;
		bool native;
	} programs[] = {{"random_heap.py 1 5000", true}, {"zoo.py plain", false}};
	size_t python_count, count = 0;
	struct interpreter_choice *pythons = interpreters_list(&python_count);
	struct CMUnitTest *tests = calloc(python_count + 1, sizeof(*tests));
	struct test_case *cases = calloc(python_count + 1, sizeof(*cases));
	int failed;

	for (size_t i = 0; i <= python_count && python_count; i++) {
		// All of the zoo's types are too many for more than one interpreter.
		size_t program = i == python_count, python = i % python_count;
		char *name;

		if (asprintf(&name, "%s: %s", pythons[python].name, programs[program].words) < 0)
			return 1;
		cases[count] = (struct test_case){&pythons[python], programs[program].words,
						  programs[program].native};
		tests[count] =
			(struct CMUnitTest){name, test_files_hidden, NULL, NULL, &cases[count]};
		count++;
	}
	failed = jobs_run_tests("no files", tests, count, WORKERS, argc, argv);
	for (size_t i = 0; i < count; i++)
		free((char *)tests[i].name);
	free(tests);
	free(cases);
	interpreters_free(pythons, python_count);
	return failed;
}
