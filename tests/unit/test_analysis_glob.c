/*
 * Patterns over text of a target: fnmatch() is the judge where it can be, and text that is damaged
 * matches nothing and ends.
 */
#include "analysis/glob.h"

#include <elf.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { BASE = 0x100000, MEMORY = 1 << 18, ROUNDS = 200000 };

/* Memory of a target that holds one text. */
struct memory {
	struct image *image;
	struct reader reader;
	uint8_t bytes[MEMORY];
};

static int make_memory(void **state)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	assert_non_null(memory);
	memory->image = image_create();
	assert_null(image_add(memory->image, BASE, MEMORY, memory->bytes, PF_R, SEGMENT_CORE));
	assert_null(image_finish(memory->image));
	reader_init(&memory->reader, memory->image);
	*state = memory;
	return 0;
}

static int free_memory(void **state)
{
	struct memory *memory = *state;

	image_destroy(memory->image);
	free(memory);
	return 0;
}

static bool match(struct memory *memory, const char *pattern, bool as_bytes,
		  const struct str_view *view)
{
	uint64_t budget = UINT64_C(1) << 40;
	struct glob glob;
	bool matches;

	assert_true(glob_compile(&glob, pattern, as_bytes));
	matches = glob_match(&glob, &memory->reader, view, &budget);
	glob_clear(&glob);
	return matches;
}

static bool match_text(struct memory *memory, const char *pattern, const char *text)
{
	const struct str_view view = {.data = BASE, .length = strlen(text), .width = 1};

	memcpy(memory->bytes, text, strlen(text));
	return match(memory, pattern, true, &view);
}

static void random_word(char *word, size_t max, const char *alphabet)
{
	size_t length = (size_t)rand() % max;

	for (size_t i = 0; i < length; i++)
		word[i] = alphabet[(size_t)rand() % strlen(alphabet)];
	word[length] = '\0';
}

static void patterns_mean_what_fnmatch_says(void **state)
{
	char pattern[12], text[16];

	srand(1);
	for (int i = 0; i < ROUNDS; i++) {
		random_word(pattern, sizeof(pattern), i % 2 ? "ab*?" : "ab*?[]!-");
		random_word(text, sizeof(text), i % 2 ? "ab" : "ab[]-!");
		/* What an open bracket means is not the same in all of them. */
		if (strchr(pattern, '[') && i % 4)
			continue;
		if (strstr(pattern, "-]") || strstr(pattern, "]-") || strstr(pattern, "[-"))
			continue;
		if (match_text(*state, pattern, text) != !fnmatch(pattern, text, 0))
			fail_msg("'%s' and '%s'", pattern, text);
	}
}

static void sets_and_escapes_are_known(void **state)
{
	assert_true(match_text(*state, "[a-c]x", "bx"));
	assert_false(match_text(*state, "[a-c]x", "dx"));
	assert_true(match_text(*state, "[!a-c]x", "dx"));
	assert_true(match_text(*state, "[]x]", "]"));
	assert_true(match_text(*state, "[a-]", "-"));
	assert_true(match_text(*state, "[", "["));
	assert_true(match_text(*state, "[ab", "[ab"));
	assert_true(match_text(*state, "\\*\\?\\[", "*?["));
	assert_false(match_text(*state, "\\*", "x"));
	assert_true(match_text(*state, "\\", "\\"));
	assert_true(match_text(*state, "", ""));
	assert_false(match_text(*state, "", "x"));
	assert_true(match_text(*state, "***", ""));
}

static void characters_are_those_of_the_text(void **state)
{
	struct memory *memory = *state;
	const uint16_t two[] = {'a', 0x20ac, 0, 'z'};
	const uint32_t four[] = {0x1f600, 'a'};
	struct str_view view = {.data = BASE, .length = 4, .width = 2};

	memcpy(memory->bytes, two, sizeof(two));
	assert_true(match(memory, "a\u20ac?z", false, &view));
	assert_true(match(memory, "a[\u20a0-\u20b0]*z", false, &view));
	assert_false(match(memory, "a?z", false, &view));
	memcpy(memory->bytes, four, sizeof(four));
	view.width = 4;
	view.length = 2;
	assert_true(match(memory, "\U0001f600a", false, &view));
	memory->bytes[0] = 0xe9;
	view.width = 1;
	view.length = 1;
	assert_true(match(memory, "\u00e9", false, &view));
	assert_true(match(memory, "\xe9", false, &view));
	assert_false(match(memory, "\u00e9", true, &view));
}

static void long_text_is_read_in_pieces(void **state)
{
	struct memory *memory = *state;
	struct str_view view = {.data = BASE, .length = 100000, .width = 1};

	memset(memory->bytes, 'x', view.length);
	memory->bytes[99990] = 'y';
	assert_true(match(memory, "x*xyx*", true, &view));
	assert_false(match(memory, "x*xyy*", true, &view));
	assert_true(match(memory, "*x?xxxxxxxxx", true, &view));
	view.data += 16380;
	view.length = 4;
	assert_true(match(memory, "xxxx", true, &view));
}

static void text_that_is_not_there_does_not_match(void **state)
{
	struct memory *memory = *state;
	struct str_view view = {.data = BASE + MEMORY + 4096, .length = INT64_MAX / 4, .width = 4};
	uint64_t budget = 1000;
	struct glob glob;

	assert_false(match(memory, "*x", false, &view));
	view.data = UINT64_MAX - 8;
	assert_false(match(memory, "*x", false, &view));
	view = (struct str_view){.data = BASE, .length = MEMORY, .width = 1};
	memset(memory->bytes, 'a', MEMORY);
	assert_true(glob_compile(&glob, "*aaaaaaaaaaaaaaab*", true));
	assert_false(glob_match(&glob, &memory->reader, &view, &budget));
	assert_int_equal(budget, 0);
	glob_clear(&glob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(patterns_mean_what_fnmatch_says, make_memory,
						free_memory),
		cmocka_unit_test_setup_teardown(sets_and_escapes_are_known, make_memory,
						free_memory),
		cmocka_unit_test_setup_teardown(characters_are_those_of_the_text, make_memory,
						free_memory),
		cmocka_unit_test_setup_teardown(long_text_is_read_in_pieces, make_memory,
						free_memory),
		cmocka_unit_test_setup_teardown(text_that_is_not_there_does_not_match, make_memory,
						free_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
