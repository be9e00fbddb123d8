/**
 * @file
 * Objects that are being deallocated while the process stands still: their refcount is 0 already,
 * and what they still hold, they hold.
 */
#ifndef PYMEM_ANALYSIS_DYING_H
#define PYMEM_ANALYSIS_DYING_H

#include "analysis/objects.h"

/**
 * Sorts objects->dead and finds those that a register or stack of some thread points at: their
 * block becomes empty (end = start), so that it is not taken for free memory.
 */
void dying_find(struct objects *objects);

/** The dead object at exactly this address, or NULL. The list must be sorted. */
const struct dead_object *dying_dead_at(const struct objects *objects, uint64_t address);

/** Is a dead object being deallocated? */
static inline bool dying_is(const struct dead_object *dead)
{
	return dead->start == dead->end;
}

#endif
