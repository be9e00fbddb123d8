/* Joining is the only part that runs in one thread at a time: it copies. */
#include "analysis/edges.h"

#include "target/huge.h"

#include <stdlib.h>
#include <string.h>

/* Edges of a node that there is room for at once: what is not touched is not there, and to move
 * pages later costs more. */
enum { EDGES_USUALLY = 4 };

bool edges_begin(struct edges *edges, uint32_t nodes, uint64_t budget)
{
	*edges = (struct edges){.budget = budget, .capacity = (size_t)nodes * EDGES_USUALLY + 1};
	edges->first = huge_array((size_t)nodes + 1, sizeof(*edges->first));
	edges->targets = huge_array(edges->capacity, sizeof(*edges->targets));
	if (!edges->first || !edges->targets) {
		free(edges->first);
		free(edges->targets);
		*edges = (struct edges){0};
		return false;
	}
	edges->first[0] = 0;
	return true;
}

void edges_piece_begin(const struct edges *edges, struct edges_piece *piece)
{
	piece->count = piece->node_count = 0;
	piece->read = 0;
	// Another thread may be joining: what is left can only become less.
	piece->limit = __atomic_load_n(&edges->budget, __ATOMIC_RELAXED);
}

/* Leaves out the nodes for which the budget is used up, and takes what the others read off it. */
static void spend(struct edges *edges, struct edges_piece *piece)
{
	uint64_t budget = edges->budget;
	size_t kept = piece->node_count;

	if (piece->read < budget) {
		budget -= piece->read;
	} else {
		for (kept = 0; kept < piece->node_count && budget; kept++)
			budget -=
				piece->nodes[kept].read < budget ? piece->nodes[kept].read : budget;
	}
	__atomic_store_n(&edges->budget, budget, __ATOMIC_RELAXED);
	piece->count = kept ? piece->nodes[kept - 1].end : 0;
	piece->node_count = kept;
}

static bool reserve(struct edges *edges, size_t more)
{
	uint32_t *targets =
		huge_room(edges->targets, &edges->capacity, edges->count + more, sizeof(*targets));

	if (!targets)
		return false;
	edges->targets = targets;
	return true;
}

bool edges_join(struct edges *edges, struct edges_piece *piece)
{
	size_t nodes = piece->node_count;
	uint64_t *first = edges->first + edges->joined;

	spend(edges, piece);
	if (!reserve(edges, piece->count))
		return false;
	if (piece->count)
		memcpy(edges->targets + edges->count, piece->targets,
		       piece->count * sizeof(*piece->targets));
	for (size_t i = 0; i < piece->node_count; i++)
		first[i + 1] = edges->count + piece->nodes[i].end;
	edges->count += piece->count;
	for (size_t i = piece->node_count; i < nodes; i++)
		first[i + 1] = edges->count;
	edges->joined += (uint32_t)nodes;
	return true;
}

void edges_piece_clear(struct edges_piece *piece)
{
	free(piece->targets);
	free(piece->nodes);
	*piece = (struct edges_piece){0};
}
