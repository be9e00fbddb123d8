/* The index of addresses, and components on random graphs against a slow and obvious oracle. */
#include "analysis/components.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int compare_u64(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

static void test_index_numbers_in_order(void **state)
{
	enum { COUNT = 20000 };
	struct heap_index *index = calloc(1, sizeof(*index));
	uint64_t *expected = malloc(COUNT * sizeof(*expected)), *got, seed = 42;
	uint32_t count = 0;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		/* Dense and sparse regions, low and high. */
		uint64_t address = (next_random(&seed) % (i % 3 ? 1 << 18 : UINT64_C(1) << 43))
				   << 4;

		if (!address)
			continue;
		if ((i % 2 ? index_insert : index_insert_shared)(index, address) == INDEX_ADDED)
			expected[count++] = address;
		assert_int_equal(index_insert(index, address), INDEX_PRESENT);
		assert_int_equal(index_insert_shared(index, address), INDEX_PRESENT);
		if (i % 7)
			continue;
		index_remove(index, address);
		assert_int_equal(index_insert(index, address), INDEX_ADDED);
	}
	qsort(expected, count, sizeof(*expected), compare_u64);
	got = malloc(count * sizeof(*got));
	assert_true(index_number(index));
	assert_int_equal(index->count, count);
	/* In pieces, as several threads do it. */
	for (uint32_t start = 0; start < count; start += 777)
		index_list(index, start, start + 777 < count ? start + 777 : count, got);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(got[i], expected[i]);
		assert_int_equal(index_find(index, expected[i]), i);
		assert_int_equal(index_find(index, expected[i] + 8), UINT32_MAX);
	}
	index_clear(index);
	free(index);
	free(expected);
	free(got);
}

static void test_index_copy_has_the_same(void **state)
{
	struct heap_index *index = calloc(1, sizeof(*index)), *copy = calloc(1, sizeof(*copy));

	(void)state;
	index_insert(index, 0x7f0000001230);
	index_insert(index, 0x40);
	assert_true(index_number(index) && index_copy(copy, index));
	index_insert(copy, 0x50);
	assert_true(index_number(copy));
	assert_int_equal(index->count, 2);
	assert_int_equal(copy->count, 3);
	assert_int_equal(index_find(copy, 0x40), 0);
	assert_int_equal(index_find(copy, 0x50), 1);
	assert_int_equal(index_find(copy, 0x7f0000001230), 2);
	index_clear(index);
	index_clear(copy);
	free(index);
	free(copy);
}

static void test_index_refuses_impossible_addresses(void **state)
{
	struct heap_index *index = calloc(1, sizeof(*index));

	(void)state;
	assert_int_equal(index_insert(index, 0), INDEX_INVALID);
	assert_int_equal(index_insert(index, 0x1008), INDEX_INVALID);
	assert_int_equal(index_insert(index, UINT64_C(1) << 47), INDEX_INVALID);
	assert_int_equal(index_insert(index, UINT64_MAX & ~UINT64_C(15)), INDEX_INVALID);
	assert_int_equal(index_insert_shared(index, UINT64_C(1) << 47), INDEX_INVALID);
	index_remove(index, UINT64_C(1) << 47);
	index_remove(index, 0x1000);
	assert_int_equal(index_find(index, UINT64_MAX & ~UINT64_C(15)), UINT32_MAX);
	assert_int_equal(index_find(index, 0x1000), UINT32_MAX);
	index_clear(index);
	free(index);
}

/* A graph whose objects are all unreachable but for every seventh. */
struct graph {
	struct heap heap;
	struct unreachable unreachable;
	bool *reaches; /* [from * count + to] over objects, by at least one reference */
};

static void graph_make(struct graph *graph, uint32_t count, unsigned edges, uint64_t seed)
{
	struct unreachable *unreachable = &graph->unreachable;
	uint64_t next = 0;

	memset(graph, 0, sizeof(*graph));
	graph->heap.count = count;
	unreachable->heap = &graph->heap;
	unreachable->first = calloc(count + 1, sizeof(*unreachable->first));
	unreachable->targets = calloc((size_t)count * 8 + 1, sizeof(*unreachable->targets));
	unreachable->objects = calloc(count + 1, sizeof(*unreachable->objects));
	graph->reaches = calloc((size_t)count * count + 1, sizeof(bool));
	for (uint32_t i = 0; i < count; i++) {
		unreachable->first[i] = next;
		if (i % 7 != 3)
			unreachable->objects[unreachable->count++] = i;
		for (unsigned e = next_random(&seed) % (edges + 1); e; e--) {
			uint32_t to = (uint32_t)(next_random(&seed) % count);

			unreachable->targets[next++] = to;
			if (i % 7 != 3 && to % 7 != 3)
				graph->reaches[(size_t)i * count + to] = true;
		}
	}
	unreachable->first[count] = next;
	for (uint32_t k = 0; k < count; k++)
		for (uint32_t i = 0; i < count; i++)
			for (uint32_t j = 0; graph->reaches[(size_t)i * count + k] && j < count;
			     j++)
				if (graph->reaches[(size_t)k * count + j])
					graph->reaches[(size_t)i * count + j] = true;
}

static void graph_clear(struct graph *graph)
{
	free(graph->unreachable.first);
	free(graph->unreachable.targets);
	free(graph->unreachable.objects);
	free(graph->reaches);
}

static void check_graph(const struct graph *graph)
{
	const struct unreachable *unreachable = &graph->unreachable;
	uint32_t count = graph->heap.count;
	struct components *components;
	struct error *err = components_compute(unreachable, &components);

	assert_null(err);
	for (uint32_t p = 0; p < unreachable->count; p++) {
		uint32_t i = unreachable->objects[p];
		bool cyclic = graph->reaches[(size_t)i * count + i], held = cyclic;

		assert_int_equal(components->is_member[p], cyclic);
		for (uint32_t q = 0; q < unreachable->count; q++) {
			uint32_t j = unreachable->objects[q];
			bool to = graph->reaches[(size_t)i * count + j];
			bool from = graph->reaches[(size_t)j * count + i];

			assert_int_equal(components->of[p] == components->of[q],
					 p == q || (to && from));
			if (to)
				assert_true(components->of[p] >= components->of[q]);
			/* It hangs off its owner. */
			if (components->is_member[q] && components->owner[p] == components->of[q])
				assert_true(from || p == q);
			held |= components->is_member[q] && from;
		}
		if (held) {
			bool owned = false;

			for (uint32_t q = 0; q < unreachable->count; q++)
				owned |= components->is_member[q] &&
					 components->of[q] == components->owner[p];
			/* A chain from an object that nothing references may come first. */
			if (cyclic)
				assert_int_equal(components->owner[p], components->of[p]);
			else if (!owned)
				assert_true(components->owner[p] != COMPONENT_NONE);
		}
	}
	components_free(components);
}

static void test_components_match_the_oracle(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct graph graph;

		graph_make(&graph, (uint32_t)(1 + seed * 2), seed % 4, seed * 7919);
		check_graph(&graph);
		graph_clear(&graph);
	}
}

/* The depth of the search is the target's to choose. */
static void test_components_of_a_long_ring(void **state)
{
	enum { COUNT = 2000000 };
	struct heap heap = {.count = COUNT};
	struct unreachable unreachable = {.heap = &heap, .count = COUNT};
	struct components *components;
	struct error *err;

	(void)state;
	unreachable.objects = malloc(COUNT * sizeof(uint32_t));
	unreachable.targets = malloc(COUNT * sizeof(uint32_t));
	unreachable.first = malloc((COUNT + 1) * sizeof(uint64_t));
	for (uint32_t i = 0; i <= COUNT; i++) {
		unreachable.first[i] = i;
		if (i < COUNT) {
			unreachable.objects[i] = i;
			unreachable.targets[i] = (i + 1) % COUNT;
		}
	}
	err = components_compute(&unreachable, &components);
	assert_null(err);
	assert_int_equal(components->count, 1);
	components_free(components);
	free(unreachable.objects);
	free(unreachable.targets);
	free(unreachable.first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index_numbers_in_order),
		cmocka_unit_test(test_index_copy_has_the_same),
		cmocka_unit_test(test_index_refuses_impossible_addresses),
		cmocka_unit_test(test_components_match_the_oracle),
		cmocka_unit_test(test_components_of_a_long_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
