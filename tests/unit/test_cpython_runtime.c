/* Runtimes made of bytes: every layout row is found, chosen and verified; damage is refused with
 * words. */
#include "support/fake_python.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void each_row(void (*check)(const struct layout_row *row))
{
	for (size_t i = 0; i < layout_row_count; i++)
		check(&layout_rows[i]);
}

static void check_opens(const struct layout_row *row)
{
	struct fake_python *fake = fake_create(row);
	struct runtime *runtime;
	struct error *err;

	fake_put32(fake, fake_list(fake, 0) + row->layout.gc_generation_threshold, 700);
	fake_put32(fake, fake_list(fake, 2) + row->layout.gc_generation_count, 3);
	fake_put32(fake, fake_gc(fake) + row->layout.gc_enabled, 1);
	err = runtime_open(fake_target(fake), &runtime);
	if (err)
		fail_msg("%s: %s", row->name, err->message);
	assert_int_equal(runtime->minor, row->hexversion >> 16 & 0xff);
	assert_int_equal(runtime->interpreter_count, 1);
	assert_int_equal(runtime->interpreters[0].address, fake_interpreter(fake));
	assert_int_equal(runtime->interpreters[0].gc, fake_gc(fake));
	assert_true(runtime->interpreters[0].gc_enabled);
	assert_false(runtime->interpreters[0].collecting);
	assert_int_equal(runtime->interpreters[0].generations[0].threshold, 700);
	assert_int_equal(runtime->interpreters[0].generations[2].count, 3);
	for (int i = 0; i < GENERATION_LISTS; i++)
		assert_int_equal(runtime->interpreters[0].generations[i].head, fake_list(fake, i));
	runtime_close(runtime);
	fake_destroy(fake);
}

static void test_every_row_opens(void **state)
{
	(void)state;
	each_row(check_opens);
}

/* A distribution's alignment of PyGC_Head moves `generations`; generation0 tells. */
static void check_moved_generations(const struct layout_row *row)
{
	struct layout_row moved = *row;
	struct fake_python *fake;
	struct runtime *runtime;
	struct error *err;

	if (!layout_has(row->layout.gc_generation0))
		return;
	moved.layout.gc_generations = row->layout.gc_generations == 24 ? 20 : 24;
	/* Where that would overlap generation0 itself there is no such build. */
	if (moved.layout.gc_generations + 3 * row->layout.gc_generation_size >
	    row->layout.gc_permanent_generation)
		return;
	fake = fake_create(&moved);
	err = runtime_open(fake_target(fake), &runtime);
	if (err)
		fail_msg("%s: %s", row->name, err->message);
	assert_int_equal(runtime->interpreters[0].generations[1].head, fake_list(fake, 1));
	runtime_close(runtime);
	fake_destroy(fake);
}

static void test_generations_are_found_where_they_are(void **state)
{
	(void)state;
	each_row(check_moved_generations);
}

static void expect_refusal(struct fake_python *fake, const char *words)
{
	struct runtime *runtime;
	struct error *err = runtime_open(fake_target(fake), &runtime);

	assert_non_null(err);
	assert_null(runtime);
	assert_int_equal(err->code, ERROR_NOT_PYTHON);
	if (!strstr(err->message, words))
		fail_msg("'%s' lacks '%s'", err->message, words);
	error_free(err);
	fake_destroy(fake);
}

static void check_broken_list(const struct layout_row *row)
{
	struct fake_python *fake = fake_create(row);

	fake_put64(fake, fake_list(fake, 1) + row->layout.PyGC_Head__gc_next, 0x1000);
	expect_refusal(fake, "does not hold together");
}

static void test_broken_list_is_refused(void **state)
{
	(void)state;
	each_row(check_broken_list);
}

static void check_uninitialised(const struct layout_row *row)
{
	struct fake_python *fake = fake_create(row);

	fake_put64(fake, fake_runtime(fake) + row->layout.PyRuntime_interpreters_head, 0);
	expect_refusal(fake, "no interpreter is initialised");
}

static void test_uninitialised_runtime_is_refused(void **state)
{
	(void)state;
	each_row(check_uninitialised);
}

/* The newest row stands for releases that have the table of offsets. */
static const struct layout_row *newest(void)
{
	return &layout_rows[layout_row_count - 1];
}

static void test_free_threaded_is_refused(void **state)
{
	struct fake_python *fake = fake_create(newest());

	(void)state;
	fake_put64(fake, fake_runtime(fake) + newest()->layout.DebugOffsets_free_threaded, 1);
	expect_refusal(fake, "free-threaded");
}

static void test_unknown_minor_is_named(void **state)
{
	struct fake_python *fake = fake_create(newest());

	(void)state;
	fake_put64(fake, fake_runtime(fake) + newest()->layout.DebugOffsets_version, 0x035800f0);
	expect_refusal(fake, "CPython 3.88.0 found");
}

/* A later micro release of a known minor uses its row, unless its own table says that it differs.
 */
static void test_later_micro_uses_the_row(void **state)
{
	struct fake_python *fake = fake_create(newest());
	struct runtime *runtime;
	struct error *err;

	(void)state;
	fake_put64(fake, fake_runtime(fake) + newest()->layout.DebugOffsets_version,
		   (newest()->hexversion & 0xffff0000) | 0x63f0);
	err = runtime_open(fake_target(fake), &runtime);
	assert_null(err);
	assert_string_equal(runtime->layout_source, newest()->name);
	runtime_close(runtime);
	fake_destroy(fake);
}

static void test_other_type_size_is_refused(void **state)
{
	struct fake_python *fake = fake_create(newest());

	(void)state;
	fake_put64(fake, fake_runtime(fake) + newest()->layout.DebugOffsets_PyTypeObject_size, 999);
	expect_refusal(fake, "layout is not known");
}

/* 3.14.0-3.14.4: 24 bytes less, no pointer to generation 0. */
static void test_incremental_gc_is_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < layout_row_count; i++) {
		struct layout_row row = layout_rows[i];
		struct fake_python *fake;
		struct runtime *runtime;
		struct error *err;

		if (row.hexversion >> 16 != 0x030e)
			continue;
		row.layout.gc_size = 240;
		row.layout.gc_generation0 = LAYOUT_ABSENT;
		fake = fake_create(&row);
		err = runtime_open(fake_target(fake), &runtime);
		if (err)
			fail_msg("%s", err->message);
		assert_true(runtime->incremental_gc);
		assert_int_equal(runtime->interpreters[0].generations[2].head, fake_list(fake, 2));
		runtime_close(runtime);
		fake_destroy(fake);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_opens),
		cmocka_unit_test(test_generations_are_found_where_they_are),
		cmocka_unit_test(test_broken_list_is_refused),
		cmocka_unit_test(test_uninitialised_runtime_is_refused),
		cmocka_unit_test(test_free_threaded_is_refused),
		cmocka_unit_test(test_unknown_minor_is_named),
		cmocka_unit_test(test_later_micro_uses_the_row),
		cmocka_unit_test(test_other_type_size_is_refused),
		cmocka_unit_test(test_incremental_gc_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
