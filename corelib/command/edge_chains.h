/**
 * @file
 * The references of a cycle put in the order in which people read them: round the cycle.
 */
#ifndef PYMEM_COMMAND_EDGE_CHAINS_H
#define PYMEM_COMMAND_EDGE_CHAINS_H

#include "analysis/cycles.h"

enum { EDGE_CHAINS_MAX = 64 };

/** Edges in reading order. */
struct edge_chains {
	const struct cycle_edge *edges[EDGE_CHAINS_MAX];
	bool ends_chain[EDGE_CHAINS_MAX]; /**< the edge behind it starts somewhere else */
	size_t count;
};

/**
 * Orders the edges of a group: first the shortest way that leads by the first edge back to its
 * type, then the same for the first edge that is left, and so on.
 */
void edge_chains_make(const struct cycle_group *group, struct edge_chains *chains);

#endif
