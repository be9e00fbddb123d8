/**
 * @file
 * Addresses where no object is: what else is there, for `show`.
 */
#ifndef PYMEM_COMMAND_NOWHERE_H
#define PYMEM_COMMAND_NOWHERE_H

#include "command/document.h"
#include "command/screen.h"
#include "command/session.h"

/** Finds out what is at an address; takes the census for it. Sets session->place. */
struct error *nowhere_find(struct session *session, uint64_t address)
	__attribute__((warn_unused_result));

/** Prints it. */
void nowhere_text(const struct session *session, struct screen *screen);

/** Sets "address", null, and "place". */
void nowhere_json(const struct session *session, struct document *document, json_t *result);

#endif
