/*
 * Object headers and str. What differs between releases is told by the layout: a build whose
 * PyObject has ob_flags keeps 32 bits of refcount, one that has it or ob_refcnt_split knows
 * immortal objects.
 */
#include "cpython/type.h"

/* Bits of PyASCIIObject.state: kind is 3 bits wide, the others 1 (Include/cpython/unicodeobject.h).
 */
enum { KIND_MASK = 7, STATE_WORD_SIZE = 4 };

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

/* Where the characters of a str are and how wide they are. */
struct text {
	uint64_t data;
	uint64_t length; /* in characters */
	uint32_t width;	 /* 1, 2 or 4 bytes */
	bool latin1;	 /* one byte a character, and not all ASCII */
};

static uint32_t state_bit(uint32_t state, uint32_t bit, uint32_t state_offset)
{
	return state >> (bit - state_offset * 8);
}

static bool open_text(const struct layout *layout, struct reader *reader, uint64_t object,
		      struct text *text)
{
	uint32_t state, offset = layout->PyASCIIObject_state;
	bool compact, ascii;

	if (!reader_u32(reader, object + offset, &state) ||
	    !reader_u64(reader, object + layout->PyASCIIObject_length, &text->length))
		return false;
	text->width = state_bit(state, layout->PyASCIIObject_kind, offset) & KIND_MASK;
	compact = state_bit(state, layout->PyASCIIObject_compact, offset) & 1;
	ascii = state_bit(state, layout->PyASCIIObject_ascii, offset) & 1;
	text->latin1 = text->width == 1 && !ascii;
	if (text->width != 1 && text->width != 2 && text->width != 4)
		return false;
	if (compact)
		text->data = object + (ascii ? layout->PyASCIIObject_size
					     : layout->PyCompactUnicodeObject_size);
	else if (!reader_u64(reader, object + layout->PyUnicodeObject_data, &text->data))
		return false;
	return text->length <= INT64_MAX / 4;
}

static uint32_t character_at(const uint8_t *bytes, uint32_t width)
{
	uint16_t two;
	uint32_t four;

	switch (width) {
	case 1:
		return bytes[0];
	case 2:
		memcpy(&two, bytes, sizeof(two));
		return two;
	default:
		memcpy(&four, bytes, sizeof(four));
		return four;
	}
}

/* Writes a character as UTF-8; what is no character (a lone surrogate, beyond the range) as U+FFFD.
 */
static size_t put_utf8(char *out, uint32_t c)
{
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

bool object_str(const struct runtime *runtime, struct reader *reader, uint64_t object, char *buffer,
		size_t size)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	size_t used = 0, mark = 0, room;
	struct text text;

	if (!size)
		return false;
	buffer[0] = '\0';
	if (size < sizeof(ellipsis) + 4 || !open_text(&runtime->layout, reader, object, &text))
		return false;
	room = size - sizeof(ellipsis);
	for (uint64_t i = 0; i < text.length; i++) {
		const uint8_t *bytes = reader_at(reader, text.data + i * text.width, text.width);
		char utf8[4];
		size_t length;

		if (!bytes) {
			buffer[0] = '\0';
			return false;
		}
		length = put_utf8(utf8, character_at(bytes, text.width));
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
