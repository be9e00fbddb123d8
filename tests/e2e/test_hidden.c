/*
 * References that objects do not tell the collector: those that a program knows of must be found,
 * with their names.
 */
#include "support/jobs.h"
#include "support/python_process.h"
#include "traverse/traverse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct check {
	struct target *target;
	struct runtime *runtime;
	struct traverser *traverser;
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

	assert_true(traverse_hidden(check->traverser, holder, type, &references, &count));
	for (size_t i = 0; i < count; i++) {
		if (references[i].target != held)
			continue;
		const struct reference found = references[i];

		edge_label(check->traverser, holder, type, &found, &label);
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

	traverse_hidden(check->traverser, holder, type_of(check, holder), &references, &count);
	assert_int_equal(count, 0);
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

		if (fields == 3)
			check_reference(check, holder, held, label);
		else
			check_empty(check, holder);
	}
	fclose(file);
	return count;
}

static void hidden_references_are_found(void **state)
{
	const struct interpreter_choice *choice = *state;
	const struct target_options options = {.sysroot = strcmp(choice->root, "/") ? choice->root
										    : NULL};
	struct python_process *process = program_start(choice, "hidden.py");
	struct check check = {0};

	assert_null(target_open_pid(process->pid, &options, &check.target));
	assert_null(runtime_open(check.target, &check.runtime));
	reader_init(&check.reader, check.target->image);
	check.traverser = traverser_create(check.runtime);
	size_t count = check_file(&check, process->folder);
	print_message("%s: %zu references\n", choice->name, count);
	assert_true(count >= 5);
	traverser_destroy(check.traverser);
	runtime_close(check.runtime);
	target_close(check.target);
	program_end(process);
}

int main(int argc, char **argv)
{
	return jobs_run_on_interpreters("hidden", hidden_references_are_found, argc, argv);
}
