/**
 * @file
 * The signal that killed the process: which, why, and where it struck.
 */
#ifndef PYMEM_COMMAND_SIGNAL_REPORT_H
#define PYMEM_COMMAND_SIGNAL_REPORT_H

#include "command/document.h"
#include "command/session.h"

/** Text about a signal. */
struct signal_text {
	char text[128];
};

/** "SIGSEGV", "signal 71". */
struct signal_text signal_name(const struct target *target);

/** Why it came: "at address 0x10 (not mapped)", "sent by pid 4711"; "" if that is not known, or the
 * process sent it to itself. */
struct signal_text signal_reason(const struct target *target);

/** Which native code ran: "PyList_Append+0x12 (libfoo.so)"; "" where no module is. Holds a name of
 * the target: not yet cleaned for a screen. */
struct signal_text signal_code(const struct target *target);

/** Sets "signal" to an object: number, name, code, reason, address, sender, instruction; to null
 * if there was none. */
void signal_json(const struct session *session, struct document *document, json_t *result);

#endif
