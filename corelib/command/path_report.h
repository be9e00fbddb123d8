/**
 * @file
 * What holds the objects that `path` was asked for: found, and shown.
 */
#ifndef PYMEM_COMMAND_PATH_REPORT_H
#define PYMEM_COMMAND_PATH_REPORT_H

#include "analysis/paths.h"
#include "command/asked.h"

/** Why an object lives, or that it does not. */
enum path_verdict {
	PATH_HELD,    /**< there is a path */
	PATH_STATIC,  /**< in no allocator: part of a program file, nothing frees it */
	PATH_GARBAGE, /**< gc.collect() would free it, or what holds it */
	PATH_LOST,    /**< nothing holds it, or only what is lost itself */
	PATH_ERROR,   /**< there is no object */
};

/** The answer for one address. */
struct path_answer {
	uint64_t typed;
	struct asked asked;
	enum path_verdict verdict;
	struct error *error; /**< PATH_ERROR; owned */
	struct paths paths;
	size_t group;	/**< PATH_GARBAGE: number of the group of cycles, from 1; 0: not known */
	uint64_t found; /**< PATH_LOST: words that point at it */
};

/** The answers for all addresses. */
struct path_answers {
	struct path_answer *items;
	size_t count;
};

/** Frees them. NULL is allowed. */
void path_answers_free(struct path_answers *answers);

/** Prints one: the object, its paths with their steps. */
void path_text(const struct session *session, const struct path_answer *answer,
	       struct screen *screen);

/** Fills an object of JSON. */
void path_json(const struct session *session, const struct path_answer *answer,
	       struct document *document, json_t *object);

#endif
