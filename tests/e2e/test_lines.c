/*
 * The line of every instruction, as CPython itself finds it; in PYMEM_TEST_LINES files of the
 * standard library, 15 if that is not in the environment.
 */
#include "cpython/line_table.h"
#include "support/jobs.h"
#include "support/python_process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { CODE_UNIT = 2, LOOK_UPS = 40 };

struct check {
	struct target *target;
	struct runtime *runtime;
	struct reader reader;
	uint64_t instructions, differences;
};

static void compare(struct check *check, uint64_t code, int64_t offset, int32_t line,
		    int32_t expected, const char *how)
{
	if (line == expected || check->differences++ > 10)
		return;
	print_error("code 0x%" PRIx64 " at %" PRId64 ": line %" PRId32 " %s, not %" PRId32 "\n",
		    code, offset, line, how, expected);
}

/** The lines of all instructions, from the line of the file that begins with the code's address. */
static void check_code(struct check *check, char *text)
{
	uint64_t code = strtoull(text, &text, 16);
	struct line_range range = {.end = 0, .line = LINE_NONE};
	struct line_walk walk;
	int64_t offset = 0;

	assert_true(line_walk_begin(check->runtime, &check->reader, code, &walk));
	compare(check, code, -1, code_line(check->runtime, &check->reader, code, -1), walk.line,
		"before the first");
	while (*text == ' ') {
		int32_t line = (int32_t)strtol(text, &text, 10);
		int64_t count = strtol(text + 1, &text, 10);

		for (int64_t i = 0; i < count; i++, offset += CODE_UNIT) {
			while (offset >= range.end && line_walk_next(&walk, &range))
				;
			compare(check, code, offset, range.line, line, "by walking");
			if (i == 0 || offset < LOOK_UPS)
				compare(check, code, offset,
					code_line(check->runtime, &check->reader, code, offset),
					line, "by looking up");
			check->instructions++;
		}
	}
}

static void all_lines_are_those_of_the_process(void **state)
{
	const struct interpreter_choice *choice = *state;
	const struct target_options options = {.sysroot = strcmp(choice->root, "/") ? choice->root
										    : NULL};
	const char *files = getenv("PYMEM_TEST_LINES");
	char program[64], *line = NULL;
	struct python_process *process;
	struct check check = {0};
	size_t size = 0;
	FILE *file;

	snprintf(program, sizeof(program), "lines.py %s", files ? files : "15");
	process = program_start(choice, program);
	assert_null(target_open_pid(process->pid, &options, &check.target));
	assert_null(runtime_open(check.target, &check.runtime));
	reader_init(&check.reader, check.target->image);
	file = program_file(process, "lines");
	while (getline(&line, &size, file) > 0)
		check_code(&check, line);
	fclose(file);
	free(line);
	print_message("%s: %" PRIu64 " instructions\n", choice->name, check.instructions);
	assert_true(check.instructions > 10000);
	assert_int_equal(check.differences, 0);
	runtime_close(check.runtime);
	target_close(check.target);
	program_end(process);
}

int main(int argc, char **argv)
{
	return jobs_run_on_interpreters("lines", all_lines_are_those_of_the_process, argc, argv);
}
