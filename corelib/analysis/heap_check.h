/**
 * @file
 * Looks through the whole heap for what cannot be: objects that more references own than their
 * refcount says, containers that refer to freed memory, links of the collector's lists that do not
 * match, types that are none, pools that are damaged. A crash is often elsewhere than the bug.
 */
#ifndef PYMEM_ANALYSIS_HEAP_CHECK_H
#define PYMEM_ANALYSIS_HEAP_CHECK_H

#include "analysis/census.h"
#include "analysis/graph.h"
#include "analysis/unreachable.h"

/** What is wrong. */
enum damage_kind {
	DAMAGE_FREED,	  /**< a live object refers to memory that is free */
	DAMAGE_NO_OBJECT, /**< a live object refers to something that is no object */
	DAMAGE_REFCOUNT,  /**< a live object refers to one whose refcount is 0 or below */
	DAMAGE_TYPE,	  /**< the type of a tracked object is no type */
	DAMAGE_LINK,	  /**< the collector's list is broken: a link leads nowhere */
	DAMAGE_BACK_LINK, /**< the object behind has another one before it in the list */
	DAMAGE_POOL,	  /**< a pool's list of free blocks does not agree with its header */
	DAMAGE_KINDS,
};

/** A stable word for scripts: "freed", "no-object". */
const char *damage_name(enum damage_kind kind);

/** One damage. */
struct damage {
	enum damage_kind kind;
	uint64_t address;  /**< of the word that is wrong; of the pool for DAMAGE_POOL; 0: a slot
			      that is not known */
	uint64_t value;	   /**< what stands there */
	uint64_t expected; /**< what should, where that is known, else 0 */
	uint32_t object;   /**< in which the word stands, by number in objects, or HEAP_NONE */
};

enum { DAMAGES_MAX = 1000 };

/** The result. */
struct heap_check {
	struct damage *damages; /**< the first DAMAGES_MAX, by kind, then by address */
	size_t damage_count;
	uint64_t kind_counts[DAMAGE_KINDS]; /**< of all of them */
	uint64_t total;
	/** Objects that more references own than their refcount says; found is their number. By
	 * address. */
	struct anomaly *over_released;
	size_t over_released_count;
};

/** A check under way. */
struct heap_checking;

/** Begins one. */
struct error *heap_check_begin(const struct objects *objects, struct heap_checking **checking)
	__attribute__((warn_unused_result));

/** Shows the check what the graph reads: the context is the struct heap_checking. Those of objects
 * that the collector does not track wait for the census: blocks that only look like objects hold
 * old pointers. */
struct graph_observer heap_check_observer(struct heap_checking *checking);

/**
 * Ends a check to which all objects were shown: looks through the others, the
 * collector's lists, the pools.
 */
struct error *heap_check_end(struct heap_checking *checking, const struct census *census,
			     const struct unreachable *unreachable, const struct progress *progress,
			     struct heap_check **check) __attribute__((warn_unused_result));

/** Frees one, ended or not. NULL is allowed. */
void heap_checking_free(struct heap_checking *checking);

/** All of that: checks the heap that the census was taken of. */
struct error *heap_check_run(const struct census *census, const struct unreachable *unreachable,
			     const struct progress *progress, struct heap_check **check)
	__attribute__((warn_unused_result));

/** Frees it. NULL is allowed. */
void heap_check_free(struct heap_check *check);

#endif
