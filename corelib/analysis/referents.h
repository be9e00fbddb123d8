/**
 * @file
 * What one object refers to, and who refers to it: all references, with where they stand.
 */
#ifndef PYMEM_ANALYSIS_REFERENTS_H
#define PYMEM_ANALYSIS_REFERENTS_H

#include "analysis/graph.h"

/** One reference of an object. */
struct referent {
	struct reference reference;
	/** The object's tp_traverse visits it: gc.get_referents() shows it. Others are keys that
	 * are str, what a type hides from the collector, the class of an instance up to 3.8. */
	bool visited;
};

/** The references of one object. Zero-initialised is empty. */
struct referents {
	struct referent *items;
	size_t count;
	struct owned buffer; /**< room to work in */
};

/**
 * Reads the references of an object: first those that its tp_traverse visits, in that order.
 * @param object its number; HEAP_NONE: a static object, of which those visited are read
 * @param address of the object
 * @param type of the object, or NULL: it has no references that are known
 * @return false when out of memory
 */
bool referents_read(const struct objects *objects, uint32_t object, uint64_t address,
		    const struct type *type, struct referents *referents);

/** Frees the list. */
void referents_clear(struct referents *referents);

/** One reference to an object. */
struct referrer {
	uint32_t object; /**< number of the object that holds it; HEAP_NONE: a running function */
	bool tracked;	 /**< that object is: gc.get_referrers() shows it if `visited` */
	bool visited;	 /**< as for struct referent */
	struct edge_label label;
	uint64_t slot;	    /**< address of the word; 0: not known */
	char function[128]; /**< of a running function: "load (app/web.py:41)" */
	pid_t tid;	    /**< its thread; 0: not known */
};

/** All references to one object. Zero-initialised is empty. */
struct referrers {
	struct referrer *items; /**< by object, those of running functions last */
	size_t count, capacity;
	uint64_t total;	  /**< references; more than `count` if not all were wanted */
	uint64_t objects; /**< that hold them */
};

/**
 * Finds the references to an object, in one pass over all objects. A word of C code that points at
 * it is none of them: see census.h.
 * @param address of the object
 * @param limit how many are kept
 */
struct error *referrers_find(const struct objects *objects, const struct progress *progress,
			     uint64_t address, uint64_t limit, struct referrers *referrers)
	__attribute__((warn_unused_result));

/** Frees the list. */
void referrers_clear(struct referrers *referrers);

#endif
