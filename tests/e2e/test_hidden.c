/*
 * References that objects do not tell the collector: those that a program knows of must be found,
 * with their names, and the census counts them.
 */
#include "analysis/census.h"
#include "support/jobs.h"
#include "support/python_process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct check {
	struct target *target;
	struct runtime *runtime;
	struct heap *heap;
	struct objects *objects;
	struct census *census;
	struct reader reader;
};

static const struct type *type_of(struct check *check, uint64_t object)
{
	struct object_header header;

	assert_true(object_header(check->runtime, &check->reader, object, &header));
	return type_get(check->runtime->types, &check->reader, header.type);
}

static void label_as_text(const struct edge_label *label, char *text, size_t size)
{
	if (label->kind == EDGE_INDEX)
		snprintf(text, size, "[%" PRIu64 "]", label->index);
	else
		snprintf(text, size, "%s%s", label->kind == EDGE_ATTRIBUTE ? "." : "?",
			 label->name);
}

static void check_reference(struct check *check, uint64_t holder, uint64_t held,
			    const char *expected)
{
	const struct type *type = type_of(check, holder);
	const struct reference *references;
	char text[128] = "not at all";
	struct edge_label label;
	size_t count;

	assert_true(traverse_hidden(check->heap->traverser, holder, type, &references, &count));
	for (size_t i = 0; i < count; i++) {
		if (references[i].target != held)
			continue;
		const struct reference found = references[i];

		edge_label(check->heap->traverser, holder, type, &found, &label);
		label_as_text(&label, text, sizeof(text));
		if (strcmp(text, expected) == 0)
			return;
	}
	fail_msg("%s at 0x%" PRIx64 " holds 0x%" PRIx64 " as %s, not %s", type->name, holder, held,
		 text, expected);
}

static void check_empty(struct check *check, uint64_t holder)
{
	const struct reference *references;
	size_t count;

	traverse_hidden(check->heap->traverser, holder, type_of(check, holder), &references,
			&count);
	assert_int_equal(count, 0);
}

/* The census finds all references to what is held. */
static void check_count(struct check *check, uint64_t held)
{
	const struct census *census = check->census;
	uint32_t object = objects_find(census->objects, held);

	if (object != HEAP_NONE &&
	    (int64_t)census->found[object] < census->objects->refcounts[object])
		fail_msg("%s at 0x%" PRIx64 " has %d references, %u found",
			 type_of(check, held)->name, held, census->objects->refcounts[object],
			 census->found[object]);
}

/* No reference is told twice. */
static void check_slots(struct check *check, uint64_t holder)
{
	const struct reference *references;
	size_t count;

	traverse_hidden(check->heap->traverser, holder, type_of(check, holder), &references,
			&count);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(references[i].slot, references[j].slot);
}

static size_t check_file(struct check *check, const char *folder)
{
	char path[5000], line[256], label[128];
	uint64_t holder, held;
	size_t count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/hidden", folder);
	file = fopen(path, "r");
	assert_non_null(file);
	for (; fgets(line, sizeof(line), file); count++) {
		int fields = sscanf(line, "%" SCNx64 " %" SCNx64 " %127s", &holder, &held, label);

		check_slots(check, holder);
		check_count(check, fields == 3 ? held : holder);
		if (fields == 3)
			check_reference(check, holder, held, label);
		else
			check_empty(check, holder);
	}
	fclose(file);
	return count;
}

/* Nothing is missing that could hold a reference: the shared file that is mapped could not. gcore
 * cannot read the stacks of newer glibc. */
static void check_suspicion(const struct check *check)
{
	bool missing = false;

	for (size_t i = 0; i < check->target->thread_count; i++)
		missing = missing || check->target->threads[i].stack_missing;
	assert_int_equal(check->census->suspicion, missing);
}

/* @return how many references were checked. The target is taken over. */
static size_t check_all(struct target *target, const char *folder)
{
	struct check check = {.target = target};
	size_t count;

	assert_null(runtime_open(check.target, &check.runtime));
	reader_init(&check.reader, check.target->image);
	assert_null(heap_open(check.runtime, NULL, &check.heap));
	assert_null(objects_open(check.heap, NULL, NULL, &check.objects));
	assert_null(census_take(check.objects, NULL, &check.census));
	count = check_file(&check, folder);
	check_suspicion(&check);
	census_free(check.census);
	objects_close(check.objects);
	heap_close(check.heap);
	runtime_close(check.runtime);
	target_close(check.target);
	return count;
}

static void hidden_references_are_found(void **state)
{
	const struct interpreter_choice *choice = *state;
	const struct target_options options = {.sysroot = strcmp(choice->root, "/") ? choice->root
										    : NULL};
	struct python_process *process = program_start(choice, "hidden.py");
	struct target *target;
	size_t count;
	char *core;

	assert_null(target_open_pid(process->pid, &options, &target));
	count = check_all(target, process->folder);
	print_message("%s: %zu references\n", choice->name, count);
	assert_true(count >= 5);
	core = program_gcore(process);
	assert_null(target_open_core(core, &options, &target));
	assert_int_equal(check_all(target, process->folder), count);
	free(core);
	program_end(process);
}

int main(int argc, char **argv)
{
	return jobs_run_on_interpreters("hidden", hidden_references_are_found, argc, argv);
}
