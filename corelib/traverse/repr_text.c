/*
 * repr of str, bytes and bytearray, escaped as Objects/unicodeobject.c unicode_repr() and
 * bytesobject.c PyBytes_Repr() do.
 */
#include "traverse/repr_private.h"

#include <inttypes.h>

/* Include/cpython/bytearrayobject.h: ob_alloc, ob_bytes, ob_start. */
enum { WORD = sizeof(uint64_t), BYTEARRAY_START = 2 * WORD, ASCII_END = 0x7f, LATIN1_END = 0x100 };

/* Adds the class of a subclass and what stands for a hidden value. @return false if it is not
 * hidden */
static bool hidden(struct repr *repr, const struct type *type, uint64_t length)
{
	if (!repr->options.redact)
		return false;
	repr_add_class(repr, type);
	repr_addf(repr, "[%" PRIu64 "]", length);
	return true;
}

/*
 * What str.isprintable() says no to, but for space. Characters that no version of Unicode has
 * assigned yet count as printable here: which these are depends on the release.
 */
static const struct {
	uint32_t first, last;
} unprintable[] = {
	{0x0, 0x1f},	    {0x7f, 0xa0},	{0xad, 0xad},	    {0x600, 0x605},
	{0x61c, 0x61c},	    {0x6dd, 0x6dd},	{0x70f, 0x70f},	    {0x890, 0x891},
	{0x8e2, 0x8e2},	    {0x1680, 0x1680},	{0x180e, 0x180e},   {0x2000, 0x200f},
	{0x2028, 0x202f},   {0x205f, 0x2064},	{0x2066, 0x206f},   {0x3000, 0x3000},
	{0xd800, 0xf8ff},   {0xfdd0, 0xfdef},	{0xfeff, 0xfeff},   {0xfff9, 0xfffb},
	{0xfffe, 0xffff},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
	{0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff}, {0x2fffe, 0x2ffff},
	{0x3fffe, 0xdffff}, {0xe0001, 0xe0001}, {0xe0020, 0xe007f}, {0xefffe, 0x10ffff},
};

static bool is_printable(uint32_t c)
{
	size_t low = 0, high = sizeof(unprintable) / sizeof(unprintable[0]);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (unprintable[middle].last < c)
			low = middle + 1;
		else
			high = middle;
	}
	return low == sizeof(unprintable) / sizeof(unprintable[0]) || c < unprintable[low].first;
}

static void add_escaped(struct repr *repr, uint32_t c, uint32_t mark)
{
	if (c == mark || c == '\\')
		repr_addf(repr, "\\%c", (char)c);
	else if (c == '\n')
		repr_add(repr, "\\n");
	else if (c == '\r')
		repr_add(repr, "\\r");
	else if (c == '\t')
		repr_add(repr, "\\t");
	else if (is_printable(c))
		repr_add_character(repr, c);
	else if (c < LATIN1_END)
		repr_addf(repr, "\\x%02" PRIx32, c);
	else if (c < 0x10000)
		repr_addf(repr, "\\u%04" PRIx32, c);
	else
		repr_addf(repr, "\\U%08" PRIx32, c);
}

/* The mark of the text: '"' if there are single quotes and no double ones. Of a text that is cut
 * only what is shown counts. */
static uint32_t choose_mark(struct repr *repr, const struct str_view *view, uint64_t length)
{
	bool single = false;
	uint32_t c;

	for (uint64_t i = 0; i < length; i++) {
		if (!str_character(&repr->traverser->reader, view, i, &c) || c == '"')
			return '\'';
		single |= c == '\'';
	}
	return single ? '"' : '\'';
}

static bool add_quoted(struct repr *repr, const struct str_view *view)
{
	uint64_t length = view->length;
	uint32_t mark, c;

	if (length > repr->options.text)
		length = repr->options.text;
	mark = choose_mark(repr, view, length);
	repr_add_character(repr, mark);
	for (uint64_t i = 0; i < length && !repr->full; i++) {
		if (!str_character(&repr->traverser->reader, view, i, &c) || c > 0x10ffff)
			return false;
		add_escaped(repr, c, mark);
	}
	if (length < view->length)
		repr_add(repr, "\xe2\x80\xa6");
	repr_add_character(repr, mark);
	return true;
}

bool repr_str(struct repr *repr, uint64_t object, const struct type *type)
{
	struct str_view view;
	bool opened;

	if (!str_open(repr->traverser->runtime, &repr->traverser->reader, object, &view))
		return false;
	if (hidden(repr, type, view.length))
		return true;
	opened = repr_begin_class(repr, type, "str");
	if (!add_quoted(repr, &view))
		return false;
	repr_end_class(repr, opened);
	return true;
}

void repr_quoted(struct repr *repr, const struct str_view *view)
{
	if (!add_quoted(repr, view))
		repr_add(repr, "<unreadable>");
}

/* bytes escape all that is not ASCII. */
static bool add_bytes(struct repr *repr, uint64_t data, uint64_t length)
{
	struct str_view view = {.data = data, .length = length, .width = 1};
	uint32_t mark, c;

	if (length > repr->options.text)
		view.length = repr->options.text;
	mark = choose_mark(repr, &view, view.length);
	repr_addf(repr, "b%c", (char)mark);
	for (uint64_t i = 0; i < view.length && !repr->full; i++) {
		if (!str_character(&repr->traverser->reader, &view, i, &c))
			return false;
		if (c > ASCII_END)
			repr_addf(repr, "\\x%02" PRIx32, c);
		else
			add_escaped(repr, c, mark);
	}
	if (view.length < length)
		repr_add(repr, "\xe2\x80\xa6");
	repr_add_character(repr, mark);
	return true;
}

bool repr_bytes(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t length;
	bool opened;

	if (!repr_count(repr, object, &length))
		return false;
	if (hidden(repr, type, length))
		return true;
	opened = repr_begin_class(repr, type, "bytes");
	if (!add_bytes(repr, object + repr->traverser->layout->PyBytesObject_ob_sval, length))
		return false;
	repr_end_class(repr, opened);
	return true;
}

bool repr_bytearray(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t length, data;

	if (!repr_count(repr, object, &length) ||
	    !repr_u64(repr,
		      object + repr->traverser->layout->PyByteArrayObject_ob_alloc +
			      BYTEARRAY_START,
		      &data))
		return false;
	if (hidden(repr, type, length))
		return true;
	repr_add_class(repr, type);
	repr_add(repr, "(");
	if (!add_bytes(repr, data, length))
		return false;
	repr_add(repr, ")");
	return true;
}
