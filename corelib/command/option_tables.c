/*
 * The options of all front ends, and the help and the completions that are made of them. See
 * option_tables.h.
 */
#include "command/option_tables.h"

const struct argp_option option_table_target[] = {
	{NULL, 0, NULL, 0, "What to look at:", 1},
	{"pid", 'p', "PID", 0, "A running process", 1},
	{"core", 'c', "FILE", 0, "A core file; - is the standard input", 1},
	{"no-stop", KEY_NO_STOP, NULL, 0, "Do not stop the process while it is read", 1},
	{"handle-core", KEY_HANDLE_CORE, "PID", 0,
	 "As the kernel's handler of cores: of PID, on standard input", 1},
	{"keep-core", KEY_KEEP_CORE, "FILE", 0, "With --handle-core: keep the core as FILE", 1},
	{0},
};

const struct argp_option option_table_files[] = {
	{NULL, 0, NULL, 0, "Files of the process:", 2},
	{"executable", 'e', "FILE", 0, "The executable, if its path has changed", 2},
	{"sysroot", KEY_SYSROOT, "DIR", 0, "Look for the process's files below DIR", 2},
	{"debuginfo-path", KEY_DEBUGINFO_PATH, "PATH", 0,
	 "Folders of debug files, with ':' between", 2},
	{0},
};

const struct argp_option option_table_common[] = {
	{NULL, 0, NULL, 0, "Output:", 3},
	{"json", KEY_JSON, NULL, 0, "One JSON document", 3},
	{"ndjson", KEY_NDJSON, NULL, 0, "A line of JSON for each object, where a command has it",
	 3},
	{"limit", KEY_LIMIT, "N", 0, "Show N entries of each list; 0 shows all", 3},
	{"output", 'o', "FILE", 0, "Write to FILE, which appears when it is whole", 3},
	{"color", KEY_COLOR, "WHEN", OPTION_ARG_OPTIONAL,
	 "auto, always or never; auto heeds NO_COLOR", 3},
	{"redact", KEY_REDACT, NULL, 0, "Hide all values: only names, types, sizes, addresses stay",
	 3},
	{"no-progress", KEY_NO_PROGRESS, NULL, 0, "No progress line on the terminal", 3},
	{"time-limit", KEY_TIME_LIMIT, "TIME", 0,
	 "Give up after 30s, 5m, ...; counts once the core was read", 3},
	{"verbose", 'v', NULL, 0, "Show also what is usually left out", 3},
	{NULL, 0, NULL, 0, "Help:", 4},
	{"help", 'h', NULL, 0, "Show this help, or that of a command", 4},
	{"schema", KEY_SCHEMA, NULL, 0, "Show the JSON Schema of the answers, or of a command's",
	 4},
	{"version", 'V', NULL, 0, "Show the version", 4},
	{0},
};

const struct argp_option option_table_commands[] = {
#define OPTION(id, name, argument, kind, help) \
	{name, KEY_COMMAND_OPTION + OPTION_##id, argument, 0, help, 5},
#include "command/command_options.def"
#undef OPTION
	{0},
};

const enum option_kind option_kinds[] = {
#define OPTION(id, name, argument, kind, help) OPTION_##kind,
#include "command/command_options.def"
#undef OPTION
	OPTION_FLAG,
};

_Static_assert(OPTION_COUNT <= 64, "a bit for each");

const struct argp_option *const *option_tables(enum front_end front_end)
{
	static const struct argp_option *const tool[] = {option_table_target, option_table_files,
							 option_table_common, option_table_commands,
							 NULL};
	static const struct argp_option *const debugger[] = {
		option_table_files, option_table_common, option_table_commands, NULL};
	static const struct argp_option *const library[] = {option_table_common,
							    option_table_commands, NULL};

	switch (front_end) {
	case FRONT_END_TOOL:
		return tool;
	case FRONT_END_DEBUGGER:
		return debugger;
	case FRONT_END_LIBRARY:
		break;
	}
	return library;
}

static void help_option(const struct argp_option *option, FILE *out)
{
	char names[64];
	const char *open = option->flags & OPTION_ARG_OPTIONAL ? "[=" : "=";
	const char *close = option->flags & OPTION_ARG_OPTIONAL ? "]" : "";

	snprintf(names, sizeof(names), "%s%s%s%s", option->name, option->arg ? open : "",
		 option->arg ? option->arg : "", option->arg ? close : "");
	if (option->key < 0x80)
		fprintf(out, "  -%c, --%-21s %s\n", option->key, names, option->doc);
	else
		fprintf(out, "      --%-21s %s\n", names, option->doc);
}

// argp_help() would sort the options, and wrap as the user's environment says.
void options_help(enum front_end front_end, FILE *out)
{
	for (const struct argp_option *const *table = option_tables(front_end);
	     *table != option_table_commands; table++) {
		for (const struct argp_option *option = *table; option->name || option->doc;
		     option++) {
			if (option->name)
				help_option(option, out);
			else
				fprintf(out, "%s%s\n",
					table == option_tables(front_end) && option == *table
						? ""
						: "\n",
					option->doc);
		}
	}
}

void options_help_command(uint64_t taken, FILE *out)
{
	for (int id = 0; id < OPTION_COUNT; id++)
		if (taken >> id & 1)
			help_option(&option_table_commands[id], out);
}

bool options_at(size_t index, struct option_words *words)
{
	option_for_each(option, FRONT_END_TOOL)
	{
		int id = option->key - KEY_COMMAND_OPTION;

		if (index--)
			continue;
		*words = (struct option_words){
			.name = option->name,
			.letter = option->key < 0x80 ? (char)option->key : '\0',
			.argument = option->arg,
			.argument_optional = option->flags & OPTION_ARG_OPTIONAL,
			.help = option->doc,
			.commands = id < 0 ? 0 : UINT64_C(1) << id,
		};
		return true;
	}
	return false;
}
