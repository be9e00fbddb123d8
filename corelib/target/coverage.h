/**
 * @file
 * What an answer does not cover. Every room adds what it had to leave out: a truncated core, a file
 * that is missing or does not match, a damaged list. An answer is complete when the list is empty.
 */
#ifndef PYMEM_TARGET_COVERAGE_H
#define PYMEM_TARGET_COVERAGE_H

#include "target/error.h"

#include <stddef.h>

/** Does a problem make the answer partial, or is it only worth knowing? */
enum problem_level {
	PROBLEM_NOTE,	 /**< the answer is still whole */
	PROBLEM_PARTIAL, /**< the answer is partial: exit code 4 */
};

/** One thing that is missing or damaged. */
struct problem {
	enum problem_level level;
	char *kind;   /**< stable word for scripts, such as "truncated-core", "missing-file" */
	char *detail; /**< one line for people that names the file or address */
};

/** The list of problems of one target; zero-initialised is empty. Several threads may add to it. */
struct coverage {
	struct problem *problems;
	size_t count;
};

/** Adds a problem; the same kind and detail are kept once. Out of memory drops the text, not the
 * level. */
void coverage_add(struct coverage *coverage, enum problem_level level, const char *kind,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/** Puts what was added since there were `from` entries in an order that does not depend on which of
 * two threads was faster. */
void coverage_sort(struct coverage *coverage, size_t from);

/** True when no problem is PROBLEM_PARTIAL. */
bool coverage_complete(const struct coverage *coverage);

/** Frees the list, leaves it empty. */
void coverage_clear(struct coverage *coverage);

#endif
