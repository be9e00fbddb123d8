/*
 * fnmatch() wants a string of the host that ends in a NUL; the target's text is neither. Only the
 * last star is gone back to: what an earlier one could take, the last one can take as well.
 */
#include "analysis/glob.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 14, NO_STAR = -1 };

enum glob_kind { GLOB_CHARACTER, GLOB_ANY, GLOB_STAR, GLOB_SET };

/* One part of a pattern. */
struct glob_item {
	enum glob_kind kind;
	bool negated;	    /* GLOB_SET */
	uint32_t character; /* GLOB_CHARACTER */
	size_t first, last; /* GLOB_SET: its ranges, [first, last) */
};

/* Characters of a set, both ends included. */
struct glob_range {
	uint32_t first, last;
};

/*
 * Reading a pattern
 */

/* Takes one character off the pattern; a byte that is no UTF-8 stands for itself. */
static uint32_t take(const char **pattern, bool as_bytes)
{
	const uint8_t *at = (const uint8_t *)*pattern;
	unsigned more = as_bytes || *at < 0xc0 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
	uint32_t character = more ? *at & (0x3fU >> more) : *at;

	for (unsigned i = 1; i <= more; i++) {
		if ((at[i] & 0xc0) != 0x80) {
			(*pattern)++;
			return *at;
		}
		character = character << 6 | (at[i] & 0x3f);
	}
	*pattern += more + 1;
	return character;
}

/* The same with a backslash taking the meaning off what follows. */
static uint32_t take_literal(const char **pattern, bool as_bytes)
{
	if (**pattern == '\\' && (*pattern)[1])
		(*pattern)++;
	return take(pattern, as_bytes);
}

/* The bracket that closes a set; NULL: none does. @param inside behind the opening one */
static const char *set_end(const char *inside)
{
	if (*inside == '!' || *inside == '^')
		inside++;
	if (*inside == ']')
		inside++;
	for (; *inside && *inside != ']'; inside++)
		if (*inside == '\\' && inside[1])
			inside++;
	return *inside ? inside : NULL;
}

static void take_set(struct glob *glob, struct glob_item *item, const char **pattern,
		     const char *end, bool as_bytes)
{
	*item = (struct glob_item){.kind = GLOB_SET, .first = glob->range_count};
	if (**pattern == '!' || **pattern == '^') {
		item->negated = true;
		(*pattern)++;
	}
	while (*pattern < end) {
		struct glob_range range;

		range.first = range.last = take_literal(pattern, as_bytes);
		if (**pattern == '-' && *pattern + 1 < end) {
			(*pattern)++;
			range.last = take_literal(pattern, as_bytes);
		}
		glob->ranges[glob->range_count++] = range;
	}
	item->last = glob->range_count;
	*pattern = end + 1;
}

static void take_item(struct glob *glob, const char **pattern, bool as_bytes)
{
	struct glob_item *item = &glob->items[glob->count++];
	const char *end = **pattern == '[' ? set_end(*pattern + 1) : NULL;

	if (end) {
		(*pattern)++;
		take_set(glob, item, pattern, end, as_bytes);
		return;
	}
	*item = (struct glob_item){.kind = **pattern == '*'   ? GLOB_STAR
					   : **pattern == '?' ? GLOB_ANY
							      : GLOB_CHARACTER};
	item->character = take_literal(pattern, as_bytes);
}

bool glob_compile(struct glob *glob, const char *pattern, bool as_bytes)
{
	size_t length = strlen(pattern);

	*glob = (struct glob){
		.items = calloc(length + 1, sizeof(*glob->items)),
		.ranges = calloc(length + 1, sizeof(*glob->ranges)),
	};
	if (!glob->items || !glob->ranges)
		return false;
	while (*pattern)
		take_item(glob, &pattern, as_bytes);
	return true;
}

void glob_clear(struct glob *glob)
{
	free(glob->items);
	free(glob->ranges);
	*glob = (struct glob){0};
}

/*
 * Matching
 */

/* The piece of the text that was read last. */
struct window {
	struct reader *reader;
	const struct str_view *text;
	const uint8_t *host;
	uint64_t start, end; /* in characters */
};

static bool read_character(struct window *window, uint64_t i, uint32_t *character)
{
	uint32_t width = window->text->width;
	uint16_t two;

	if (i < window->start || i >= window->end) {
		uint64_t left = window->text->length - i, count = left < PIECE ? left : PIECE;

		window->host = reader_at(window->reader, window->text->data + i * width,
					 (size_t)count * width);
		if (!window->host)
			return false;
		window->start = i;
		window->end = i + count;
	}
	i -= window->start;
	if (width == 1) {
		*character = window->host[i];
	} else if (width == 2) {
		memcpy(&two, window->host + i * width, sizeof(two));
		*character = two;
	} else {
		memcpy(character, window->host + i * width, sizeof(*character));
	}
	return true;
}

static bool in_set(const struct glob *glob, const struct glob_item *item, uint32_t character)
{
	for (size_t i = item->first; i < item->last; i++)
		if (character >= glob->ranges[i].first && character <= glob->ranges[i].last)
			return !item->negated;
	return item->negated;
}

static bool fits(const struct glob *glob, const struct glob_item *item, uint32_t character)
{
	switch (item->kind) {
	case GLOB_CHARACTER:
		return item->character == character;
	case GLOB_SET:
		return in_set(glob, item, character);
	case GLOB_ANY:
	case GLOB_STAR:
		break;
	}
	return item->kind == GLOB_ANY;
}

bool glob_match(const struct glob *glob, struct reader *reader, const struct str_view *text,
		uint64_t *budget)
{
	struct window window = {.reader = reader, .text = text};
	uint64_t at = 0, star_at = 0;
	int64_t star = NO_STAR;
	size_t item = 0;
	uint32_t character;

	while (at < text->length) {
		if (item < glob->count && glob->items[item].kind == GLOB_STAR) {
			star = (int64_t)item++;
			star_at = at;
			if (item == glob->count)
				return true;
			continue;
		}
		if (!*budget || !read_character(&window, at, &character))
			return false;
		--*budget;
		if (item < glob->count && fits(glob, &glob->items[item], character)) {
			item++;
			at++;
		} else if (star != NO_STAR) {
			item = (size_t)star + 1;
			at = ++star_at;
		} else {
			return false;
		}
	}
	while (item < glob->count && glob->items[item].kind == GLOB_STAR)
		item++;
	return item == glob->count;
}
