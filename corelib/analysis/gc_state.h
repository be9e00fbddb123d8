/**
 * @file
 * How the collector sees one object.
 */
#ifndef PYMEM_ANALYSIS_GC_STATE_H
#define PYMEM_ANALYSIS_GC_STATE_H

#include "analysis/objects.h"
#include "analysis/unreachable.h"

/** What gc.is_tracked(), gc.is_finalized() and the lists say. */
struct gc_state {
	bool collectable; /**< an object of a type that the collector knows, with a header for it */
	bool tracked;	  /**< on a list; all below is false otherwise, but `finalized` */
	bool frozen;	  /**< gc.freeze(): left alone */
	bool unreachable; /**< gc.collect() would free it */
	bool finalized;	  /**< its finalizer has run, it will not again */
	unsigned generation; /**< 0 to 2, if tracked and not frozen */
};

/**
 * Reads it.
 * @param type of the object; NULL: damaged, which is never collectable
 */
struct gc_state gc_state_read(const struct unreachable *unreachable, uint64_t address,
			      const struct type *type);

#endif
