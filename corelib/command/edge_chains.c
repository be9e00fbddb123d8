/*
 * Reading order of references. A group has a handful of edges between types, in the order in which
 * they were met; "Handler.callbacks -> list[0] -> method.__self__ -> Handler" is what one wants to
 * see of them.
 */
#include "command/edge_chains.h"

/** The work in progress: edges by index in the group. */
struct ordering {
	const struct cycle_edge *edges;
	size_t count;
	bool used[EDGE_CHAINS_MAX];
};

/**
 * Finds the shortest way over unused edges from the end of one back to its beginning, breadth
 * first.
 * @param path set to the edges of the way, in order
 * @return how many they are; 0: the edge leads to its own type, or there is no way
 */
static size_t way_back(const struct ordering *ordering, size_t start, size_t *path)
{
	size_t queue[EDGE_CHAINS_MAX], before[EDGE_CHAINS_MAX];
	bool seen[EDGE_CHAINS_MAX] = {false};
	const struct type *goal = ordering->edges[start].from;
	size_t queued = 0, length = 0, last;

	if (ordering->edges[start].to == goal)
		return 0;
	queue[queued++] = start;
	for (size_t at = 0; at < queued; at++) {
		last = queue[at];
		if (ordering->edges[last].to == goal) {
			for (size_t i = last; i != start; i = before[i])
				length++;
			for (size_t i = last, n = length; i != start; i = before[i])
				path[--n] = i;
			return length;
		}
		for (size_t i = 0; i < ordering->count; i++) {
			if (ordering->used[i] || seen[i] || i == start ||
			    ordering->edges[i].from != ordering->edges[last].to)
				continue;
			seen[i] = true;
			before[i] = last;
			queue[queued++] = i;
		}
	}
	return 0;
}

static void append(struct ordering *ordering, size_t edge, struct edge_chains *chains)
{
	ordering->used[edge] = true;
	chains->edges[chains->count++] = &ordering->edges[edge];
}

void edge_chains_make(const struct cycle_group *group, struct edge_chains *chains)
{
	struct ordering ordering = {
		.edges = group->edges,
		.count = group->edge_count < EDGE_CHAINS_MAX ? group->edge_count : EDGE_CHAINS_MAX,
	};

	*chains = (struct edge_chains){0};
	for (size_t i = 0; i < ordering.count; i++) {
		size_t path[EDGE_CHAINS_MAX];
		size_t length;

		if (ordering.used[i])
			continue;
		length = way_back(&ordering, i, path);
		append(&ordering, i, chains);
		for (size_t j = 0; j < length; j++)
			append(&ordering, path[j], chains);
		chains->ends_chain[chains->count - 1] = true;
	}
}
