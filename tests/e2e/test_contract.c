/*
 * The contract for machines: every answer in JSON fits docs/schema/pymem.schema.json, closed so
 * that it may hold nothing else, and everything in the schema occurs in some answer.
 */
#include "command/front_end.h"
#include "support/jobs.h"
#include "support/python_process.h"
#include "support/run.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AUTO_RUN struct run __attribute__((cleanup(run_clear)))
#define SCHEMA	 "docs/schema/pymem.schema.json"

enum { WORDS_MAX = 5, OBJECTS_MAX = 128, PATH_SIZE = 4096 + 300, DAMAGE_STEP = 40000 };

/* What is asked: of each command what all interpreters are asked, and more for the whole schema.
 * "@name" is the address of an object that the program names. */
static const struct question {
	bool whole_only;
	const char *command;
	const char *words[WORDS_MAX];
} questions[] = {
	{false, "triage", {NULL}},
	{false, "leaks", {NULL}},
	{false, "cycles", {NULL}},
	{false, "cycles", {"1"}},
	{false, "refcounts", {NULL}},
	{false, "refcount", {"@excess3"}},
	{false, "referents", {"@session"}},
	{false, "referrers", {"@session"}},
	{false, "show", {"@session"}},
	{false, "find", {"--type", "*Session"}},
	{false, "path", {"@list", "@cycle", "@local"}},
	{false, "types", {"--generation", "0"}},
	{false, "retained", {NULL}},
	{false, "retained", {"@session"}},
	{false, "threads", {"--locals"}},
	{false, "check", {NULL}},
	{false, "memory", {NULL}},
	{false, "info", {NULL}},
	{true, "cycles", {"2"}},
	{true, "triage", {"--redact"}},
	{true, "leaks", {"--limit=1"}},
	{true, "leaks", {"--redact"}},
	{true, "threads", {"--no-locals"}},
	{true, "threads", {"--redact"}},
	{true, "find", {"--str", "*user*", "--redact"}},
	{true, "types", {"--by", "module"}},
	{true, "types", {"--unreachable", "--sort", "name"}},
	{true, "retained", {"--by", "global"}},
	{true, "retained", {"--by", "module"}},
	{true, "retained", {"--by", "type"}},
	{true, "retained", {"--under", "@cache"}},
	{true, "retained", {"@list"}},
	{true, "path", {"@session", "--paths", "3"}},
	{true, "path", {"@shared"}},
	{true, "path", {"@cycle"}},
	{true, "path", {"@lost"}},
	{true, "path", {"@static"}},
	{true, "path", {"@local"}},
	{true, "path", {"@frozen", "0x10"}},
	{true, "refcount", {"@under1"}},
	{true, "refcount", {"@cache"}},
	{true, "refcount", {"@local"}},
	{true, "refcount", {"@static"}},
	{true, "refcount", {"@builtin"}},
	{true, "referents", {"@list"}},
	{true, "referents", {"@method"}},
	{true, "referents", {"@dangling"}},
	{true, "referrers", {"@local"}},
	{true, "referrers", {"@class"}},
	{true, "show", {"@list", "--depth", "2"}},
	{true, "show", {"@cache", "--redact"}},
	{true, "show", {"@class"}},
	{true, "show", {"@tasks"}},
	{true, "show", {"@freed"}},
	{true, "show", {"@table"}},
	{true, "show", {"@variable"}},
	{true, "show", {"0x10"}},
	{true, "info", {"--verbose"}},
};

/** One program, and the folder for its answers. */
struct subject {
	const struct interpreter_choice *choice;
	struct python_process *process;
	char pid[16];
	char folder[PATH_SIZE];
	char objects[OBJECTS_MAX][2][32]; /**< address, name */
	size_t object_count;
	size_t answers;
};

static void read_objects(struct subject *subject)
{
	FILE *file = program_file(subject->process, "addresses");
	char(*objects)[2][32] = subject->objects;

	while (subject->object_count < OBJECTS_MAX &&
	       fscanf(file, "%29s %31s", objects[subject->object_count][0] + 2,
		      objects[subject->object_count][1]) == 2)
		memcpy(objects[subject->object_count++][0], "0x", 2);
	fclose(file);
	assert_true(subject->object_count > 10);
}

static void subject_start(struct subject *subject, const struct interpreter_choice *choice)
{
	*subject = (struct subject){.choice = choice};
	subject->process = program_start(choice, "contract.py");
	snprintf(subject->pid, sizeof(subject->pid), "%d", (int)subject->process->pid);
	snprintf(subject->folder, sizeof(subject->folder), "%s/answers", subject->process->folder);
	assert_int_equal(mkdir(subject->folder, 0700), 0);
	read_objects(subject);
}

/** A word of a question as the tool takes it. */
static const char *word_of(const struct subject *subject, const char *word)
{
	for (size_t i = 0; *word == '@' && i < subject->object_count; i++)
		if (!strcmp(subject->objects[i][1], word + 1))
			return subject->objects[i][0];
	if (*word == '@')
		fail_msg("the program names no %s", word);
	return word;
}

/** Asks for one answer, which is written into the folder as COMMAND.N.json or .ndjson. */
static void ask(struct subject *subject, const char *const *target, const char *command,
		const char *const *words, const char *format)
{
	const char *arguments[WORDS_MAX + 16];
	char output[PATH_SIZE + 64];
	size_t count = 0;
	AUTO_RUN run = {0};

	snprintf(output, sizeof(output), "%s/%s.%zu.%s", subject->folder, command,
		 subject->answers++, format + 2);
	arguments[count++] = "--limit=20"; // one behind it is the one that counts
	for (; *target; target++)
		arguments[count++] = *target;
	arguments[count++] = format;
	arguments[count++] = "-o";
	arguments[count++] = output;
	arguments[count++] = command;
	for (; *words; words++)
		arguments[count++] = word_of(subject, *words);
	arguments[count] = NULL;
	run_tool(&run, arguments);
	if (run.status != PYMEM_OK && run.status != PYMEM_PARTIAL)
		fail_msg("%s %s %s: exit code %d: %s", command,
			 count > 8 ? arguments[count - 1] : "", format, run.status, run.err);
}

static bool has_lines(const char *command)
{
	for (const struct pymem_command *known = pymem_commands(); known->name; known++)
		if (!strcmp(known->name, command))
			return strstr(known->usage, "--ndjson");
	fail_msg("no command %s", command);
	return false;
}

/** Every command of the table is asked, so that a new one is not forgotten. */
static void check_all_asked(void)
{
	for (const struct pymem_command *known = pymem_commands(); known->name; known++) {
		bool found = !strstr(known->usage, "--json") || !strcmp(known->name, "diff");

		for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
			found = found || !strcmp(known->name, questions[i].command);
		if (!found)
			fail_msg("%s is not asked: add it to questions", known->name);
	}
}

/** Asks all that there is to ask. @param documents, lines the formats; whole: all questions */
static void ask_all(struct subject *subject, const char *const *target, bool documents, bool lines,
		    bool whole)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		const struct question *question = &questions[i];

		if (question->whole_only && !whole)
			continue;
		if (documents)
			ask(subject, target, question->command, question->words, "--json");
		if (lines && has_lines(question->command) &&
		    strcmp(question->words[0] ?: "", "0x10"))
			ask(subject, target, question->command, question->words, "--ndjson");
	}
}

/** Has the tool write the schemas of its commands into the folder. */
static void write_schemas(const struct subject *subject)
{
	for (const struct pymem_command *command = pymem_commands(); command->name; command++) {
		for (int lines = 0; lines < 2; lines++) {
			const char *format = lines ? "--ndjson" : "--json";
			char path[PATH_SIZE + 64];
			AUTO_RUN run = {0};

			if (!strstr(command->usage, format))
				continue;
			snprintf(path, sizeof(path), "%s/%s.%s.schema", subject->folder,
				 command->name, lines ? "line" : "document");
			run_tool(&run,
				 RUN_ARGUMENTS("--schema", format, command->name, "-o", path));
			assert_int_equal(run.status, 0);
			assert_string_equal(run.err, "");
		}
	}
}

/** Validates all answers. @param unseen list of what need not occur; NULL: nothing need */
static void validate(const struct subject *subject, const char *unseen)
{
	AUTO_RUN run = {0};

	if (unseen)
		write_schemas(subject);
	run_program(&run, RUN_ARGUMENTS("/usr/bin/python3", "tests/programs/validate_answers.py",
					SCHEMA, subject->folder, unseen));
	if (run.status)
		fail_msg("%s: %zu answers\n%s%s", subject->choice->name, subject->answers, run.out,
			 run.err);
	print_message("%s: %zu answers\n", subject->choice->name, subject->answers);
}

/** An interpreter to test; of one release of each minor version a core, too. */
struct candidate {
	const struct interpreter_choice *choice;
	bool with_core;
};

static void answers_fit(void **state)
{
	const struct candidate *candidate = *state;
	const char *root = candidate->choice->root;
	struct subject subject;
	char *core = NULL;

	subject_start(&subject, candidate->choice);
	ask_all(&subject, RUN_ARGUMENTS("--sysroot", root, "-p", subject.pid), true, false, false);
	if (candidate->with_core) {
		core = program_gcore(subject.process);
		ask_all(&subject, RUN_ARGUMENTS("--sysroot", root, "-c", core), false, true, false);
	}
	validate(&subject, NULL);
	free(core);
	program_end(subject.process);
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

static void ask_one(struct subject *subject, const char *const *target, const char *command)
{
	ask(subject, target, command, RUN_ARGUMENTS(NULL), "--json");
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
static void ask_of_damaged(struct subject *subject, const char *core)
{
	static const char *const commands[] = {"triage", "leaks", "check", "threads"};
	char packed[PATH_SIZE];
	AUTO_RUN pack = {0};

	snprintf(packed, sizeof(packed), "%s/packed", subject->process->folder);
	run_program(&pack, RUN_ARGUMENTS("zstd", "-q", "-1", core, "-o", packed));
	assert_int_equal(pack.status, 0);
	ask_one(subject, RUN_ARGUMENTS(packed), "info");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		ask_one(subject, RUN_ARGUMENTS("--sysroot", subject->folder, core), commands[i]);
	damage(core);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		ask_one(subject, RUN_ARGUMENTS(core), commands[i]);
}

static void ask_of_growth(struct subject *subject, const char *before)
{
	const char *const target[] = {"-p", subject->pid, NULL};

	program_request(subject->process, "g");
	ask(subject, target, "diff", RUN_ARGUMENTS(before), "--json");
	ask(subject, target, "diff", RUN_ARGUMENTS(before), "--ndjson");
	ask(subject, target, "diff", RUN_ARGUMENTS("--every", "1ms", "--redact"), "--json");
}

static void everything_occurs(void **state)
{
	struct subject subject;
	const char *why;
	char *core;

	check_all_asked();
	subject_start(&subject, *state);
	core = program_gcore(subject.process);
	ask_all(&subject, RUN_ARGUMENTS("-p", subject.pid), true, true, true);
	ask_all(&subject, RUN_ARGUMENTS(core), true, false, false);
	ask_of_growth(&subject, core);
	ask_of_damaged(&subject, core);
	program_request(subject.process, "b");
	ask_one(&subject, RUN_ARGUMENTS("-p", subject.pid), "threads");
	ask_one(&subject, RUN_ARGUMENTS("-p", subject.pid), "triage");
	free(core);
	core = program_core(subject.process, &why);
	if (core)
		ask_one(&subject, RUN_ARGUMENTS(core), "threads");
	validate(&subject, "tests/programs/unseen");
	free(core);
	program_end(subject.process);
}

static void schema_is_the_file(void **state)
{
	AUTO_RUN run = {0}, file = {0};

	(void)state;
	run_tool(&run, RUN_ARGUMENTS("--schema"));
	assert_int_equal(run.status, 0);
	run_program(&file, RUN_ARGUMENTS("cat", SCHEMA));
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
