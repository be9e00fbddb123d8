/* Walking the collector's lists: whole ones, and ones that are damaged in each way. */
#include "analysis/unreachable.h"
#include "support/fake_python.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* A list of MANY is walked by two threads. */
enum { OBJECTS = 9, MANY = 60000 };

/* A process with one list of objects of a type that references nothing. */
struct fixture {
	struct fake_python *fake;
	const struct layout *layout;
	uint64_t *objects;
	struct runtime *runtime;
	struct heap *heap;
};

static void setup_with(struct fixture *fixture, int count)
{
	const struct layout_row *row = &layout_rows[layout_row_count - 1];
	uint64_t type;

	memset(fixture, 0, sizeof(*fixture));
	fixture->layout = &row->layout;
	fixture->fake = fake_create(row);
	fixture->objects = calloc((size_t)count, sizeof(*fixture->objects));
	assert_non_null(fixture->objects);
	type = fake_type(fixture->fake, "thing", TPFLAGS_HAVE_GC, 32, 0);
	for (int i = 0; i < count; i++) {
		fixture->objects[i] = fake_object(fixture->fake, type, 32, 1);
		fake_track(fixture->fake, fixture->objects[i], 1);
	}
}

static void setup(struct fixture *fixture)
{
	setup_with(fixture, OBJECTS);
}

/* Opens the runtime while all is well, then the heap after `damage` has been done. */
static const struct coverage *walk(struct fixture *fixture)
{
	struct error *err = heap_open(fixture->runtime, NULL, &fixture->heap);

	assert_null(err);
	return &fixture->runtime->target->coverage;
}

static void open_runtime(struct fixture *fixture)
{
	struct error *err = runtime_open(fake_target(fixture->fake), &fixture->runtime);

	if (err)
		fail_msg("%s", err->message);
}

static void teardown(struct fixture *fixture)
{
	heap_close(fixture->heap);
	runtime_close(fixture->runtime);
	fake_destroy(fixture->fake);
	free(fixture->objects);
}

static void put_link(struct fixture *fixture, int object, uint32_t link, uint64_t to)
{
	fake_put64(fixture->fake, fixture->objects[object] - fixture->layout->PyGC_Head_size + link,
		   to);
}

static uint64_t head_of(struct fixture *fixture, int object)
{
	return fixture->objects[object] - fixture->layout->PyGC_Head_size;
}

static void check_whole_list(int count)
{
	struct fixture fixture;

	setup_with(&fixture, count);
	open_runtime(&fixture);
	assert_true(coverage_complete(walk(&fixture)));
	assert_int_equal(fixture.heap->count, count);
	assert_int_equal(fixture.heap->list_counts[0][1], count);
	for (int i = 0; i < count; i++) {
		uint32_t number = heap_find(fixture.heap, fixture.objects[i]);

		assert_int_not_equal(number, HEAP_NONE);
		assert_int_equal(fixture.heap->addresses[number], fixture.objects[i]);
		assert_int_equal(fixture.heap->generation[number], 1);
		assert_int_equal(fixture.heap->refcounts[number], 1);
		assert_string_equal(heap_type(fixture.heap, number)->name, "thing");
	}
	teardown(&fixture);
}

static void test_whole_list(void **state)
{
	(void)state;
	check_whole_list(OBJECTS);
}

static void test_long_list(void **state)
{
	(void)state;
	check_whole_list(MANY);
}

/* What a broken link hides from one end is found from the other. */
static void test_broken_next_is_found_from_behind(void **state)
{
	struct fixture fixture;

	(void)state;
	setup(&fixture);
	open_runtime(&fixture);
	put_link(&fixture, 2, fixture.layout->PyGC_Head__gc_next, 0x10);
	assert_false(coverage_complete(walk(&fixture)));
	assert_int_equal(fixture.heap->count, OBJECTS);
	teardown(&fixture);
}

static void test_broken_prev_is_found_from_the_front(void **state)
{
	struct fixture fixture;

	(void)state;
	setup(&fixture);
	open_runtime(&fixture);
	put_link(&fixture, 6, fixture.layout->PyGC_Head__gc_prev, 0xdead0);
	assert_false(coverage_complete(walk(&fixture)));
	assert_int_equal(fixture.heap->count, OBJECTS);
	teardown(&fixture);
}

static void test_two_breaks_leave_the_ends(void **state)
{
	struct fixture fixture;

	(void)state;
	setup(&fixture);
	open_runtime(&fixture);
	put_link(&fixture, 2, fixture.layout->PyGC_Head__gc_next, 0x10);
	put_link(&fixture, 6, fixture.layout->PyGC_Head__gc_prev, 0x10);
	assert_false(coverage_complete(walk(&fixture)));
	assert_int_equal(fixture.heap->count, 3 + 3);
	teardown(&fixture);
}

/* A list that runs into itself ends there, and says so. */
static void test_loop_ends(void **state)
{
	struct fixture fixture;

	(void)state;
	setup(&fixture);
	open_runtime(&fixture);
	put_link(&fixture, 3, fixture.layout->PyGC_Head__gc_next, head_of(&fixture, 1));
	put_link(&fixture, 5, fixture.layout->PyGC_Head__gc_prev, head_of(&fixture, 7));
	assert_false(coverage_complete(walk(&fixture)));
	assert_true(fixture.heap->count >= OBJECTS - 1 && fixture.heap->count <= OBJECTS);
	teardown(&fixture);
}

/* Elements that were cut out from the front but not from behind are still elements. */
static void test_mismatch_is_reported(void **state)
{
	struct fixture fixture;

	(void)state;
	setup(&fixture);
	open_runtime(&fixture);
	put_link(&fixture, 4, fixture.layout->PyGC_Head__gc_next, head_of(&fixture, 6));
	assert_false(coverage_complete(walk(&fixture)));
	teardown(&fixture);
}

/* Two threads meet damage here: what is found and said is the same each time. */
static void test_long_list_with_two_breaks(void **state)
{
	enum { FRONT = 20000, BACK = 22000 };
	struct fixture fixture;
	const struct coverage *coverage;

	(void)state;
	setup_with(&fixture, MANY);
	open_runtime(&fixture);
	put_link(&fixture, FRONT, fixture.layout->PyGC_Head__gc_next, 0x10);
	put_link(&fixture, BACK, fixture.layout->PyGC_Head__gc_prev, 0x10);
	coverage = walk(&fixture);
	assert_int_equal(fixture.heap->count, FRONT + 1 + MANY - BACK);
	assert_int_equal(fixture.heap->list_counts[0][1], fixture.heap->count);
	assert_int_equal(fixture.heap->damaged_lists, 2);
	assert_false(coverage_complete(coverage));
	assert_int_equal(heap_find(fixture.heap, fixture.objects[FRONT + 1]), HEAP_NONE);
	assert_int_not_equal(heap_find(fixture.heap, fixture.objects[BACK]), HEAP_NONE);
	teardown(&fixture);
}

static void test_long_list_with_a_bad_link(void **state)
{
	struct fixture fixture;

	(void)state;
	setup_with(&fixture, MANY);
	open_runtime(&fixture);
	put_link(&fixture, MANY / 2, fixture.layout->PyGC_Head__gc_prev, head_of(&fixture, 7));
	assert_false(coverage_complete(walk(&fixture)));
	assert_int_equal(fixture.heap->count, MANY);
	teardown(&fixture);
}

static void test_object_without_type_is_counted(void **state)
{
	struct fixture fixture;

	(void)state;
	setup(&fixture);
	open_runtime(&fixture);
	fake_put64(fixture.fake, fixture.objects[3] + fixture.layout->PyObject_ob_type, 0x1234560);
	assert_false(coverage_complete(walk(&fixture)));
	assert_int_equal(fixture.heap->count, OBJECTS);
	assert_int_equal(fixture.heap->damaged_types, 1);
	teardown(&fixture);
}

/* While the collector runs, _gc_prev holds counts and _gc_next carries flags. */
static void test_collection_under_way(void **state)
{
	struct fixture fixture;

	(void)state;
	setup(&fixture);
	fake_put32(fixture.fake, fake_gc(fixture.fake) + fixture.layout->gc_collecting, 1);
	open_runtime(&fixture);
	for (int i = 0; i < OBJECTS - 1; i++) {
		put_link(&fixture, i, fixture.layout->PyGC_Head__gc_prev, (uint64_t)i << 2 | 2);
		put_link(&fixture, i, fixture.layout->PyGC_Head__gc_next,
			 head_of(&fixture, i + 1) | (i % 2));
	}
	walk(&fixture);
	assert_int_equal(fixture.heap->count, OBJECTS);
	assert_true(fixture.runtime->interpreters[0].collecting);
	teardown(&fixture);
}

/* Random words in random links: it always ends, finds nothing twice, and says when it is not whole.
 */
static void test_random_damage(void **state)
{
	uint64_t seed = 99;

	(void)state;
	for (int round = 0; round < 500; round++) {
		struct fixture fixture;
		bool whole;

		setup(&fixture);
		open_runtime(&fixture);
		for (int hits = 0; hits < 3; hits++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
			put_link(&fixture, (int)(seed >> 33) % OBJECTS,
				 seed >> 20 & 1 ? fixture.layout->PyGC_Head__gc_next
						: fixture.layout->PyGC_Head__gc_prev,
				 seed >> 50 & 1 ? head_of(&fixture, (int)(seed >> 40) % OBJECTS)
						: seed >> 8);
		}
		whole = coverage_complete(walk(&fixture));
		assert_true(fixture.heap->count <= OBJECTS);
		if (whole)
			assert_int_equal(fixture.heap->count, OBJECTS);
		teardown(&fixture);
	}
}

/* Many damaged objects that all claim one huge array: it ends, and says what it left out. */
static void test_claims_beyond_all_memory_end(void **state)
{
	enum { LISTS = 3000, ITEMS = 200000 };
	const struct layout_row *row = &layout_rows[layout_row_count - 1];
	const struct layout *layout = &row->layout;
	struct fake_python *fake = fake_create(row);
	struct unreachable *unreachable;
	struct runtime *runtime;
	struct heap *heap;
	struct error *err;
	uint64_t type, items = fake_alloc(fake, ITEMS * 8);

	(void)state;
	type = fake_type(fake, "list", TPFLAGS_HAVE_GC | TPFLAGS_LIST_SUBCLASS, 40, 0x7f1200001000);
	for (int i = 0; i < LISTS; i++) {
		uint64_t list = fake_object(fake, type, 40, 1);

		fake_put64(fake, list + layout->PyListObject_ob_item, items);
		fake_put64(fake, list + layout->PyVarObject_ob_size, ITEMS);
		fake_put64(fake, list + layout->PyListObject_allocated, ITEMS);
		fake_track(fake, list, 0);
	}
	for (int i = 0; i < ITEMS; i++)
		fake_put64(fake, items + (uint64_t)i * 8, type);
	err = runtime_open(fake_target(fake), &runtime);
	assert_null(err);
	err = heap_open(runtime, NULL, &heap);
	assert_null(err);
	err = unreachable_compute(heap, NULL, &unreachable);
	assert_null(err);
	assert_true(unreachable->damaged > 0 && unreachable->damaged < LISTS);
	assert_false(coverage_complete(&runtime->target->coverage));
	unreachable_free(unreachable);
	heap_close(heap);
	runtime_close(runtime);
	fake_destroy(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_list),
		cmocka_unit_test(test_long_list),
		cmocka_unit_test(test_long_list_with_two_breaks),
		cmocka_unit_test(test_long_list_with_a_bad_link),
		cmocka_unit_test(test_broken_next_is_found_from_behind),
		cmocka_unit_test(test_broken_prev_is_found_from_the_front),
		cmocka_unit_test(test_two_breaks_leave_the_ends),
		cmocka_unit_test(test_loop_ends),
		cmocka_unit_test(test_mismatch_is_reported),
		cmocka_unit_test(test_object_without_type_is_counted),
		cmocka_unit_test(test_collection_under_way),
		cmocka_unit_test(test_random_damage),
		cmocka_unit_test(test_claims_beyond_all_memory_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
