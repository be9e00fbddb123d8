/*
 * Objects of a real process with their words changed at random, and functions with bits of their
 * code flipped: decoders and the emulator must come back, soon, whatever they make of them. The
 * sanitizers, where they are built in, watch.
 */
#include "support/damage.h"
#include "support/jobs.h"
#include "support/visits.h"
#include "traverse/emulator_cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	ROUNDS = 20000,
	CHANGES = 6,	 // words changed for one round, at most
	BUDGET = 50000,	 // instructions of a call
	VISITS = 200000, // of a call
	SECONDS = 120,	 // for all rounds, under a sanitizer on a busy machine
};

/** A process whose memory can be changed. */
struct victim {
	struct visits_run *run;
	struct target *target;
	struct damage damage;
	struct reader reader;
	struct runtime *runtime;
	struct traverser *traverser;
	struct emulator *emulator;
};

static void open_victim(struct victim *victim, const struct interpreter_choice *choice)
{
	const struct target_options options = {.sysroot = strcmp(choice->root, "/") ? choice->root
										    : NULL};

	victim->run = visits_start(choice, 1);
	assert_null(target_open_core(victim->run->core, &options, &victim->target));
	damage_begin(&victim->damage, victim->target);
	assert_null(runtime_open(victim->target, &victim->runtime));
	reader_init(&victim->reader, victim->target->image);
	victim->traverser = traverser_create(victim->runtime);
	victim->emulator = emulator_create(victim->target);
	assert_true(victim->traverser && victim->emulator);
	emulator_cpu(victim->emulator)->call_budget = BUDGET;
	emulator_cpu(victim->emulator)->reference_limit = VISITS;
}

static void close_victim(struct victim *victim)
{
	emulator_destroy(victim->emulator);
	traverser_destroy(victim->traverser);
	runtime_close(victim->runtime);
	damage_end(&victim->damage);
	target_close(victim->target);
	visits_end(victim->run);
}

static const struct type *type_of(struct victim *victim, uint64_t object)
{
	struct object_header header;

	if (!object_header(victim->runtime, &victim->reader, object, &header))
		return NULL;
	return type_get(victim->runtime->types, &victim->reader, header.type);
}

// Traverses an object in all ways.
static void traverse(struct victim *victim, const struct visits *visits)
{
	const uint64_t arguments[] = {visits->object, TRAP_VISIT, ARGUMENT};
	const struct type *type = type_of(victim, visits->object);
	const struct reference *references;
	struct object_size size;
	size_t count;

	if (visits->traverse) {
		blocks_clear(emulator_cpu(victim->emulator));
		cpu_call(emulator_cpu(victim->emulator), visits->traverse, arguments);
	}
	if (!type)
		return;
	traverser_check(victim->traverser, visits->object, type);
	traverse_object(victim->traverser, visits->object, type, &references, &count);
	for (size_t i = 0; i < count && i < 8; i++) {
		const struct reference reference = references[i];
		struct edge_label label;

		edge_label(victim->traverser, visits->object, type, &reference, &label);
		traverse_object(victim->traverser, visits->object, type, &references, &count);
	}
	traverse_hidden(victim->traverser, visits->object, type, &references, &count);
	object_measure(victim->traverser, visits->object, type, &size);
}

static void damage_and_traverse(struct victim *victim)
{
	const struct visits *visits = &victim->run->items[damage_random() % victim->run->count];
	struct damage_change changes[CHANGES];
	size_t count = 1 + (size_t)random() % CHANGES;
	bool code = random() % 4 == 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t start = code ? visits->traverse : visits->object - 32;

		damage_change(&victim->damage, start + damage_random() % 192,
			      victim->run->items[damage_random() % victim->run->count].object, code,
			      &changes[i]);
	}
	traverse(victim, visits);
	damage_undo(changes, count);
}

static void damaged_objects_are_survived(void **state)
{
	struct victim victim = {0};
	clock_t start;

	open_victim(&victim, *state);
	srandom(1);
	start = clock();
	for (size_t round = 0; round < ROUNDS; round++)
		damage_and_traverse(&victim);
	double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
	print_message("%d damaged objects in %.1f s\n", ROUNDS, seconds);
	assert_true(seconds < SECONDS);
	close_victim(&victim);
}

int main(int argc, char **argv)
{
	size_t choices_count, count = 0;
	struct interpreter_choice *choices = interpreters_list(&choices_count);
	struct CMUnitTest tests[2];
	int failed;

	// The first and the last of the list: different enough.
	for (size_t i = 0; i < choices_count; i++)
		if (i == 0 || i + 1 == choices_count)
			tests[count++] =
				(struct CMUnitTest){choices[i].name, damaged_objects_are_survived,
						    NULL, NULL, &choices[i]};
	failed = jobs_run_tests("damaged objects", tests, count, 2, argc, argv);
	interpreters_free(choices, choices_count);
	return failed;
}
