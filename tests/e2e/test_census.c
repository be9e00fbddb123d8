/*
 * A program that leaks nothing, in memory that held much else before: the census finds all
 * references to its objects.
 */
#include "analysis/census.h"

#include "support/jobs.h"
#include "support/python_process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 2, OBJECTS_MIN = 1000, SHOWN_MAX = 5 };

/* @return false, and says so, if fewer references were found than there are */
static bool check_object(const struct census *census, uint64_t address)
{
	const struct objects *objects = census->objects;
	uint32_t object = objects_find(objects, address);
	const struct type *type = object == HEAP_NONE ? NULL : objects_type(objects, object);

	if (type && (objects->refcounts[object] == HEAP_IMMORTAL ||
		     (int64_t)census->found[object] >= objects->refcounts[object]))
		return true;
	print_error("%s at 0x%" PRIx64 ": %d references, %u found\n", type ? type->name : "nothing",
		    address, type ? objects->refcounts[object] : 0,
		    type ? census->found[object] : 0);
	return false;
}

static void check_file(const struct census *census, const struct python_process *process)
{
	FILE *file = program_file(process, "held");
	size_t count = 0, wrong = 0;
	uint64_t address;

	for (; fscanf(file, "%" SCNx64, &address) == 1 && wrong < SHOWN_MAX; count++)
		wrong += !check_object(census, address);
	fclose(file);
	assert_int_equal(wrong, 0);
	assert_true(count >= OBJECTS_MIN);
}

static void check_program(const struct interpreter_choice *choice, int seed)
{
	const struct target_options options = {.sysroot = strcmp(choice->root, "/") ? choice->root
										    : NULL};
	struct python_process *process;
	struct target *target;
	struct runtime *runtime;
	struct heap *heap;
	struct objects *objects;
	struct census *census;
	char program[64];

	snprintf(program, sizeof(program), "recycled.py %d", seed);
	process = program_start(choice, program);
	program_wait_idle(process);
	assert_null(target_open_pid(process->pid, &options, &target));
	assert_null(runtime_open(target, &runtime));
	assert_null(heap_open(runtime, NULL, &heap));
	assert_null(objects_open(heap, NULL, NULL, &objects));
	assert_null(census_take(objects, NULL, &census));
	check_file(census, process);
	census_free(census);
	objects_close(objects);
	heap_close(heap);
	runtime_close(runtime);
	target_close(target);
	program_end(process);
}

static void all_references_are_found(void **state)
{
	for (int seed = 1; seed <= SEEDS; seed++)
		check_program(*state, seed);
}

int main(int argc, char **argv)
{
	return jobs_run_on_interpreters("census", all_references_are_found, argc, argv);
}
