/**
 * @file
 * Between roots.c, which spreads what is reached, roots_state.c, which reads the interpreter's
 * structures, and roots_words.c, which asks the census.
 */
#ifndef PYMEM_ANALYSIS_ROOTS_PRIVATE_H
#define PYMEM_ANALYSIS_ROOTS_PRIVATE_H

#include "analysis/roots.h"

/** "Not reached yet" in roots->reached. */
#define ROOT_UNREACHED UINT8_MAX

/** The search. */
struct root_search {
	struct roots *roots;
	const struct objects *objects;
	const struct runtime *runtime;
	struct census *census;
	const struct progress *progress;
	struct reader reader;
	uint8_t *is_garbage; /**< by object: the collector would free it */
	uint32_t *stack;     /**< of objects whose edges are to be followed */
	uint32_t capacity;   /**< of roots->items */
	uint32_t unreached;  /**< objects, garbage not counted */
	bool failed;	     /**< out of memory */
};

/** Adds a root and reaches what it holds. */
void root_add(struct root_search *search, const struct root *root);

/** The same for a word: if it points at an object that is not reached yet and no garbage. */
void root_add_word(struct root_search *search, struct root root, uint64_t value);

/** Modules, named dicts of the interpreter, frames: whatever else holds the objects. */
void roots_of_interpreters(struct root_search *search);

/** Other words of the interpreter's structures and of static types; interned str. */
void roots_of_state(struct root_search *search);

/** The census' words. */
struct error *roots_of_words(struct root_search *search, enum roots_depth depth)
	__attribute__((warn_unused_result));

#endif
