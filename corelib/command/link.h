/**
 * @file
 * One reference between two objects, as `referents` and `referrers` show it.
 */
#ifndef PYMEM_COMMAND_LINK_H
#define PYMEM_COMMAND_LINK_H

#include "command/document.h"
#include "command/output.h"
#include "command/screen.h"
#include "command/session.h"

/** What there is to say of an object. */
struct described {
	const struct type *type; /**< NULL: damaged */
	uint64_t size;		 /**< bytes, with the header and the storage that it alone owns */
	bool tracked;		 /**< by the collector */
	char title[200]; /**< which class, which function, or the value; "" if the type says it
			    all */
};

/** Describes the object at an address. */
void link_describe(const struct session *session, uint64_t address, struct described *described);

/** A reference and the object at its other end. */
struct link {
	const struct edge_label *label;
	uint64_t slot;	      /**< address of the word; 0: not known */
	bool visited;	      /**< tp_traverse visits it: the collector knows of it */
	uint64_t object;      /**< at the other end; 0: a running function */
	const char *function; /**< the running function, or NULL */
	pid_t tid;	      /**< its thread; 0: not known */
};

/**
 * Prints a line: the reference, what the object is, its size, and the command that goes on there.
 * @param command "referents" or "referrers"
 */
void link_text(const struct session *session, const struct link *link, const char *command,
	       struct screen *screen);

/** Fills an object of JSON. */
void link_json(const struct session *session, const struct link *link, struct document *document,
	       json_t *object);

/** Writes it as a line. */
struct error *link_ndjson(const struct session *session, const struct link *link,
			  const struct output *output) __attribute__((warn_unused_result));

/** How many links a command keeps: the usual number, or as many as --limit says, all for lines. */
uint64_t link_limit(const struct session *session);

#endif
