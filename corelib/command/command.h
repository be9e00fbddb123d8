/**
 * @file
 * The commands: one table for the tool and the debuggers. A command computes first and prints then,
 * so that nothing is written when the computation fails.
 */
#ifndef PYMEM_COMMAND_COMMAND_H
#define PYMEM_COMMAND_COMMAND_H

#include "command/document.h"
#include "command/output.h"
#include "command/screen.h"
#include "command/session.h"

/** What a command does. Only `prepare` may be slow; each function may be NULL. */
struct command {
	const char *description; /**< for its help; paragraphs of lines */
	uint64_t options;	 /**< those of command_options.def that it takes: OPTION_BIT() */
	unsigned finds;		 /**< what --fail-on may ask of it: enum finding_kind */
	/** Words that the command takes behind its name: is this one? NULL: it takes none. */
	bool (*takes)(const char *word);
	bool takes_several; /**< of them: options->arguments */
	/** Does all the work. */
	struct error *(*prepare)(struct session *session);
	/** Prints text for people. */
	struct error *(*text)(struct session *session, struct screen *screen);
	/** Fills the "result" of the JSON document. */
	struct error *(*json)(struct session *session, struct document *document, json_t *result);
	/** Writes one line for each object. */
	struct error *(*ndjson)(struct session *session, const struct output *output);
};

/** The command with this name; NULL: none. */
const struct command *command_by_name(const char *name);

/** Name, summary and usage of a command. */
const struct pymem_command *command_names(const struct command *command);

/** The command that runs when none is named. */
const struct command *command_default(void);

/** The i-th command of pymem_commands(). */
const struct command *command_at(size_t index);

/** Prints the help of the tool, or of one command. */
void help_print(enum front_end front_end, const struct command *command, FILE *out);

/** How many entries of a list to show: --limit, or the default for this kind of list. */
uint64_t command_limit(const struct session *session, uint64_t usual);

/** The same for the lists inside of an entry, such as the types of a group: a small --limit shows
 * fewer entries, not less of each. */
uint64_t command_inner_limit(const struct session *session, uint64_t usual);

/** An option of the command as it was typed. */
static inline const struct option_value *command_option(const struct session *session,
							enum option_id id)
{
	return &session->options.values[id];
}

/** Is --generation one that there is? @return ERROR_USAGE if not */
struct error *command_check_generation(const struct session *session)
	__attribute__((warn_unused_result));

/** The number of --generation; -1: it was not given. */
int command_generation(const struct session *session);

/* Each is in a file of its own. */
#define COMMAND(name, summary, usage) extern const struct command command_##name;
#include "command/commands.def"
#undef COMMAND

#endif
