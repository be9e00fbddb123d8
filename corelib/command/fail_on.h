/**
 * @file
 * --fail-on: findings that make the exit code PYMEM_FINDINGS, for scripts that have to decide.
 */
#ifndef PYMEM_COMMAND_FAIL_ON_H
#define PYMEM_COMMAND_FAIL_ON_H

#include "command/command.h"

/** What can be found; bits of struct command's `finds`. */
enum finding_kind {
	FINDING_CYCLES = 1 << 0,
	FINDING_EXCESS = 1 << 1,
	FINDING_LOST = 1 << 2,
	FINDING_OVER_RELEASED = 1 << 3,
	FINDING_DAMAGE = 1 << 4,
	/** What session_leaked() looks for. */
	FINDINGS_OF_HEAP = FINDING_EXCESS | FINDING_LOST | FINDING_OVER_RELEASED | FINDING_DAMAGE,
	FINDINGS_ALL = FINDING_CYCLES | FINDINGS_OF_HEAP,
};

/** Checks the option's argument, if it was given. @return ERROR_USAGE naming what is wrong */
struct error *fail_on_check(const struct options *options, const struct command *command)
	__attribute__((warn_unused_result));

/**
 * The status of an answer that was written: PYMEM_FINDINGS if there are as many findings of a kind
 * as the option says; PYMEM_PARTIAL, with a line on the error stream, if it could not be looked for
 * them; else `status`.
 * @param prefix of that line, "pymem: "
 */
int fail_on_status(const struct session *session, const char *prefix, int status);

#endif
