/**
 * @file
 * Who holds an object, as a path that many objects share: "app.cache._entries[…].user". Keys,
 * indexes and addresses are left out, so that the paths of another snapshot, or of another process
 * of the same program, can be compared with these.
 *
 * Paths are nodes of a tree, made of names alone: it outlives the process that it was made from.
 * A structure that contains itself (a list of nodes, a tree) has one node for all its levels.
 */
#ifndef PYMEM_ANALYSIS_HOLDERS_H
#define PYMEM_ANALYSIS_HOLDERS_H

#include "analysis/names.h"
#include "analysis/roots.h"

/** The node above all roots. */
#define HOLDER_OUTSIDE 0

/** "No node". */
#define HOLDER_NONE UINT32_MAX

/** How a path goes on from the node above. */
enum holder_step {
	HOLDER_ROOT,  /**< what stands at the beginning: a module, a function, other memory */
	HOLDER_NAME,  /**< ".name" */
	HOLDER_ITEM,  /**< "[…]": a value or element of a container */
	HOLDER_KEY,   /**< "[…] (key)": of a dict */
	HOLDER_LOCAL, /**< ": name", a variable of a function */
	HOLDER_ALL,   /**< nothing: all objects of a type below a root that has no names */
};

/** One node. */
struct holder_node {
	uint32_t parent; /**< a lower number; of the outside itself */
	uint32_t label;	 /**< number in `names`: of the root, attribute or variable */
	uint32_t type;	 /**< number in `names`: the type of the objects here */
	uint32_t title;	 /**< number in `names`: which coroutine or function; "" for other types */
	uint8_t step;	 /**< enum holder_step */
	uint8_t depth;
	bool is_namespace;    /**< a dict whose values are attributes of the node above it */
	uint8_t root_kind;    /**< enum root_kind; of a HOLDER_ROOT, and inherited */
	uint32_t child_count; /**< to keep it bounded */
};

/** The tree. Zero-initialised is empty. */
struct holders {
	struct names names;
	struct holder_node *nodes;
	size_t capacity;
	struct number_table table; /**< of nodes; its count is that of the nodes */
};

/** What a node is looked up by. */
struct holder_key {
	uint32_t parent;
	enum holder_step step;
	const char *label;
	const char *type;
	const char *title;
	enum root_kind root_kind; /**< of a HOLDER_ROOT */
};

/**
 * The node with this key, made if it is new: unless its parent has too many nodes below it already,
 * or the path is too long, which both give a node that stands for many.
 * @return HOLDER_NONE when out of memory
 */
uint32_t holders_node(struct holders *holders, const struct holder_key *key);

/** Is told each object with its node and how many items it contains. @return false to stop */
typedef bool holders_visit(void *context, uint32_t object, uint32_t node, uint64_t items);

/**
 * Gives every object a node, along a shortest path from a root; modules and functions that run come
 * before other roots.
 * @param roots of the snapshot; needed only until this returns
 */
struct error *holders_walk(struct holders *holders, const struct roots *roots,
			   const struct progress *progress, holders_visit *visit, void *context)
	__attribute__((warn_unused_result));

/**
 * Writes the path of a node: "app.cache._entries[…]", "worker (app/jobs.py:41): batch". The text
 * comes from the target.
 * @param ellipsis what stands for a key or index
 */
void holders_path(const struct holders *holders, uint32_t node, const char *ellipsis, char *text,
		  size_t size);

/** What an object of a node is: "dict", "coroutine handle (app.py:12)". */
void holders_kind(const struct holders *holders, uint32_t node, char *text, size_t size);

/** Frees the tree. */
void holders_clear(struct holders *holders);

#endif
