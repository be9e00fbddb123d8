/**
 * @file
 * The object that a command's argument asks for: `refcount ADDRESS` and its like.
 */
#ifndef PYMEM_COMMAND_ASKED_H
#define PYMEM_COMMAND_ASKED_H

#include "command/document.h"
#include "command/screen.h"
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

/** The same for an address that does not come from the argument: asked->typed. */
struct error *asked_find_typed(const struct session *session, struct asked *asked)
	__attribute__((warn_unused_result));

/**
 * First step of such a command: checks the argument and lists all objects.
 * @return an error, too, where the objects cannot be listed
 */
struct error *asked_open(struct session *session, const char *command)
	__attribute__((warn_unused_result));

/** Prints a line: the address, what the object is. */
void asked_text(const struct session *session, const struct asked *asked, struct screen *screen);

/** Sets "address", "type", "refcount" and "immortal". */
void asked_json(const struct asked *asked, struct document *document, json_t *result);

#endif
