/**
 * @file
 * The fingerprints of findings as scripts see them: "cycle-3f2a91c0d4e5b677", the same for the same
 * leak in another process, on another host or day. See analysis/fingerprint.h.
 */
#ifndef PYMEM_COMMAND_FINGERPRINTS_H
#define PYMEM_COMMAND_FINGERPRINTS_H

#include "command/session.h"

/** A fingerprint: the kind of the finding, a dash and 16 hexadecimal digits. */
struct fingerprint_text {
	char text[40];
};

/** Of a group of cycles: its types and how they refer to each other. */
struct fingerprint_text fingerprint_cycles(const struct cycle_group *group);

/** Of a group of leaked references: the type, what its contents have in common, and the types of
 * which each object keeps at least one, or nearly so. */
struct fingerprint_text fingerprint_leaked(const struct session *session,
					   const struct leaked_group *group);

/** Of objects of one type: `kind` is "garbage" or "over-released". @param type NULL: damaged */
struct fingerprint_text fingerprint_type(const char *kind, const struct type *type);

/** Of a damage: what is wrong, and the type of the object that it is in. */
struct fingerprint_text fingerprint_damage(const struct session *session,
					   const struct damage *damage);

#endif
