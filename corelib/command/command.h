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
	const struct pymem_command *names; /**< name, summary, usage */
	const char *description;	   /**< for its help; paragraphs of lines */
	/** Words that the command takes behind its name: is this one? NULL: it takes none. */
	bool (*takes)(const char *word);
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
const struct command *command_find(const char *name);

/** The command that runs when none is named. */
const struct command *command_default(void);

/** The i-th command of pymem_commands(). */
const struct command *command_at(size_t index);

/** Prints the help of the tool, or of one command. */
void command_help(enum front_end front_end, const struct command *command, FILE *out);

/** How many entries of a list to show: --limit, or the default for this kind of list. */
uint64_t command_limit(const struct session *session, uint64_t usual);

/** The same for the lists inside of an entry, such as the types of a group: a small --limit shows
 * fewer entries, not less of each. */
uint64_t command_inner_limit(const struct session *session, uint64_t usual);

/* The commands' functions, each set in a file of its own. */
struct error *triage_prepare(struct session *session);
struct error *triage_text(struct session *session, struct screen *screen);
struct error *triage_json(struct session *session, struct document *document, json_t *result);
struct error *leaks_prepare(struct session *session);
struct error *leaks_text(struct session *session, struct screen *screen);
struct error *leaks_json(struct session *session, struct document *document, json_t *result);
struct error *leaks_ndjson(struct session *session, const struct output *output);
bool cycles_takes(const char *word);
struct error *cycles_prepare(struct session *session);
struct error *cycles_text(struct session *session, struct screen *screen);
struct error *cycles_json(struct session *session, struct document *document, json_t *result);
struct error *cycles_ndjson(struct session *session, const struct output *output);
bool refcount_takes(const char *word);
struct error *refcounts_prepare(struct session *session);
struct error *refcounts_text(struct session *session, struct screen *screen);
struct error *refcounts_json(struct session *session, struct document *document, json_t *result);
struct error *refcounts_ndjson(struct session *session, const struct output *output);
struct error *refcount_prepare(struct session *session);
struct error *refcount_text(struct session *session, struct screen *screen);
struct error *refcount_json(struct session *session, struct document *document, json_t *result);
struct error *check_prepare(struct session *session);
struct error *check_text(struct session *session, struct screen *screen);
struct error *check_json(struct session *session, struct document *document, json_t *result);
struct error *info_prepare(struct session *session);
struct error *info_text(struct session *session, struct screen *screen);
struct error *info_json(struct session *session, struct document *document, json_t *result);

#endif
