/**
 * @file
 * The parts of `diff`: taking snapshots, and showing what grew between them.
 */
#ifndef PYMEM_COMMAND_DIFF_H
#define PYMEM_COMMAND_DIFF_H

#include "command/document.h"
#include "command/output.h"
#include "command/screen.h"
#include "command/session.h"

/**
 * Adds the session's target to its history.
 * @param seconds since 1970, see struct history_facts
 */
struct error *diff_snapshot(struct session *session, struct session *target, double seconds)
	__attribute__((warn_unused_result));

/** Compares the target with the core of the argument, oldest first. */
struct error *diff_cores(struct session *session) __attribute__((warn_unused_result));

/**
 * Takes snapshots of the live target. If it ends early, or the user wants no more, what there is is
 * enough from two snapshots on, and the coverage says so.
 */
struct error *diff_live(struct session *session) __attribute__((warn_unused_result));

/** Seconds from the first to the last snapshot; below 0: not known. */
double diff_seconds(const struct history *history);

/** What may make the comparison say less than it seems to: "two programs: …". @return false behind
 * the last */
bool diff_warning(const struct session *session, size_t index, char *text, size_t size);

/** Prints the answer. */
struct error *diff_text(struct session *session, struct screen *screen)
	__attribute__((warn_unused_result));

/** Fills the result. */
struct error *diff_json(struct session *session, struct document *document, json_t *result)
	__attribute__((warn_unused_result));

/** Writes a line for each row, type and group. */
struct error *diff_ndjson(struct session *session, const struct output *output)
	__attribute__((warn_unused_result));

#endif
