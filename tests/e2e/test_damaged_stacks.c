/*
 * Thread states, frames, code objects, generators and tasks of a real process with their words
 * changed at random: reading all stacks, with the variables, must come back, soon, and stay within
 * bounds. The sanitizers, where they are built in, watch.
 */
#include "support/damage.h"
#include "support/jobs.h"
#include "support/python_process.h"
#include "analysis/stacks.h"
#include "traverse/repr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	ROUNDS = 400,
	CHANGES = 8,	    // words changed for one round, at most
	NEAR = 160,	    // bytes behind the beginning of what is damaged
	FRAMES_MAX = 30000, // of a damaged stack; the program has some 1,300
	VALUES = 3,	    // variables of a frame whose value is written
	SECONDS = 120,	    // for all rounds, under a sanitizer on a busy machine
};

/** Where to damage. */
struct places {
	uint64_t *items;
	size_t count;
};

static void add_place(struct places *places, uint64_t address)
{
	if (!(places->count & (places->count - 1)))
		places->items = reallocarray(places->items, places->count ? places->count * 2 : 1,
					     sizeof(*places->items));
	assert_non_null(places->items);
	places->items[places->count++] = address;
}

/** As often as there are frames, so that threads and tasks are not missed. */
static void find_places(const struct stacks *stacks, struct places *places)
{
	for (size_t i = 0; i < stacks->frame_count; i++) {
		add_place(places, stacks->frames[i].address);
		if (i % 4 == 0)
			add_place(places, stacks->frames[i].code);
		if (stacks->python.count)
			add_place(places, stacks->python.items[i % stacks->python.count].address);
		if (stacks->suspended_count)
			add_place(places, stacks->suspended[i % stacks->suspended_count].object);
	}
}

static void write_values(struct heap *heap, const struct stack_frame *at)
{
	const struct repr_options options = REPR_LINE;
	struct locals locals;
	struct local local;
	struct frame frame;
	char text[256];

	if (!frame_read(heap->runtime, &heap->reader, at->address, &frame) || frame.is_hidden)
		return;
	locals_begin(&locals, heap->runtime, &heap->reader, &frame);
	for (int i = 0; i < VALUES && locals_next(&locals, &local); i++)
		repr_object(heap->traverser, local.value, &options, text, sizeof(text));
}

static void read_all(struct heap *heap)
{
	struct stacks *stacks;

	assert_null(stacks_read(heap, STACKS_ALL, NULL, &stacks));
	assert_in_range(stacks->frame_count, 0, FRAMES_MAX);
	for (size_t i = 0; i < stacks->frame_count; i += 7)
		write_values(heap, &stacks->frames[i]);
	stacks_free(stacks);
}

static void damaged_stacks_are_survived(void **state)
{
	const struct interpreter_choice *choice = *state;
	const struct target_options options = {.sysroot = strcmp(choice->root, "/") ? choice->root
										    : NULL};
	struct python_process *process = program_start(choice, "stacks.py");
	struct damage damage = {0};
	struct places places = {0};
	struct damage_change changes[CHANGES];
	struct target *target;
	struct runtime *runtime;
	struct stacks *stacks;
	struct heap *heap;
	char *core = program_gcore(process);
	clock_t start;

	assert_null(target_open_core(core, &options, &target));
	damage_begin(&damage, target);
	assert_null(runtime_open(target, &runtime));
	assert_null(heap_open(runtime, NULL, &heap));
	assert_null(stacks_read(heap, STACKS_ALL, NULL, &stacks));
	find_places(stacks, &places);
	assert_in_range(places.count, 1000, FRAMES_MAX);
	stacks_free(stacks);
	srandom(1);
	start = clock();
	for (size_t round = 0; round < ROUNDS; round++) {
		size_t count = 1 + (size_t)random() % CHANGES;

		for (size_t i = 0; i < count; i++)
			damage_change(&damage,
				      places.items[damage_random() % places.count] +
					      damage_random() % NEAR / 8 * 8,
				      places.items[damage_random() % places.count],
				      random() % 4 == 0, &changes[i]);
		read_all(heap);
		damage_undo(changes, count);
	}
	print_message("%d damaged stacks in %.1f s\n", ROUNDS,
		      (double)(clock() - start) / CLOCKS_PER_SEC);
	assert_true(clock() - start < (clock_t)SECONDS * CLOCKS_PER_SEC);
	heap_close(heap);
	runtime_close(runtime);
	damage_end(&damage);
	target_close(target);
	free(places.items);
	free(core);
	program_end(process);
}

int main(int argc, char **argv)
{
	size_t choices_count, count = 0;
	struct interpreter_choice *choices = interpreters_list(&choices_count);
	struct CMUnitTest tests[3];
	int failed;

	// Frames as objects, on data stacks with a type of their own, and the newest.
	for (size_t i = 0; i < choices_count && count < 3; i++)
		if (i == 0 || i + 1 == choices_count || !strncmp(choices[i].version, "3.12", 4))
			tests[count++] =
				(struct CMUnitTest){choices[i].name, damaged_stacks_are_survived,
						    NULL, NULL, &choices[i]};
	failed = jobs_run_tests("damaged stacks", tests, count, 2, argc, argv);
	interpreters_free(choices, choices_count);
	return failed;
}
