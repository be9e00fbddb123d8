/**
 * @file
 * Between heap_check.c and heap_check_references.c, which looks at what objects refer to.
 */
#ifndef PYMEM_ANALYSIS_HEAP_CHECK_PRIVATE_H
#define PYMEM_ANALYSIS_HEAP_CHECK_PRIVATE_H

#include "analysis/heap_check.h"

/* Of the facts about an object: its owners are counted; its refcount is one. */
enum { FACT_UNTRACKED = 1, FACT_ALIVE = 2 };

/** The work in progress. */
struct heap_checking {
	struct heap_check *check;
	struct runtime *runtime;
	struct reader reader;
	/* These are known when it ends. */
	const struct census *census;
	const struct objects *objects;
	const struct unreachable *unreachable;
	uint32_t *owners; /* references that own each untracked object, at most OWNERS_MAX */
	uint8_t *facts;	  /* by object: FACT_*; what is asked of a target is in one byte */
	size_t over_released_capacity;
};

/** Fills work->facts. */
void heap_check_note_facts(struct heap_checking *work, const struct objects *objects);

/** What nobody refers to and the collector does not know only looks like an object. */
bool heap_check_is_believed(const struct heap_checking *work, uint32_t object);

/** Checks the references of all tracked objects, or of all believed others. */
struct error *heap_check_references(struct heap_checking *work, bool tracked,
				    const struct progress *progress)
	__attribute__((warn_unused_result));

#endif
