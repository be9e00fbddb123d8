/*
 * --redact hides what a process holds, whatever the command and the format: a program keeps a
 * secret in every kind of place, all commands of the table are run on it, and none may say it.
 */
#include "support/answer.h"
#include "support/gdb.h"
#include "support/jobs.h"
#include "support/run.h"
#include "command/front_end.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET "Xyzzy47plugh"
#define NUMBER "739173917391"

enum { HOLDERS_MAX = 32, WORDS_MAX = 12 };

/* What must not be said: the secret, the number in all digits that are shown of it, and the words
 * that the text leaves where pointers were ("Xyzzy47p" and "lughXyzz" from their lowest byte on).
 */
static const char *const secrets[] = {SECRET, "739173917", "ac1a32e2c", "703734797a7a7958",
				      "7a7a79586867756c"};

/* Commands that need other arguments than an address or none. */
static const struct {
	const char *command;
	const char *words[WORDS_MAX];
} arguments_of[] = {
	{"cycles", {NULL}},	   {"cycles", {"1"}},
	{"diff", {"CORE"}},	   {"diff", {"--every", "100ms"}},
	{"find", {"--type", "*"}},
};

/* Commands whose answer is of values: without --redact they say the secret. */
static const char *const telling[] = {"triage",	   "leaks",	"refcounts",
				      "referents", "referrers", "show"};

/* A program that holds the secret. */
struct subject {
	const struct interpreter_choice *choice;
	struct python_process *process;
	char holders[HOLDERS_MAX][2][32]; /* address, kind */
	size_t holder_count;
	bool asks_all; /* of all holders, in all formats */
	char *core;    /* of an earlier state */
	size_t runs;
};

static void read_holders(struct subject *subject)
{
	FILE *file;

	file = program_file(subject->process, "holders");
	while (subject->holder_count < HOLDERS_MAX &&
	       fscanf(file, "%31s %31s", subject->holders[subject->holder_count][0] + 2,
		      subject->holders[subject->holder_count][1]) == 2)
		memcpy(subject->holders[subject->holder_count++][0], "0x", 2);
	fclose(file);
	assert_true(subject->holder_count >= 8);
}

/* Runs one command; words and format may be NULL. */
static void ask(struct subject *subject, const char *command, const char *const *words,
		const char *format, bool redact, struct run *run)
{
	const char *arguments[WORDS_MAX + 12];
	size_t count = 0;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)subject->process->pid);
	arguments[count++] = "--sysroot";
	arguments[count++] = subject->choice->root;
	arguments[count++] = "-p";
	arguments[count++] = pid;
	arguments[count++] = "--limit=0";
	arguments[count++] = "--verbose";
	if (format)
		arguments[count++] = format;
	if (redact)
		arguments[count++] = "--redact";
	arguments[count++] = command;
	for (; words && *words; words++)
		arguments[count++] = strcmp(*words, "CORE") ? *words : subject->core;
	arguments[count] = NULL;
	run_tool(run, arguments);
	subject->runs++;
	if (run->status == PYMEM_USAGE)
		fail_msg("%s: %sgive it arguments in arguments_of", command, run->err);
	if (run->status != PYMEM_OK && run->status != PYMEM_PARTIAL)
		fail_msg("%s %s: exit code %d: %s", command, words ? words[0] : "", run->status,
			 run->err);
}

static void check_hidden(struct subject *subject, const char *command, const char *const *words,
			 const char *format)
{
	struct run run __attribute__((cleanup(run_clear))) = {0};

	ask(subject, command, words, format, true, &run);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		const char *said = strstr(run.out, secrets[i]);

		if (!said)
			said = strstr(run.err, secrets[i]);
		if (said)
			fail_msg("%s %s %s: %.200s", command, words && *words ? *words : "",
				 format ? format : "", said - run.out > 100 ? said - 100 : run.out);
	}
}

static void check_formats(struct subject *subject, const struct pymem_command *command,
			  const char *const *words)
{
	if (subject->asks_all || !strstr(command->usage, "--json"))
		check_hidden(subject, command->name, words, NULL);
	if (strstr(command->usage, "--json"))
		check_hidden(subject, command->name, words, "--json");
	if (subject->asks_all && strstr(command->usage, "--ndjson"))
		check_hidden(subject, command->name, words, "--ndjson");
}

static bool says(struct subject *subject, const char *command, const char *const *words)
{
	struct run run __attribute__((cleanup(run_clear))) = {0};

	ask(subject, command, words, "--json", false, &run);
	return strstr(run.out, SECRET) && strstr(run.out, NUMBER);
}

/* The test can fail: what is hidden is said without the option. */
static void check_telling(struct subject *subject)
{
	for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++) {
		const char *const words[] = {subject->holders[1][0], NULL};
		bool with_address = !strncmp(telling[i], "refer", 5) || !strcmp(telling[i], "show");

		if (!says(subject, telling[i], with_address ? words : NULL))
			fail_msg("%s does not say the secret", telling[i]);
	}
}

static void check_command(struct subject *subject, const struct pymem_command *command)
{
	bool listed = false;

	for (size_t i = 0; i < sizeof(arguments_of) / sizeof(arguments_of[0]); i++) {
		if (strcmp(arguments_of[i].command, command->name) != 0)
			continue;
		check_formats(subject, command, arguments_of[i].words);
		listed = true;
	}
	if (listed)
		return;
	if (strncmp(command->usage, "ADDR", 4) != 0) {
		check_formats(subject, command, NULL);
		return;
	}
	for (size_t i = 0; i < subject->holder_count && (subject->asks_all || i < 1); i++)
		check_formats(subject, command, (const char *[]){subject->holders[i][0], NULL});
}

static struct subject start(const struct interpreter_choice *choice)
{
	struct subject subject = {.choice = choice};

	subject.process = program_start(choice, "HOLDER_SECRET=" SECRET " secret_holder.py " SECRET
						" " NUMBER);
	read_holders(&subject);
	subject.core = program_gcore(subject.process);
	program_request(subject.process, "x");
	return subject;
}

static void end(struct subject *subject)
{
	program_end(subject->process);
	free(subject->core);
}

static struct interpreter_choice *oldest, *newest;

/* What is hidden hardly depends on the release, nor on the format, which are written from the same
 * text: two releases are asked for everything. */
static void nothing_is_said(void **state)
{
	struct subject subject = start(*state);

	subject.asks_all = *state == oldest || *state == newest;
	if (subject.asks_all)
		check_telling(&subject);
	for (const struct pymem_command *command = pymem_commands(); command->name; command++)
		check_command(&subject, command);
	print_message("%s: %zu answers\n", subject.choice->name, subject.runs);
	end(&subject);
}

/* All commands without arguments, and some with; GDB prints what they answer. */
static void nothing_is_said_in_gdb(void **state)
{
	struct subject subject = start(*state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char pid[16], diff[5000], show[64], find[] = "pymem find --type * --limit=300 --redact";
	struct gdb gdb;

	gdb_find(&gdb, "host");
	if (!gdb.path[0])
		jobs_skip("no GDB");
	snprintf(pid, sizeof(pid), "%d", (int)subject.process->pid);
	snprintf(diff, sizeof(diff), "pymem diff %s --redact", subject.core);
	snprintf(show, sizeof(show), "pymem show %s --redact", subject.holders[1][0]);
	gdb_batch(&output, &gdb,
		  GDB_ARGUMENTS("-p", pid, "-ex", "pymem leaks --redact", "-ex",
				"pymem threads --redact --locals", "-ex",
				"pymem threads --redact --json", "-ex", "pymem retained --redact",
				"-ex", diff, "-ex", show, "-ex", find));
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		assert_lacks(output.out, secrets[i]);
		assert_lacks(output.err, secrets[i]);
	}
	assert_contains(output.out, "Leaked references");
	assert_contains(output.out, "in row 1");
	assert_contains(output.out, "values hidden (--redact)");
	assert_contains(output.out, "\"redacted\": true");
	end(&subject);
}

/* Is it the first of its minor release? */
static bool is_another_minor(const struct interpreter_choice *choices, size_t i)
{
	size_t length = strcspn(choices[i].version + 2, ".") + 3;

	for (size_t j = 0; j < i; j++)
		if (!strncmp(choices[j].version, choices[i].version, length))
			return false;
	return true;
}

int main(int argc, char **argv)
{
	size_t count, used = 0;
	struct interpreter_choice *choices = interpreters_list(&count), *gdb = NULL;
	struct CMUnitTest *tests = calloc(count + 1, sizeof(*tests));
	int failed;

	oldest = newest = choices;
	for (size_t i = 0; tests && i < count; i++) {
		if (strverscmp(choices[i].version, oldest->version) < 0)
			oldest = &choices[i];
		if (strverscmp(choices[i].version, newest->version) > 0)
			newest = &choices[i];
		if (!strcmp(choices[i].root, "/"))
			gdb = &choices[i];
	}
	for (size_t i = 0; tests && i < count; i++)
		if (is_another_minor(choices, i) || &choices[i] == oldest || &choices[i] == newest)
			tests[used++] = (struct CMUnitTest){choices[i].name, nothing_is_said, NULL,
							    NULL, &choices[i]};
	if (tests && gdb)
		tests[used++] =
			(struct CMUnitTest){"in gdb", nothing_is_said_in_gdb, NULL, NULL, gdb};
	failed = jobs_run_tests("redact", tests, used, 2, argc, argv);
	free(tests);
	interpreters_free(choices, count);
	return failed;
}
