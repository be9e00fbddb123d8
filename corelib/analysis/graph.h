/**
 * @file
 * All objects and who refers to whom: what "who holds it" and "how much does it keep" are asked of.
 *
 * An edge is a reference that an object owns: what its tp_traverse visits, the keys of its dict,
 * what its type hides from the collector (traverse_hidden()), and the class of an instance.
 * References that hold no refcount (weak ones, borrowed ones of 3.14+) are none.
 *
 * Memory: 8 bytes an object and 4 an edge; the same again for the reversed edges.
 */
#ifndef PYMEM_ANALYSIS_GRAPH_H
#define PYMEM_ANALYSIS_GRAPH_H

#include "analysis/objects.h"
#include "analysis/owned.h"

/** The graph. Nodes are the numbers of objects. */
struct graph {
	const struct objects *objects;
	uint32_t count; /**< of objects */
	/** Edges of object i: targets[first[i] .. first[i + 1]); in the order of the references,
	 * one for each, so that a target may be there twice. */
	uint64_t *first;
	uint32_t *targets;
	uint64_t edge_count;
	/** Reversed, NULL until graph_reverse(): who refers to object i:
	 * sources[source_first[i] .. source_first[i + 1]), ascending. */
	uint64_t *source_first;
	uint32_t *sources;
	uint64_t left_out; /**< objects whose references were not read: the budget for hostile heaps
			      was used up; the target's coverage says so */
};

/** What is known of an object when the graph reads it. */
struct sight {
	const struct objects *objects; /**< the view of the thread */
	uint32_t object;
	/** Of owned_read(). What its tp_traverse and its dict's keys do not tell, and makes edges
	 * as well, is not here. */
	const struct owned *owned;
	/** The numbers of what they lead to, HEAP_NONE for what is no known object. */
	const uint32_t *targets;
	bool left_out; /**< it was not read: the budget is used up */
};

/** Who wants to see each object while the graph is built, instead of reading it again. Several
 * threads look at objects, each at a row of them at a time. */
struct graph_observer {
	void *context;
	/** Makes what one thread gathers. @return NULL when out of memory */
	void *(*open)(void *context);
	/** Frees it. */
	void (*close)(void *gathered);
	/** Sees the next object. @return false when out of memory */
	bool (*see)(void *gathered, const struct sight *sight);
	/** Takes over what was gathered since the last time: in order of the objects, and by one
	 * thread at a time. @return false when out of memory */
	bool (*join)(void *gathered);
};

enum { GRAPH_OBSERVERS_MAX = 3 };

/**
 * Builds it in one pass. The objects must outlive it, and nobody may traverse their heap meanwhile.
 * What tracked objects take to be traversed is counted (traverser_usage()).
 * @param observers `count` of them, at most GRAPH_OBSERVERS_MAX
 */
struct error *graph_build(const struct objects *objects, const struct graph_observer *observers,
			  size_t count, const struct progress *progress, struct graph **graph)
	__attribute__((warn_unused_result));

/** Makes the reversed edges, unless they are there already. */
struct error *graph_reverse(struct graph *graph, const struct progress *progress)
	__attribute__((warn_unused_result));

/** Frees it, not the objects. NULL is allowed. */
void graph_free(struct graph *graph);

/**
 * The references behind the edges of one object, with their slots, for edge_label(). Those to
 * something that is no known object (static types, None) are here too; objects_find() of the target
 * tells.
 * @param references its items are replaced
 * @return false when out of memory
 */
bool graph_references(const struct objects *objects, uint32_t object, struct owned *references);

#endif
