/* The map of dead words, and censuses of small heaps made of bytes, for every layout row. */
#include "analysis/heap_check.h"
#include "analysis/leaked.h"

#include "support/fake_python.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void test_word_map_is_exact(void **state)
{
	enum { WORDS = 4096, ROUNDS = 300 };
	// Across the border of two regions.
	const uint64_t start = (UINT64_C(77) << WORD_MAP_REGION_BITS) - WORDS / 2 * 8;
	struct word_map *map = calloc(1, sizeof(*map));
	bool expected[WORDS] = {false};

	(void)state;
	srand(7);
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t from = start + (uint64_t)(rand() % (WORDS * 8));
		uint64_t to = from + (uint64_t)(rand() % 2000);
		bool dead = rand() % 3;

		if (to > start + WORDS * 8)
			to = start + WORDS * 8;
		assert_true(word_map_fill(map, from, to, dead));
		for (int i = 0; i < WORDS; i++)
			if (start + (uint64_t)i * 8 >= from && start + (uint64_t)i * 8 + 8 <= to)
				expected[i] = dead;
	}
	for (int i = 0; i < WORDS; i++)
		assert_int_equal(word_map_is_dead(map, start + (uint64_t)i * 8), expected[i]);
	// Outside of what a process can have: ignored.
	assert_true(word_map_fill(map, UINT64_MAX - 4096, UINT64_MAX, true));
	assert_false(word_map_is_dead(map, UINT64_MAX - 63));
	word_map_clear(map);
	free(map);
}

/* A heap of a few tracked objects of one type without references. */
struct small_heap {
	struct fake_python *fake;
	uint64_t type, words; /* memory that holds references */
	struct runtime *runtime;
	struct heap *heap;
	struct unreachable *unreachable;
	struct objects *objects;
	struct census *census;
	struct heap_check *check;
	struct leaked *leaked;
};

static void heap_make(struct small_heap *small, const struct layout_row *row)
{
	*small = (struct small_heap){.fake = fake_create(row)};
	small->type = fake_type(small->fake, "app.Thing", TPFLAGS_HAVE_GC, 64, 0);
	small->words = fake_alloc(small->fake, 4096);
}

static uint64_t thing(struct small_heap *small, int64_t refcount)
{
	uint64_t object = fake_object(small->fake, small->type, 64, refcount);

	fake_track(small->fake, object, 2);
	return object;
}

static void heap_read(struct small_heap *small)
{
	assert_null(runtime_open(fake_target(small->fake), &small->runtime));
	assert_null(heap_open(small->runtime, NULL, &small->heap));
	assert_null(unreachable_compute(small->heap, NULL, &small->unreachable));
	assert_null(objects_open(small->heap, NULL, NULL, &small->objects));
	assert_null(census_take(small->objects, NULL, &small->census));
	assert_null(heap_check_run(small->census, small->unreachable, NULL, &small->check));
	assert_null(leaked_compute(small->census, small->unreachable, NULL, &small->leaked));
}

static void heap_clear(struct small_heap *small)
{
	leaked_free(small->leaked);
	heap_check_free(small->check);
	census_free(small->census);
	objects_close(small->objects);
	unreachable_free(small->unreachable);
	heap_close(small->heap);
	runtime_close(small->runtime);
	fake_destroy(small->fake);
}

static const struct leaked_head *find_head(const struct small_heap *small, uint64_t address)
{
	for (uint32_t i = 0; i < small->leaked->head_count; i++)
		if (small->objects->addresses[small->leaked->heads[i].object] == address)
			return &small->leaked->heads[i];
	return NULL;
}

/* Words count wherever they stand, with tags too; the links of the collector do not. */
static void check_census(const struct layout_row *row)
{
	const struct leaked_head *head;
	const struct leaked_group *group;
	struct small_heap small;
	uint64_t held, excess, lost[5];

	heap_make(&small, row);
	held = thing(&small, 2);
	excess = thing(&small, 4);
	for (int i = 0; i < 5; i++)
		lost[i] = thing(&small, 1);
	fake_put64(small.fake, small.words, held);
	fake_put64(small.fake, small.words + 1024, held | 1);
	fake_put64(small.fake, small.words + 2048, excess);
	fake_put64(small.fake, small.words + 2056, lost[0] + 16); // not its address
	heap_read(&small);
	assert_null(find_head(&small, held));
	head = find_head(&small, excess);
	assert_non_null(head);
	assert_int_equal(head->kind, ANOMALY_EXCESS);
	assert_int_equal(head->found, 1);
	assert_int_equal(head->excess, 3);
	for (int i = 0; i < 5; i++) {
		head = find_head(&small, lost[i]);
		assert_non_null(head);
		assert_int_equal(head->kind, ANOMALY_LOST);
		assert_true(head->is_freed);
		assert_int_equal(head->kept_objects, 1);
	}
	assert_int_equal(small.leaked->head_count, 6);
	assert_int_equal(small.leaked->group_count, 2);
	group = &small.leaked->groups[0]; // the one that keeps most
	assert_int_equal(group->heads, 5);
	assert_int_equal(small.objects->addresses[small.leaked->heads[group->example].object],
			 lost[0]);
	assert_int_equal(small.check->total, 0);
	assert_int_equal(small.check->over_released_count, 0);
	heap_clear(&small);
}

static void test_census(void **state)
{
	(void)state;
	for (size_t i = 0; i < layout_row_count; i++)
		if (!layout_rows[i].debug)
			check_census(&layout_rows[i]);
}

/* A frame object with a local, a value on its stack and one above. */
struct fake_frame {
	uint64_t object, local, value, above;
};

static void frame_make(struct small_heap *small, uint64_t type, const struct layout *layout,
		       bool runs, struct fake_frame *frame)
{
	uint64_t locals, stack;

	frame->object = fake_object(small->fake, type, layout->PyFrameObject_f_localsplus + 64, 1);
	fake_track(small->fake, frame->object, 2);
	locals = frame->object + layout->PyFrameObject_f_localsplus;
	stack = locals + 16;
	frame->local = thing(small, 1);
	frame->value = thing(small, 1);
	frame->above = thing(small, 1);
	fake_put64(small->fake, locals, frame->local);
	fake_put64(small->fake, stack, frame->value);
	fake_put64(small->fake, stack + 8, frame->above);
	fake_put64(small->fake, frame->object + layout->PyFrameObject_f_valuestack, stack);
	if (layout_has(layout->PyFrameObject_f_stackdepth))
		fake_put32(small->fake, frame->object + layout->PyFrameObject_f_stackdepth,
			   runs ? UINT32_MAX : 1);
	else
		fake_put64(small->fake, frame->object + layout->PyFrameObject_f_stacktop,
			   runs ? 0 : stack + 8);
}

/* Up to 3.10: behind the top of a waiting frame's stack, and where its numbers stand, no word
 * counts. While it runs, the top is not known. */
static void check_frames(const struct layout_row *row)
{
	const struct layout *layout = &row->layout;
	struct fake_frame waits, runs;
	struct small_heap small;
	uint64_t type, in_numbers;

	heap_make(&small, row);
	type = fake_type(small.fake, "frame", TPFLAGS_HAVE_GC,
			 layout->PyFrameObject_f_localsplus + 64, 0);
	in_numbers = thing(&small, 1);
	frame_make(&small, type, layout, false, &waits);
	frame_make(&small, type, layout, true, &runs);
	fake_put64(small.fake, waits.object + layout->PyFrameObject_f_localsplus - 16, in_numbers);
	fake_put64(small.fake, small.words, waits.object);
	fake_put64(small.fake, small.words + 8, runs.object);
	heap_read(&small);
	assert_non_null(find_head(&small, in_numbers));
	assert_non_null(find_head(&small, waits.above));
	assert_int_equal(small.leaked->head_count, 2);
	heap_clear(&small);
}

static void test_frames(void **state)
{
	size_t checked = 0;

	(void)state;
	for (size_t i = 0; i < layout_row_count; i++)
		if (!layout_rows[i].debug &&
		    layout_has(layout_rows[i].layout.PyFrameObject_f_valuestack)) {
			check_frames(&layout_rows[i]);
			checked++;
		}
	assert_true(checked >= 3);
}

/* A _gc_prev that was overwritten: the word, what stands there, what should, and in which object.
 */
static void check_link(const struct layout_row *row)
{
	struct small_heap small;
	uint64_t before, object, link;
	const struct damage *damage;

	heap_make(&small, row);
	before = thing(&small, 1);
	object = thing(&small, 1);
	link = object - row->layout.PyGC_Head_size + row->layout.PyGC_Head__gc_prev;
	fake_put64(small.fake, link, small.words);
	heap_read(&small);
	assert_int_equal(small.check->kind_counts[DAMAGE_BACK_LINK], 1);
	// Where the bad link leads to is reported, too: no type is there.
	damage = small.check->damages;
	while (damage->kind != DAMAGE_BACK_LINK)
		damage++;
	assert_int_equal(damage->address, link);
	assert_int_equal(damage->value, small.words);
	assert_int_equal(damage->expected, before - row->layout.PyGC_Head_size);
	assert_int_equal(small.objects->addresses[damage->object], object);
	heap_clear(&small);
}

static void test_broken_links_are_damage(void **state)
{
	(void)state;
	for (size_t i = 0; i < layout_row_count; i++)
		if (!layout_rows[i].debug)
			check_link(&layout_rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_word_map_is_exact),
		cmocka_unit_test(test_census),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_broken_links_are_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
