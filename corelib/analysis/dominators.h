/**
 * @file
 * The dominator tree of the object graph: an object's dominator is the nearest one without which
 * nothing would hold it. What an object dominates, itself included, is what it *retains*: what
 * would be freed with it.
 *
 * Memory: 36 bytes an object for the tree with its bytes, 45 while it is made, besides the reversed
 * edges of the graph.
 */
#ifndef PYMEM_ANALYSIS_DOMINATORS_H
#define PYMEM_ANALYSIS_DOMINATORS_H

#include "analysis/roots.h"
#include "analysis/sizes.h"

/** "No node" among the nodes. */
#define NODE_NONE UINT32_MAX

/** The node that holds the roots: all that is outside of the graph. */
#define NODE_OUTSIDE 0

/**
 * The tree. Nodes are numbered so that a node's dominator has a lower number; node 0 stands for the
 * outside, whose children are the objects that nothing single holds.
 */
struct dominators {
	const struct roots *roots;
	uint32_t count;	     /**< of nodes: the objects and one */
	uint32_t *object_of; /**< node -> object; HEAP_NONE for the outside */
	uint32_t *node_of;   /**< object -> node */
	uint32_t *parent;    /**< the immediate dominator; of the outside itself */
	uint32_t *first;     /**< first child; NODE_NONE: none */
	uint32_t *next;	     /**< next child of the same parent; NODE_NONE: none */
	const uint64_t *own; /**< object -> bytes of it alone; the caller's */
	uint64_t *retained;  /**< node -> bytes that it retains; of the outside: all */
};

/**
 * Makes the tree (Georgiadis' Semi-NCA, with explicit stacks). Reverses the graph's edges.
 * @param own bytes of each object, as of object_bytes(); must outlive the tree, as must the roots
 */
struct error *dominators_compute(struct graph *graph, const struct roots *roots,
				 const uint64_t *own, const struct progress *progress,
				 struct dominators **dominators)
	__attribute__((warn_unused_result));

/** Frees it. NULL is allowed. */
void dominators_free(struct dominators *dominators);

/** The bytes that an object retains. */
static inline uint64_t dominators_retained(const struct dominators *dominators, uint32_t object)
{
	return dominators->retained[dominators->node_of[object]];
}

/**
 * The next node below `top` in a walk of the tree that meets each before its children.
 * @param node the current one; `top` at the start
 * @param leave called with each node whose children are all done, NULL: nobody needs it
 * @return NODE_NONE when all were met
 */
uint32_t dominators_next(const struct dominators *dominators, uint32_t top, uint32_t node,
			 void (*leave)(void *context, uint32_t node), void *context);

#endif
