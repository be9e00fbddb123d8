/*
 * What repr() says in the process itself and what is read from its memory must be the same, for
 * values of all kinds.
 */
#include "support/jobs.h"
#include "support/python_process.h"
#include "traverse/repr.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_SIZE = 1 << 16 };

static const struct repr_options all = {
	.depth = REPR_DEPTH_MAX, .items = 1000, .text = 4000, .addresses = true};

/** Where redaction must leave no value. */
static const char *const secrets[] = {"bob", "boom", "evelyn", "smile", "0123456789"};

struct check {
	struct target *target;
	struct runtime *runtime;
	struct traverser *traverser;
	size_t differences;
};

static void check_line(struct check *check, char *line, char *text)
{
	uint64_t address = strtoull(line, NULL, 16);
	char *expected = strchr(line, '\t') + 1;
	struct repr_options hidden = all;

	expected[strcspn(expected, "\n")] = '\0';
	repr_object(check->traverser, address, &all, text, TEXT_SIZE);
	if (strcmp(text, expected) != 0) {
		check->differences++;
		print_error("0x%lx\n  is  %.300s\n  not %.300s\n", (unsigned long)address, text,
			    expected);
	}
	hidden.redact = true;
	repr_object(check->traverser, address, &hidden, text, TEXT_SIZE);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (strstr(text, secrets[i]))
			fail_msg("%s is not hidden in %s", secrets[i], text);
	/* However small the buffer is, nothing is written behind it. */
	for (size_t size = 32; size < 64; size += 7) {
		memset(text, 'x', 128);
		repr_object(check->traverser, address, &all, text, size);
		assert_true(strlen(text) < size);
		assert_int_equal(text[size], 'x');
	}
}

static size_t check_file(struct check *check, const char *folder)
{
	char path[5000], *line = NULL, *text = malloc(TEXT_SIZE);
	size_t count = 0, size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/reprs", folder);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(text);
	for (; getline(&line, &size, file) > 0; count++)
		check_line(check, line, text);
	fclose(file);
	free(line);
	free(text);
	return count;
}

static void repr_is_that_of_the_process(void **state)
{
	const struct interpreter_choice *choice = *state;
	const struct target_options options = {.sysroot = strcmp(choice->root, "/") ? choice->root
										    : NULL};
	struct python_process *process = program_start(choice, "PYTHONHASHSEED=1 reprs.py");
	struct check check = {0};

	assert_null(target_open_pid(process->pid, &options, &check.target));
	assert_null(runtime_open(check.target, &check.runtime));
	check.traverser = traverser_create(check.runtime);
	size_t count = check_file(&check, process->folder);
	print_message("%s: %zu values\n", choice->name, count);
	assert_true(count >= 500);
	assert_int_equal(check.differences, 0);
	traverser_destroy(check.traverser);
	runtime_close(check.runtime);
	target_close(check.target);
	program_end(process);
}

int main(int argc, char **argv)
{
	return jobs_run_on_interpreters("repr", repr_is_that_of_the_process, argc, argv);
}
