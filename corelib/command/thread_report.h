/**
 * @file
 * Threads and what waits, shown: shared by the overview and `threads`.
 */
#ifndef PYMEM_COMMAND_THREAD_REPORT_H
#define PYMEM_COMMAND_THREAD_REPORT_H

#include "command/document.h"
#include "command/output.h"
#include "command/screen.h"
#include "command/session.h"

/** Prints "Threads    9, 4711 holds the GIL: json/decoder.py:353 raw_decode": one paragraph. Needs
 * session_stacks(), as all of these do. */
void threads_summary(const struct session *session, struct screen *screen);

/** Prints each thread with its stack; those with the same stack together. */
void threads_text(const struct session *session, struct screen *screen);

/** Prints "Waiting    20,001 tasks, 20,000 of them at app/push.py:12 notify": one paragraph;
 * nothing where few things wait that are no tasks. Needs STACKS_ALL, as all below do. */
void suspended_summary(const struct session *session, struct screen *screen);

/** Prints the groups of what waits. */
void suspended_text(const struct session *session, struct screen *screen);

/** Writes a command that goes on from what was shown, "referrers 0x…"; "" if there is none. */
void threads_next(const struct session *session, char *text, size_t size);

/** Sets "threads_total", "gil" and the like: what the summary says. */
void threads_summary_json(const struct session *session, struct document *document, json_t *result);

/** All that, and "threads". */
void threads_json(const struct session *session, struct document *document, json_t *result);

/** Sets "suspended": how many of each kind; and "groups", `limit` at most. */
void suspended_json(const struct session *session, uint64_t limit, struct document *document,
		    json_t *result);

/** Fills the facts of one thing that waits: "record" is its kind. */
void suspended_one_json(const struct session *session, const struct suspended *suspended,
			struct document *document, json_t *object);

/** Writes a line for each thread and each thing that waits. */
struct error *threads_ndjson(const struct session *session, const struct output *output)
	__attribute__((warn_unused_result));

#endif
