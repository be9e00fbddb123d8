/**
 * @file
 * Edges from nodes that are numbered from 0, gathered in pieces by several threads and joined in
 * order of the nodes. A budget bounds what a hostile heap can claim.
 */
#ifndef PYMEM_ANALYSIS_EDGES_H
#define PYMEM_ANALYSIS_EDGES_H

#include "target/huge.h"

#include <stdbool.h>
#include <stdint.h>

/** All edges, those of the nodes that were joined so far. */
struct edges {
	uint64_t *first;   /**< of node i: targets[first[i] .. first[i + 1]) */
	uint32_t *targets; /**< nodes */
	uint64_t count;	   /**< of targets */
	size_t capacity;
	uint32_t joined; /**< nodes, of which first[] is known */
	/** References that may still be read. Where it is 0, further nodes have no edges. */
	uint64_t budget;
};

/** The edges of some consecutive nodes. Zero-initialised is empty. */
struct edges_piece {
	uint32_t *targets;
	size_t count, capacity;
	struct edges_node {
		size_t end;    /**< its last edge is the one before */
		uint32_t read; /**< references that were read for it, or UINT32_MAX */
		uint32_t note; /**< the caller's */
	} * nodes;
	size_t node_count, node_capacity;
	uint64_t read, limit; /**< references read, and how many may be */
};

/** Makes room for so many nodes. @return false when out of memory */
bool edges_begin(struct edges *edges, uint32_t nodes, uint64_t budget);

/** Empties a piece, which may read what is left of the budget. */
void edges_piece_begin(const struct edges *edges, struct edges_piece *piece);

/** May references still be read for this piece? If not, its further nodes have no edges. */
static inline bool edges_may_read(const struct edges_piece *piece)
{
	return piece->read < piece->limit;
}

/** Makes room for more edges and one more node. @return where the edges go; NULL: out of memory */
static inline uint32_t *edges_room(struct edges_piece *piece, size_t more)
{
	struct edges_node *nodes = huge_room(piece->nodes, &piece->node_capacity,
					     piece->node_count + 1, sizeof(*nodes));
	uint32_t *targets;

	if (!nodes)
		return NULL;
	piece->nodes = nodes;
	targets =
		huge_room(piece->targets, &piece->capacity, piece->count + more, sizeof(*targets));
	if (!targets)
		return NULL;
	piece->targets = targets;
	return targets + piece->count;
}

/** Ends a node, of which `count` edges were written to edges_room(). */
static inline void edges_end_node(struct edges_piece *piece, size_t count, size_t read,
				  uint32_t note)
{
	struct edges_node *node = &piece->nodes[piece->node_count++];

	piece->count += count;
	node->end = piece->count;
	node->read = read < UINT32_MAX ? (uint32_t)read : UINT32_MAX;
	node->note = note;
	piece->read += node->read;
}

/**
 * Appends a piece; its nodes are those behind the ones joined so far. Those for which the budget is
 * used up are left out, and so is all behind them: the piece then has fewer nodes than before.
 * @return false when out of memory
 */
bool edges_join(struct edges *edges, struct edges_piece *piece);

/** Frees what a piece holds. */
void edges_piece_clear(struct edges_piece *piece);

#endif
