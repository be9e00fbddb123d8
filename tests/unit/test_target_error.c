/* Errors as values, the list of what is missing, and how work is interrupted. */
#include "target/coverage.h"
#include "target/progress.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include <string.h>

static void test_messages(void **state)
{
	struct error *err = error_create(ERROR_USAGE, "no %s %d", "file", 3);

	(void)state;
	assert_int_equal(err->code, ERROR_USAGE);
	assert_string_equal(err->message, "no file 3");
	assert_false(err->has_address);
	error_free(err);

	err = error_create_at(ERROR_NOT_PYTHON, 0xffffffff00000010, "list is broken");
	assert_int_equal(err->code, ERROR_NOT_PYTHON);
	assert_string_equal(err->message, "list is broken at 0xffffffff00000010");
	assert_true(err->has_address);
	assert_true(err->address == 0xffffffff00000010);
	error_free(err);

	err = error_system(ENOENT, "%s", "core.1");
	assert_int_equal(err->code, ERROR_GENERAL);
	assert_string_equal(err->message, "core.1: No such file or directory");
	error_cleanup(&err);
	assert_null(err);
}

static void test_message_is_one_line(void **state)
{
	struct error *err = error_create(ERROR_GENERAL, "%s: gone", "a\nb\x1b[31m");

	(void)state;
	assert_string_equal(err->message, "a?b?[31m: gone");
	error_free(err);
	err = error_system(EPERM, "x\ty");
	assert_string_equal(err->message, "x?y: Operation not permitted");
	error_free(err);
}

static void test_free_nothing(void **state)
{
	(void)state;
	error_free(NULL);
	error_free(&error_no_memory);
	assert_string_equal(error_no_memory.message, "out of memory");
	assert_int_equal(error_no_memory.code, ERROR_GENERAL);
}

static void test_coverage(void **state)
{
	struct coverage coverage = {0};

	(void)state;
	assert_true(coverage_complete(&coverage));
	coverage_add(&coverage, PROBLEM_NOTE, "unverified-file", "%s", "a.so");
	assert_true(coverage_complete(&coverage));
	coverage_add(&coverage, PROBLEM_NOTE, "missing-file", "%s", "b.so");
	coverage_add(&coverage, PROBLEM_NOTE, "missing-file", "%s", "c\n.so");
	coverage_add(&coverage, PROBLEM_PARTIAL, "missing-file", "%s", "b.so");
	assert_int_equal(coverage.count, 3);
	assert_false(coverage_complete(&coverage));
	assert_int_equal(coverage.problems[1].level, PROBLEM_PARTIAL);
	assert_string_equal(coverage.problems[1].kind, "missing-file");
	assert_string_equal(coverage.problems[1].detail, "b.so");
	assert_string_equal(coverage.problems[2].detail, "c?.so");
	coverage_clear(&coverage);
	assert_int_equal(coverage.count, 0);
	assert_true(coverage_complete(&coverage));
}

static void test_coverage_is_bounded(void **state)
{
	struct coverage coverage = {0};

	(void)state;
	for (int i = 0; i < 5000; i++)
		coverage_add(&coverage, PROBLEM_NOTE, "damaged-list", "at %d", i);
	assert_in_range(coverage.count, 100, 1100);
	assert_string_equal(coverage.problems[coverage.count - 1].kind, "more-problems");
	assert_true(coverage_complete(&coverage));
	coverage_add(&coverage, PROBLEM_PARTIAL, "truncated-core", "core");
	assert_false(coverage_complete(&coverage));
	coverage_clear(&coverage);
}

static bool yes(void *context)
{
	(void)context;
	return true;
}

static void count_report(void *context, const char *phase, uint64_t done, uint64_t total)
{
	assert_string_equal(phase, "reading");
	assert_true(done == 3 && total == 7);
	++*(int *)context;
}

static void test_progress(void **state)
{
	int reports = 0;
	struct progress report = {.report = count_report, .context = &reports};
	struct progress stop = {.interrupted = yes}, nothing = {0};
	struct error *err;

	(void)state;
	assert_null(progress_step(NULL, "reading", 3, 7));
	assert_null(progress_step(&nothing, "reading", 3, 7));
	assert_null(progress_step(&report, "reading", 3, 7));
	assert_int_equal(reports, 1);
	err = progress_step(&stop, "reading", 3, 7);
	assert_non_null(err);
	assert_int_equal(err->code, ERROR_INTERRUPTED);
	error_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_message_is_one_line),
		cmocka_unit_test(test_free_nothing),
		cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_coverage_is_bounded),
		cmocka_unit_test(test_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
