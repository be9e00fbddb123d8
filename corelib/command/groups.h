/**
 * @file
 * Groups of cycles, shown: shared by the overview, `leaks` and `cycles`.
 */
#ifndef PYMEM_COMMAND_GROUPS_H
#define PYMEM_COMMAND_GROUPS_H

#include "command/document.h"
#include "command/report.h"

/** Prints "1,204,331 objects in 602,000 cycles, 412 MiB" and why nobody collected them; or that
 * there are none. */
struct error *groups_summary(const struct session *session, struct screen *screen)
	__attribute__((warn_unused_result));

/** Prints a group in one or two lines: how often, how large, how its members refer to each other.
 */
void groups_line(const struct session *session, size_t group, struct screen *screen);

/** Prints a group as a block of lines: types, references, attached objects, an example. */
void groups_block(const struct session *session, size_t group, uint64_t limit,
		  struct screen *screen);

/** Fills the members "objects", "bytes", "cycles", "groups" and so on of a result. */
void groups_json(const struct session *session, struct document *document, json_t *result,
		 uint64_t limit);

/** Fills the facts of one group. */
void groups_one_json(const struct session *session, size_t group, struct document *document,
		     json_t *object, uint64_t limit);

#endif
