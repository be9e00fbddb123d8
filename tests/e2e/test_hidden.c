/*
 * References that objects do not tell the collector: those that a program knows of must be found,
 * with their names, and the census counts them.
 */
#include "support/jobs.h"
#include "support/opened.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct check {
	struct opened opened;
	struct census *census;
	struct reader reader;
};

static const struct type *type_of(struct check *check, uint64_t object)
{
	struct object_header header;

	assert_true(object_header(check->opened.runtime, &check->reader, object, &header));
	return type_get(check->opened.runtime->types, &check->reader, header.type);
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

	assert_true(
		traverse_hidden(check->opened.heap->traverser, holder, type, &references, &count));
	for (size_t i = 0; i < count; i++) {
		if (references[i].target != held)
			continue;
		const struct reference found = references[i];

		edge_label(check->opened.heap->traverser, holder, type, &found, &label);
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

	traverse_hidden(check->opened.heap->traverser, holder, type_of(check, holder), &references,
			&count);
	assert_int_equal(count, 0);
}

/* The census finds all references to what is held, unless it is part of CPython itself. */
static bool is_counted(const struct census *census, uint64_t held)
{
	return objects_find(census->objects, held) == HEAP_NONE || opened_all_found(census, held);
}

/* No reference is told twice. */
static void check_slots(struct check *check, uint64_t holder)
{
	const struct reference *references;
	size_t count;

	traverse_hidden(check->opened.heap->traverser, holder, type_of(check, holder), &references,
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
		assert_true(is_counted(check->census, fields == 3 ? held : holder));
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

	for (size_t i = 0; i < check->opened.target->thread_count; i++)
		missing = missing || check->opened.target->threads[i].stack_missing;
	assert_int_equal(check->census->suspicion, missing);
}

/* @return how many references were checked */
static size_t check_all(const struct interpreter_choice *choice,
			const struct python_process *process, const char *core)
{
	struct check check = {0};
	size_t count;

	opened_open(&check.opened, choice, process, core);
	reader_init(&check.reader, check.opened.target->image);
	assert_null(census_take(check.opened.objects, NULL, &check.census));
	count = check_file(&check, process->folder);
	check_suspicion(&check);
	census_free(check.census);
	opened_close(&check.opened);
	return count;
}

static void hidden_references_are_found(void **state)
{
	const struct interpreter_choice *choice = *state;
	struct python_process *process = program_start(choice, "hidden.py");
	size_t count = check_all(choice, process, NULL);
	char *core;

	print_message("%s: %zu references\n", choice->name, count);
	assert_true(count >= 5);
	core = program_gcore(process);
	assert_int_equal(check_all(choice, process, core), count);
	free(core);
	program_end(process);
}

int main(int argc, char **argv)
{
	return jobs_run_on_interpreters("hidden", hidden_references_are_found, argc, argv);
}
