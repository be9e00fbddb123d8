/**
 * @file
 * The words that a user typed, read into one struct: the same for the tool and for the debuggers,
 * which only lack the options that choose a target.
 */
#ifndef PYMEM_COMMAND_OPTIONS_H
#define PYMEM_COMMAND_OPTIONS_H

#include "target/error.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/** Who reads the words. */
enum front_end {
	FRONT_END_TOOL,	    /**< pycore-inspect: target options and files among the words */
	FRONT_END_DEBUGGER, /**< a command of a debugger: the target is the debugger's */
	FRONT_END_LIBRARY,  /**< pymem_ask() and its like: the target is open already */
};

/** How the answer is written. */
enum output_format {
	FORMAT_TEXT,
	FORMAT_JSON,   /**< one document */
	FORMAT_NDJSON, /**< one line for each object */
};

/** --color */
enum color_when {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER,
};

/** A word that is no option. */
struct word {
	const char *text;
	bool literal; /**< stood behind "--": never a command */
};

/** What the argument of a command's option is. */
enum option_kind {
	OPTION_FLAG,	 /**< there is none */
	OPTION_TEXT,	 /**< any text but the empty one */
	OPTION_NUMBER,	 /**< "12", "1,204", "0x1f" */
	OPTION_SIZE,	 /**< bytes: "4096", "64K", "1.5MiB" */
	OPTION_ADDRESS,	 /**< "0x7f3c12a4e0d0", "7f3c12a4e0d0" */
	OPTION_DURATION, /**< milliseconds: "500ms", "30s", "5m" */
};

/** The options that only some commands take. */
enum option_id {
#define OPTION(id, name, argument, kind, help) OPTION_##id,
#include "command/command_options.def"
#undef OPTION
	OPTION_COUNT
};

/** For struct command. */
#define OPTION_BIT(id) (UINT64_C(1) << OPTION_##id)

/** One of them as it was typed. */
struct option_value {
	bool given;
	uint64_t number;  /**< of numbers, sizes, addresses */
	const char *text; /**< as typed; NULL without an argument */
};

/** What was typed. Strings are those of argv. */
struct options {
	pid_t pid; /**< -p; 0: none */
	const char *core;
	const char *executable;
	const char *sysroot;
	const char *debuginfo_path;
	bool no_stop;
	pid_t handle_core;     /**< of the process that the kernel dumps; 0: none */
	const char *keep_core; /**< where that core is kept; NULL: nowhere */
	uint64_t time_limit;   /**< of the work in milliseconds; 0: none */
	enum output_format format;
	bool limit_given;
	uint64_t limit; /**< 0: all */
	const char *output;
	enum color_when color;
	bool verbose, no_progress;
	bool redact; /**< hide what the process holds */
	bool help, version, schema;
	/** By enum option_id; options_check() has seen that the command takes them. */
	struct option_value values[OPTION_COUNT + 1];
	struct word *words; /**< what is left, in order; owned */
	size_t word_count;
	const char **arguments; /**< of the command, set by request_resolve(); owned */
	size_t argument_count;
};

/**
 * Reads a command line. Nothing is printed, and the process never exits.
 * @param argv argv[0] is not looked at; the array is permuted as getopt does
 * @return ERROR_USAGE naming the word that is wrong
 */
struct error *options_parse(enum front_end front_end, int argc, char **argv,
			    struct options *options) __attribute__((warn_unused_result));

/**
 * Are all options that were typed such as this command takes?
 * @param taken its OPTION_BIT()s
 * @return ERROR_USAGE naming the first that is not
 */
struct error *options_check(const struct options *options, const char *command, uint64_t taken)
	__attribute__((warn_unused_result));

/** Frees what options_parse() allocated, also after it failed. */
void options_clear(struct options *options);

/** An option, as completion offers it. */
struct option_words {
	const char *name;     /**< "pid" */
	char letter;	      /**< 'p'; 0: none */
	const char *argument; /**< "PID"; NULL: it takes none */
	bool argument_optional;
	const char *help;
	uint64_t commands; /**< OPTION_BIT() of those that only some commands take; 0: of all */
};

/** The index-th option of the tool. @return false if there are less */
bool options_at(size_t index, struct option_words *option);

/** Prints the options that only some commands take. */
void options_help_command(uint64_t taken, FILE *out);

/** Prints the options in their groups, as --help shows them. */
void options_help(enum front_end front_end, FILE *out);

#endif
