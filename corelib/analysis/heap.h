/**
 * @file
 * All tracked objects of a runtime, numbered.
 *
 * CPython's objects are 16-byte aligned, so one bit for each 16 bytes, in regions of 1 MiB, says
 * which addresses are objects, and a count of the bits below gives each a dense number in order of
 * address: two cache misses and about 1 % of the heap. Everything per object is then a flat array.
 */
#ifndef PYMEM_ANALYSIS_HEAP_H
#define PYMEM_ANALYSIS_HEAP_H

#include "analysis/heap_index.h"
#include "traverse/traverse.h"

/** "No such object" among the numbers. */
#define HEAP_NONE UINT32_MAX

/** In heap->refcounts: an immortal object, which the collector leaves alone. */
#define HEAP_IMMORTAL INT32_MIN

/** A refcount as the arrays keep it: HEAP_IMMORTAL, or 0 up to half of INT32_MAX, where it is cut.
 */
static inline int32_t heap_refcount(const struct object_header *header)
{
	if (header->immortal)
		return HEAP_IMMORTAL;
	if (header->refcount < 0)
		return 0;
	return header->refcount > INT32_MAX / 2 ? INT32_MAX / 2 : (int32_t)header->refcount;
}

/** The objects on the collector's lists. Arrays are indexed by the object's number. */
struct heap {
	struct runtime *runtime;
	struct traverser *traverser;
	struct reader reader;
	struct heap_index index;
	uint32_t count;
	uint64_t *addresses;		/**< ascending */
	uint32_t *types;		/**< type->index; HEAP_NONE: the type is damaged */
	const struct type **type_table; /**< by index, all that the objects have */
	int32_t *refcounts;	/**< HEAP_IMMORTAL for immortal objects; huge counts are cut */
	uint8_t *generation;	/**< 0-2, GENERATION_PERMANENT */
	uint8_t *interpreter;	/**< index in runtime->interpreters */
	uint32_t damaged_types; /**< objects whose type is damaged */
	uint32_t damaged_lists; /**< findings of the walk; 0: each link leads there and back, but
				   for those of an interpreter that was collecting */
	uint64_t suspects; /**< objects on lists of a collection under way; generation 2 above */
	/** Length of each list as walked, [interpreter][generation]. */
	uint64_t (*list_counts)[GENERATION_LISTS];
};

/** Walks all lists and numbers what is on them. Damaged lists add to the target's coverage. */
struct error *heap_open(struct runtime *runtime, const struct progress *progress,
			struct heap **heap) __attribute__((warn_unused_result));

/** Frees it. NULL is allowed. */
void heap_close(struct heap *heap);

/**
 * Makes a view of a heap for another thread: the same objects, with a traverser and a reader of its
 * own. The heap must outlive it, and nobody may traverse the heap meanwhile.
 */
struct error *heap_view_open(const struct heap *heap, struct heap **view)
	__attribute__((warn_unused_result));

/** Frees a view. NULL is allowed. */
void heap_view_close(struct heap *view);

/** @return the number of the object at exactly this address, or HEAP_NONE */
static inline uint32_t heap_find(const struct heap *heap, uint64_t address)
{
	return index_find(&heap->index, address);
}

/**
 * How many references `count` objects may have together before the heap is taken for hostile: no
 * process references more than its memory has words for, twice over; damaged objects that all claim
 * one large array would.
 */
uint64_t heap_reference_budget(const struct heap *heap, uint32_t count);

/** The type of an object; NULL if it is damaged. */
static inline const struct type *heap_type(const struct heap *heap, uint32_t object)
{
	return heap->types[object] == HEAP_NONE ? NULL : heap->type_table[heap->types[object]];
}

#endif
