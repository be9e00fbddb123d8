/* Edges gathered in pieces: the same as gathered in one, and bounded by the budget. */
#include "analysis/edges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { NODES = 1000 };

/* Node i has i % 7 edges, to i + 1, i + 2 and so on, and twice as many references were read. */
static void add_nodes(struct edges_piece *piece, uint32_t start, uint32_t end)
{
	for (uint32_t i = start; i < end; i++) {
		size_t count = edges_may_read(piece) ? i % 7 : 0;
		uint32_t *targets = edges_room(piece, count);

		assert_non_null(targets);
		for (uint32_t k = 0; k < count; k++)
			targets[k] = i + 1 + k;
		edges_end_node(piece, count, count * 2, i);
	}
}

static void clear(struct edges *edges, struct edges_piece *pieces, size_t count)
{
	for (size_t i = 0; i < count; i++)
		edges_piece_clear(&pieces[i]);
	free(edges->first);
	free(edges->targets);
}

/* @return how many nodes have all their edges; the others have none */
static uint32_t check(const struct edges *edges)
{
	uint32_t whole = 0;

	assert_int_equal(edges->joined, NODES);
	assert_int_equal(edges->first[0], 0);
	assert_int_equal(edges->first[NODES], edges->count);
	while (whole < NODES && edges->first[whole + 1] - edges->first[whole] == whole % 7)
		whole++;
	for (uint32_t i = 0; i < whole; i++)
		for (uint32_t k = 0; k < i % 7; k++)
			assert_int_equal(edges->targets[edges->first[i] + k], i + 1 + k);
	for (uint32_t i = whole; i < NODES; i++)
		assert_int_equal(edges->first[i + 1], edges->first[i]);
	return whole;
}

/* Two pieces that are filled in turns, one ahead of the other, as by two threads. */
static uint32_t join_two(uint64_t budget, uint32_t step, uint64_t *left)
{
	struct edges_piece pieces[2] = {0};
	struct edges edges;
	uint32_t whole;

	assert_true(edges_begin(&edges, NODES, budget));
	for (int i = 0; i < 2; i++)
		edges_piece_begin(&edges, &pieces[i]);
	add_nodes(&pieces[0], 0, step);
	for (uint32_t start = 0, turn = 0; start < NODES; start += step, turn = !turn) {
		if (start + step < NODES)
			add_nodes(&pieces[!turn], start + step, start + 2 * step);
		assert_true(edges_join(&edges, &pieces[turn]));
		edges_piece_begin(&edges, &pieces[turn]);
	}
	whole = check(&edges);
	*left = edges.budget;
	clear(&edges, pieces, 2);
	return whole;
}

static void test_pieces(void **state)
{
	uint64_t left;

	(void)state;
	assert_int_equal(join_two(UINT64_MAX, 100, &left), NODES);
	assert_int_equal(join_two(UINT64_MAX, 1, &left), NODES);
	assert_int_equal(join_two(UINT64_MAX, NODES, &left), NODES);
}

/* Where it ends depends on the budget alone: behind the node that uses up what is left of it. */
static void test_budget(void **state)
{
	const uint32_t steps[] = {1, 10, 100, 500, NODES};

	(void)state;
	for (uint64_t budget = 0; budget < 500; budget += 13) {
		uint64_t read = 0, left;
		uint32_t expected = 0;

		while (expected < NODES && read < budget)
			read += expected++ % 7 * 2;
		// A node that has no edges anyway cannot be told from one that was left out.
		while (expected < NODES && expected % 7 == 0)
			expected++;
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			assert_int_equal(join_two(budget, steps[i], &left), expected);
			assert_int_equal(left, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_budget),
	};

	return cmocka_run_group_tests_name("edges", tests, NULL, NULL);
}
