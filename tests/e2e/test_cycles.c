/*
 * The unreachable set against CPython's own collector: programs of tests/programs in every
 * interpreter of this machine, looked at while they run, in a core of gcore and in one of the
 * kernel. The program's forked child has run the real collector; see programs/truth.py.
 *
 * All sets must be equal to that one, types and generation counts too, and all views of a process
 * must give the same answer to the byte.
 *
 * By default two programs run in every interpreter; with PYMEM_TEST_FULL in the environment all
 * programs, most of them in one interpreter of each minor version, and gcore's core too; with
 * PYMEM_TEST_FULL=all everything in every interpreter.
 */
#include "support/jobs.h"

#include "support/collector_truth.h"
#include "support/found.h"
#include "support/gdb.h"
#include "support/inspection.h"
#include "support/python_process.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS = 2, SHOWN_MAX = 10 };

/* On which interpreters a program is run. */
enum reach {
	ALL,	    /**< on all */
	FULL_ALL,   /**< on all with PYMEM_TEST_FULL, else not */
	FULL_MINOR, /**< on one of each minor version with PYMEM_TEST_FULL, else not */
};

static const struct program {
	const char *words;
	enum reach reach;
	bool traced; // a traced function has a frame object while it counts
} programs[] = {
	{"zoo.py plain", ALL, false},
	{"random_heap.py 1 20000", ALL, false},
	{"zoo.py generations", FULL_ALL, false},
	{"app_web.py", FULL_ALL, false},
	{"app_asyncio.py", FULL_ALL, false},
	{"app_threads.py main", FULL_MINOR, false},
	{"app_threads.py worker", FULL_MINOR, false},
	{"app_interpreters.py shared", FULL_MINOR, false},
	{"app_interpreters.py isolated", FULL_MINOR, false},
	{"zoo.py frozen", FULL_MINOR, false},
	{"zoo.py thread", FULL_MINOR, false},
	{"random_heap.py 2 1000", FULL_MINOR, false},
	{"random_heap.py 3 5000", FULL_MINOR, false},
	{"random_heap.py 4 50000", FULL_MINOR, false},
	{"PYTHONMALLOC=malloc zoo.py plain", FULL_MINOR, false},
	{"PYTHONMALLOC=debug random_heap.py 5 5000", FULL_MINOR, false},
	{"PYTHONTRACEMALLOC=5 app_web.py", FULL_MINOR, false},
	{"PYTHON_JIT=1 random_heap.py 6 20000", FULL_MINOR, false}, // 3.14+: executors are objects
	{"held.py", FULL_MINOR, true},
	{"revive.py", FULL_MINOR, false},
	{"states.py saved", FULL_MINOR, false},
	{"states.py enabled", FULL_MINOR, false},
	{"states.py frozen", FULL_MINOR, false},
	{"states.py deep", FULL_MINOR, false},
};

/* One program in one interpreter: the state of a test. */
struct test_case {
	const struct interpreter_choice *python;
	const struct program *program;
};

/* A case under way. */
struct subject {
	const struct interpreter_choice *python;
	const struct program *program;
	struct python_process *process;
	struct truth truth;
};

/* What the tool says of one view of the process. */
struct answer {
	char *lines;  // --ndjson cycles
	char *cycles; // --json cycles, without target
	json_t *info; // --json info, whole
};

static void answer_clear(struct answer *answer)
{
	free(answer->lines);
	free(answer->cycles);
	json_decref(answer->info);
	*answer = (struct answer){0};
}

static void free_text(char **text)
{
	free(*text);
}

/*
 * Asking
 */

static void ask_all(const struct subject *subject, const char *core, struct answer *answer)
{
	const struct view view = {subject->python, subject->process, core};
	char *cycles = inspect(&view, "cycles", "--json", NULL);
	char *info = inspect(&view, "info", "--json", NULL);
	json_t *document = inspect_parse(cycles);

	answer->lines = inspect(&view, "cycles", "--ndjson", NULL);
	answer->info = inspect_parse(info);
	json_object_del(document, "target");
	answer->cycles = json_dumps(document, JSON_INDENT(1));
	json_decref(document);
	free(cycles);
	free(info);
}

/*
 * Checking
 */

/*
 * Types whose sys.getsizeof() is all the memory that an object alone owns, in every version. Others
 * differ for good reasons: it leaves out inline values and the prefix of split values, spare blocks
 * of a deque, slots of a class, what an item-less C type has allocated; or it counts buffers that
 * are not reached through the layout of CPython's own types.
 */
static const char *const sized_as_getsizeof[] = {
	"list",
	"tuple",
	"set",
	"frozenset",
	"function",
	"cell",
	"method",
	"slice",
	"generator",
	"coroutine",
	"traceback",
	"mappingproxy",
	"property",
	"module",
	"weakref.ReferenceType",
	"ValueError",
	"functools.partial",
	"types.SimpleNamespace",
	"list_iterator",
	"staticmethod",
	"collections.OrderedDict",
	"collections.defaultdict",
};

static bool is_sized(const char *type)
{
	for (size_t i = 0; i < sizeof(sized_as_getsizeof) / sizeof(*sized_as_getsizeof); i++)
		if (strcmp(type, sized_as_getsizeof[i]) == 0)
			return true;
	return false;
}

static void check_sizes(const struct truth *truth, const struct found *found)
{
	size_t wrong = 0, compared = 0;

	for (size_t i = 0; i < found->count; i++) {
		const struct found_object *object = &found->objects[i];
		const struct truth_object *real = truth_find(truth, object->address);

		if (!real || real->size < 0 || !is_sized(object->type))
			continue;
		compared++;
		if (object->size != real->size && wrong++ < SHOWN_MAX)
			print_error("0x%" PRIx64 " %s: size %" PRId64 ", not %" PRId64 "\n",
				    object->address, object->type, object->size, real->size);
	}
	if (wrong)
		fail_msg("%zu of %zu sizes are wrong", wrong, compared);
}

// The groups of the document and the groups of the lines are the same.
static void check_groups(const char *document, const struct found *found)
{
	json_t *json = inspect_parse(document), *result = json_object_get(json, "result");
	json_t *groups = json_object_get(result, "groups"), *group;
	size_t count = json_array_size(groups), index;
	struct {
		json_int_t objects, bytes;
	} *sums = calloc(count + 1, sizeof(*sums));

	assert_non_null(sums);
	for (size_t i = 0; i < found->count; i++) {
		assert_in_range(found->objects[i].group, 1, count);
		sums[found->objects[i].group].objects++;
		sums[found->objects[i].group].bytes += found->objects[i].size;
	}
	json_array_foreach(groups, index, group)
	{
		json_int_t number, cycles, members, attached, bytes;

		assert_int_equal(json_unpack(group, "{s:I, s:I, s:I, s:I, s:I}", "group", &number,
					     "cycles", &cycles, "members", &members, "attached",
					     &attached, "bytes", &bytes),
				 0);
		assert_int_equal(number, index + 1);
		assert_in_range(cycles, 1, members);
		assert_int_equal(sums[number].objects, members + attached);
		assert_int_equal(sums[number].bytes, bytes);
	}
	assert_int_equal(json_integer_value(json_object_get(result, "objects")), found->count);
	free(sums);
	json_decref(json);
}

static json_int_t number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value) && !json_is_boolean(value))
		fail_msg("no number \"%s\"", name);
	return json_is_boolean(value) ? json_boolean_value(value) : json_integer_value(value);
}

// The program counted in the main interpreter.
static json_t *main_interpreter(const json_t *info)
{
	json_t *result = json_object_get(info, "result"), *interpreter;
	size_t index;

	json_array_foreach(json_object_get(result, "interpreters"), index, interpreter)
	{
		if (number(interpreter, "id") == 0)
			return interpreter;
	}
	fail_msg("no interpreter 0");
	return NULL;
}

static void check_counts(const json_t *info, const struct truth_counts *counts)
{
	json_t *interpreter = main_interpreter(info);
	json_t *generations = json_object_get(interpreter, "generations");

	assert_int_equal(json_array_size(generations), 3);
	for (size_t i = 0; i < 3; i++) {
		const json_t *generation = json_array_get(generations, i);

		assert_int_equal(number(generation, "objects"), counts->generations[i].objects);
		assert_int_equal(number(generation, "threshold"), counts->generations[i].threshold);
		assert_int_equal(number(generation, "count"), counts->generations[i].count);
		assert_int_equal(number(generation, "collections"),
				 counts->generations[i].collections);
	}
	assert_int_equal(number(interpreter, "frozen"), counts->frozen);
	assert_int_equal(number(interpreter, "garbage"), counts->garbage);
	assert_int_equal(number(interpreter, "gc_enabled"), counts->enabled);
	assert_false(number(interpreter, "collecting"));
}

static void check_answer(const struct subject *subject, const struct answer *answer)
{
	struct found found __attribute__((cleanup(found_clear))) = {0};

	found_read(&found, answer->lines);
	found_check(&found, &subject->truth);
	check_sizes(&subject->truth, &found);
	check_groups(answer->cycles, &found);
	if (!subject->program->traced)
		check_counts(answer->info, &subject->truth.counts);
}

static void check_same_info(const char *core, const json_t *info, const json_t *live)
{
	const json_t *result = json_object_get(info, "result");
	const json_t *live_result = json_object_get(live, "result");
	char *text, *live_text;

	if (json_equal(result, live_result))
		return;
	text = json_dumps(result, JSON_INDENT(1));
	live_text = json_dumps(live_result, JSON_INDENT(1));
	fail_msg("%s: other info than the live process:\n%s\n%s", core, text, live_text);
}

// Takes another view of the process, which must give the same answer.
static void check_same(const struct subject *subject, const struct answer *live, const char *core)
{
	struct answer answer __attribute__((cleanup(answer_clear))) = {0};

	ask_all(subject, core, &answer);
	check_answer(subject, &answer);
	if (strcmp(answer.lines, live->lines) != 0)
		fail_msg("%s: other lines than the live process", core);
	if (strcmp(answer.cycles, live->cycles) != 0)
		fail_msg("%s: other groups than the live process:\n%s\n%s", core, answer.cycles,
			 live->cycles);
	check_same_info(core, answer.info, live->info);
}

// The host's GDB gives the same lines, if there is one; test_gdb.c tests it and others further.
static void check_gdb(const struct subject *subject, const struct answer *live)
{
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char *command __attribute__((cleanup(free_text))) = NULL;
	char *path __attribute__((cleanup(free_text))) = NULL;
	char *lines __attribute__((cleanup(free_text))) = NULL;
	struct gdb gdb;
	size_t size = 0;
	char pid[16];
	FILE *file;

	gdb_find(&gdb, "host");
	if (!gdb.path[0])
		return;
	snprintf(pid, sizeof(pid), "%d", (int)subject->process->pid);
	assert_true(asprintf(&path, "%s/gdb.ndjson", subject->process->folder) > 0);
	assert_true(asprintf(&command, "pymem cycles --ndjson --output %s", path) > 0);
	gdb_batch(&output, &gdb, GDB_ARGUMENTS("-p", pid, "-ex", command));
	file = fopen(path, "re");
	if (!file)
		fail_msg("GDB wrote no file: %s%s", output.out, output.err);
	assert_true(getdelim(&lines, &size, '\0', file) > 0);
	fclose(file);
	assert_string_equal(lines, live->lines);
}

static void subject_clear(struct subject *subject)
{
	program_end(subject->process);
	truth_clear(&subject->truth);
}

static void test_exact(void **state)
{
	const struct test_case *test = *state;
	struct subject subject __attribute__((cleanup(subject_clear))) = {.python = test->python,
									  .program = test->program};
	struct answer live __attribute__((cleanup(answer_clear))) = {0};
	char *core __attribute__((cleanup(free_text))) = NULL;
	const char *why;

	if (strcmp(test->python->root, "/") != 0 && geteuid() != 0)
		jobs_skip("only root can enter %s", test->python->root);
	subject.process = program_start(test->python, test->program->words);
	truth_read(&subject.truth, subject.process->folder, true);
	assert_true(subject.truth.count > 0);
	ask_all(&subject, NULL, &live);
	check_answer(&subject, &live);
	if (getenv("PYMEM_TEST_FULL") && test->program->reach != FULL_MINOR) {
		core = program_gcore(subject.process);
		check_same(&subject, &live, core);
		free(core);
		core = NULL;
		if (test->program->reach == ALL)
			check_gdb(&subject, &live);
	}
	core = program_core(subject.process, &why);
	if (core) {
		check_same(&subject, &live, core);
		return;
	}
	core = program_gcore(subject.process);
	check_same(&subject, &live, core);
	jobs_skip("gcore's core is exact; %s", why);
}

/*
 * The table
 */

// CPython releases that this machine has no interpreter of.
static void test_missing(void **state)
{
	jobs_skip("no CPython 3.%d here: 'make interpreters' or pyenv gets one", *(int *)*state);
}

static bool has_minor(const struct interpreter_choice *pythons, size_t count, int minor)
{
	char prefix[8];

	snprintf(prefix, sizeof(prefix), "3.%d.", minor);
	for (size_t i = 0; i < count; i++)
		if (strncmp(pythons[i].version, prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

static bool is_wanted(const struct interpreter_choice *pythons, size_t i, enum reach reach)
{
	const char *full = getenv("PYMEM_TEST_FULL");
	int minor = 0;

	if (reach == ALL)
		return true;
	if (!full || reach == FULL_ALL || strcmp(full, "all") == 0)
		return full != NULL;
	return sscanf(pythons[i].version, "3.%d", &minor) == 1 && !has_minor(pythons, i, minor);
}

int main(int argc, char **argv)
{
	enum { PROGRAMS = sizeof(programs) / sizeof(*programs), MINORS = 16 };
	static int minors[MINORS];
	size_t python_count, count = 0;
	struct interpreter_choice *pythons = interpreters_all(&python_count);
	struct CMUnitTest *tests = calloc(python_count * PROGRAMS + MINORS, sizeof(*tests));
	struct test_case *cases = calloc(python_count * PROGRAMS, sizeof(*cases));
	int failed;

	for (size_t p = 0; p < PROGRAMS; p++) {
		for (size_t i = 0; i < python_count; i++) {
			char *name;

			if (!is_wanted(pythons, i, programs[p].reach))
				continue;
			if (asprintf(&name, "%s: %s", pythons[i].name, programs[p].words) < 0)
				return 1;
			cases[count] = (struct test_case){&pythons[i], &programs[p]};
			tests[count] =
				(struct CMUnitTest){name, test_exact, NULL, NULL, &cases[count]};
			count++;
		}
	}
	for (int minor = 8; minor < MINORS; minor++) {
		char *name;

		if (has_minor(pythons, python_count, minor))
			continue;
		if (asprintf(&name, "CPython 3.%d", minor) < 0)
			return 1;
		minors[minor] = minor;
		tests[count++] =
			(struct CMUnitTest){name, test_missing, NULL, NULL, &minors[minor]};
	}
	failed = jobs_run_tests("cycles", tests, count, WORKERS, argc, argv);
	for (size_t i = 0; i < count; i++)
		free((char *)tests[i].name);
	free(tests);
	free(cases);
	interpreters_free(pythons, python_count);
	return failed;
}
