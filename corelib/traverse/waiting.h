/**
 * @file
 * Things that wait and go on later: generators, coroutines, asyncio's tasks, greenlets. What each
 * is made of; the frames themselves are read with cpython/frame.h.
 */
#ifndef PYMEM_TRAVERSE_WAITING_H
#define PYMEM_TRAVERSE_WAITING_H

#include "traverse/traverse.h"

/** What objects of a type are. */
enum waiting_kind {
	WAITING_NONE,
	WAITING_TASK,
	WAITING_COROUTINE,
	WAITING_ASYNC_GENERATOR,
	WAITING_GENERATOR,
	WAITING_GREENLET,
	WAITING_KINDS,
};

/** A word for scripts and people: "task", "async generator"; plural takes an s. */
const char *waiting_kind_name(enum waiting_kind kind);

/** The kind of a type, by the C type that it is or is derived from. */
enum waiting_kind waiting_kind(const struct type *type);

/** Has the kind a frame of its own: generator, coroutine, async generator? */
static inline bool waiting_is_generator(enum waiting_kind kind)
{
	return kind == WAITING_COROUTINE || kind == WAITING_ASYNC_GENERATOR ||
	       kind == WAITING_GENERATOR;
}

/**
 * What stands behind a helper that `await` makes: the async generator of __anext__(), the coroutine
 * of a wrapper, the future of its iterator. @return the object itself for all others
 */
uint64_t awaited_object(struct traverser *traverser, uint64_t object);

/** A task of asyncio. */
struct task {
	uint64_t coroutine; /**< 0: none any more */
	uint64_t waiter;    /**< the future that it waits for; 0: none */
	bool is_done;
	char name[96]; /**< get_name(), "Task-7"; "" if it has none (3.8 with a damaged one) */
};

/** Reads a WAITING_TASK. @return false if it is damaged */
bool task_read(struct traverser *traverser, uint64_t object, const struct type *type,
	       struct task *task);

/** The frame object where a WAITING_GREENLET left off. @return 0: it runs, has not begun, or is
 * done */
uint64_t greenlet_frame(struct traverser *traverser, uint64_t object);

/** A thread as the module threading names it. */
struct named_thread {
	uint64_t pthread; /**< its get_ident() */
	pid_t tid;	  /**< its native_id; 0: not known */
	char name[64];
};

/**
 * Reads threading._active of an interpreter.
 * @param modules its sys.modules
 * @param max of them are written at most
 * @return how many
 */
size_t named_threads_read(struct traverser *traverser, uint64_t modules,
			  struct named_thread *threads, size_t max);

#endif
