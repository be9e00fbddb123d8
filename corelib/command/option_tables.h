/**
 * @file
 * The options as argp knows them, in the groups of the help. Which of the tables a front end reads
 * is told here and nowhere else.
 */
#ifndef PYMEM_COMMAND_OPTION_TABLES_H
#define PYMEM_COMMAND_OPTION_TABLES_H

#include "command/options.h"

#include <argp.h>

/** What argp knows options without a letter by. */
enum option_key {
	KEY_SYSROOT = 0x100,
	KEY_DEBUGINFO_PATH,
	KEY_NO_STOP,
	KEY_JSON,
	KEY_NDJSON,
	KEY_LIMIT,
	KEY_COLOR,
	KEY_NO_PROGRESS,
	KEY_REDACT,
	KEY_SCHEMA,
	KEY_HANDLE_CORE,
	KEY_KEEP_CORE,
	KEY_TIME_LIMIT,
	KEY_COMMAND_OPTION = 0x200, /* and the id of each */
};

/** Which process or core: the tool's. */
extern const struct argp_option option_table_target[];

/** Where the files of the process are: of who opens one. */
extern const struct argp_option option_table_files[];

/** What every command takes, everywhere. */
extern const struct argp_option option_table_common[];

/** What only some commands take, by enum option_id. */
extern const struct argp_option option_table_commands[];

/** What the arguments of those are. */
extern const enum option_kind option_kinds[];

/** The tables of a front end, for looking names up; end with NULL. */
const struct argp_option *const *option_tables(enum front_end front_end);

/** Calls for each named option of a front end. */
#define option_for_each(option, front_end)                                                       \
	for (const struct argp_option *const *table = option_tables(front_end); *table; table++) \
		for (const struct argp_option *option = *table;                                  \
		     option->name || option->key || option->doc; option++)                       \
			if (option->name)

#endif
