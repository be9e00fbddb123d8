/*
 * The decoders against CPython itself: a program with objects of every kind writes what
 * gc.get_referents() says of each tracked object, which is what its tp_traverse visits, in order;
 * then the same objects are decoded from outside, in the process that is still there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/python_process.h"
#include "traverse/traverse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXAMPLES_SHOWN = 10, OBJECTS_MIN = 20000 };

/* The comparison with one process. */
struct check {
	struct target *target;
	struct runtime *runtime;
	struct traverser *traverser;
	struct reader reader;
	uint64_t exact, partial, unknown, damaged, gone, wrong, wrong_size;
};

static const struct type *type_of(struct check *check, uint64_t object)
{
	struct object_header header;

	if (!object_header(check->runtime, &check->reader, object, &header))
		return NULL;
	return type_get(check->runtime->types, &check->reader, header.type);
}

static const char *type_name(struct check *check, uint64_t object)
{
	const struct type *type = type_of(check, object);

	return type ? type->name : "?";
}

static bool is_gc(struct check *check, uint64_t object)
{
	const struct type *type = type_of(check, object);

	return type && type_object_is_gc(check->runtime, &check->reader, type, object);
}

static bool is_tracked(struct check *check, uint64_t object)
{
	const struct layout *layout = &check->runtime->layout;
	uint64_t next;

	return reader_u64(&check->reader,
			  object - layout->PyGC_Head_size + layout->PyGC_Head__gc_next, &next) &&
	       next;
}

/*
 * Visits
 */

/* Both from the first difference on. */
static void show(struct check *check, uint64_t object, const uint64_t *expected,
		 size_t expected_count, const struct reference *found, size_t found_count)
{
	size_t from = 0;

	while (from < expected_count && from < found_count && expected[from] == found[from].target)
		from++;
	print_message("0x%" PRIx64 " %s, %zu expected, %zu found, from %zu on:\n  expected", object,
		      type_name(check, object), expected_count, found_count, from);
	for (size_t i = from; i < expected_count && i < from + 12; i++)
		print_message(" 0x%" PRIx64 " %s", expected[i], type_name(check, expected[i]));
	print_message("\n  found   ");
	for (size_t i = from; i < found_count && i < from + 12; i++)
		print_message(" 0x%" PRIx64 " %s", (uint64_t)found[i].target,
			      type_name(check, found[i].target));
	print_message("\n");
}

/*
 * Do both visit the same GC objects in the same order? Decoders may leave out what can never be
 * one, names for example. What is known in part must be a part: in order, but with gaps.
 */
static bool agree(struct check *check, const uint64_t *expected, size_t expected_count,
		  const struct reference *found, size_t found_count, bool partial)
{
	size_t at = 0;

	for (size_t i = 0; i < found_count; i++) {
		if (!is_gc(check, found[i].target))
			continue;
		while (at < expected_count && (!is_gc(check, expected[at]) ||
					       (partial && expected[at] != found[i].target)))
			at++;
		if (at == expected_count || expected[at++] != found[i].target)
			return false;
	}
	while (at < expected_count && (partial || !is_gc(check, expected[at])))
		at++;
	return at == expected_count;
}

/* Each slot that is said must hold its target. */
static bool slots_hold(struct check *check, const struct reference *found, size_t found_count)
{
	for (size_t i = 0; i < found_count; i++) {
		uint64_t word;

		if (!found[i].slot || !reader_u64(&check->reader, found[i].slot, &word) ||
		    (word & ~UINT64_C(3)) != found[i].target)
			return false;
	}
	return true;
}

static void check_visits(struct check *check, uint64_t object, const struct type *type,
			 const uint64_t *expected, size_t expected_count)
{
	const struct reference *found;
	enum traverse_result result;
	size_t count;

	result = traverse_object(check->traverser, object, type, &found, &count);
	switch (result) {
	case TRAVERSE_EXACT:
		check->exact++;
		break;
	case TRAVERSE_PARTIAL:
		check->partial++;
		break;
	case TRAVERSE_UNKNOWN:
		check->unknown++;
		return;
	case TRAVERSE_NONE:
	case TRAVERSE_DAMAGED:
		check->damaged++;
		print_message("not decoded: 0x%" PRIx64 " %s\n", object, type->name);
		return;
	}
	if (agree(check, expected, expected_count, found, count, result == TRAVERSE_PARTIAL) &&
	    slots_hold(check, found, count))
		return;
	if (check->wrong++ < EXAMPLES_SHOWN)
		show(check, object, expected, expected_count, found, count);
}

/*
 * Sizes: these types are measured as sys.getsizeof() counts them. measure.c says where others
 * differ.
 */

static bool size_is_known(const struct type *type)
{
	static const char *const names[] = {
		"list",
		"dict",
		"tuple",
		"set",
		"frozenset",
		"function",
		"cell",
		"method",
		"property",
		"mappingproxy",
		"generator",
		"coroutine",
		"slice",
		"module",
		"partial",
		"super",
		"classmethod",
		"staticmethod",
		"collections.OrderedDict",
		"collections.defaultdict",
		"KeyError",
		"OSError",
		"builtin_function_or_method",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(type->name, names[i]))
			return true;
	return false;
}

/* The values of split dicts are not counted alike: as an instance's, and with their order. */
static bool is_split(struct check *check, uint64_t dict)
{
	struct dict_view view;

	return dict_open(check->runtime, &check->reader, dict, &view) && view.values;
}

static void check_size(struct check *check, uint64_t object, const struct type *type,
		       uint64_t expected)
{
	struct object_size size;

	object_measure(check->traverser, object, type, &size);
	if (size.object + size.header + size.out_of_line == expected || !size_is_known(type) ||
	    (!strcmp(type->name, "dict") && is_split(check, object)))
		return;
	if (check->wrong_size++ < EXAMPLES_SHOWN)
		print_message("size of 0x%" PRIx64 " %s: expected %" PRIu64 ", found %" PRIu64
			      " + %" PRIu64 " + %" PRIu64 "\n",
			      object, type->name, expected, size.object, size.header,
			      size.out_of_line);
}

/*
 * The file: ADDRESS TYPE SIZE VISITED…
 */

static void check_line(struct check *check, const uint64_t *words, size_t count)
{
	const struct type *type = type_of(check, words[0]);

	if (!type || type->address != words[1] || !is_tracked(check, words[0])) {
		check->gone++;
		return;
	}
	check_visits(check, words[0], type, words + 3, count - 3);
	check_size(check, words[0], type, words[2]);
}

static size_t parse_line(const char *line, uint64_t **words, size_t *capacity)
{
	size_t count = 0;

	for (;;) {
		char *end;
		uint64_t word = strtoull(line, &end, 16);

		if (end == line)
			return count;
		if (count == *capacity) {
			*capacity = *capacity ? *capacity * 2 : 64;
			*words = realloc(*words, *capacity * sizeof(**words));
			assert_non_null(*words);
		}
		(*words)[count++] = word;
		line = end;
	}
}

static void check_file(struct check *check, const char *folder)
{
	uint64_t *words = NULL;
	size_t capacity = 0, size = 0;
	char *line = NULL, path[5000];
	FILE *file;

	snprintf(path, sizeof(path), "%s/referents", folder);
	file = fopen(path, "r");
	assert_non_null(file);
	while (getline(&line, &size, file) > 0) {
		size_t count = parse_line(line, &words, &capacity);

		assert_true(count >= 3);
		check_line(check, words, count);
	}
	free(line);
	free(words);
	fclose(file);
}

/*
 * The other file: HOLDER HELD LABEL
 */

static void label_as_text(const struct edge_label *label, char *text, size_t size)
{
	switch (label->kind) {
	case EDGE_ATTRIBUTE:
		snprintf(text, size, ".%s", label->name);
		break;
	case EDGE_KEY:
		snprintf(text, size, "[%s]", label->name);
		break;
	case EDGE_INDEX:
		snprintf(text, size, "[%" PRIu64 "]", label->index);
		break;
	case EDGE_INTERNAL:
	case EDGE_LOCAL:
	case EDGE_TYPE:
		snprintf(text, size, "%s", label->name);
		break;
	case EDGE_UNKNOWN:
		snprintf(text, size, "?");
		break;
	}
}

static void check_label(struct check *check, uint64_t holder, uint64_t held, const char *expected)
{
	const struct type *type = type_of(check, holder);
	const struct reference *found;
	struct reference reference;
	struct edge_label label;
	char text[128];
	size_t count;

	assert_non_null(type);
	traverse_object(check->traverser, holder, type, &found, &count);
	for (size_t i = 0; i < count; i++) {
		if (found[i].target != held)
			continue;
		reference = found[i];
		edge_label(check->traverser, holder, type, &reference, &label);
		label_as_text(&label, text, sizeof(text));
		if (strcmp(text, expected))
			fail_msg("%s holds %s as %s, not %s", type->name, type_name(check, held),
				 text, expected);
		return;
	}
	fail_msg("%s does not hold %s as %s", type->name, type_name(check, held), expected);
}

static void check_labels(struct check *check, const char *folder)
{
	char path[5000], expected[128];
	uint64_t holder, held;
	size_t count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/labels", folder);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fscanf(file, "%" SCNx64 " %" SCNx64 " %127[^\n]\n", &holder, &held, expected) == 3) {
		check_label(check, holder, held, expected);
		count++;
	}
	fclose(file);
	assert_true(count > 20);
}

static void no_error(struct error *err)
{
	if (err)
		fail_msg("%s", err->message);
}

static void open_check(struct check *check, const struct interpreter_choice *choice, pid_t pid)
{
	const struct target_options options = {
		.sysroot = strcmp(choice->root, "/") ? choice->root : NULL,
	};

	no_error(target_open_pid(pid, &options, &check->target));
	no_error(runtime_open(check->target, &check->runtime));
	check->traverser = traverser_create(check->runtime);
	assert_non_null(check->traverser);
	reader_init(&check->reader, check->target->image);
}

static void close_check(struct check *check)
{
	traverser_destroy(check->traverser);
	runtime_close(check->runtime);
	target_close(check->target);
}

/* Objects of types that have no decoder, or that only their own code knows whole. */
static uint64_t count_emulated(struct check *check)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < type_count(check->runtime->types); i++)
		count += traverser_usage(check->traverser, type_by_index(check->runtime->types, i))
				 .emulated;
	return count;
}

static void compare_with_get_referents(void **state)
{
	const struct interpreter_choice *choice = *state;
	struct python_process *process = program_start(choice, "referents.py");
	struct check check = {0};
	const char *source;
	int minor;

	open_check(&check, choice, process->pid);
	minor = check.runtime->minor;
	check_file(&check, process->folder);
	check_labels(&check, process->folder);
	traverser_managed_dict_rule(check.traverser, &source);
	print_message("%s: %" PRIu64 " objects, %" PRIu64
		      " by their own code; managed dicts by %s\n",
		      choice->name, check.exact, count_emulated(&check), source);
	close_check(&check);
	program_end(process);
	assert_int_equal(check.wrong, 0);
	assert_int_equal(check.wrong_size, 0);
	assert_int_equal(check.damaged, 0);
	assert_int_equal(check.gone, 0);
	assert_true(check.exact > OBJECTS_MIN);
	if (minor >= 13)
		assert_string_equal(source, "the code of dict_traverse");
	assert_int_equal(check.unknown, 0);
	assert_int_equal(check.partial, 0);
}

int main(void)
{
	size_t count;
	struct interpreter_choice *choices = interpreters_list(&count);
	struct CMUnitTest *tests = calloc(count, sizeof(*tests));
	int failed;

	if (!count || !tests)
		return 1;
	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){
			.name = choices[i].name,
			.test_func = compare_with_get_referents,
			.initial_state = &choices[i],
		};
	failed = _cmocka_run_group_tests("traverse", tests, count, NULL, NULL);
	free(tests);
	interpreters_free(choices, count);
	return failed;
}
