/**
 * @file
 * The references that an object owns: those that its tp_traverse visits, and those that it leaves
 * out because the collector has no use for them, where they are known: the keys of a dict whose
 * keys are all str.
 */
#ifndef PYMEM_ANALYSIS_OWNED_H
#define PYMEM_ANALYSIS_OWNED_H

#include "analysis/objects.h"

/** The references of one object. Zero-initialised is empty. */
struct owned {
	struct reference *items;
	size_t count, capacity;
	/** What traverse_object() said, valid until the heap's traverser is used again. */
	enum traverse_result result;
	const struct reference *visited;
	size_t visited_count;
};

/**
 * Reads the references of an object, those that hold no refcount left out. An object that cannot be
 * traversed has none.
 * @return false when out of memory
 */
bool owned_read(const struct objects *objects, uint32_t object, struct owned *owned);

/** Appends references to a list. @return false when out of memory */
bool owned_add(struct owned *owned, const struct reference *items, size_t count);

/** Frees the list. */
void owned_clear(struct owned *owned);

#endif
