/*
 * Semi-NCA: L. Georgiadis, "Linear-Time Algorithms for Dominators and Related Problems" (2005).
 * Nodes are numbered in the order of a depth-first search; all arrays are indexed by that number,
 * and the search keeps its place in arrays that are filled only later.
 */
#include "analysis/dominators.h"

#include "target/huge.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRESS_STEP = 1 << 18 };

/* The work in progress. */
struct tree_work {
	struct dominators *tree;
	const struct graph *graph;
	const struct roots *roots;
	const struct progress *progress;
	uint32_t *semi, *label, *ancestor; /* tree->first, ->next and ->retained's memory */
	uint8_t *is_root;		   /* by object */
	uint32_t *path;			   /* nodes between eval()'s argument and its root */
	size_t path_capacity;
};

static uint32_t number(struct tree_work *work, uint32_t object, uint32_t parent)
{
	struct dominators *tree = work->tree;
	uint32_t node = tree->count++;

	tree->object_of[node] = object;
	tree->node_of[object] = node;
	tree->parent[node] = parent;
	work->label[node] = 0; /* the edge to follow next */
	return node;
}

/* Numbers what a root holds. The parents are the stack. */
static struct error *search_from(struct tree_work *work, uint32_t object)
{
	const struct graph *graph = work->graph;
	struct dominators *tree = work->tree;
	uint32_t node = number(work, object, NODE_OUTSIDE);

	while (node != NODE_OUTSIDE) {
		uint32_t at = tree->object_of[node], target;
		uint64_t edge = graph->first[at] + work->label[node];

		if (edge == graph->first[at + 1]) {
			node = tree->parent[node];
			continue;
		}
		work->label[node]++;
		target = graph->targets[edge];
		if (tree->node_of[target] != NODE_NONE)
			continue;
		node = number(work, target, node);
		if (node % PROGRESS_STEP == 0) {
			struct error *err = progress_step(work->progress, "numbering objects", node,
							  graph->count);

			if (err)
				return err;
		}
	}
	return NULL;
}

static struct error *search(struct tree_work *work)
{
	struct dominators *tree = work->tree;

	memset(tree->node_of, 0xff, work->graph->count * sizeof(*tree->node_of));
	tree->object_of[NODE_OUTSIDE] = HEAP_NONE;
	tree->parent[NODE_OUTSIDE] = NODE_OUTSIDE;
	tree->count = 1;
	for (uint32_t i = 0; i < work->roots->count; i++) {
		uint32_t object = work->roots->items[i].object;

		work->is_root[object] = 1;
		if (tree->node_of[object] == NODE_NONE) {
			struct error *err = search_from(work, object);

			if (err)
				return err;
		}
	}
	return NULL;
}

static bool push_path(struct tree_work *work, size_t depth, uint32_t node)
{
	if (depth == work->path_capacity) {
		size_t capacity = depth ? depth * 2 : 1024;
		uint32_t *path = huge_grow(work->path, capacity, sizeof(*path));

		if (!path)
			return false;
		work->path = path;
		work->path_capacity = capacity;
	}
	work->path[depth] = node;
	return true;
}

/*
 * The node with the lowest semidominator on the path from a node up to the root of its tree in the
 * forest of nodes from `linked` on. Shortens the path. @return NODE_NONE when out of memory
 */
static uint32_t eval(struct tree_work *work, uint32_t node, uint32_t linked)
{
	uint32_t *ancestor = work->ancestor, *label = work->label;
	const uint32_t *semi = work->semi;
	uint32_t top, best;
	size_t depth = 0;

	if (ancestor[node] < linked)
		return label[node];
	for (top = node; ancestor[top] >= linked; top = ancestor[top])
		if (!push_path(work, depth++, top))
			return NODE_NONE;
	best = label[top];
	while (depth) {
		uint32_t at = work->path[--depth];

		ancestor[at] = ancestor[top];
		if (semi[best] < semi[label[at]])
			label[at] = best;
		else
			best = label[at];
	}
	return label[node];
}

static bool find_semidominator(struct tree_work *work, uint32_t node)
{
	const struct graph *graph = work->graph;
	const struct dominators *tree = work->tree;
	uint32_t object = tree->object_of[node];
	uint32_t best = work->is_root[object] ? NODE_OUTSIDE : tree->parent[node];

	for (uint64_t e = graph->source_first[object];
	     best != NODE_OUTSIDE && e < graph->source_first[object + 1]; e++) {
		uint32_t from = eval(work, tree->node_of[graph->sources[e]], node + 1);

		if (from == NODE_NONE)
			return false;
		if (work->semi[from] < best)
			best = work->semi[from];
	}
	work->semi[node] = best;
	return true;
}

static struct error *find_dominators(struct tree_work *work)
{
	struct dominators *tree = work->tree;

	for (uint32_t i = 0; i < tree->count; i++) {
		work->ancestor[i] = tree->parent[i];
		work->label[i] = work->semi[i] = i;
	}
	for (uint32_t i = tree->count - 1; i > 0; i--) {
		if (!find_semidominator(work, i))
			return &error_no_memory;
		if (i % PROGRESS_STEP == 0) {
			struct error *err = progress_step(work->progress, "finding dominators",
							  tree->count - i, tree->count);

			if (err)
				return err;
		}
	}
	for (uint32_t i = 1; i < tree->count; i++) {
		uint32_t candidate = tree->parent[i];

		while (candidate > work->semi[i])
			candidate = tree->parent[candidate];
		tree->parent[i] = candidate;
	}
	return NULL;
}

/* Children in order of their numbers, and the sums of bytes. */
static void weigh(struct dominators *tree)
{
	memset(tree->first, 0xff, tree->count * sizeof(*tree->first));
	tree->next[NODE_OUTSIDE] = NODE_NONE;
	tree->retained[NODE_OUTSIDE] = 0;
	for (uint32_t i = 1; i < tree->count; i++)
		tree->retained[i] = tree->own[tree->object_of[i]];
	for (uint32_t i = tree->count - 1; i > 0; i--) {
		uint32_t parent = tree->parent[i];

		tree->retained[parent] += tree->retained[i];
		tree->next[i] = tree->first[parent];
		tree->first[parent] = i;
	}
}

static bool allocate(struct tree_work *work)
{
	struct dominators *tree = work->tree;
	size_t count = (size_t)work->graph->count + 1;
	uint32_t **arrays[] = {&tree->object_of, &tree->node_of, &tree->parent, &tree->first,
			       &tree->next};

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		*arrays[i] = huge_array(count, sizeof(**arrays[i]));
		if (!*arrays[i])
			return false;
	}
	tree->retained = huge_array(count, sizeof(*tree->retained));
	work->is_root = huge_zeroed(count, 1);
	if (!tree->retained || !work->is_root)
		return false;
	work->semi = tree->first;
	work->label = tree->next;
	work->ancestor = (uint32_t *)tree->retained;
	return true;
}

struct error *dominators_compute(struct graph *graph, const struct roots *roots,
				 const uint64_t *own, const struct progress *progress,
				 struct dominators **out)
{
	struct dominators *tree = calloc(1, sizeof(*tree));
	struct tree_work work = {
		.tree = tree,
		.graph = graph,
		.roots = roots,
		.progress = progress,
	};
	struct error *err = graph_reverse(graph, progress);

	*out = NULL;
	if (!err && (!tree || !allocate(&work)))
		err = &error_no_memory;
	if (!err) {
		tree->roots = roots;
		tree->own = own;
		err = search(&work);
	}
	if (!err)
		err = find_dominators(&work);
	if (!err)
		weigh(tree);
	free(work.is_root);
	free(work.path);
	if (err) {
		dominators_free(tree);
		return err;
	}
	*out = tree;
	return NULL;
}

void dominators_free(struct dominators *tree)
{
	if (!tree)
		return;
	free(tree->object_of);
	free(tree->node_of);
	free(tree->parent);
	free(tree->first);
	free(tree->next);
	free(tree->retained);
	free(tree);
}

uint32_t dominators_next(const struct dominators *tree, uint32_t top, uint32_t node,
			 void (*leave)(void *context, uint32_t node), void *context)
{
	if (tree->first[node] != NODE_NONE)
		return tree->first[node];
	for (;;) {
		if (leave)
			leave(context, node);
		if (node == top)
			return NODE_NONE;
		if (tree->next[node] != NODE_NONE)
			return tree->next[node];
		node = tree->parent[node];
	}
}
