/**
 * @file
 * One group of cycles in full: the objects of its example cycle with their references by name and
 * address, and where other cycles of the group are.
 */
#ifndef PYMEM_COMMAND_GROUP_DETAIL_H
#define PYMEM_COMMAND_GROUP_DETAIL_H

#include "command/document.h"
#include "command/screen.h"
#include "command/session.h"

/** Prints the example cycle and more addresses, `limit` entries of each list. */
struct error *group_detail_text(const struct session *session, size_t group, uint64_t limit,
				struct screen *screen) __attribute__((warn_unused_result));

/** Fills "cycle_objects", "cycle" and "examples". */
struct error *group_detail_json(const struct session *session, size_t group, uint64_t limit,
				struct document *document, json_t *result)
	__attribute__((warn_unused_result));

#endif
