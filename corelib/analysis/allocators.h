/**
 * @file
 * Where a process gets blocks of memory from: pymalloc and malloc.
 */
#ifndef PYMEM_ANALYSIS_ALLOCATORS_H
#define PYMEM_ANALYSIS_ALLOCATORS_H

#include "analysis/word_map.h"
#include "cpython/pymalloc.h"
#include "target/malloc_heap.h"

/** The allocators of one process. Read-only. */
struct allocators {
	struct pymalloc *pymalloc;
	struct malloc_heaps *malloc_heaps; /**< with the chunks that are mapped by themselves */
	struct word_map unused;		   /**< words that are in no block in use */
};

/** Reads their state. Needs nothing of the objects, and may be done while they are walked. */
struct error *allocators_open(struct runtime *runtime, struct allocators **allocators)
	__attribute__((warn_unused_result));

/** Frees them. NULL is allowed. */
void allocators_close(struct allocators *allocators);

#endif
