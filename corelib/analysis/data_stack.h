/**
 * @file
 * The data stacks of threads (3.11+), where the variables of running functions are. Up to 3.10 each
 * running function has a frame object instead.
 */
#ifndef PYMEM_ANALYSIS_DATA_STACK_H
#define PYMEM_ANALYSIS_DATA_STACK_H

#include "analysis/heap.h"

/** One chunk of a thread's data stack. */
struct data_chunk {
	uint64_t thread; /**< address of the PyThreadState */
	pid_t tid;	 /**< 0: not known */
	uint64_t start;	 /**< where frames begin */
	uint64_t end;	 /**< of what is in use */
	uint64_t limit;	 /**< of the chunk */
};

/** Is called with each chunk. @return false to stop */
typedef bool data_chunk_visit(void *context, const struct data_chunk *chunk);

/** Goes through the chunks of all threads of all interpreters. Chains that are damaged end early.
 */
void data_stacks_walk(struct heap *heap, data_chunk_visit *visit, void *context);

#endif
