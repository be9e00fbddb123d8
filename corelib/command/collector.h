/**
 * @file
 * Why the collector has not freed what is unreachable: only what is a fact in the target.
 */
#ifndef PYMEM_COMMAND_COLLECTOR_H
#define PYMEM_COMMAND_COLLECTOR_H

#include "command/document.h"
#include "command/screen.h"
#include "command/session.h"

/** What keeps an interpreter from collecting by itself. */
enum collector_state {
	COLLECTOR_ON,
	COLLECTOR_RUNNING,  /**< a collection was under way */
	COLLECTOR_DISABLED, /**< gc.disable() */
	COLLECTOR_MANUAL,   /**< gc.set_threshold(0) */
};

/** The state of one interpreter's collector. */
enum collector_state collector_state(const struct interpreter *interpreter);

/** How many collectors there are: one for each interpreter, but in 3.8 one for all. */
size_t collector_count(const struct runtime *runtime);

/** A word for scripts: "enabled", "collecting", "disabled", "threshold 0". */
const char *collector_state_name(enum collector_state state);

/** Prints why the unreachable objects are still there, one line for each interpreter that has some.
 */
struct error *collector_explain(const struct session *session, unsigned indent,
				struct screen *screen) __attribute__((warn_unused_result));

/** Fills "collectors": state, thresholds and unreachable objects by generation. */
struct error *collector_json(const struct session *session, struct document *document,
			     json_t *result) __attribute__((warn_unused_result));

#endif
