/**
 * @file
 * Where everything is: the Python stack of each thread, and of all that waits to go on: tasks,
 * coroutines, generators, greenlets.
 */
#ifndef PYMEM_ANALYSIS_STACKS_H
#define PYMEM_ANALYSIS_STACKS_H

#include "analysis/heap.h"
#include "cpython/frame.h"
#include "cpython/thread.h"
#include "traverse/waiting.h"

/** One frame of a stack. */
struct stack_frame {
	uint64_t address; /**< for frame_read() */
	uint64_t code;
	int32_t line; /**< LINE_NONE: none */
};

/** Frames, the oldest first: "most recent call last". */
struct stack {
	size_t first; /**< in stacks->frames */
	size_t count;
	bool damaged; /**< older frames are missing */
};

/** A thread and its stack. */
struct thread_stack {
	const struct python_thread *thread;
	struct stack stack;
	char name[64];	 /**< in threading; "": none */
	bool has_signal; /**< the signal that killed the process was this thread's */
};

/** Something that waits, with the chain of what it awaits; what is awaited by another is part of
 * that one's chain and not here itself. */
struct suspended {
	uint64_t object;
	enum waiting_kind kind;
	bool is_created; /**< it has not begun */
	uint64_t awaits; /**< what the last frame waits for, where that has no frame: a future, an
			    iterator; 0: nothing */
	const struct type *awaits_type;
	struct stack stack;
	uint32_t group; /**< index in stacks->groups */
};

/** Things of one kind that wait at the same place for the same kind of object. */
struct suspended_group {
	uint32_t example; /**< the first of them, index in stacks->suspended */
	uint32_t count;
};

/** All of it. Read-only. */
struct stacks {
	struct heap *heap;
	struct python_threads python;
	struct thread_stack *threads; /**< python.count of them */
	size_t kernel_only;	      /**< threads of the process that never ran Python */
	bool kernel_known;	      /**< the threads of the process are known */
	struct suspended *suspended;  /**< by kind, then address */
	uint32_t suspended_count;
	uint64_t kind_counts[WAITING_KINDS];
	struct suspended_group *groups; /**< by kind, then the largest first */
	uint32_t group_count;
	struct stack_frame *frames;
	size_t frame_count, frame_capacity;
};

/** How much to read. */
enum stacks_extent {
	STACKS_THREADS, /**< threads alone: cheap */
	STACKS_ALL,	/**< all that waits as well */
};

/** Reads them. */
struct error *stacks_read(struct heap *heap, enum stacks_extent extent,
			  const struct progress *progress, struct stacks **stacks)
	__attribute__((warn_unused_result));

/** Frees it. NULL is allowed. */
void stacks_free(struct stacks *stacks);

/** Are two stacks the same functions at the same lines? */
bool stack_equal(const struct stacks *stacks, const struct stack *left, const struct stack *right);

/** For tables of stacks. */
uint64_t stack_hash(const struct stacks *stacks, const struct stack *stack);

#endif
