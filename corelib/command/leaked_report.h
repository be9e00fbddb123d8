/**
 * @file
 * Leaked references and damage of the heap, shown: shared by the overview, `leaks`, `refcounts` and
 * `check`.
 */
#ifndef PYMEM_COMMAND_LEAKED_REPORT_H
#define PYMEM_COMMAND_LEAKED_REPORT_H

#include "command/document.h"
#include "command/report.h"

/** Prints how many objects have leaked references and what they keep; or that there are none, or
 * why that cannot be told. */
void leaked_summary(const struct session *session, struct screen *screen);

/** Prints a group in one line, or as a block of lines. */
void leaked_line(const struct session *session, uint32_t group, struct screen *screen);
void leaked_block(const struct session *session, uint32_t group, uint64_t limit,
		  struct screen *screen);

/** Prints the blocks of the first groups. */
void leaked_blocks(const struct session *session, uint64_t limit, uint64_t types,
		   struct screen *screen);

/** Prints what to type next. */
void leaked_next(const struct session *session, struct screen *screen);

/** Prints how many objects are over-released, and the first ones. */
void over_released_summary(const struct session *session, uint64_t limit, struct screen *screen);

/** Prints how much damage there is, in one line. */
void damage_summary(const struct session *session, struct screen *screen);

/** Fills "leaked": counts and groups. */
void leaked_json(const struct session *session, uint64_t limit, struct document *document,
		 json_t *result);

/** Fills "heap_damage". */
void damage_json(const struct session *session, uint64_t limit, struct document *document,
		 json_t *result);

/** Is there anything of it: leaked, over-released or damaged? */
bool leaked_any(const struct session *session);

/** "excess", "lost", "over-released". */
const char *anomaly_name(enum anomaly_kind kind);

/** "same", "similar", "once"; NULL for CONTENT_NONE. */
const char *content_name(enum leaked_content content);

/** The module, other than Python's own, whose code a type is made by: the file's name; NULL: none.
 */
const char *type_file(const struct session *session, const struct type *type);

#endif
