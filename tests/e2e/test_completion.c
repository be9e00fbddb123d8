/*
 * What bash, zsh and fish offer for a command line, asked of the shells themselves: the commands
 * and options of the tool's tables, and values where there are some.
 */
#include "command/command.h"
#include "command/front_end.h"
#include "support/jobs.h"
#include "support/run.h"
#include "support/temporary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AUTO_RUN struct run __attribute__((cleanup(run_clear)))

/** A shell, the program that asks it, and the file for it. */
static const struct shell {
	const char *name;
	const char *file;
	/** It offers a value of an option with the option and "=". */
	bool values_with_option;
} shells[] = {
	{"bash", "build/share/bash-completion/completions/pycore-inspect", false},
	{"zsh", "build/share/zsh/site-functions/_pycore-inspect", false},
	{"fish", "build/share/fish/vendor_completions.d/pycore-inspect.fish", true},
};

/** Asks for what can stand for the last word, in a folder with a file "core.1" and a folder "sub".
 */
static void ask(const struct shell *shell, struct run *run, const char *const *words)
{
	const struct run_options options = {.folder = temporary_path("folder")};
	char here[2048], program[4096], file[4096];
	const char *argv[16] = {program, file, "pycore-inspect"};
	size_t count = 3;

	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(program, sizeof(program), "%s/tests/programs/complete.%s", here, shell->name);
	snprintf(file, sizeof(file), "%s/%s", here, shell->file);
	while (*words)
		argv[count++] = *words++;
	run_start(run, &options, argv);
	assert_true(run_finish(run, 60));
	if (run->status)
		fail_msg("%s: exit code %d\n%s%s", shell->name, run->status, run->out, run->err);
}

/** Is it one of the lines? */
static bool offers(const struct run *run, const char *word)
{
	size_t length = strlen(word);

	for (const char *line = run->out; (line = strstr(line, word)); line += length) {
		bool begins = line == run->out || line[-1] == '\n';

		if (begins && (line[length] == '\n' || !line[length]))
			return true;
	}
	return false;
}

static void assert_offers(const struct shell *shell, const struct run *run, const char *word,
			  bool expected)
{
	if (offers(run, word) != expected)
		fail_msg("%s %s %s:\n%s", shell->name, expected ? "does not offer" : "offers", word,
			 run->out);
}

#define ASK(shell, run, ...) ask(shell, run, RUN_ARGUMENTS(__VA_ARGS__))

static const struct shell *shell_of(void **state)
{
	const struct shell *shell = *state;

	temporary_file("folder/core.1", "", 0);
	temporary_file("folder/sub/file", "", 0);
	return shell;
}

static void commands_and_files(void **state)
{
	const struct shell *shell = shell_of(state);
	AUTO_RUN all = {0}, some = {0}, behind = {0};

	ASK(shell, &all, "");
	for (const struct pymem_command *command = pymem_commands(); command->name; command++)
		assert_offers(shell, &all, command->name, true);
	assert_offers(shell, &all, "core.1", true);
	assert_offers(shell, &all, "-", true);
	ASK(shell, &some, "core.1", "ref");
	assert_offers(shell, &some, "referrers", true);
	assert_offers(shell, &some, "leaks", false);
	ASK(shell, &behind, "leaks", "");
	assert_offers(shell, &behind, "core.1", true);
	assert_offers(shell, &behind, "types", false);
}

/** Each option of the tables is offered with those commands that take it, and no others. */
static void options_of_commands(void **state)
{
	const struct shell *shell = shell_of(state);

	for (size_t i = 0; command_at(i); i++) {
		struct option_words option;
		AUTO_RUN run = {0};

		ASK(shell, &run, pymem_commands()[i].name, "--");
		for (size_t j = 0; options_at(j, &option); j++) {
			char word[64];

			snprintf(word, sizeof(word), "--%s", option.name);
			assert_offers(shell, &run, word,
				      !option.commands || option.commands & command_at(i)->options);
		}
	}
}

static void assert_values(const struct shell *shell, const char *command, const char *option,
			  const char *const *values)
{
	char word[64];
	AUTO_RUN run = {0};

	snprintf(word, sizeof(word), "%s=", option);
	ASK(shell, &run, command, word);
	for (; *values; values++) {
		snprintf(word, sizeof(word), "%s=%s", option, *values);
		assert_offers(shell, &run, shell->values_with_option ? word : *values, true);
	}
}

static void values_of_options(void **state)
{
	const struct shell *shell = shell_of(state);
	char pid[16];
	AUTO_RUN sort = {0}, pids = {0}, folders = {0}, files = {0}, any = {0};

	assert_values(shell, "info", "--color", RUN_ARGUMENTS("auto", "always", "never"));
	assert_values(shell, "retained", "--by", RUN_ARGUMENTS("holder", "global", "module"));
	assert_values(shell, "leaks", "--fail-on", RUN_ARGUMENTS("cycles", "damage"));
	ASK(shell, &sort, "types", "--sort", "");
	assert_offers(shell, &sort, "retained", true);
	assert_offers(shell, &sort, "core.1", false);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	ASK(shell, &pids, "-p", "");
	assert_offers(shell, &pids, pid, true);
	ASK(shell, &folders, "--sysroot", "");
	assert_offers(shell, &folders, shell->values_with_option ? "sub/" : "sub", true);
	assert_offers(shell, &folders, "core.1", false);
	ASK(shell, &files, "-c", "");
	assert_offers(shell, &files, "core.1", true);
	assert_offers(shell, &files, "leaks", false);
	ASK(shell, &any, "types", "--limit", "");
	assert_offers(shell, &any, "core.1", false);
}

int main(void)
{
	struct CMUnitTest tests[9];
	const struct CMUnitTest of_shell[] = {
		cmocka_unit_test(commands_and_files),
		cmocka_unit_test(options_of_commands),
		cmocka_unit_test(values_of_options),
	};

	for (size_t i = 0; i < 9; i++) {
		tests[i] = of_shell[i % 3];
		tests[i].initial_state = (void *)&shells[i / 3];
	}
	return cmocka_run_group_tests_name("completion", tests, temporary_setup,
					   temporary_teardown);
}
