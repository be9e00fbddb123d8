/**
 * @file
 * The few objects that keep most of the heap: where it piles up, not what stands above that.
 *
 * Modules, their dicts and the frames of functions hold everything; what is asked for is the one
 * global or variable below. An instance with one large attribute is no answer either, but the
 * attribute is.
 */
#ifndef PYMEM_ANALYSIS_SUSPECTS_H
#define PYMEM_ANALYSIS_SUSPECTS_H

#include "analysis/anchors.h"
#include "analysis/dominators.h"

/** An object that keeps much; or many small ones of one type that no single object keeps. */
struct suspect {
	uint32_t object;   /**< that keeps them; of a group: that refers to most of them */
	uint64_t retained; /**< bytes */
	uint64_t own;	   /**< bytes of the object alone */
	/** Of a group: how many objects it has; 0: `object` alone keeps all. */
	uint64_t group;
	uint32_t type;	  /**< index of the group's type; HEAP_NONE: no group */
	uint32_t example; /**< of a group: the one that retains most; else `object` */
};

/** Most bytes first. None is below another. */
struct suspects {
	struct suspect *items;
	size_t count, capacity;
};

/**
 * Finds them. What the collector would free and what nothing was found to hold are left out: these
 * are findings of their own.
 * @param least bytes that one retains at least
 */
struct error *suspects_find(const struct dominators *dominators, const struct anchors *anchors,
			    uint64_t least, const struct progress *progress,
			    struct suspects *suspects) __attribute__((warn_unused_result));

/** Frees the list. */
void suspects_clear(struct suspects *suspects);

#endif
