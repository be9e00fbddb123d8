/**
 * @file
 * Objects that are being deallocated while the process stands still: their refcount is 0 already,
 * and what they still hold, they hold.
 */
#ifndef PYMEM_ANALYSIS_DYING_H
#define PYMEM_ANALYSIS_DYING_H

#include "analysis/objects.h"

/**
 * Finds those of objects->dead that a register or stack of some thread points at: their block
 * becomes empty (end = start), so that it is not taken for free memory. The list must be sorted.
 */
void dying_find(struct objects *objects);

/** The dead object at exactly this address, or NULL. */
const struct dead_object *dying_dead_at(const struct objects *objects, uint64_t address);

/** Is a dead object being deallocated? */
static inline bool dying_is(const struct dead_object *dead)
{
	return dead->start == dead->end;
}

#endif
