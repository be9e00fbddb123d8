/*
 * The emulator against real tp_traverse functions: on the core of a process, it must visit what the
 * functions visited there, object by object, in the same order.
 */
#include "support/visits.h"
#include "traverse/emulator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { SHOWN = 20 };

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

static void compare_all(const char *python, const struct visits_run *run)
{
	const struct target_options options = {0};
	struct emulator_statistics statistics;
	struct target *target;
	struct tally tally = {0};
	struct reader reader;

	assert_null(target_open_core(run->core, &options, &target));
	reader_init(&reader, target->image);
	struct emulator *emulator = emulator_create(target);
	for (int warm = 0; warm < 2; warm++) {
		double start = seconds();

		tally = (struct tally){0};
		for (size_t i = 0; i < run->count; i++)
			compare_object(emulator, &reader, &run->items[i], &tally);
		double taken = seconds() - start;
		print_message(
			"%s %s: %zu objects, %zu visits, %zu mismatches, %zu faults, %.2f M/s\n",
			python, warm ? "warm" : "cold", tally.objects, tally.visits,
			tally.mismatches, tally.faults, (double)tally.objects / taken / 1e6);
	}
	statistics = emulator_statistics(emulator);
	print_message("  %lu blocks, %lu decoded, %.1f executed per call, %lu pages copied, %lu "
		      "library calls, %lu lazy bindings\n",
		      statistics.blocks, statistics.decoded,
		      (double)statistics.instructions / (double)statistics.calls,
		      statistics.pages_copied, statistics.library_calls, statistics.lazy_bindings);
	emulator_destroy(emulator);
	target_close(target);
	assert_int_equal(tally.mismatches, 0);
	assert_int_equal(tally.faults, 0);
}

// The oldest and the newest interpreter and Debian's; with PYMEM_TEST_FULL all, on larger heaps.
static void visits_are_those_of_the_process(void **state)
{
	bool full = getenv("PYMEM_TEST_FULL");
	char **pythons = visits_interpreters();
	size_t tested = 0;

	(void)state;
	for (size_t i = 0; pythons[i]; i++) {
		bool wanted = full || i < 2 || !pythons[i + 1];
		struct visits_run *run = wanted ? visits_start(pythons[i], full ? 20 : 3) : NULL;

		if (run) {
			compare_all(pythons[i], run);
			tested++;
		}
		visits_end(run);
		free(pythons[i]);
	}
	free(pythons);
	if (!tested)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(visits_are_those_of_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
