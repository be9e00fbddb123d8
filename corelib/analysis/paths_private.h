/**
 * @file
 * Between paths.c, which asks for one path after the other, path_search.c, which searches, and
 * path_expression.c, which writes what was found.
 */
#ifndef PYMEM_ANALYSIS_PATHS_PRIVATE_H
#define PYMEM_ANALYSIS_PATHS_PRIVATE_H

#include "analysis/paths.h"

#define LEVEL_NONE UINT32_MAX

/** By object, in `marks`. */
enum mark {
	MARK_CLOSED = 1,   /**< the best way from here is known */
	MARK_EXCLUDED = 2, /**< belongs to a path that was found before */
};

/** A way that is being looked at: from an object, or its root, to the object asked for. */
struct entry {
	uint32_t object;
	uint32_t next;	 /**< the entry that the reference leads to; the object asked for: itself */
	uint32_t cost;	 /**< from here to there */
	uint32_t root;	 /**< index of the root, in place of a reference; HEAP_NONE: none */
	bool is_weighed; /**< `cost` counts how the reference is written, and `reference` is set */
	struct reference reference;
};

/** What waits, by estimate and then by age. */
struct waiting {
	uint32_t estimate, entry;
};

struct path_search {
	struct graph *graph;
	const struct roots *roots;
	const struct objects *objects;
	uint32_t *levels;    /* by object: how many references lead there, __dict__ not counted */
	uint8_t *has_dict;   /* by type->index: its objects may have a __dict__ */
	uint32_t dict_type;  /* index of the type dict; HEAP_NONE: not known */
	uint32_t *by_object; /* roots, those that are none left out, by object and then as found */
	uint32_t root_count;
	uint8_t *marks;	   /* by object */
	uint32_t *touched; /* objects with marks: at most all */
	uint32_t touched_count;
	struct entry *entries;
	size_t entry_count, entry_capacity;
	struct waiting *heap;
	size_t heap_count, heap_capacity;
	uint64_t *banned; /* words that paths found before go through */
	size_t banned_count, banned_capacity;
	struct owned references;
	unsigned weighed;
	bool failed; /* out of memory */
};

/** What a reference costs at least: nothing, if it may be that of a __dict__. */
uint32_t path_least_cost(const struct path_search *search, uint32_t from, uint32_t to);

/** How many references lead from anywhere to a root: its place among the levels. Below 3. */
uint32_t path_root_level(const struct path_search *search, const struct root *root);

/** Sets bits of enum mark. */
void path_mark(struct path_search *search, uint32_t object, uint8_t bits);

/** Lets no path go through a word any more. */
void path_ban(struct path_search *search, uint64_t word);

/**
 * Searches once. Objects with marks and words that are banned are no way.
 * @return the entry of the root that the best path begins with; HEAP_NONE: there is none
 */
uint32_t path_search_once(struct path_search *search, uint32_t object);

/** Writes the expressions of a path whose objects and references are there.
 * @return false when out of memory */
bool path_write(const struct roots *roots, struct path *path);

#endif
