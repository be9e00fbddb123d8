/**
 * @file
 * Every object of the process that can be enumerated: those that the collector tracks, and the
 * others (str, bytes, int, untracked tuples and dicts, objects of C extensions) as they are found
 * in the allocators.
 */
#ifndef PYMEM_ANALYSIS_OBJECTS_H
#define PYMEM_ANALYSIS_OBJECTS_H

#include "analysis/allocators.h"
#include "analysis/heap.h"

/** Where an object was found. */
enum object_place {
	OBJECT_TRACKED,	 /**< on a list of the collector */
	OBJECT_POOLED,	 /**< untracked, in a block of pymalloc */
	OBJECT_MALLOCED, /**< untracked, in a chunk of malloc: larger than 512 bytes */
};

/**
 * A block that still looks like an object, with refcount 0 or the link of a free list in its place:
 * on one of CPython's free lists, or just being deallocated (dying.h).
 */
struct dead_object {
	uint64_t address;
	uint64_t start, end; /**< its block */
};

/** All objects, numbered in order of address. Arrays are indexed by the number. */
struct objects {
	struct heap *heap;
	struct allocators *allocators;
	const struct pymalloc *pymalloc; /**< these two: of the allocators */
	const struct malloc_heaps *malloc_heaps;
	struct heap_index index;
	uint32_t count;
	uint64_t *addresses;
	uint32_t *types;		/**< type->index; HEAP_NONE: damaged */
	const struct type **type_table; /**< by index, all that the objects have */
	int32_t *refcounts;		/**< HEAP_IMMORTAL, or cut at INT32_MAX / 2 */
	uint8_t *places;		/**< enum object_place */
	uint64_t place_counts[3];
	struct dead_object *dead; /**< by address */
	size_t dead_count;
	uint32_t *interned; /**< dicts of interned str, by number: see interned.h */
	size_t interned_count;
	uint32_t debug_offset; /**< bytes that the debug allocator puts in front: 16, or 0 */
};

/**
 * Enumerates them, with all processors. Needs nothing but the heap, which must outlive the result.
 * @param allocators taken over, also on an error; NULL: they are opened
 */
struct error *objects_open(struct heap *heap, struct allocators *allocators,
			   const struct progress *progress, struct objects **objects)
	__attribute__((warn_unused_result));

/** Frees it, not the heap. NULL is allowed. */
void objects_close(struct objects *objects);

/** The type of an object; NULL if it is damaged. */
static inline const struct type *objects_type(const struct objects *objects, uint32_t object)
{
	uint32_t type = objects->types[object];

	return type == HEAP_NONE ? NULL : objects->type_table[type];
}

/** @return the number of the object at exactly this address, or HEAP_NONE */
static inline uint32_t objects_find(const struct objects *objects, uint64_t address)
{
	return index_find(&objects->index, address);
}

#endif
