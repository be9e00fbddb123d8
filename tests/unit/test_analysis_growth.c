/*
 * What grew between two snapshots, of trees of holders made by hand and at random: the holder that
 * explains the growth is the row, and rows add up to all that changed.
 */
#include "analysis/growth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { NODES = 60, HEAPS = 300, SNAPSHOTS = 3 };

static void begin(struct history *history)
{
	const struct holder_key outside = {.parent = HOLDER_OUTSIDE,
					   .step = HOLDER_ROOT,
					   .label = "",
					   .type = "",
					   .title = ""};

	memset(history, 0, sizeof(*history));
	history->facts = calloc(SNAPSHOTS, sizeof(*history->facts));
	assert_int_equal(holders_node(&history->holders, &outside), HOLDER_OUTSIDE);
}

static uint32_t node(struct history *history, uint32_t parent, enum holder_step step,
		     const char *label, const char *type)
{
	const struct holder_key key = {.parent = parent,
				       .step = step,
				       .label = label,
				       .type = type,
				       .title = "",
				       .root_kind = ROOT_MODULES};

	return holders_node(&history->holders, &key);
}

static uint32_t module(struct history *history, const char *name)
{
	return node(history, HOLDER_OUTSIDE, HOLDER_ROOT, name, "module");
}

static void snapshot(struct history *history)
{
	assert_true(series_begin(&history->series));
	history->count++;
	history->begun++;
}

static void put(struct history *history, uint32_t at, uint64_t objects, uint64_t bytes,
		uint64_t items)
{
	struct series_count *count = series_entry(&history->series, at);

	assert_non_null(count);
	*count = (struct series_count){objects, bytes, items, 0x1000 + at};
}

static const struct growth_row *only_row(const struct growth *growth)
{
	assert_int_equal(growth->row_count, 1);
	assert_int_equal(growth->shrunk_count, 0);
	return growth->rows;
}

static void end(struct history *history, struct growth *growth)
{
	growth_clear(growth);
	history_clear(history);
}

/* A container that has more items takes what is below them, however many attributes that is. */
static void test_container_takes_its_items(void **state)
{
	struct history history;
	struct growth growth;
	uint32_t app, cache, item, name, scores;

	(void)state;
	begin(&history);
	app = module(&history, "app");
	cache = node(&history, app, HOLDER_NAME, "cache", "collections.deque");
	item = node(&history, cache, HOLDER_ITEM, "", "app.Session");
	name = node(&history, item, HOLDER_NAME, "name", "str");
	scores = node(&history, item, HOLDER_NAME, "scores", "list");
	for (uint64_t i = 1; i <= 2; i++) {
		snapshot(&history);
		put(&history, app, 1, 100, 0);
		put(&history, cache, 1, 1000 * i, 500 * i);
		put(&history, item, 500 * i, 50000 * i, 0);
		put(&history, name, 500 * i, 80000 * i, 0);
		put(&history, scores, 500 * i, 90000 * i, 0);
	}
	assert_null(growth_find(&history, &growth));
	assert_int_equal(only_row(&growth)->node, cache);
	assert_int_equal(growth.rows[0].delta.objects, 1500);
	assert_int_equal(growth.rows[0].delta.bytes, 221000);
	assert_int_equal(growth.rows[0].mostly, item);
	assert_int_equal(growth.rows[0].counts[1].items, 1000);
	assert_int_equal(growth.delta.bytes, 221000);
	assert_true(growth_is_steady(&growth, growth.rows[0].trend));
	end(&history, &growth);
}

/* A bigger value of one attribute is that attribute's, not the object's above it. */
static void test_attribute_is_named(void **state)
{
	struct history history;
	struct growth growth;
	uint32_t app, holder, buffer;

	(void)state;
	begin(&history);
	app = module(&history, "app");
	holder = node(&history, app, HOLDER_NAME, "log", "app.Log");
	buffer = node(&history, holder, HOLDER_NAME, "buffer", "bytearray");
	for (uint64_t i = 1; i <= 2; i++) {
		snapshot(&history);
		put(&history, app, 1, 100, 0);
		put(&history, holder, 1, 64, 0);
		put(&history, buffer, 1, 100000 * i, 0);
	}
	assert_null(growth_find(&history, &growth));
	assert_int_equal(only_row(&growth)->node, buffer);
	assert_int_equal(growth.rows[0].delta.objects, 0);
	assert_int_equal(growth.rows[0].delta.bytes, 100000);
	end(&history, &growth);
}

/* Two parts of one module that grow are two rows; what is too little for one is told as a sum. */
static void test_rows_are_apart(void **state)
{
	struct history history;
	struct growth growth;
	uint32_t app, one, two, small;

	(void)state;
	begin(&history);
	app = module(&history, "app");
	one = node(&history, app, HOLDER_NAME, "one", "list");
	two = node(&history, app, HOLDER_NAME, "two", "list");
	small = node(&history, app, HOLDER_NAME, "small", "list");
	for (uint64_t i = 1; i <= 2; i++) {
		snapshot(&history);
		put(&history, one, 1, 10000 * i, i);
		put(&history, two, 1, 90000 * i, i);
		put(&history, small, 1, 100 * i, i);
	}
	assert_null(growth_find(&history, &growth));
	assert_int_equal(growth.row_count, 2);
	assert_int_equal(growth.rows[0].node, two);
	assert_int_equal(growth.rows[1].node, one);
	assert_int_equal(growth.smaller.bytes, 100);
	end(&history, &growth);
}

/* What comes and goes is no growth, and is below what grew in every step even if that is less. */
static void test_steady_growth_comes_first(void **state)
{
	static const uint64_t jumps[SNAPSHOTS] = {100000, 500000, 300000};
	struct history history;
	struct growth growth;
	uint32_t app, steady, jumping, constant;

	(void)state;
	begin(&history);
	app = module(&history, "app");
	steady = node(&history, app, HOLDER_NAME, "steady", "bytearray");
	jumping = node(&history, app, HOLDER_NAME, "jumping", "bytearray");
	constant = node(&history, app, HOLDER_NAME, "constant", "bytearray");
	for (uint64_t i = 0; i < SNAPSHOTS; i++) {
		snapshot(&history);
		put(&history, steady, 1, 20000 * (i + 1), 0);
		put(&history, jumping, 1, jumps[i], 0);
		put(&history, constant, 1, i == 1 ? 900000 : 50000, 0);
	}
	assert_null(growth_find(&history, &growth));
	assert_int_equal(growth.row_count, 2);
	assert_int_equal(growth.rows[0].node, steady);
	assert_int_equal(growth.rows[1].node, jumping);
	assert_false(growth_is_steady(&growth, growth.rows[1].trend));
	end(&history, &growth);
}

static void check_random(void)
{
	static const enum holder_step steps[] = {HOLDER_NAME, HOLDER_ITEM, HOLDER_KEY,
						 HOLDER_LOCAL};
	struct history history;
	struct growth growth;
	int64_t bytes = 0, objects = 0, all_bytes = 0, all_objects = 0;
	uint32_t nodes[NODES];

	begin(&history);
	for (size_t i = 0; i < NODES; i++) {
		char label[16];

		snprintf(label, sizeof(label), "n%zu", i);
		nodes[i] = i < 3 ? module(&history, label)
				 : node(&history, nodes[(size_t)random() % i], steps[random() % 4],
					label, "list");
	}
	for (size_t i = 0; i < 2; i++) {
		snapshot(&history);
		for (size_t j = 0; j < NODES; j++) {
			uint64_t count = (uint64_t)random() % 100;
			uint64_t size = (uint64_t)random() % 100000;

			put(&history, nodes[j], count, size, (uint64_t)random() % 50);
			all_bytes += i ? (int64_t)size : -(int64_t)size;
			all_objects += i ? (int64_t)count : -(int64_t)count;
		}
	}
	assert_null(growth_find(&history, &growth));
	for (size_t i = 0; i < growth.row_count + growth.shrunk_count; i++) {
		const struct growth_row *row = i < growth.row_count
						       ? &growth.rows[i]
						       : &growth.shrunk[i - growth.row_count];

		bytes += row->delta.bytes;
		objects += row->delta.objects;
		assert_int_equal(i<growth.row_count, row->delta.bytes> 0);
	}
	assert_int_equal(growth.delta.bytes, all_bytes);
	assert_int_equal(growth.delta.objects, all_objects);
	assert_int_equal(bytes + growth.smaller.bytes, all_bytes);
	assert_int_equal(objects + growth.smaller.objects, all_objects);
	end(&history, &growth);
}

static void test_rows_add_up(void **state)
{
	(void)state;
	srandom(5);
	for (size_t i = 0; i < HEAPS; i++)
		check_random();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_container_takes_its_items),
		cmocka_unit_test(test_attribute_is_named),
		cmocka_unit_test(test_rows_are_apart),
		cmocka_unit_test(test_steady_growth_comes_first),
		cmocka_unit_test(test_rows_add_up),
	};

	return cmocka_run_group_tests_name("analysis/growth", tests, NULL, NULL);
}
