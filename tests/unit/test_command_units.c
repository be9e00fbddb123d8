/*
 * Numbers for people, and numbers from people.
 */
#include "command/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_counts_have_separators(void **state)
{
	(void)state;
	assert_string_equal(units_count(0).text, "0");
	assert_string_equal(units_count(999).text, "999");
	assert_string_equal(units_count(1000).text, "1,000");
	assert_string_equal(units_count(1204331).text, "1,204,331");
	assert_string_equal(units_count(UINT64_MAX).text, "18,446,744,073,709,551,615");
}

static void test_nouns_have_numbers(void **state)
{
	(void)state;
	assert_string_equal(units_plural(0, "object").text, "0 objects");
	assert_string_equal(units_plural(1, "object").text, "1 object");
	assert_string_equal(units_plural(1000, "cycle").text, "1,000 cycles");
}

static void test_bytes_have_units(void **state)
{
	(void)state;
	assert_string_equal(units_bytes(0).text, "0 B");
	assert_string_equal(units_bytes(1023).text, "1023 B");
	assert_string_equal(units_bytes(1024).text, "1.0 KiB");
	assert_string_equal(units_bytes(1536).text, "1.5 KiB");
	assert_string_equal(units_bytes(10239).text, "10 KiB");
	assert_string_equal(units_bytes(412ull << 20).text, "412 MiB");
	assert_string_equal(units_bytes((3ull << 30) + (100ull << 20)).text, "3.1 GiB");
	assert_string_equal(units_bytes(UINT64_MAX).text, "16 EiB");
}

/** What rounds to 1024 of a unit is one of the next. */
static void test_bytes_carry_into_the_next_unit(void **state)
{
	(void)state;
	assert_string_equal(units_bytes(1024 * 1024 - 1).text, "1.0 MiB");
	assert_string_equal(units_bytes(1023 * 1024).text, "1023 KiB");
	assert_string_equal(units_bytes((1ull << 30) - 1).text, "1.0 GiB");
}

/** A share never claims to be whole when something is missing. */
static void test_shares_do_not_round_to_the_whole(void **state)
{
	(void)state;
	assert_string_equal(units_share(10, 10).text, "100 %");
	assert_string_equal(units_share(0, 10).text, "0 %");
	assert_string_equal(units_share(0, 0).text, "100 %");
	assert_string_equal(units_share(9999999, 10000000).text, "99.99 %");
	assert_string_equal(units_share(9998, 10000).text, "99.98 %");
	assert_string_equal(units_share(9843, 10000).text, "98.4 %");
	assert_string_equal(units_share(713, 1000).text, "71 %");
	assert_string_equal(units_share(1, 10000000).text, "under 0.01 %");
}

static void test_parse_takes_whole_decimal_numbers_only(void **state)
{
	static const char *const bad[] = {"",
					  "-1",
					  " 1",
					  "1 ",
					  "0x10",
					  "1e3",
					  "1,0",
					  "abc",
					  "1.5",
					  "+1",
					  "18446744073709551616"};
	uint64_t number = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(units_parse(bad[i], &number));
	assert_int_equal(number, 7);
	assert_true(units_parse("0", &number));
	assert_int_equal(number, 0);
	assert_true(units_parse("18446744073709551615", &number));
	assert_true(number == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_have_separators),
		cmocka_unit_test(test_nouns_have_numbers),
		cmocka_unit_test(test_bytes_have_units),
		cmocka_unit_test(test_bytes_carry_into_the_next_unit),
		cmocka_unit_test(test_shares_do_not_round_to_the_whole),
		cmocka_unit_test(test_parse_takes_whole_decimal_numbers_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
