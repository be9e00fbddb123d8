/*
 * The decoders against CPython itself: a program with objects of every kind writes what
 * gc.get_referents() says of each tracked object, which is what its tp_traverse visits, in order;
 * then the same objects are decoded from outside, in the process that is still there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "traverse/traverse.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXAMPLES_SHOWN = 20 };

/* One comparison. */
struct check {
	struct runtime *runtime;
	struct traverser *traverser;
	struct reader reader;
	uint64_t exact, partial, none, unknown, damaged, gone;
	uint64_t wrong, order, size_wrong;
};

static const struct type *type_of(struct check *check, uint64_t object)
{
	struct object_header header;

	if (!object_header(check->runtime, &check->reader, object, &header))
		return NULL;
	return type_get(check->runtime->types, &check->reader, header.type);
}

static bool is_gc(struct check *check, uint64_t object)
{
	const struct type *type = type_of(check, object);

	return type && type_object_is_gc(check->runtime, &check->reader, type, object);
}

static int compare_words(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void show(struct check *check, uint64_t object, const struct type *type, const char *what,
		 const uint64_t *expected, size_t expected_count, const struct reference *found,
		 size_t found_count)
{
	if (check->wrong + check->order > EXAMPLES_SHOWN)
		return;
	printf("%s: 0x%" PRIx64 " %s\n  expected", what, object, type->name);
	for (size_t i = 0; i < expected_count && i < 30; i++) {
		const struct type *of = type_of(check, expected[i]);

		printf(" 0x%" PRIx64 "(%s)", expected[i], of ? of->name : "?");
	}
	printf("\n  found   ");
	for (size_t i = 0; i < found_count && i < 30; i++) {
		const struct type *of = type_of(check, found[i].target);
		struct edge_label label;

		edge_label(check->traverser, object, type, &found[i], &label);
		printf(" 0x%" PRIx64 "(%s %d %s)", (uint64_t)found[i].target, of ? of->name : "?",
		       (int)label.kind, label.name);
	}
	printf("\n");
}

/* Do both lists hold the same GC objects in the same order, or at least the same? */
static void compare(struct check *check, uint64_t object, const struct type *type,
		    uint64_t *expected, size_t expected_count, const struct reference *found,
		    size_t found_count)
{
	uint64_t *left = calloc(expected_count + 1, sizeof(*left));
	uint64_t *right = calloc(found_count + 1, sizeof(*right));
	size_t lefts = 0, rights = 0;
	bool same;

	assert_true(left && right);
	for (size_t i = 0; i < expected_count; i++)
		if (is_gc(check, expected[i]))
			left[lefts++] = expected[i];
	for (size_t i = 0; i < found_count; i++)
		if (is_gc(check, found[i].target))
			right[rights++] = found[i].target;
	same = lefts == rights && !memcmp(left, right, lefts * sizeof(*left));
	if (!same) {
		qsort(left, lefts, sizeof(*left), compare_words);
		qsort(right, rights, sizeof(*right), compare_words);
		if (lefts == rights && !memcmp(left, right, lefts * sizeof(*left))) {
			check->order++;
			show(check, object, type, "order", expected, expected_count, found,
			     found_count);
		} else {
			check->wrong++;
			show(check, object, type, "wrong", expected, expected_count, found,
			     found_count);
		}
	}
	free(left);
	free(right);
}

/* Is it on a list of the collector? What the child made later, at the same address, is not. */
static bool is_tracked(struct check *check, uint64_t object)
{
	uint64_t next;

	return reader_u64(&check->reader,
			  object - check->runtime->layout.PyGC_Head_size +
				  check->runtime->layout.PyGC_Head__gc_next,
			  &next) &&
	       next;
}

static void check_object(struct check *check, uint64_t object, uint64_t type_address, uint64_t size,
			 uint64_t *expected, size_t expected_count)
{
	const struct type *type = type_of(check, object);
	const struct reference *found;
	struct object_size measured;
	size_t found_count;

	if (!type || type->address != type_address || !is_tracked(check, object)) {
		check->gone++;
		return;
	}
	object_measure(check->traverser, object, type, &measured);
	if (measured.object + measured.header + measured.out_of_line != size &&
	    measured.object + measured.header != size) {
		if (check->size_wrong++ < 100000 && getenv("SIZES"))
			printf("size: %s expected %" PRIu64 " found %" PRIu64 "+%" PRIu64
			       "+%" PRIu64 "\n",
			       type->name, size, measured.object, measured.header,
			       measured.out_of_line);
	}
	switch (traverse_object(check->traverser, object, type, &found, &found_count)) {
	case TRAVERSE_EXACT:
		check->exact++;
		compare(check, object, type, expected, expected_count, found, found_count);
		break;
	case TRAVERSE_PARTIAL:
		check->partial++;
		break;
	case TRAVERSE_NONE:
		check->none++;
		break;
	case TRAVERSE_UNKNOWN:
		check->unknown++;
		break;
	case TRAVERSE_DAMAGED:
		check->damaged++;
		printf("damaged: 0x%" PRIx64 " %s\n", object, type->name);
		break;
	}
}

static void check_file(struct check *check, const char *path)
{
	FILE *file = fopen(path, "r");
	uint64_t *words = NULL;
	size_t capacity = 0, size = 0;
	char *line = NULL;

	assert_non_null(file);
	while (getline(&line, &size, file) > 0) {
		char *at = line, *end;
		size_t count = 0;

		for (;; at = end) {
			uint64_t word = strtoull(at, &end, 16);

			if (end == at)
				break;
			if (count == capacity) {
				capacity = capacity ? capacity * 2 : 64;
				words = realloc(words, capacity * sizeof(*words));
				assert_non_null(words);
			}
			words[count++] = word;
		}
		if (count >= 3)
			check_object(check, words[0], words[1], words[2], words + 3, count - 3);
	}
	free(line);
	free(words);
	fclose(file);
}

int main(int argc, char **argv)
{
	struct target *target;
	struct target_options options = {0};
	struct check check = {0};
	struct error *err;
	const char *source;

	if (argc < 3)
		return 2;
	if (argc > 3)
		options.sysroot = argv[3];
	err = target_open_pid(atoi(argv[1]), &options, &target);
	if (err) {
		printf("%s\n", err->message);
		return 1;
	}
	err = runtime_open(target, &check.runtime);
	if (err) {
		printf("%s\n", err->message);
		return 1;
	}
	check.traverser = traverser_create(check.runtime);
	reader_init(&check.reader, target->image);
	check_file(&check, argv[2]);
	traverser_managed_dict_rule(check.traverser, &source);
	printf("%s layout %s rule %d by %s: exact %lu partial %lu none %lu unknown %lu damaged %lu "
	       "gone %lu; wrong %lu "
	       "order %lu size %lu\n",
	       check.runtime->version, check.runtime->layout_source,
	       traverser_managed_dict_rule(check.traverser, &source), source, check.exact,
	       check.partial, check.none, check.unknown, check.damaged, check.gone, check.wrong,
	       check.order, check.size_wrong);
	for (size_t i = 0; traverser_binding(check.traverser, i); i++) {
		const struct traverse_binding *b = traverser_binding(check.traverser, i);

		if (b->decoder && b->objects && getenv("UNKNOWN"))
			printf("  used %s\n", b->decoder);
		if (!b->decoder && b->objects && getenv("UNKNOWN"))
			printf("  unknown %s %lu\n", b->example ? b->example->name : "?",
			       b->objects);
	}
	traverser_destroy(check.traverser);
	runtime_close(check.runtime);
	target_close(target);
	return 0;
}
