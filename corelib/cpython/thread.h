/**
 * @file
 * The threads that run Python (PyThreadState), which of the kernel's threads they are, and who of
 * them holds the GIL.
 */
#ifndef PYMEM_CPYTHON_THREAD_H
#define PYMEM_CPYTHON_THREAD_H

#include "cpython/runtime.h"

/** No thread of target->threads. */
#define THREAD_NONE SIZE_MAX

/** What a thread does with the GIL. */
enum gil_use {
	GIL_NONE,  /**< in C code that released it, or not known */
	GIL_HOLDS, /**< this thread runs Python code */
	GIL_WAITS, /**< in take_gil() */
};

/** A thread state. */
struct python_thread {
	uint64_t address;   /**< of the PyThreadState */
	size_t interpreter; /**< index in runtime->interpreters */
	uint64_t pthread;   /**< threading.get_ident(); 0: not begun */
	pid_t tid;	    /**< of the kernel; 0: not known */
	size_t kernel;	    /**< index in target->threads, or THREAD_NONE */
	uint64_t frame;	    /**< the newest, for frame_read(); 0: none */
	uint64_t exception; /**< that an except or finally block handles; 0: none */
	enum gil_use gil;
};

/** All of them, the main thread of each interpreter first. */
struct python_threads {
	struct python_thread *items;
	size_t count;
	bool gil_known; /**< the GIL was found: that nobody holds it is a fact */
	bool damaged;	/**< a list of threads ends in nothing */
};

/** Reads them. Out of memory is the only error. */
struct error *python_threads_read(const struct runtime *runtime, struct reader *reader,
				  struct python_threads *threads)
	__attribute__((warn_unused_result));

/** Frees them. */
void python_threads_clear(struct python_threads *threads);

/** The system call that a thread of the kernel is in: "epoll_wait", "system call 999".
 * @return false if it runs, or that is not known */
bool kernel_thread_call(struct reader *reader, const struct target_thread *thread, char *text,
			size_t size);

#endif
