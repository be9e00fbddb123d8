/*
 * Makes the completion of a shell from its template and the tables of commands and options.
 *
 * usage: generate bash|zsh|fish TEMPLATE >FILE
 *
 * The line "@TABLES@" of the template, a comment, becomes the shell's tables.
 */
#include "command/command.h"
#include "command/front_end.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** What can be offered for the argument of an option. */
enum offer { OFFER_NOTHING, OFFER_PID, OFFER_FILE, OFFER_FOLDER, OFFER_VALUES };

/** A shell's way to say it. */
struct shell {
	const char *name;
	void (*print)(void);
};

/* Arguments by what the help calls them. */
static const struct {
	const char *argument;
	enum offer offer;
} offers[] = {
	{"PID", OFFER_PID},
	{"FILE", OFFER_FILE},
	{"DIR", OFFER_FOLDER},
	{"PATH", OFFER_FOLDER},
};

/* Options that take one of some words. */
static const struct {
	const char *option;
	const char *values;
} values[] = {
	{"color", "auto always never"},
	{"by", "type module holder global"},
	{"sort", "bytes objects retained name"},
	{"generation", "0 1 2 3"},
	{"fail-on", "cycles excess lost over-released damage"},
};

static const char *values_of(const struct option_words *option)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (!strcmp(values[i].option, option->name))
			return values[i].values;
	return NULL;
}

static enum offer offer_of(const struct option_words *option)
{
	if (values_of(option))
		return OFFER_VALUES;
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++)
		if (!strcmp(offers[i].argument, option->argument))
			return offers[i].offer;
	return OFFER_NOTHING;
}

/** Prints text inside of '…' of a shell. @param escaped characters that get a backslash */
static void print_quoted(const char *text, const char *escaped)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\'", stdout);
		else if (strchr(escaped, *text))
			putchar('\\');
		putchar(*text);
	}
}

/*
 * bash
 */

static void print_bash_options(const char *key, uint64_t taken)
{
	struct option_words option;

	printf("\toptions[%s]='", key);
	for (size_t i = 0; options_at(i, &option); i++)
		if (taken ? (option.commands & taken) : !option.commands)
			printf("--%s ", option.name);
	printf("'\n");
}

static void print_bash_argument(const struct option_words *option)
{
	static const char *const words[] = {
		[OFFER_NOTHING] = "other", [OFFER_PID] = "pid",	      [OFFER_FILE] = "file",
		[OFFER_FOLDER] = "folder", [OFFER_VALUES] = "values",
	};
	const char *word = words[offer_of(option)];

	printf("\targuments[--%s%s]=%s\n", option->name, option->argument_optional ? "=" : "",
	       word);
	if (option->letter)
		printf("\targuments[-%c]=%s\n", option->letter, word);
	if (values_of(option))
		printf("\tvalues[--%s]='%s'\n", option->name, values_of(option));
}

static void print_bash(void)
{
	struct option_words option;

	printf("\tcommands='");
	for (size_t i = 0; command_at(i); i++)
		printf("%s ", pymem_commands()[i].name);
	printf("'\n");
	print_bash_options("all", 0);
	for (size_t i = 0; command_at(i); i++)
		if (command_at(i)->options)
			print_bash_options(pymem_commands()[i].name, command_at(i)->options);
	for (size_t i = 0; options_at(i, &option); i++)
		if (option.argument)
			print_bash_argument(&option);
}

/*
 * zsh
 */

static void print_zsh_argument(const struct option_words *option)
{
	putchar(':');
	print_quoted(option->argument, ":[]\\");
	switch (offer_of(option)) {
	case OFFER_PID:
		printf(":_pycore_inspect_processes");
		break;
	case OFFER_FILE:
		printf(":_files");
		break;
	case OFFER_FOLDER:
		printf(":_files -/");
		break;
	case OFFER_VALUES:
		printf(":(%s)", values_of(option));
		break;
	case OFFER_NOTHING:
		printf(": ");
		break;
	}
}

/* One form of an option: '--pid=[A running process]:PID:_pids' */
static void print_zsh_form(const struct option_words *option, bool is_long)
{
	printf("\t\t'");
	if (option->letter)
		printf("(-%c --%s)", option->letter, option->name);
	if (is_long)
		printf("--%s%s", option->name,
		       !option->argument	   ? ""
		       : option->argument_optional ? "=-"
						   : "=");
	else
		printf("-%c%s", option->letter, option->argument ? "+" : "");
	putchar('[');
	print_quoted(option->help, "[]\\");
	putchar(']');
	if (option->argument) {
		if (option->argument_optional)
			putchar(':');
		print_zsh_argument(option);
	}
	printf("'\n");
}

static void print_zsh_options(const char *name, uint64_t taken)
{
	struct option_words option;

	printf("\t%s=(\n", name);
	for (size_t i = 0; options_at(i, &option); i++) {
		if (taken ? !(option.commands & taken) : option.commands != 0)
			continue;
		print_zsh_form(&option, true);
		if (option.letter)
			print_zsh_form(&option, false);
	}
	printf("\t)\n");
}

static void print_zsh(void)
{
	char name[64];

	printf("\tnames=(\n");
	for (size_t i = 0; command_at(i); i++) {
		printf("\t\t'%s:", pymem_commands()[i].name);
		print_quoted(pymem_commands()[i].summary, ":\\");
		printf("'\n");
	}
	printf("\t)\n");
	print_zsh_options("options", 0);
	for (size_t i = 0; command_at(i); i++) {
		if (!command_at(i)->options)
			continue;
		snprintf(name, sizeof(name), "options_%s", pymem_commands()[i].name);
		printf("\tlocal -a %s\n", name);
		print_zsh_options(name, command_at(i)->options);
	}
}

/*
 * fish
 */

static void print_fish_argument(const struct option_words *option)
{
	switch (offer_of(option)) {
	case OFFER_PID:
		printf(" -x -a '(__fish_complete_pids)'");
		break;
	case OFFER_FILE:
		printf(" -r -F");
		break;
	case OFFER_FOLDER:
		printf(" -x -a '(__fish_complete_directories)'");
		break;
	case OFFER_VALUES:
		printf("%s -a '%s'", option->argument_optional ? " -f" : " -x", values_of(option));
		break;
	case OFFER_NOTHING:
		printf(" -x");
		break;
	}
}

/* The commands that take an option. */
static void print_fish_condition(const struct option_words *option)
{
	printf(" -n '__fish_seen_subcommand_from");
	for (size_t i = 0; command_at(i); i++)
		if (command_at(i)->options & option->commands)
			printf(" %s", pymem_commands()[i].name);
	printf("'");
}

static void print_fish_option(const struct option_words *option)
{
	printf("complete -c pycore-inspect -l %s", option->name);
	if (option->letter)
		printf(" -s %c", option->letter);
	if (option->commands)
		print_fish_condition(option);
	if (option->argument)
		print_fish_argument(option);
	printf(" -d '");
	print_quoted(option->help, "\\");
	printf("'\n");
}

static void print_fish(void)
{
	struct option_words option;

	printf("set -g __pycore_inspect_commands");
	for (size_t i = 0; command_at(i); i++)
		printf(" %s", pymem_commands()[i].name);
	printf("\n");
	for (size_t i = 0; command_at(i); i++) {
		printf("complete -c pycore-inspect -n __pycore_inspect_needs_command -a %s -d '",
		       pymem_commands()[i].name);
		print_quoted(pymem_commands()[i].summary, "\\");
		printf("'\n");
	}
	for (size_t i = 0; options_at(i, &option); i++)
		print_fish_option(&option);
}

static bool generate(FILE *template, const struct shell *shell)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, template) > 0) {
		if (strstr(line, "# @TABLES@"))
			shell->print();
		else
			fputs(line, stdout);
	}
	free(line);
	return !ferror(template) && fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
	static const struct shell shells[] = {
		{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}, {NULL, NULL}};
	const struct shell *shell = shells;
	FILE *template;
	bool ok;

	while (argc == 3 && shell->name && strcmp(shell->name, argv[1]))
		shell++;
	if (argc != 3 || !shell->name) {
		fprintf(stderr, "usage: generate bash|zsh|fish TEMPLATE\n");
		return 2;
	}
	template = fopen(argv[2], "re");
	if (!template) {
		fprintf(stderr, "generate: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	ok = generate(template, shell);
	fclose(template);
	if (!ok)
		fprintf(stderr, "generate: %s: %s\n", argv[2], strerror(errno));
	return !ok;
}
