/**
 * @file
 * Paths from a root to an object: the shortest, and others that share nothing with it.
 *
 * A path is short if it has few references; among equals the one that is easily written as a Python
 * expression wins, and a reference that cannot be written at all counts like some more. Modules,
 * frames of running functions and what else the interpreter names count as near; what C code holds
 * is a root only of what nothing of these reaches: see roots.h.
 *
 * Memory: 16 bytes an object, besides the reversed edges of the graph.
 */
#ifndef PYMEM_ANALYSIS_PATHS_H
#define PYMEM_ANALYSIS_PATHS_H

#include "analysis/roots.h"

/** One path. */
struct path {
	const struct root *root;
	uint32_t *objects;	      /**< from what the root holds to the object asked for */
	struct reference *references; /**< [i] is that of objects[i] to objects[i + 1] */
	size_t count;		      /**< of objects, at least 1 */
	char *expression; /**< Python, or words where there is none; UTF-8 of the target's */
	bool evaluable;	  /**< Python can evaluate it, given the modules sys, gc and collections */
	/** For people, where the expression goes through a frame: "load() line 41 in app/web.py:
	 * batch[2]"; NULL: as the expression. */
	char *readable;
};

/** Paths to one object, the shortest first. Zero-initialised is empty. */
struct paths {
	struct path *items;
	size_t count;
};

/** What all searches in one graph share. */
struct path_search;

/** Prepares to search: one pass over the graph. Reverses its edges. */
struct error *path_search_open(struct graph *graph, const struct roots *roots,
			       const struct progress *progress, struct path_search **search)
	__attribute__((warn_unused_result));

/** Frees it. NULL is allowed. */
void path_search_close(struct path_search *search);

/**
 * Finds paths to an object. Those after the first share with the others nothing but modules: not
 * the objects between, nor the reference that leaves a module.
 * @param max how many at most
 * @param paths filled; none if nothing holds the object but garbage and what is lost
 */
struct error *paths_find(struct path_search *search, uint32_t object, size_t max,
			 struct paths *paths) __attribute__((warn_unused_result));

/** Frees the list. */
void paths_clear(struct paths *paths);

#endif
