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

static void test_addresses(void **state)
{
	static const char *const bad[] = {
		"", "0x", "x12", "0xfg", "12a", "-1", "0x 1", " 1", "0x10000000000000000"};
	uint64_t number = 7;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(units_parse_address(bad[i], &number));
	assert_int_equal(number, 7);
	assert_true(units_parse_address("0x7f3C12a4e0d0", &number));
	assert_true(number == 0x7f3c12a4e0d0);
	assert_true(units_parse_address("0XffffFFFFffffFFFF", &number));
	assert_true(number == UINT64_MAX);
	assert_true(units_parse_address("140", &number));
	assert_true(number == 140);
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{"0", 0},
		{"4096", 4096},
		{"12B", 12},
		{"64K", 65536},
		{"64k", 65536},
		{"2KiB", 2048},
		{"1.5M", 3 << 19},
		{"1.25GB", UINT64_C(5) << 28},
		{"2T", UINT64_C(1) << 41},
	};
	static const char *const bad[] = {"",	"K",	"1.", "1.K", ".5K",  "1.5",
					  "1X", "1KB ", "-1", "16E", "1KiBB"};
	uint64_t bytes = 7;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(units_parse_size(bad[i], &bytes));
	assert_int_equal(bytes, 7);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_true(units_parse_size(good[i].text, &bytes));
		assert_true(bytes == good[i].bytes);
	}
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
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
