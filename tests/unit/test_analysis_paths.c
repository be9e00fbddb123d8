/*
 * Paths on random heaps of lists that refer to each other, with cycles, against a slow and obvious
 * search: the first is a shortest one, the others share nothing with those before, none is left
 * out, and what is not held has none.
 */
#include "analysis/paths.h"

#include "support/traverse_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { LISTS_MAX = 24, ITEMS_MAX = 4, HEAPS = 60, ROOTS_MAX = 3, PATHS_MAX = 4, FAR = 1000 };

/* Lists, and words outside that hold some of them. */
struct lists {
	struct fixture fixture;
	struct heap *heap;
	struct objects *objects;
	struct graph *graph;
	struct roots roots;
	struct root items[ROOTS_MAX];
	struct path_search *search;
	size_t count;
	uint64_t addresses[LISTS_MAX];
	uint32_t numbers[LISTS_MAX]; /* in objects */
};

static void make_lists(struct lists *lists, size_t count)
{
	struct fixture *fixture = &lists->fixture;
	const struct layout *layout = fixture->layout;
	uint64_t type = fixture_static_type(fixture, "list", 40);

	lists->count = count;
	fake_put64(fixture->fake, type + layout->PyTypeObject_tp_flags,
		   fake_get64(fixture->fake, type + layout->PyTypeObject_tp_flags) |
			   TPFLAGS_HAVE_GC | TPFLAGS_LIST_SUBCLASS);
	for (size_t i = 0; i < count; i++) {
		lists->addresses[i] = fake_object(fixture->fake, type, 40, 1);
		fake_track(fixture->fake, lists->addresses[i], 2);
	}
}

static void put_items(struct lists *lists, size_t at, const size_t *items, size_t count)
{
	struct fixture *fixture = &lists->fixture;
	uint64_t storage = fake_alloc(fixture->fake, 8 * ITEMS_MAX);

	for (size_t i = 0; i < count; i++)
		fake_put64(fixture->fake, storage + 8 * i, lists->addresses[items[i]]);
	fixture_put(fixture, lists->addresses[at], fixture->layout->PyVarObject_ob_size, count);
	fixture_put(fixture, lists->addresses[at], fixture->layout->PyListObject_ob_item, storage);
	fixture_put(fixture, lists->addresses[at], fixture->layout->PyListObject_allocated,
		    ITEMS_MAX);
}

static void add_root(struct lists *lists, size_t at)
{
	uint64_t word = fake_alloc(lists->fixture.fake, 16);

	fake_put64(lists->fixture.fake, word, lists->addresses[at]);
	lists->items[lists->roots.count++] =
		(struct root){.word = word, .object = (uint32_t)at, .kind = ROOT_RAW};
}

/* What is made so far, read. Roots are told numbers of objects then. */
static void read_lists(struct lists *lists)
{
	assert_null(heap_open(lists->fixture.runtime, NULL, &lists->heap));
	assert_null(objects_open(lists->heap, NULL, NULL, &lists->objects));
	assert_null(graph_build(lists->objects, NULL, 0, NULL, &lists->graph));
	for (size_t i = 0; i < lists->count; i++) {
		lists->numbers[i] = objects_find(lists->objects, lists->addresses[i]);
		assert_int_not_equal(lists->numbers[i], HEAP_NONE);
	}
	for (uint32_t i = 0; i < lists->roots.count; i++)
		lists->items[i].object = lists->numbers[lists->items[i].object];
	lists->roots.items = lists->items;
	lists->roots.graph = lists->graph;
	lists->roots.reached = calloc(lists->objects->count + 1, 1);
	assert_null(path_search_open(lists->graph, &lists->roots, NULL, &lists->search));
}

static void open_lists(struct lists *lists, const struct layout_row *row)
{
	memset(lists, 0, sizeof(*lists));
	fixture_open(&lists->fixture, row);
}

static void close_lists(struct lists *lists)
{
	path_search_close(lists->search);
	free(lists->roots.reached);
	graph_free(lists->graph);
	objects_close(lists->objects);
	heap_close(lists->heap);
	fixture_close(&lists->fixture);
}

static bool refers(const struct graph *graph, uint32_t from, uint32_t to)
{
	for (uint64_t e = graph->first[from]; e < graph->first[from + 1]; e++)
		if (graph->targets[e] == to)
			return true;
	return false;
}

/* How many objects a shortest way from a root has at least, without those taken and the roots that
 * are; FAR: there is none. */
static size_t shortest(const struct lists *lists, uint32_t target, const bool *taken,
		       const bool *taken_roots)
{
	uint32_t count = lists->graph->count;
	size_t *distance = malloc(count * sizeof(*distance)), result;
	bool changed = true;

	for (uint32_t i = 0; i < count; i++)
		distance[i] = FAR;
	for (uint32_t i = 0; i < lists->roots.count; i++)
		if (!taken_roots[i] && !taken[lists->items[i].object])
			distance[lists->items[i].object] = 1;
	while (changed) {
		changed = false;
		for (uint32_t from = 0; from < count; from++)
			for (uint64_t e = lists->graph->first[from];
			     distance[from] < FAR && from != target &&
			     e < lists->graph->first[from + 1];
			     e++) {
				uint32_t to = lists->graph->targets[e];

				if (taken[to] || distance[to] <= distance[from] + 1)
					continue;
				distance[to] = distance[from] + 1;
				changed = true;
			}
	}
	result = distance[target];
	free(distance);
	return result;
}

/* Each path begins at a root, goes along references, ends at the object, and takes nothing that one
 * before has. */
static void check_path(const struct lists *lists, const struct path *path, uint32_t target,
		       bool *taken, bool *taken_roots)
{
	assert_int_equal(path->objects[0], path->root->object);
	assert_int_equal(path->objects[path->count - 1], target);
	assert_false(taken_roots[path->root - lists->items]);
	taken_roots[path->root - lists->items] = true;
	for (size_t i = 0; i + 1 < path->count; i++) {
		assert_true(refers(lists->graph, path->objects[i], path->objects[i + 1]));
		assert_int_equal(path->references[i].target,
				 lists->objects->addresses[path->objects[i + 1]]);
		assert_false(taken[path->objects[i]]);
		taken[path->objects[i]] = true;
	}
	assert_non_null(path->expression);
}

static size_t check_object(struct lists *lists, uint32_t target, size_t max)
{
	bool *taken = calloc(lists->graph->count + 1, sizeof(*taken)), taken_roots[ROOTS_MAX] = {0};
	struct paths paths;
	size_t found;

	assert_null(paths_find(lists->search, target, max, &paths));
	assert_true(paths.count <= max);
	for (size_t i = 0; i < paths.count; i++) {
		assert_int_equal(paths.items[i].count, shortest(lists, target, taken, taken_roots));
		check_path(lists, &paths.items[i], target, taken, taken_roots);
	}
	if (paths.count < max)
		assert_int_equal(shortest(lists, target, taken, taken_roots), FAR);
	found = paths.count;
	paths_clear(&paths);
	free(taken);
	return found;
}

static void check_random(const struct layout_row *row, size_t found[PATHS_MAX + 1])
{
	struct lists lists;
	size_t count = 2 + (size_t)random() % (LISTS_MAX - 2);

	open_lists(&lists, row);
	make_lists(&lists, count);
	for (size_t i = 0; i < count; i++) {
		size_t items[ITEMS_MAX], used = (size_t)random() % (ITEMS_MAX + 1);

		for (size_t j = 0; j < used; j++)
			items[j] = (size_t)random() % count;
		put_items(&lists, i, items, used);
	}
	for (size_t i = 0; i < ROOTS_MAX; i++)
		add_root(&lists, (size_t)random() % count);
	read_lists(&lists);
	for (size_t i = 0; i < count; i++)
		found[check_object(&lists, lists.numbers[i], 1 + (size_t)random() % PATHS_MAX)]++;
	close_lists(&lists);
}

static void test_random_lists(void **state)
{
	size_t found[PATHS_MAX + 1] = {0};

	(void)state;
	srandom(3);
	for (size_t i = 0; i < HEAPS; i++)
		check_random(&layout_rows[i % layout_row_count], found);
	/* None, one and several were met. */
	for (size_t i = 0; i <= 3; i++)
		assert_true(found[i] > 3);
}

/* A cycle that nothing holds, and one that is held: no way goes around. */
static void test_cycles(void **state)
{
	struct lists lists;
	struct paths paths;

	(void)state;
	open_lists(&lists, &layout_rows[0]);
	make_lists(&lists, 6);
	for (size_t i = 0; i < 3; i++) {
		put_items(&lists, i, (const size_t[]){(i + 1) % 3}, 1);
		put_items(&lists, 3 + i, (const size_t[]){3 + (i + 1) % 3, 3 + i}, 2);
	}
	add_root(&lists, 3);
	read_lists(&lists);
	for (size_t i = 0; i < 3; i++) {
		assert_null(paths_find(lists.search, lists.numbers[i], PATHS_MAX, &paths));
		assert_int_equal(paths.count, 0);
		assert_null(paths_find(lists.search, lists.numbers[3 + i], PATHS_MAX, &paths));
		assert_int_equal(paths.count, 1);
		assert_int_equal(paths.items[0].count, i + 1);
		paths_clear(&paths);
	}
	close_lists(&lists);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_lists),
		cmocka_unit_test(test_cycles),
	};

	return cmocka_run_group_tests_name("analysis/paths", tests, NULL, NULL);
}
