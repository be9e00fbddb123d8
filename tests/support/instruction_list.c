/*
 * Makes the list of instructions from the templates of instruction_table.c.
 */
#include "support/instruction_table.h"

#include "traverse/emulator_flags.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct list {
	struct instruction_line *lines;
	size_t count, capacity;
};

static void add_line(struct list *list, const char *text, uint32_t undefined)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 1024;
		list->lines = realloc(list->lines, list->capacity * sizeof(*list->lines));
		if (!list->lines)
			abort();
	}
	struct instruction_line *line = &list->lines[list->count++];
	snprintf(line->text, sizeof(line->text), "%s", text);
	line->undefined = undefined;
}

/*
 * Operands: each letter has a few spellings, by width where it is a general register
 */

enum { SPELLINGS = 4 };

static const char *general_spelling(char letter, char width, size_t number)
{
	static const char *const names[][4][SPELLINGS] = {
		// b, w, l, q
		{{"%sil", "%r14b", "%al"},
		 {"%si", "%r14w", "%ax"},
		 {"%esi", "%r14d", "%eax"},
		 {"%rsi", "%r14", "%rax"}},
		{{"%dil", "%r12b"}, {"%di", "%r12w"}, {"%edi", "%r12d"}, {"%rdi", "%r12"}},
		{{"%al", "%r9b", "%dl"},
		 {"%ax", "%r9w", "%dx"},
		 {"%eax", "%r9d", "%edx"},
		 {"%rax", "%r9", "%rdx"}},
	};

	return names[letter == 'r'   ? 0
		     : letter == 's' ? 1
				     : 2][strchr("bwlq", width) - "bwlq"][number];
}

static const char *immediate_spelling(char width, size_t number)
{
	static const char *const values[][SPELLINGS] = {
		{"$1", "$-5", "$0x7f"},	      {"$1", "$-5", "$0x1234"},
		{"$1", "$-5", "$0x12345678"}, {"$1", "$-5", "$0x12345678", "$-0x80000000"},
		{"$0x1b", "$0xe4", "$0x93"}, // vectors
	};

	const char *position = strchr("bwlq", width);

	return values[position ? position - "bwlq" : 4][number];
}

static const char *vector_spelling(char letter, char width, size_t number)
{
	static const char *const names[][3] = {{"%xmm1", "%ymm1", "%zmm1"},
					       {"%xmm9", "%ymm9", "%zmm9"},
					       {"%xmm2", "%ymm2", "%zmm17"}};

	if (number)
		return NULL;
	return names[letter - 'x'][width == 'x' ? 0 : width == 'y' ? 1 : 2];
}

// @return NULL behind the last spelling
static const char *spelling(char letter, char width, size_t number)
{
	static const char *const memory[SPELLINGS] = {"(%rbx)", "24(%rbx,%rcx,4)", "-9(%rbx,%rcx)"};
	static const char *const small[SPELLINGS] = {"$1", "$5", "$7", "$3"};

	if (number >= SPELLINGS)
		return NULL;
	switch (letter) {
	case 'm':
		return memory[number];
	case 'a':
		return number ? NULL : "16(%rbp)";
	case 'n':
		return small[number];
	case 'i':
		return immediate_spelling(width, number);
	case '1':
		return number ? NULL : "$1";
	case 'c':
		return number ? NULL : "%cl";
	case 'x':
	case 'y':
	case 'z':
		return vector_spelling(letter, width, number);
	default:
		return general_spelling(letter, width, number);
	}
}

// Adds all spellings of the operands of a form behind `text`.
static void expand_operands(struct list *list, const char *text, const char *form, char width,
			    uint32_t undefined)
{
	char longer[128];

	if (!*form) {
		add_line(list, text, undefined);
		return;
	}
	for (size_t i = 0; spelling(*form, width, i); i++) {
		snprintf(longer, sizeof(longer), "%s%s%s", text,
			 strchr(text, '%') || strchr(text, '$') ? ", " : " ",
			 spelling(*form, width, i));
		expand_operands(list, longer, form + 1, width, undefined);
	}
}

// Cuts the next word off a list of words.
static bool next_word(const char **words, char *word, size_t size)
{
	*words += strspn(*words, " ");
	size_t length = strcspn(*words, " ");

	snprintf(word, size, "%.*s", (int)length, *words);
	*words += length;
	return length;
}

static void expand_family(struct list *list, const struct family *family)
{
	char mnemonic[32], form[16], text[64];

	for (const char *names = family->mnemonics; next_word(&names, mnemonic, sizeof(mnemonic));)
		for (const char *forms = family->forms; next_word(&forms, form, sizeof(form));)
			for (const char *width = family->widths; *width; width++) {
				bool suffix = strchr("bwlq", *width);

				snprintf(text, sizeof(text), "%s%.*s", mnemonic, suffix, width);
				expand_operands(list, text, form, *width, family->undefined);
			}
}

static void expand_conditions(struct list *list)
{
	static const char *const conditions[] = {"o", "no", "b", "ae", "e", "ne", "be", "a",
						 "s", "ns", "p", "np", "l", "ge", "le", "g"};
	char text[96];

	for (size_t i = 0; i < 16; i++) {
		const char *name = conditions[i];

		snprintf(text, sizeof(text), "set%s %%al", name);
		add_line(list, text, 0);
		snprintf(text, sizeof(text), "set%s (%%rbx)", name);
		add_line(list, text, 0);
		snprintf(text, sizeof(text), "j%s 1f; inc %%rax; 1:", name);
		add_line(list, text, 0);
		snprintf(text, sizeof(text), "cmpl %%esi, %%edi; j%s 1f; inc %%rax; 1:", name);
		add_line(list, text, 0);
	}
}

// Flags that a line of its own leaves undefined; processors differ in them.
static uint32_t undefined_flags(const char *line)
{
	if (strstr(line, "div"))
		return FLAG_ALL;
	if (strstr(line, "bt"))
		return INSTRUCTION_COUNT_FLAGS;
	if (!strncmp(line, "rol", 3) || !strncmp(line, "ror", 3))
		return FLAG_OVERFLOW; // defined for a count of 1 only
	return 0;
}

static void expand(struct list *list, const struct family *families, const char *const *lines)
{
	for (; families->mnemonics; families++)
		expand_family(list, families);
	for (; lines && *lines; lines++)
		add_line(list, *lines, undefined_flags(*lines));
}

struct instruction_line *instruction_list(size_t *count)
{
	struct list list = {0};

	__builtin_cpu_init();
	expand(&list, basic_templates, basic_lines);
	expand(&list, sse2_templates, NULL);
	expand_conditions(&list);
	if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt"))
		expand(&list, sse4_templates, sse4_lines);
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
		expand(&list, avx2_templates, avx2_lines);
	if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
		expand(&list, avx512_templates, avx512_lines);
	*count = list.count;
	return list.lines;
}
