/*
 * Strings of a hostile target: on the terminal, and in JSON written by hand and by Jansson.
 */
#include "command/document.h"
#include "command/json_text.h"
#include "command/screen.h"
#include "command/utf8.h"
#include "cpython/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_decode_rejects_what_is_no_utf8(void **state)
{
	static const char *const bad[] = {
		"",
		"\x80",		    // continuation without a start
		"\xc0\xaf",	    // overlong slash
		"\xe0\x80\xaf",	    // overlong
		"\xf0\x80\x80\xaf", // overlong
		"\xed\xa0\x80",	    // surrogate
		"\xf4\x90\x80\x80", // above U+10FFFF
		"\xff",
		"\xc3",	    // cut
		"\xe2\x82", // cut
		"\xf0\x9f\x98",
	};
	uint32_t character;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(utf8_decode(bad[i], &character), 0);
}

static void test_every_character_survives_a_round_trip(void **state)
{
	(void)state;
	for (uint32_t c = 1; c <= 0x10ffff; c += c < 0x900 ? 1 : 61) {
		char buffer[5] = "";
		uint32_t back = 0;
		size_t length;

		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		length = utf8_encode(c, buffer);
		assert_int_equal(utf8_decode(buffer, &back), length);
		assert_int_equal(back, c);
	}
}

static void assert_clean(const char *text, bool utf8, const char *expected)
{
	char buffer[200];
	char *copy = utf8_clean_copy(text, utf8);

	utf8_clean(buffer, sizeof(buffer), text, utf8);
	assert_string_equal(buffer, expected);
	assert_non_null(copy);
	assert_string_equal(copy, expected);
	free(copy);
}

static void test_terminal_escapes_do_not_pass(void **state)
{
	(void)state;
	assert_clean("app.Session", true, "app.Session");
	assert_clean("\033]0;owned\007", true, "\\x1b]0;owned\\x07");
	assert_clean("a\nb\rc", true, "a\\nb\\x0dc");
	assert_clean("\xc2\x9b"
		     "31m",
		     true, "\\u009b31m"); // CSI as one character
	assert_clean("\x7f", true, "\\x7f");
	assert_clean("x\xe2\x80\xaey", true, "x\\u202ey"); // right to left
	assert_clean("\xff\xfe", true, "\\xff\\xfe");
	assert_clean("caf\xc3\xa9", true, "caf\xc3\xa9");
	assert_clean("caf\xc3\xa9", false, "caf\\u00e9");
	assert_clean("\xf0\x9f\x90\x8d", false, "\\U0001f40d");
}

static void test_clean_cuts_at_a_character(void **state)
{
	char buffer[10];

	(void)state;
	utf8_clean(buffer, sizeof(buffer), "123456789", true);
	assert_string_equal(buffer, "123456789");
	utf8_clean(buffer, sizeof(buffer), "1234567890", true);
	assert_string_equal(buffer, "123456...");
	utf8_clean(buffer, sizeof(buffer), "12345\xc3\xa9\xc3\xa9\xc3\xa9", true);
	assert_string_equal(buffer, "12345...");
	utf8_clean(buffer, sizeof(buffer), "12345\033\033", true);
	assert_string_equal(buffer, "12345...");
}

/** Random bytes: the result is always printable ASCII without `utf8`. */
static void test_clean_of_random_bytes_is_printable(void **state)
{
	unsigned random = 1;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		char text[64], buffer[40];
		size_t length;

		for (length = 0; length < sizeof(text) - 1; length++) {
			random = random * 1103515245 + 12345;
			text[length] = (char)(random >> 16);
		}
		text[length] = '\0';
		utf8_clean(buffer, sizeof(buffer), text, false);
		assert_true(strlen(buffer) < sizeof(buffer));
		for (const char *c = buffer; *c; c++)
			assert_true(*c >= 0x20 && *c < 0x7f);
	}
}

/** What json_text_string() writes is what Jansson reads, and it is ASCII. */
static void test_json_lines_are_read_back(void **state)
{
	static const char *const strings[][2] = {
		{"app.Session", "app.Session"},
		{"say \"hi\" \\o/", "say \"hi\" \\o/"},
		{"\033[31m\n\x7f", "\033[31m\n\x7f"},
		{"caf\xc3\xa9 \xf0\x9f\x90\x8d", "caf\xc3\xa9 \xf0\x9f\x90\x8d"},
		{"bad \xff\xc3", "bad \xef\xbf\xbd\xef\xbf\xbd"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		struct json_text line = {0};
		json_t *parsed;

		json_text_string(&line, strings[i][0]);
		assert_false(line.failed);
		for (size_t j = 0; j < line.length; j++)
			assert_true(line.bytes[j] >= 0x20 && line.bytes[j] < 0x7f);
		parsed = json_loadb(line.bytes, line.length, JSON_DECODE_ANY, NULL);
		assert_non_null(parsed);
		assert_string_equal(json_string_value(parsed), strings[i][1]);
		json_decref(parsed);
		json_text_clear(&line);
	}
}

static void test_json_line_numbers(void **state)
{
	struct json_text line = {0};

	(void)state;
	json_text_count(&line, 0);
	json_text_raw(&line, " ");
	json_text_count(&line, UINT64_MAX);
	json_text_raw(&line, " ");
	json_text_integer(&line, INT64_MIN);
	json_text_raw(&line, " ");
	json_text_address(&line, 0);
	json_text_address(&line, UINT64_MAX);
	json_text_string(&line, NULL);
	json_text_bytes(&line, "", 1);
	assert_string_equal(line.bytes, "0 18446744073709551615 -9223372036854775808 "
					"\"0x0\"\"0xffffffffffffffff\"null");
	json_text_clear(&line);
}

static void test_document_strings_are_valid(void **state)
{
	struct document document;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	document_init(&document);
	document_set_string(&document, document.root, "b", "x\xff\033");
	document_set_string(&document, document.root, "a", NULL);
	document_set_address(&document, document.root, "c", 0x7f3c12a4e0d0);
	assert_false(document.failed);
	assert_true(document_write(&document, out));
	fclose(out);
	assert_string_equal(text, "{\n  \"b\": \"x\\uFFFD\\u001B\",\n  \"a\": null,\n"
				  "  \"c\": \"0x7f3c12a4e0d0\"\n}\n");
	free(text);
	document_clear(&document);
}

static void test_paragraphs_break_between_pieces(void **state)
{
	char *text = NULL;
	size_t size;
	struct screen screen = {.out = open_memstream(&text, &size), .columns = 20};
	struct paragraph paragraph = paragraph_begin(&screen, 2);

	(void)state;
	paragraph_add(&paragraph, ", ", "aaaaaaaa");
	paragraph_add(&paragraph, ", ", "bbbbbbbb");
	paragraph_add(&paragraph, ", ", "cccccccc");
	paragraph_add(&paragraph, "   ", "%s", "a piece that is longer than a line");
	paragraph_end(&paragraph);
	fclose(screen.out);
	assert_string_equal(text, "  aaaaaaaa, bbbbbbbb,\n  cccccccc\n"
				  "  a piece that is longer than a line\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_rejects_what_is_no_utf8),
		cmocka_unit_test(test_every_character_survives_a_round_trip),
		cmocka_unit_test(test_terminal_escapes_do_not_pass),
		cmocka_unit_test(test_clean_cuts_at_a_character),
		cmocka_unit_test(test_clean_of_random_bytes_is_printable),
		cmocka_unit_test(test_json_lines_are_read_back),
		cmocka_unit_test(test_json_line_numbers),
		cmocka_unit_test(test_document_strings_are_valid),
		cmocka_unit_test(test_paragraphs_break_between_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
