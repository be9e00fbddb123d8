/**
 * @file
 * What a word is part of: which object and attribute, which thread's stack and Python variable,
 * which module's data, which register, which raw block.
 */
#ifndef PYMEM_ANALYSIS_PLACE_H
#define PYMEM_ANALYSIS_PLACE_H

#include "analysis/block.h"
#include "analysis/census.h"

/** What a word is part of. */
enum place_kind {
	PLACE_OBJECT,	/**< an object, or storage that it owns */
	PLACE_FRAME,	/**< a Python frame on a thread's data stack (3.11+) */
	PLACE_STACK,	/**< a thread's C stack */
	PLACE_REGISTER, /**< a saved register */
	PLACE_STATIC,	/**< data of a module */
	PLACE_RAW,	/**< a block of an allocator that no known object owns */
	PLACE_MEMORY,	/**< other memory: a mapping of its own, or one that nobody knows */
};

/** A stable word for scripts: "object", "frame", "stack". */
const char *place_name(enum place_kind kind);

/** One word's place. */
struct place {
	enum place_kind kind;
	uint64_t address; /**< of the word; 0: a register */
	const char *name; /**< PLACE_REGISTER: its name */
	pid_t tid;	  /**< of the thread whose register, stack or frame it is; 0: not known */
	bool is_owned;	  /**< PLACE_OBJECT: the object is known to hold a refcount for it */
	uint32_t object;  /**< PLACE_OBJECT: its number; PLACE_RAW: of one that points at the
			     block, or HEAP_NONE */
	struct edge_label label;     /**< PLACE_OBJECT, PLACE_FRAME */
	char function[128];	     /**< PLACE_FRAME: "load (app/web.py:41)" */
	const struct module *module; /**< PLACE_STATIC */
	struct symbol symbol;	     /**< PLACE_STATIC: name NULL if there is none */
	uint64_t start, end;	     /**< PLACE_RAW: the block; PLACE_MEMORY: the mapping; else 0 */
};

/**
 * Finds the places of words that the census hands out. May go through all objects, and through the
 * memory once more.
 * @param places filled, one for each word
 */
struct error *places_find(const struct census *census, const struct progress *progress,
			  const struct holder *words, size_t count, struct place *places)
	__attribute__((warn_unused_result));

#endif
