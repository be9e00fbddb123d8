/*
 * The emulator against real tp_traverse functions: on the core of a process, it must visit what the
 * functions visited there, object by object, in the same order. And the traverser, which has
 * decoders for the usual types and the emulator for all others: the same objects as far as the
 * collector can tell, and no decoder may fail its self-check.
 */
#include "support/jobs.h"
#include "support/visits.h"
#include "traverse/emulator.h"
#include "traverse/traverse.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

// Objects of each kind: a heap of about 130,000 objects, or 600,000.
enum { SHOWN = 20, EACH = 3, EACH_FULL = 20, WORKERS = 2 };

struct tally {
	size_t objects, visits, mismatches, faults, without;
};

static uint64_t word_at(struct reader *reader, uint64_t address)
{
	uint64_t value;

	reader_u64(reader, address, &value);
	return value;
}

// tp_name is the first field behind the header of a var-sized object.
static void type_name(struct reader *reader, const struct visits *visits, char name[64])
{
	if (!reader_string(reader, word_at(reader, visits->type + 24), name, 64))
		snprintf(name, 64, "?");
}

static bool same_visits(const struct visits *visits, const struct reference *references,
			size_t count)
{
	if (count != visits->count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (references[i].target != visits->targets[i])
			return false;
	return true;
}

static void compare_object(struct emulator *emulator, struct reader *reader,
			   const struct visits *visits, struct tally *tally)
{
	const struct reference *references;
	char name[64], reason[128];
	size_t count;

	tally->objects++;
	if (!visits->traverse) {
		tally->without++;
		return;
	}
	if (emulator_traverse(emulator, visits->object, visits->traverse, &references, &count)) {
		const struct emulator_failure *failure = emulator_failure(emulator);

		emulator_failure_text(failure, reason, sizeof(reason));
		type_name(reader, visits, name);
		if (tally->faults++ < SHOWN)
			print_message("fault: %s: %s (address %#lx, instruction %#lx)\n", name,
				      reason, failure->address, failure->instruction);
		return;
	}
	tally->visits += count;
	if (same_visits(visits, references, count))
		return;
	type_name(reader, visits, name);
	if (tally->mismatches++ < SHOWN)
		print_message("mismatch: %s at %#lx: %zu visits, not %lu\n", name, visits->object,
			      count, visits->count);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// Runs the emulator over all objects, twice: the second time no code needs decoding.
static void compare_emulator(const struct target *target, const struct visits_run *run)
{
	struct emulator *emulator = emulator_create(target);
	struct emulator_statistics statistics;
	struct tally tally = {0};
	struct reader reader;

	reader_init(&reader, target->image);
	for (int warm = 0; warm < 2; warm++) {
		double start = seconds();

		tally = (struct tally){0};
		for (size_t i = 0; i < run->count; i++)
			compare_object(emulator, &reader, &run->items[i], &tally);
		print_message(
			"  %s: %zu objects, %zu visits, %zu mismatches, %zu faults, %.2f M/s\n",
			warm ? "warm" : "cold", tally.objects, tally.visits, tally.mismatches,
			tally.faults, (double)tally.objects / (seconds() - start) / 1e6);
	}
	statistics = emulator_statistics(emulator);
	print_message("  %lu blocks, %lu decoded, %.1f executed per call, %lu pages copied, %lu "
		      "library calls, %lu lazy bindings\n",
		      statistics.blocks, statistics.decoded,
		      (double)statistics.instructions / (double)statistics.calls,
		      statistics.pages_copied, statistics.library_calls, statistics.lazy_bindings);
	emulator_destroy(emulator);
	assert_int_equal(tally.mismatches, 0);
	assert_int_equal(tally.faults, 0);
}

/*
 * The traverser
 */

struct comparison {
	struct runtime *runtime;
	struct traverser *traverser;
	struct reader reader;
	size_t objects, mismatches, inexact, slots, visits;
	bool no_code; /**< objects of some types have to be inexact */
};

static const struct type *type_of(struct comparison *comparison, uint64_t object)
{
	struct object_header header;

	if (!object_header(comparison->runtime, &comparison->reader, object, &header))
		return NULL;
	return type_get(comparison->runtime->types, &comparison->reader, header.type);
}

static int compare_words(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

// Keeps the objects that the collector sees, sorted. @return how many
static size_t keep_gc(struct comparison *comparison, uint64_t *objects, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		const struct type *type = type_of(comparison, objects[i]);

		if (type &&
		    type_object_is_gc(comparison->runtime, &comparison->reader, type, objects[i]))
			objects[kept++] = objects[i];
	}
	qsort(objects, kept, sizeof(*objects), compare_words);
	return kept;
}

static bool same_objects(struct comparison *comparison, const struct visits *visits,
			 const struct reference *references, size_t count)
{
	uint64_t *left = calloc(visits->count + 1, 8), *right = calloc(count + 1, 8);

	assert_true(left && right);
	memcpy(left, visits->targets, visits->count * 8);
	for (size_t i = 0; i < count; i++)
		right[i] = references[i].target;
	size_t lefts = keep_gc(comparison, left, visits->count);
	size_t rights = keep_gc(comparison, right, count);
	bool same = lefts == rights && !memcmp(left, right, lefts * 8);
	free(left);
	free(right);
	return same;
}

static void compare_traversed(struct comparison *comparison, const struct visits *visits)
{
	const struct type *type = type_of(comparison, visits->object);
	const struct reference *references;
	enum traverse_result result;
	size_t count;

	assert_non_null(type);
	result = traverse_object(comparison->traverser, visits->object, type, &references, &count);
	comparison->objects++;
	comparison->visits += count;
	for (size_t i = 0; i < count; i++)
		comparison->slots += references[i].slot != 0;
	if (result != TRAVERSE_EXACT && result != TRAVERSE_NONE) {
		if (comparison->inexact++ < SHOWN && !comparison->no_code)
			print_message("inexact: %s: %s\n", type->name,
				      traverser_usage(comparison->traverser, type).reason);
	} else if (!same_objects(comparison, visits, references, count)) {
		if (comparison->mismatches++ < SHOWN)
			print_message("mismatch: %s at %#lx: %zu visits, not %lu\n", type->name,
				      visits->object, count, visits->count);
	}
}

// @return how many decoders differ from the code
static size_t check_all(struct comparison *comparison, const struct visits_run *run)
{
	const struct traverse_binding *binding;
	size_t differ = 0, agree = 0;

	for (size_t i = 0; i < run->count; i++)
		traverser_check(comparison->traverser, run->items[i].object,
				type_of(comparison, run->items[i].object));
	for (size_t i = 0; (binding = traverser_binding(comparison->traverser, i)); i++) {
		agree += binding->check == CHECK_AGREES;
		if (binding->check != CHECK_DIFFERS)
			continue;
		print_message("  decoder %s differs, example %s\n", binding->decoder,
			      binding->example ? binding->example->name : "?");
		differ++;
	}
	print_message("  %zu decoders agree with the code\n", agree);
	return differ;
}

static void show_shares(struct comparison *comparison)
{
	uint64_t native = 0, emulated = 0;

	for (size_t i = 0; i < type_count(comparison->runtime->types); i++) {
		struct traverse_usage usage = traverser_usage(
			comparison->traverser, type_by_index(comparison->runtime->types, i));

		native += usage.native;
		emulated += usage.emulated;
	}
	print_message("  traverser: %zu objects, %lu by decoders, %lu by code, %zu mismatches, %zu "
		      "inexact, %.1f %% of slots known\n",
		      comparison->objects, native, emulated, comparison->mismatches,
		      comparison->inexact,
		      100.0 * (double)comparison->slots / (double)comparison->visits);
}

static void compare_traversed_all(struct comparison *comparison, const struct visits_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		compare_traversed(comparison, &run->items[i]);
	show_shares(comparison);
	traverser_destroy(comparison->traverser);
	runtime_close(comparison->runtime);
	assert_int_equal(comparison->mismatches, 0);
	if (comparison->no_code)
		assert_true(comparison->inexact > 0);
	else
		assert_int_equal(comparison->inexact, 0);
}

static void compare_traverser(struct target *target, const struct visits_run *run)
{
	struct comparison comparison = {0};

	reader_init(&comparison.reader, target->image);
	assert_null(runtime_open(target, &comparison.runtime));
	comparison.traverser = traverser_create(comparison.runtime);
	assert_int_equal(check_all(&comparison, run), 0);
	compare_traversed_all(&comparison, run);
}

static bool has_problem(const struct coverage *coverage, const char *kind)
{
	for (size_t i = 0; i < coverage->count; i++)
		if (strcmp(coverage->problems[i].kind, kind) == 0)
			return true;
	return false;
}

// A build whose lists, cells and managed dicts are not what the decoders think they are.
static void compare_misled_traverser(struct target *target, const struct visits_run *run)
{
	struct comparison comparison = {0};
	enum managed_dict_rule right, wrong;
	const char *source;

	reader_init(&comparison.reader, target->image);
	assert_null(runtime_open(target, &comparison.runtime));
	comparison.runtime->layout.PyListObject_ob_item -= 8;
	comparison.runtime->layout.PyCellObject_ob_ref += 8;
	comparison.traverser = traverser_create(comparison.runtime);
	right = traverser_managed_dict_rule(comparison.traverser, &source);
	wrong = right == MANAGED_DICT_DICT ? MANAGED_DICT_VALUES : MANAGED_DICT_DICT;
	if (comparison.runtime->minor >= 13)
		traverser_set_managed_dict_rule(comparison.traverser, wrong, "a test");
	assert_int_equal(check_all(&comparison, run), 2);
	assert_int_equal(traverser_managed_dict_rule(comparison.traverser, &source), right);
	traverser_report(comparison.traverser, &target->coverage);
	assert_true(has_problem(&target->coverage, "decoder-differs"));
	assert_int_equal(has_problem(&target->coverage, "managed-dict-rule"),
			 comparison.runtime->minor >= 13);
	assert_true(coverage_complete(&target->coverage));
	compare_traversed_all(&comparison, run);
}

/*
 * Without code
 */

// The memory of a target as if none of it could be executed.
static struct image *image_without_code(const struct image *from)
{
	struct image *image = image_create();

	assert_non_null(image);
	for (size_t i = 0; i < from->segment_count; i++) {
		const struct segment *segment = &from->segments[i];

		assert_null(image_add(image, segment->start, segment->end - segment->start,
				      segment->host, segment->flags & ~(uint32_t)PF_X,
				      segment->source));
	}
	assert_null(image_finish(image));
	return image;
}

// Decoders are trusted then, and the answer says so; what has none stays inexact.
static void compare_without_code(struct target *target, const struct visits_run *run)
{
	struct comparison comparison = {.no_code = true};
	struct target blind = *target;
	enum managed_dict_rule rule;
	const char *source;

	reader_init(&comparison.reader, target->image);
	assert_null(runtime_open(target, &comparison.runtime));
	comparison.traverser = traverser_create(comparison.runtime);
	rule = traverser_managed_dict_rule(comparison.traverser, &source);
	traverser_destroy(comparison.traverser);
	blind.image = image_without_code(target->image);
	blind.coverage = (struct coverage){0};
	comparison.runtime->target = &blind;
	comparison.traverser = traverser_create(comparison.runtime);
	if (comparison.runtime->minor >= 13)
		traverser_set_managed_dict_rule(comparison.traverser, rule, "a test");
	assert_int_equal(check_all(&comparison, run), 0);
	traverser_report(comparison.traverser, &blind.coverage);
	assert_true(has_problem(&blind.coverage, "decoders-unchecked"));
	compare_traversed_all(&comparison, run);
	coverage_clear(&blind.coverage);
	image_destroy(blind.image);
}

static void visits_are_those_of_the_process(void **state)
{
	const struct interpreter_choice *choice = *state;
	const struct target_options options = {.sysroot = strcmp(choice->root, "/") ? choice->root
										    : NULL};
	struct visits_run *run = visits_start(choice, getenv("PYMEM_TEST_FULL") ? EACH_FULL : EACH);
	struct target *target;

	assert_null(target_open_core(run->core, &options, &target));
	compare_emulator(target, run);
	compare_traverser(target, run);
	compare_misled_traverser(target, run);
	compare_without_code(target, run);
	target_close(target);
	visits_end(run);
}

static int minor_of(const struct interpreter_choice *choice)
{
	return atoi(choice->version + strlen("3."));
}

// All with PYMEM_TEST_FULL; else the oldest version, the newest, and Debian's with its packages.
static bool is_wanted(const struct interpreter_choice *choices, size_t count, size_t number)
{
	bool oldest = true, newest = true;

	if (getenv("PYMEM_TEST_FULL") || strncmp(choices[number].name, "debian-", 7) == 0)
		return true;
	for (size_t i = 0; i < count; i++) {
		int order = minor_of(&choices[i]) - minor_of(&choices[number]);

		oldest = oldest && (order > 0 || (order == 0 && i >= number));
		newest = newest && (order < 0 || (order == 0 && i >= number));
	}
	return oldest || newest;
}

int main(int argc, char **argv)
{
	size_t choices_count, count = 0;
	struct interpreter_choice *choices = interpreters_all(&choices_count);
	struct CMUnitTest *tests = calloc(choices_count + 1, sizeof(*tests));
	int failed;

	for (size_t i = 0; tests && i < choices_count; i++)
		if (is_wanted(choices, choices_count, i))
			tests[count++] = (struct CMUnitTest){choices[i].name,
							     visits_are_those_of_the_process, NULL,
							     NULL, &choices[i]};
	failed = jobs_run_tests("emulator", tests, count, WORKERS, argc, argv);
	free(tests);
	interpreters_free(choices, choices_count);
	return failed;
}
