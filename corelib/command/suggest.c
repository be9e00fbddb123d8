/*
 * The edit distance of two words (Levenshtein, with swapped neighbours as one step), for hints
 * after a mistyped command or option.
 */
#include "command/suggest.h"

#include <string.h>

enum { WORD_MAX = 32 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

static unsigned edit_distance(const char *a, const char *b)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];
	size_t rows_count = strlen(a), columns = strlen(b);

	if (rows_count > WORD_MAX || columns > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= columns; j++)
		above[j] = (unsigned)j;
	for (size_t i = 1; i <= rows_count; i++) {
		unsigned *spare = before;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= columns; j++) {
			row[j] = min3(above[j] + 1, row[j - 1] + 1,
				      above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[columns];
}

void suggestion_offer(struct suggestion *suggestion, const char *typed, const char *known)
{
	unsigned distance = edit_distance(typed, known);
	size_t length = strlen(known);

	// One mistake in three letters; a beginning of the word counts as near.
	if (strlen(typed) >= 3 && !strncmp(typed, known, strlen(typed)))
		distance = distance > 1 ? 1 : distance;
	if (distance > (length < 6 ? 1 + (length > 3) : length / 3))
		return;
	if (!suggestion->word || distance < suggestion->distance) {
		suggestion->word = known;
		suggestion->distance = distance;
	}
}
