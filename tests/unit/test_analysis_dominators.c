/*
 * Dominators against their definition: what becomes unreachable when an object is taken away is
 * what it retained.
 */
#include "analysis/dominators.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { NODES_MAX = 60, ROUNDS = 3000 };

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A graph made by chance, its roots, and sizes. */
struct small_graph {
	struct graph graph;
	struct roots roots;
	uint64_t first[NODES_MAX + 1], own[NODES_MAX];
	uint32_t targets[NODES_MAX * 4];
	struct root items[NODES_MAX];
};

/* What is reached without one object; HEAP_NONE: with all. @return bytes */
static uint64_t reach(const struct small_graph *small, uint32_t without, uint8_t *reached)
{
	uint32_t stack[NODES_MAX], depth = 0;
	uint64_t bytes = 0;

	memset(reached, 0, NODES_MAX);
	for (uint32_t i = 0; i < small->roots.count; i++) {
		uint32_t root = small->roots.items[i].object;

		if (root != without && !reached[root]) {
			reached[root] = 1;
			stack[depth++] = root;
		}
		while (depth) {
			uint32_t at = stack[--depth];

			bytes += small->own[at];
			for (uint64_t e = small->first[at]; e < small->first[at + 1]; e++) {
				uint32_t target = small->targets[e];

				if (target != without && !reached[target]) {
					reached[target] = 1;
					stack[depth++] = target;
				}
			}
		}
	}
	return bytes;
}

/* Roots are added until everything is reached, as roots_find() does. */
static void make(struct small_graph *small, uint64_t *seed)
{
	uint32_t count = 1 + (uint32_t)(next_random(seed) % NODES_MAX);
	uint32_t density = 1 + (uint32_t)(next_random(seed) % 4);
	uint8_t reached[NODES_MAX];

	*small = (struct small_graph){.graph = {.count = count}};
	for (uint32_t i = 0; i < count; i++) {
		uint64_t edges = next_random(seed) % (density + 1);

		small->own[i] = 1 + next_random(seed) % 1000;
		small->first[i] = small->graph.edge_count;
		while (edges--)
			small->targets[small->graph.edge_count++] =
				(uint32_t)(next_random(seed) % count);
	}
	small->first[count] = small->graph.edge_count;
	small->graph.first = small->first;
	small->graph.targets = small->targets;
	small->roots.items = small->items;
	small->roots.graph = &small->graph;
	for (uint32_t i = 0; i < count; i++) {
		reach(small, HEAP_NONE, reached);
		if (!reached[i] || next_random(seed) % 16 == 0)
			small->items[small->roots.count++].object = i;
	}
}

static void check(struct small_graph *small)
{
	struct dominators *tree;
	uint8_t reached[NODES_MAX];
	uint64_t all;

	assert_null(dominators_compute(&small->graph, &small->roots, small->own, NULL, &tree));
	assert_int_equal(tree->count, small->graph.count + 1);
	all = reach(small, HEAP_NONE, reached);
	assert_int_equal(tree->retained[NODE_OUTSIDE], all);
	for (uint32_t i = 0; i < small->graph.count; i++) {
		uint32_t node = tree->node_of[i], walked = 0;
		uint64_t left = reach(small, i, reached);

		assert_int_equal(dominators_retained(tree, i), all - left);
		assert_true(tree->parent[node] < node);
		// Those below it in the tree are exactly those that are gone.
		for (uint32_t at = node; at != NODE_NONE;
		     at = dominators_next(tree, node, at, NULL, NULL), walked++)
			assert_false(reached[tree->object_of[at]]);
		for (uint32_t j = 0; j < small->graph.count; j++)
			walked -= !reached[j];
		assert_int_equal(walked, 0);
	}
	dominators_free(tree);
	free(small->graph.source_first);
	free(small->graph.sources);
}

static void test_deletion(void **state)
{
	uint64_t seed = 20240917;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct small_graph small;

		make(&small, &seed);
		check(&small);
	}
}

/* A list a million long: nothing may recurse, and each keeps all behind it. */
static void test_chain(void **state)
{
	enum { LENGTH = 1000000 };
	struct graph graph = {.count = LENGTH, .edge_count = LENGTH - 1};
	struct root item = {.object = 0};
	struct roots roots = {.graph = &graph, .items = &item, .count = 1};
	uint64_t *own = malloc(LENGTH * sizeof(*own));
	struct dominators *tree;

	(void)state;
	graph.first = malloc((LENGTH + 1) * sizeof(*graph.first));
	graph.targets = malloc(LENGTH * sizeof(*graph.targets));
	for (uint32_t i = 0; i < LENGTH; i++) {
		graph.first[i] = i;
		graph.targets[i] = i + 1;
		own[i] = 1;
	}
	graph.first[LENGTH] = LENGTH - 1;
	assert_null(dominators_compute(&graph, &roots, own, NULL, &tree));
	for (uint32_t i = 0; i < LENGTH; i++)
		assert_int_equal(dominators_retained(tree, i), LENGTH - i);
	dominators_free(tree);
	free(own);
	free(graph.first);
	free(graph.targets);
	free(graph.source_first);
	free(graph.sources);
}

static bool stop(void *context)
{
	(void)context;
	return true;
}

static void test_interrupted(void **state)
{
	const struct progress progress = {.interrupted = stop};
	struct dominators *tree = NULL;
	struct small_graph small;
	uint64_t seed = 3;
	struct error *err;

	(void)state;
	make(&small, &seed);
	err = dominators_compute(&small.graph, &small.roots, small.own, &progress, &tree);
	assert_non_null(err);
	assert_int_equal(err->code, ERROR_INTERRUPTED);
	assert_null(tree);
	error_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deletion),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_interrupted),
	};

	return cmocka_run_group_tests_name("dominators", tests, NULL, NULL);
}
