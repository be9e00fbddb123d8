/**
 * @file
 * What holds the graph of objects from outside.
 *
 * Looked for in this order: the modules, what else the interpreter names, the frames of running
 * functions; these are roots whatever else refers to the object. Then, for what is not reached from
 * those: other words of the interpreter's and its threads' state, static types, the interned str;
 * the words that the census counted; and last what nothing holds, so that every object is reached.
 * Objects that the collector would free are never roots by a word that merely looks like a pointer.
 */
#ifndef PYMEM_ANALYSIS_ROOTS_H
#define PYMEM_ANALYSIS_ROOTS_H

#include "analysis/census.h"
#include "analysis/graph.h"
#include "analysis/unreachable.h"

/** Where a root stands, in the order in which they are looked for. */
enum root_kind {
	ROOT_MODULES,	  /**< sys.modules */
	ROOT_INTERPRETER, /**< sys.__dict__, builtins.__dict__, gc.garbage, gc.callbacks */
	ROOT_FRAME,	  /**< a variable or stack item of a running function: a word of a thread's
			     data stack (3.11+), or the thread's newest frame object */
	ROOT_STATE,	  /**< another word of PyInterpreterState */
	ROOT_THREAD,	  /**< another word of PyThreadState: the current exception and the like */
	ROOT_TYPE,	  /**< a static type's dict, bases, mro */
	ROOT_INTERNED, /**< the dict of interned str, which holds no refcounts but of immortals */
	ROOT_STATIC,   /**< data of a module */
	ROOT_STACK,    /**< a thread's C stack */
	ROOT_REGISTER, /**< a saved register */
	ROOT_OBJECT,   /**< a word of an object that is reached; its type does not say that it holds
			  it */
	ROOT_RAW,      /**< a block of an allocator that no known object owns */
	ROOT_MEMORY,   /**< other memory */
	ROOT_GARBAGE,  /**< nothing: gc.collect() would free it */
	ROOT_NOTHING,  /**< nothing that was found: leaked, or held from where was not looked */
	ROOT_KINDS,
};

/** A reference from outside. */
struct root {
	uint64_t word;	  /**< its address; 0: a register, or nothing */
	uint64_t thread;  /**< address of the PyThreadState of a ROOT_FRAME or ROOT_THREAD; index in
			     target->threads of a ROOT_REGISTER */
	const char *name; /**< of a ROOT_INTERPRETER ("gc.garbage") or a register; else NULL */
	uint32_t object;
	uint8_t kind; /**< enum root_kind */
};

/** All roots. */
struct roots {
	const struct graph *graph;
	struct root *items; /**< by kind, as they were found */
	uint32_t count;
	/** For each object the kind of root that reaches it, the first in the order of kinds. */
	uint8_t *reached;
	uint64_t reached_counts[ROOT_KINDS];
};

/** How far to look. */
enum roots_depth {
	ROOTS_NEAR, /**< not through all memory: what raw blocks hold becomes ROOT_NOTHING */
	ROOTS_ALL,
};

/** Finds them. All arguments must outlive the result. */
struct error *roots_find(const struct graph *graph, struct census *census,
			 const struct unreachable *unreachable, enum roots_depth depth,
			 const struct progress *progress, struct roots **roots)
	__attribute__((warn_unused_result));

/** Frees them. NULL is allowed. */
void roots_free(struct roots *roots);

/** A stable word for scripts: "modules", "frame", "static". */
const char *root_kind_name(enum root_kind kind);

/** A function of a thread's data stack that a word belongs to: what place.h asks of a frame. */
uint64_t root_data_chunk(const struct runtime *runtime, struct reader *reader, uint64_t thread,
			 uint64_t address);

/**
 * Says for people where a root stands: "sys.modules", "load (app/web.py:41): batch",
 * "libfoo.so: cache_table+0x40", "C stack of thread 1234".
 */
void root_describe(const struct roots *roots, const struct root *root, char *text, size_t size);

#endif
