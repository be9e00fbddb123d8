/**
 * @file
 * What `retained` was asked for; what its text and its JSON have in common.
 */
#ifndef PYMEM_COMMAND_RETAINED_VIEW_H
#define PYMEM_COMMAND_RETAINED_VIEW_H

#include "command/document.h"
#include "command/output.h"
#include "command/session.h"

/** A view: a value of --by. */
struct retained_view {
	const char *key;
	const char *noun; /**< of a row */
	/** NULL: session->retainers are shown, else session->rows. */
	struct error *(*rows)(const struct session *session, struct retained_rows *rows);
};

/** The view; NULL: --by is none. */
const struct retained_view *retained_view_of(const struct session *session);

/** Is it about one object and what is below it? */
bool retained_is_under(const struct session *session);

/** How many rows to show. */
uint64_t retained_limit(const struct session *session);

/** The address of an object. */
uint64_t retained_address(const struct session *session, uint32_t object);

/** For struct command. */
struct error *retained_json(struct session *session, struct document *document, json_t *result);

/** For struct command. */
struct error *retained_ndjson(struct session *session, const struct output *output);

#endif
