/*
 * Questions and their answers. See questions.h.
 */
#include "support/questions.h"

#include "command/front_end.h"
#include "support/answer.h"
#include "support/run.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define AUTO_RUN struct run __attribute__((cleanup(run_clear)))

const struct question questions_all[] = {
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
	{false, NULL, {NULL}},
};

void subject_start(struct subject *subject, struct python_process *process)
{
	char path[ANSWERS_PATH_MAX];
	FILE *file;

	*subject = (struct subject){.process = process};
	snprintf(subject->pid, sizeof(subject->pid), "%d", (int)process->pid);
	snprintf(path, sizeof(path), "%s/addresses", process->folder);
	file = fopen(path, "re");
	if (!file)
		return;
	while (subject->object_count < SUBJECT_OBJECTS_MAX) {
		char(*object)[32] = subject->objects[subject->object_count];

		if (fscanf(file, "%29s %31s", object[0] + 2, object[1]) != 2)
			break;
		memcpy(object[0], "0x", 2);
		subject->object_count++;
	}
	fclose(file);
	assert_true(subject->object_count > 10);
}

void subject_end(struct subject *subject)
{
	program_end(subject->process);
	free(subject->before);
	*subject = (struct subject){0};
}

void answers_start(struct answers *answers, const struct subject *subject, const char *name)
{
	answers->count = 0;
	snprintf(answers->folder, sizeof(answers->folder), "%s/%s", subject->process->folder, name);
	assert_int_equal(mkdir(answers->folder, 0700), 0);
}

/** A word of a question as it is typed. */
static const char *word_of(const struct subject *subject, const char *word)
{
	if (!strcmp(word, "@before") && subject->before)
		return subject->before;
	for (size_t i = 0; *word == '@' && i < subject->object_count; i++)
		if (!strcmp(subject->objects[i][1], word + 1))
			return subject->objects[i][0];
	if (*word == '@')
		fail_msg("the program names no %s", word);
	return word;
}

/** A question in words: the command, its own, and where the answer goes. */
struct asked {
	const char *words[QUESTION_WORDS_MAX + 8];
	char output[ANSWERS_PATH_MAX + 64];
};

static void put(const struct subject *subject, const struct question *question,
		enum asked_part format, struct answers *answers, struct asked *asked)
{
	size_t count = 0;

	snprintf(asked->output, sizeof(asked->output), "%s/%s.%zu.%s", answers->folder,
		 question->command, answers->count++, format == ASK_LINES ? "ndjson" : "json");
	asked->words[count++] = question->command;
	asked->words[count++] = "--limit=20"; // one behind it is the one that counts
	asked->words[count++] = format == ASK_LINES ? "--ndjson" : "--json";
	asked->words[count++] = "-o";
	asked->words[count++] = asked->output;
	for (const char *const *word = question->words; *word; word++)
		asked->words[count++] = word_of(subject, *word);
	asked->words[count] = NULL;
}

static bool has_lines(const struct question *question)
{
	const char *first = question->words[0];

	for (const struct pymem_command *known = pymem_commands(); known->name; known++)
		if (!strcmp(known->name, question->command))
			return strstr(known->usage, "--ndjson") &&
			       (!first || strcmp(first, "0x10"));
	fail_msg("no command %s", question->command);
	return false;
}

/** Is the question asked in this format? */
static bool is_asked(const struct question *question, unsigned int parts, enum asked_part format)
{
	if (question->whole_only && !(parts & ASK_WHOLE))
		return false;
	return parts & format && (format == ASK_DOCUMENTS || has_lines(question));
}

/** Calls for each question in each format that is asked. */
#define asked_for_each(question, format, questions, parts)                                  \
	for (const struct question *question = questions; question->command; question++)    \
		for (enum asked_part format = ASK_DOCUMENTS; format <= ASK_LINES; format++) \
			if (is_asked(question, parts, format))

void ask_tool_one(const struct subject *subject, const char *const *target,
		  const struct question *question, enum asked_part format, struct answers *answers)
{
	const char *arguments[QUESTION_WORDS_MAX + 16];
	struct asked asked;
	size_t count = 0;
	AUTO_RUN run = {0};

	put(subject, question, format, answers, &asked);
	for (; *target; target++)
		arguments[count++] = *target;
	for (const char *const *word = asked.words; *word; word++)
		arguments[count++] = *word;
	arguments[count] = NULL;
	run_tool(&run, arguments);
	if (run.status != PYMEM_OK && run.status != PYMEM_PARTIAL)
		fail_msg("%s: exit code %d: %s", asked.output, run.status, run.err);
}

void ask_tool(const struct subject *subject, const char *const *target,
	      const struct question *questions, unsigned int parts, struct answers *answers)
{
	asked_for_each(question, format, questions, parts)
	{
		ask_tool_one(subject, target, question, format, answers);
	}
}

const char *ask_script(const struct subject *subject, const struct question *questions,
		       unsigned int parts, struct answers *answers)
{
	FILE *script;

	snprintf(answers->script, sizeof(answers->script), "%s/script", answers->folder);
	script = fopen(answers->script, "we");
	assert_non_null(script);
	asked_for_each(question, format, questions, parts)
	{
		struct asked asked;

		put(subject, question, format, answers, &asked);
		fprintf(script, "pymem %s", asked.words[0]);
		for (const char *const *word = asked.words + 1; *word; word++)
			fprintf(script, " '%s'", *word);
		fprintf(script, "\n");
	}
	assert_int_equal(fclose(script), 0);
	return answers->script;
}

static void compare_documents(const char *one, const char *other)
{
	char *first = answer_of_file(one), *second = answer_of_file(other);

	if (strcmp(first, second))
		print_error("%s\n%s\n", one, other);
	assert_same_answer(first, second);
}

static void compare_lines(const char *one, const char *other)
{
	AUTO_RUN run = {0};

	run_program(&run, RUN_ARGUMENTS("cmp", one, other));
	if (run.status)
		fail_msg("%s%s", run.out, run.err);
}

static int is_answer(const struct dirent *entry)
{
	return strstr(entry->d_name, ".json") || strstr(entry->d_name, ".ndjson");
}

void answers_compare(const struct answers *one, const struct answers *other)
{
	struct dirent **entries;
	int count = scandir(one->folder, &entries, is_answer, alphasort);

	assert_int_equal(count, one->count);
	assert_int_equal(count, other->count);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		char first[ANSWERS_PATH_MAX + 256], second[ANSWERS_PATH_MAX + 256];

		snprintf(first, sizeof(first), "%s/%s", one->folder, name);
		snprintf(second, sizeof(second), "%s/%s", other->folder, name);
		if (strstr(name, ".ndjson"))
			compare_lines(first, second);
		else
			compare_documents(first, second);
		free(entries[i]);
	}
	free(entries);
}

/** Has the tool write the schemas of its commands into the folder. */
static void write_schemas(const struct answers *answers)
{
	for (const struct pymem_command *command = pymem_commands(); command->name; command++) {
		for (int lines = 0; lines < 2; lines++) {
			const char *format = lines ? "--ndjson" : "--json";
			char path[ANSWERS_PATH_MAX + 64];
			AUTO_RUN run = {0};

			if (!strstr(command->usage, format))
				continue;
			snprintf(path, sizeof(path), "%s/%s.%s.schema", answers->folder,
				 command->name, lines ? "line" : "document");
			run_tool(&run,
				 RUN_ARGUMENTS("--schema", format, command->name, "-o", path));
			assert_int_equal(run.status, 0);
			assert_string_equal(run.err, "");
		}
	}
}

void answers_validate(const struct answers *answers, const char *unseen)
{
	AUTO_RUN run = {0};

	if (unseen)
		write_schemas(answers);
	run_program(&run, RUN_ARGUMENTS("/usr/bin/python3", "tests/programs/validate_answers.py",
					SCHEMA_FILE, answers->folder, unseen));
	if (run.status)
		fail_msg("%zu answers\n%s%s", answers->count, run.out, run.err);
	print_message("%zu answers\n", answers->count);
}

void questions_check_all(void)
{
	for (const struct pymem_command *known = pymem_commands(); known->name; known++) {
		bool found = !strstr(known->usage, "--json") || !strcmp(known->name, "diff");

		for (const struct question *question = questions_all; question->command; question++)
			found = found || !strcmp(known->name, question->command);
		if (!found)
			fail_msg("%s is not asked: add it to the questions", known->name);
	}
}
