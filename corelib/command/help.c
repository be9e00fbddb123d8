/*
 * Help texts. The lists of commands and options are made from their tables.
 */
#include "command/command.h"

static const char exit_codes[] = "Exit codes:\n"
				 "  0  answered; findings are not an error\n"
				 "  1  a file, process or system call failed\n"
				 "  2  wrong command line\n"
				 "  3  no CPython, or one that cannot be decoded\n"
				 "  4  answered in part: the answer says what is missing\n"
				 "  5  answered, and there is what --fail-on names\n"
				 "  130  interrupted\n";

static void print_commands(FILE *out)
{
	fputs("Commands:\n", out);
	for (const struct pymem_command *name = pymem_commands(); name->name; name++)
		fprintf(out, "  %-10s %s\n", name->name, name->summary);
}

static void help_tool(FILE *out)
{
	fputs("Usage: pycore-inspect [OPTION...] CORE [EXECUTABLE] [COMMAND]\n"
	      "       pycore-inspect [OPTION...] -p PID [COMMAND]\n"
	      "\n"
	      "Shows what leaks in a CPython process, from its core file or while it runs. "
	      "Nothing\n"
	      "of the process is executed or changed. CPython 3.8 to 3.15, x86-64 Linux.\n"
	      "\n",
	      out);
	print_commands(out);
	fputs("\nThe command may stand before or after the files. A file that is named like a "
	      "command\n"
	      "is written ./NAME. Without a command: triage. A core may be compressed (zstd, lz4,\n"
	      "xz, gzip, bzip2); - is the standard input.\n\n",
	      out);
	options_help(FRONT_END_TOOL, out);
	fputs("\nExamples:\n"
	      "  pycore-inspect core.1234                      overview of a core\n"
	      "  pycore-inspect -p 1234 leaks                  what leaks in a running process\n"
	      "  pycore-inspect core.1234 cycles 1             all about the largest group\n"
	      "  pycore-inspect -p 1234 cycles --ndjson -o leaked.ndjson\n"
	      "  coredumpctl dump 1234 | pycore-inspect -      a core of systemd's\n"
	      "  pycore-inspect --sysroot /mnt/image core.1234  core of a container\n"
	      "\n",
	      out);
	fputs(exit_codes, out);
}

/** Of debuggers, and of the library, whose target is open already. */
static void help_debugger(enum front_end front_end, FILE *out)
{
	fputs("Usage: pymem [COMMAND] [OPTION...]\n"
	      "\n"
	      "Shows what leaks in the CPython process or core that is being debugged. Nothing of\n"
	      "the process is executed or changed.\n"
	      "\n",
	      out);
	print_commands(out);
	fputs("\n", out);
	options_help(front_end, out);
	if (front_end == FRONT_END_DEBUGGER)
		fputs("\nThe files of the process are looked for where it has them. For the core "
		      "of a\n"
		      "container or of another host: --sysroot DIR; GDB's \"set sysroot DIR\" does "
		      "it\n"
		      "for all commands on cores.\n",
		      out);
	fputs("\nThe status of the last command is in $pymem_status in GDB; LLDB prints it when a\n"
	      "command fails.\n\n",
	      out);
	fputs(exit_codes, out);
}

static void help_command(enum front_end front_end, const struct command *command, FILE *out)
{
	const struct pymem_command *names = command_names(command);

	if (front_end == FRONT_END_TOOL)
		fprintf(out, "Usage: pycore-inspect TARGET %s %s\n\n", names->name, names->usage);
	else
		fprintf(out, "Usage: pymem %s %s\n\n", names->name, names->usage);
	fprintf(out, "%s.\n", names->summary);
	if (*command->description)
		fprintf(out, "\n%s", command->description);
	if (command->options) {
		fputs("\nOptions:\n", out);
		options_help_command(command->options, out);
	}
	fprintf(out, "\n%s shows all options.\n",
		front_end == FRONT_END_TOOL ? "pycore-inspect --help" : "pymem help");
}

void help_print(enum front_end front_end, const struct command *command, FILE *out)
{
	if (command)
		help_command(front_end, command, out);
	else if (front_end == FRONT_END_TOOL)
		help_tool(out);
	else
		help_debugger(front_end, out);
}
