/**
 * @file
 * Strongly connected components of the unreachable objects: which of them are in a cycle, and which
 * only hang off one.
 */
#ifndef PYMEM_ANALYSIS_COMPONENTS_H
#define PYMEM_ANALYSIS_COMPONENTS_H

#include "analysis/unreachable.h"

/** "Not an unreachable object" among the positions. */
#define COMPONENT_NONE UINT32_MAX

/**
 * Positions are indexes into unreachable->objects. Components are numbered so that a reference
 * never leads from a lower to a higher one.
 */
struct components {
	uint32_t count;	    /**< of components, those of one object included */
	uint32_t *of;	    /**< position -> component */
	uint8_t *is_member; /**< position -> 1: in a cycle, 0: hangs off one */
	uint32_t *owner;    /**< position -> the component of cycle that it is or hangs off */
	uint32_t *position; /**< object's number in the heap -> position or COMPONENT_NONE */
};

/** Computes them. */
struct error *components_compute(const struct unreachable *unreachable,
				 struct components **components)
	__attribute__((warn_unused_result));

/** Frees them. NULL is allowed. */
void components_free(struct components *components);

#endif
