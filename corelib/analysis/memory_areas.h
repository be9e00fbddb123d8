/**
 * @file
 * The areas of the address space that somebody is known to manage: arenas, heaps, stacks. Between
 * memory_areas.c, which finds them, and memory_map.c, which looks into them.
 */
#ifndef PYMEM_ANALYSIS_MEMORY_AREAS_H
#define PYMEM_ANALYSIS_MEMORY_AREAS_H

#include "analysis/memory_map.h"

/** Who manages an area. */
enum area_owner {
	AREA_ARENA,  /**< pymalloc */
	AREA_HEAP,   /**< an arena of malloc, or one of its heaps */
	AREA_MAPPED, /**< a chunk that malloc mapped by itself */
	AREA_STACK,  /**< of a thread */
	AREA_FRAMES, /**< data stack */
	AREA_BSS,    /**< zero-filled data of a module */
};

/** One area. */
struct area {
	uint64_t start, end;
	uint64_t inner; /**< arena: behind the last pool; heap: its first chunk; stack: lowest byte
			   in use */
	const char *path; /**< of the module; NULL for others */
	enum area_owner owner;
};

/** Areas, sorted by start. Zero-initialised is empty. */
struct areas {
	struct area *items;
	size_t count, capacity;
	uint64_t stacks; /**< threads whose stack was found */
	bool failed;	 /**< memory ran out */
};

/** Finds all of them. */
struct error *areas_find(struct objects *objects, struct areas *areas)
	__attribute__((warn_unused_result));

/** Frees the list. */
void areas_clear(struct areas *areas);

#endif
