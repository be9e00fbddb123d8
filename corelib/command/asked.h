/**
 * @file
 * The object that a command's argument asks for: `refcount ADDRESS` and its like.
 */
#ifndef PYMEM_COMMAND_ASKED_H
#define PYMEM_COMMAND_ASKED_H

#include "command/session.h"

/** The object that was asked for. */
struct asked {
	uint64_t typed;	  /**< the address as it was typed */
	uint64_t address; /**< of the object */
	uint32_t object;  /**< its number in session->objects; HEAP_NONE: static, in no allocator */
	const struct type *type; /**< NULL: damaged */
	struct object_header header;
};

/** Is a word an address? For struct command. */
bool asked_takes(const char *word);

/** Reads the command's argument. @return ERROR_USAGE when it is missing or too large */
struct error *asked_parse(const struct session *session, const char *command, uint64_t *address)
	__attribute__((warn_unused_result));

/**
 * Finds the object at the address of the command's argument, or the one that the address is inside
 * of. Needs session_objects().
 * @return ERROR_GENERAL, with what is there, if there is none
 */
struct error *asked_find(const struct session *session, const char *command, struct asked *asked)
	__attribute__((warn_unused_result));

#endif
