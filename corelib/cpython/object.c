/*
 * Object headers and str. What differs between releases is told by the layout: a build whose
 * PyObject has ob_flags keeps 32 bits of refcount, one that has it or ob_refcnt_split knows
 * immortal objects.
 */
#include "cpython/type.h"

#include <wchar.h>

/* Bits of PyASCIIObject.state: kind is 3 bits wide, the others 1 (Include/cpython/unicodeobject.h).
 */
enum { KIND_MASK = 7, WORD = sizeof(uint64_t) };

bool runtime_has_immortals(const struct runtime *runtime)
{
	return layout_has(runtime->layout.PyObject_ob_flags) ||
	       layout_has(runtime->layout.PyObject_ob_refcnt_split);
}

bool object_header(const struct runtime *runtime, struct reader *reader, uint64_t object,
		   struct object_header *header)
{
	const struct layout *layout = &runtime->layout;
	const uint8_t *bytes = reader_at(reader, object, layout->PyObject_size);
	uint32_t low;

	*header = (struct object_header){0};
	if (!bytes)
		return false;
	memcpy(&header->type, bytes + layout->PyObject_ob_type, sizeof(header->type));
	memcpy(&header->refcount, bytes + layout->PyObject_ob_refcnt, sizeof(header->refcount));
	low = (uint32_t)header->refcount;
	if (layout_has(layout->PyObject_ob_flags))
		header->refcount = low;
	/* Immortal: the low half, seen as signed, is negative (Include/refcount.h). */
	header->immortal = runtime_has_immortals(runtime) && (int32_t)low < 0;
	return true;
}

bool object_is_str(const struct runtime *runtime, struct reader *reader, uint64_t object)
{
	struct object_header header;
	uint64_t flags;

	return object_header(runtime, reader, object, &header) &&
	       reader_u64(reader, header.type + runtime->layout.PyTypeObject_tp_flags, &flags) &&
	       (flags & TPFLAGS_UNICODE_SUBCLASS);
}

static uint32_t state_bit(uint32_t state, uint32_t bit, uint32_t state_offset)
{
	return state >> (bit - state_offset * 8);
}

/*
 * A str whose characters are still in wchar_t has kind 0. Its wstr is the last member of
 * PyASCIIObject and wstr_length that of PyCompactUnicodeObject; both are gone in 3.12, and
 * PyASCIIObject is a word shorter.
 */
static bool open_legacy(const struct layout *layout, struct reader *reader, uint64_t object,
			struct str_view *view)
{
	uint32_t wstr = layout->PyASCIIObject_size - WORD;

	view->width = sizeof(wchar_t);
	return wstr > layout->PyASCIIObject_state &&
	       reader_u64(reader, object + wstr, &view->data) && view->data &&
	       reader_u64(reader, object + layout->PyUnicodeObject_data - WORD, &view->length) &&
	       view->length <= INT64_MAX / 4;
}

bool str_open(const struct runtime *runtime, struct reader *reader, uint64_t object,
	      struct str_view *view)
{
	const struct layout *layout = &runtime->layout;
	uint32_t state, offset = layout->PyASCIIObject_state;
	bool compact, ascii;

	if (!reader_u32(reader, object + offset, &state) ||
	    !reader_u64(reader, object + layout->PyASCIIObject_length, &view->length))
		return false;
	view->width = state_bit(state, layout->PyASCIIObject_kind, offset) & KIND_MASK;
	compact = state_bit(state, layout->PyASCIIObject_compact, offset) & 1;
	ascii = state_bit(state, layout->PyASCIIObject_ascii, offset) & 1;
	if (!view->width)
		return open_legacy(layout, reader, object, view);
	if (view->width != 1 && view->width != 2 && view->width != 4)
		return false;
	if (compact)
		view->data = object + (ascii ? layout->PyASCIIObject_size
					     : layout->PyCompactUnicodeObject_size);
	else if (!reader_u64(reader, object + layout->PyUnicodeObject_data, &view->data))
		return false;
	return view->length <= INT64_MAX / 4;
}

bool str_character(struct reader *reader, const struct str_view *view, uint64_t i,
		   uint32_t *character)
{
	const uint8_t *bytes = reader_at(reader, view->data + i * view->width, view->width);
	uint16_t two;

	*character = 0;
	if (!bytes)
		return false;
	switch (view->width) {
	case 1:
		*character = bytes[0];
		break;
	case 2:
		memcpy(&two, bytes, sizeof(two));
		*character = two;
		break;
	default:
		memcpy(character, bytes, sizeof(*character));
		break;
	}
	return true;
}

size_t utf8_encode(uint32_t c, char buffer[4])
{
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	if (c < 0x80) {
		buffer[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		buffer[0] = (char)(0xc0 | c >> 6);
		buffer[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		buffer[0] = (char)(0xe0 | c >> 12);
		buffer[1] = (char)(0x80 | (c >> 6 & 0x3f));
		buffer[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	buffer[0] = (char)(0xf0 | c >> 18);
	buffer[1] = (char)(0x80 | (c >> 12 & 0x3f));
	buffer[2] = (char)(0x80 | (c >> 6 & 0x3f));
	buffer[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

bool object_str(const struct runtime *runtime, struct reader *reader, uint64_t object, char *buffer,
		size_t size)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	size_t used = 0, mark = 0, room;
	struct str_view text;

	if (!size)
		return false;
	buffer[0] = '\0';
	if (size < sizeof(ellipsis) + 4 || !str_open(runtime, reader, object, &text))
		return false;
	room = size - sizeof(ellipsis);
	for (uint64_t i = 0; i < text.length; i++) {
		uint32_t character;
		char utf8[4];
		size_t length;

		if (!str_character(reader, &text, i, &character)) {
			buffer[0] = '\0';
			return false;
		}
		length = utf8_encode(character, utf8);
		if (used + length > size - 1) {
			memcpy(buffer + mark, ellipsis, sizeof(ellipsis));
			return true;
		}
		memcpy(buffer + used, utf8, length);
		used += length;
		if (used <= room)
			mark = used;
	}
	buffer[used] = '\0';
	return true;
}
