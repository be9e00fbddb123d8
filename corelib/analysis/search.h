/**
 * @file
 * Objects by what they are: type, content, size, address.
 */
#ifndef PYMEM_ANALYSIS_SEARCH_H
#define PYMEM_ANALYSIS_SEARCH_H

#include "analysis/roots.h"

/** Which objects are wanted; all conditions hold of each. */
struct search_filter {
	const char *type;    /**< pattern of fnmatch() for the type's name; NULL: all */
	const char *text;    /**< pattern of glob.h for what a str or bytes holds; NULL: all */
	uint64_t min_size;   /**< bytes of object, header and storage that it alone owns */
	uint64_t max_size;   /**< the same */
	uint64_t start, end; /**< of addresses: start <= address < end */
	int generation;	     /**< 0 to 2, GENERATION_PERMANENT; -1: all, untracked too */
	const struct roots *roots; /**< not NULL: only what garbage alone holds, itself included */
};

/** What was found. Zero-initialised is empty. */
struct search {
	uint32_t *objects; /**< numbers, ascending: in order of address */
	uint32_t count;
	uint64_t bytes; /**< of them together */
};

/** Is the object on the collector's list of a generation? */
bool object_in_generation(const struct objects *objects, uint32_t object, int generation);

/**
 * Goes through all objects once. The content is looked at last, of what passes all else.
 * @param search what was in it before is freed
 */
struct error *search_run(const struct objects *objects, const struct search_filter *filter,
			 const struct progress *progress, struct search *search)
	__attribute__((warn_unused_result));

/** Frees the list. */
void search_clear(struct search *search);

#endif
