/*
 * The contract for machines: every answer in JSON fits docs/schema/pymem.schema.json, closed so
 * that it may hold nothing else, and everything in the schema occurs in some answer.
 */
#include "support/answer.h"
#include "support/jobs.h"
#include "support/questions.h"
#include "support/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define AUTO_RUN struct run __attribute__((cleanup(run_clear)))

enum { DAMAGE_STEP = 40000 };

/** An interpreter to test; of one release of each minor version a core, too. */
struct candidate {
	const struct interpreter_choice *choice;
	bool with_core;
};

static void answers_fit(void **state)
{
	const struct candidate *candidate = *state;
	const struct interpreter_choice *choice = candidate->choice;
	struct subject subject;
	struct answers answers;
	char *core = NULL;

	subject_start(&subject, program_start(choice, "contract.py"));
	answers_start(&answers, &subject, "answers");
	ask_tool(&subject, RUN_ARGUMENTS("--sysroot", choice->root, "-p", subject.pid),
		 questions_all, ASK_DOCUMENTS, &answers);
	if (candidate->with_core) {
		core = program_gcore(subject.process);
		ask_tool(&subject, RUN_ARGUMENTS("--sysroot", choice->root, "-c", core),
			 questions_all, ASK_LINES, &answers);
	}
	answers_validate(&answers, NULL);
	free(core);
	subject_end(&subject);
}

/** Is no earlier one of the same minor version? */
static bool is_first_of_minor(const struct interpreter_choice *choices, size_t index)
{
	const char *version = choices[index].version;
	size_t length = strcspn(version + 2, ".") + 2;

	for (size_t i = 0; i < index; i++)
		if (!strncmp(choices[i].version, version, length + 1))
			return false;
	return true;
}

/** A command without words. */
static void ask_one(const struct subject *subject, const char *const *target, const char *command,
		    struct answers *answers)
{
	ask_tool_one(subject, target, &(struct question){.command = command}, ASK_DOCUMENTS,
		     answers);
}

/** Overwrites some words of many pages. */
static void damage(const char *path)
{
	FILE *file = fopen(path, "r+e");
	char wrong[64];
	struct stat status;

	assert_non_null(file);
	assert_int_equal(stat(path, &status), 0);
	memset(wrong, 0x5a, sizeof(wrong));
	for (long at = status.st_size / 8; at < status.st_size / 8 * 7; at += DAMAGE_STEP) {
		assert_int_equal(fseek(file, at, SEEK_SET), 0);
		assert_int_equal(fwrite(wrong, sizeof(wrong), 1, file), 1);
	}
	assert_int_equal(fclose(file), 0);
}

/** Cores that are packed, lack the files of their process, or are damaged; the last is changed. */
static void ask_of_damaged(const struct subject *subject, const char *core, struct answers *answers)
{
	static const char *const commands[] = {"triage", "leaks", "check", "threads"};
	char packed[ANSWERS_PATH_MAX];
	AUTO_RUN pack = {0};

	snprintf(packed, sizeof(packed), "%s/packed", subject->process->folder);
	run_program(&pack, RUN_ARGUMENTS("zstd", "-q", "-1", core, "-o", packed));
	assert_int_equal(pack.status, 0);
	ask_one(subject, RUN_ARGUMENTS(packed), "info", answers);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		ask_one(subject, RUN_ARGUMENTS("--sysroot", answers->folder, core), commands[i],
			answers);
	damage(core);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		ask_one(subject, RUN_ARGUMENTS(core), commands[i], answers);
}

static void ask_of_growth(const struct subject *subject, struct answers *answers)
{
	static const struct question since = {false, "diff", {"@before"}},
				     watched = {false, "diff", {"--every", "1ms", "--redact"}};
	const char *const target[] = {"-p", subject->pid, NULL};

	program_request(subject->process, "g");
	ask_tool_one(subject, target, &since, ASK_DOCUMENTS, answers);
	ask_tool_one(subject, target, &since, ASK_LINES, answers);
	ask_tool_one(subject, target, &watched, ASK_DOCUMENTS, answers);
}

static void everything_occurs(void **state)
{
	struct subject subject;
	struct answers answers;
	const char *why;
	char *core;

	questions_check_all();
	subject_start(&subject, program_start(*state, "contract.py"));
	answers_start(&answers, &subject, "answers");
	subject.before = program_gcore(subject.process);
	ask_tool(&subject, RUN_ARGUMENTS("-p", subject.pid), questions_all,
		 ASK_DOCUMENTS | ASK_LINES | ASK_WHOLE, &answers);
	ask_tool(&subject, RUN_ARGUMENTS(subject.before), questions_all, ASK_DOCUMENTS | ASK_WHOLE,
		 &answers);
	ask_of_growth(&subject, &answers);
	ask_of_damaged(&subject, subject.before, &answers);
	program_request(subject.process, "b");
	ask_one(&subject, RUN_ARGUMENTS("-p", subject.pid), "threads", &answers);
	ask_one(&subject, RUN_ARGUMENTS("-p", subject.pid), "triage", &answers);
	core = program_core(subject.process, &why);
	if (core)
		ask_one(&subject, RUN_ARGUMENTS(core), "threads", &answers);
	answers_validate(&answers, "tests/programs/unseen");
	free(core);
	subject_end(&subject);
}

static void schema_is_the_file(void **state)
{
	AUTO_RUN run = {0}, file = {0};

	(void)state;
	run_tool(&run, RUN_ARGUMENTS("--schema"));
	assert_int_equal(run.status, 0);
	run_program(&file, RUN_ARGUMENTS("cat", SCHEMA_FILE));
	assert_string_equal(run.out, file.out);
}

int main(int argc, char **argv)
{
	size_t count;
	struct interpreter_choice *choices = interpreters_list(&count);
	struct CMUnitTest *tests = calloc(count + 2, sizeof(*tests));
	struct candidate *candidates = calloc(count + 1, sizeof(*candidates));
	struct interpreter_choice *whole = NULL;
	int failed;

	assert_non_null(tests);
	assert_non_null(candidates);
	for (size_t i = 0; i < count; i++) {
		candidates[i] = (struct candidate){&choices[i], is_first_of_minor(choices, i)};
		if (!strcmp(choices[i].root, "/") &&
		    (!whole || strverscmp(choices[i].version, whole->version) > 0))
			whole = &choices[i];
		tests[i + 2] = (struct CMUnitTest){choices[i].name, answers_fit, NULL, NULL,
						   &candidates[i]};
	}
	tests[0] = (struct CMUnitTest){"everything", everything_occurs, NULL, NULL, whole};
	tests[1] = (struct CMUnitTest){"schema", schema_is_the_file, NULL, NULL, NULL};
	failed = jobs_run_tests("contract", tests, count + 2, 2, argc, argv);
	free(tests);
	free(candidates);
	interpreters_free(choices, count);
	return failed;
}
