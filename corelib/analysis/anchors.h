/**
 * @file
 * A short name for an object: from the module or the running function that holds it most closely,
 * "app.cache._entries", "worker (app/jobs.py:41): batch". For the few objects that an overview
 * shows.
 */
#ifndef PYMEM_ANALYSIS_ANCHORS_H
#define PYMEM_ANALYSIS_ANCHORS_H

#include "analysis/dominators.h"

/** A module of sys.modules. */
struct anchor_module {
	uint64_t address; /**< of the module */
	uint32_t dict;	  /**< number of its namespace, a dict */
	uint32_t order;	  /**< in sys.modules */
	char name[128];	  /**< its key there; UTF-8 of the target's */
};

/** What names begin at. */
struct anchors {
	const struct dominators *tree;
	const struct roots *roots;
	struct anchor_module *modules; /**< by `dict`, which no two have in common */
	size_t module_count;
	/** Roots of objects that are held from outside by something that has a name, by object. */
	const struct root **held;
	size_t held_count;
};

/** Finds them. The tree must outlive the result. */
struct error *anchors_open(const struct dominators *tree, struct anchors **anchors)
	__attribute__((warn_unused_result));

/** Frees it. NULL is allowed. */
void anchors_close(struct anchors *anchors);

/** The module whose namespace an object is; NULL: of none. */
const struct anchor_module *anchors_module(const struct anchors *anchors, uint32_t object);

/** The first root that holds an object itself; NULL: none that has a name. */
const struct root *anchors_root(const struct anchors *anchors, uint32_t object);

/**
 * Writes the name of an object: a global of a module that is nearest by references, or else what
 * holds it from outside, and the way from there.
 * @param name to be freed; NULL if nothing was found
 */
struct error *anchors_name(const struct anchors *anchors, uint32_t object, char **name)
	__attribute__((warn_unused_result));

#endif
