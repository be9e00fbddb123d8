/**
 * @file
 * Searching the allocators for objects that no list of the collector has: first half of
 * objects_open().
 */
#ifndef PYMEM_ANALYSIS_OBJECTS_SEARCH_H
#define PYMEM_ANALYSIS_OBJECTS_SEARCH_H

#include "analysis/objects.h"

/** An object found in an allocator. */
struct find {
	uint64_t address;
	uint32_t type; /**< type->index */
	int32_t refcount;
	uint8_t place; /**< enum object_place */
};

/** What was found. Zero-initialised is empty. */
struct finds {
	struct find *items;
	size_t count, capacity;
	struct dead_object *dead;
	size_t dead_count, dead_capacity;
};

/**
 * Searches all blocks in use, those of pymalloc by address, then those of malloc's heaps, then
 * those that it mapped by themselves. Finds out objects->debug_offset first.
 * @param objects with its heap and the allocators; nobody may traverse the heap meanwhile
 * @param finds set, also on an error
 */
struct error *objects_search(struct objects *objects, const struct progress *progress,
			     struct finds *finds) __attribute__((warn_unused_result));

/** Frees it. */
void finds_clear(struct finds *finds);

#endif
