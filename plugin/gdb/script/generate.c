/*
 * Makes GDB's command file from pymem.gdb.in and the table of commands.
 *
 * usage: generate TEMPLATE READER >pymem.gdb
 *
 * In the template @READER@ is the plugin's absolute path, @FD@, @MAGIC@, @VALUES@ and @END@ are
 * those of channel.h, and @COMMANDS@ is one GDB command for each command of the library.
 */
#include "../channel.h"

#include "command/front_end.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** What a name in the template stands for. */
struct placeholder {
	const char *name;
	const char *text;
};

// Inside a string of GDB's expression language.
static const char end_in_gdb[] = "\\001END";
_Static_assert(sizeof(CHANNEL_END) == sizeof("\001END"), "as end_in_gdb");

// The words of the command line, each with a '.' behind it; only the loop itself is in the user's
// language, whose comparison is '<' in all that GDB knows.
static void print_body(const char *first_word)
{
	printf("  with language c -- _pymem_begin\n");
	if (first_word)
		printf("  with language c -- _pymem_record %s.\n", first_word);
	printf("  with language c -- set $_pymem_i = 0\n"
	       "  while $_pymem_i < $argc\n"
	       "    eval \"with language c -- _pymem_record $arg%%d.\", $_pymem_i\n"
	       "    with language c -- set $_pymem_i = $_pymem_i + 1\n"
	       "  end\n"
	       "  with language c -- _pymem_end\n"
	       "end\n");
}

static void print_prefix(void)
{
	printf("define pymem\n");
	print_body(NULL);
	printf("document pymem\n"
	       "Inspect the memory of the CPython process or core file that is being debugged.\n"
	       "Usage: pymem [COMMAND] [OPTION]...\n"
	       "Without a command: an overview. \"pymem help\" shows the options of the commands.\n"
	       "The exit code of the last command is in $pymem_status.\n"
	       "end\n"
	       "define-prefix pymem\n");
}

static void print_command(const struct pymem_command *command)
{
	printf("\ndefine pymem %s\n", command->name);
	print_body(command->name);
	printf("document pymem %s\n%s.\nUsage: pymem %s %s\nend\n", command->name, command->summary,
	       command->name, command->usage);
}

static void print_commands(void)
{
	print_prefix();
	for (const struct pymem_command *command = pymem_commands(); command->name; command++)
		print_command(command);
}

// Copies one line, with what its placeholders stand for.
static void print_line(const char *line, const struct placeholder *placeholders)
{
	while (*line) {
		const struct placeholder *found = placeholders;

		while (found->name && strncmp(line, found->name, strlen(found->name)) != 0)
			found++;
		if (found->name) {
			fputs(found->text, stdout);
			line += strlen(found->name);
		} else {
			putchar(*line++);
		}
	}
}

static bool generate(FILE *template, const char *reader)
{
	char fd[16];
	const struct placeholder placeholders[] = {
		{"@READER@", reader},	      {"@FD@", fd},	     {"@MAGIC@", CHANNEL_MAGIC},
		{"@VALUES@", CHANNEL_VALUES}, {"@END@", end_in_gdb}, {NULL, NULL},
	};
	char *line = NULL;
	size_t size = 0;

	snprintf(fd, sizeof(fd), "%d", CHANNEL_FD);
	while (getline(&line, &size, template) > 0) {
		if (strcmp(line, "@COMMANDS@\n") == 0)
			print_commands();
		else
			print_line(line, placeholders);
	}
	free(line);
	return !ferror(template) && fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
	FILE *template;
	bool good;

	if (argc != 3) {
		fprintf(stderr, "usage: %s TEMPLATE READER\n", argv[0]);
		return 2;
	}
	template = fopen(argv[1], "re");
	good = template && generate(template, argv[2]);
	if (!good)
		fprintf(stderr, "%s: %s: %s\n", argv[0], argv[1], strerror(errno));
	if (template)
		fclose(template);
	return good ? 0 : 1;
}
