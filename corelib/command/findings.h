/**
 * @file
 * The findings other than cycles, shown: gc.garbage, and refcounts that are too low.
 */
#ifndef PYMEM_COMMAND_FINDINGS_H
#define PYMEM_COMMAND_FINDINGS_H

#include "command/document.h"
#include "command/report.h"

/** Prints what is in gc.garbage, or that it is empty. */
void findings_garbage(const struct session *session, uint64_t limit, struct screen *screen);

/** Prints the tracked objects that more references visit than their refcount says; nothing if there
 * are none. For targets without a check of the heap. */
void findings_over_released(const struct session *session, uint64_t limit, struct screen *screen);

/** Fills "garbage". */
void findings_garbage_json(const struct session *session, uint64_t limit, struct document *document,
			   json_t *result);

/** Fills "over_released", from the check of the heap, or without one from what the collector would
 * see. */
void findings_over_released_json(const struct session *session, uint64_t limit,
				 struct document *document, json_t *result);

/** Is there anything to show: cycles, garbage, leaked references, refcounts that are too low,
 * damage? */
bool findings_any(const struct session *session);

#endif
