/*
 * Literals of simple objects. A text that cannot be written exactly is not written at all: whoever
 * types it must get the same key.
 */
#include "traverse/literal.h"

#include "traverse/decoder.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 512, BYTES_MAX = 256, TUPLE_DEPTH = 4, TUPLE_ITEMS = 64, WORD = 8 };

/** A buffer that a literal is written to. */
struct writer {
	char *buffer;
	size_t size, used;
	bool full;
};

static void put(struct writer *writer, const char *text, size_t length)
{
	if (writer->full || length >= writer->size - writer->used) {
		writer->full = true;
		return;
	}
	memcpy(writer->buffer + writer->used, text, length);
	writer->used += length;
	writer->buffer[writer->used] = '\0';
}

static void put_text(struct writer *writer, const char *text)
{
	put(writer, text, strlen(text));
}

/* Bytes between quotes. From 0x80 on they stand as they are in a str, which is UTF-8 here. */
static void put_quoted(struct writer *writer, const char *text, size_t length, bool is_bytes)
{
	bool has_single = memchr(text, '\'', length) != NULL;
	char mark = has_single && !memchr(text, '"', length) ? '"' : '\'';

	put(writer, &mark, 1);
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		char escape[8];

		if (c == '\n')
			put_text(writer, "\\n");
		else if (c == '\\' || c == (unsigned char)mark)
			put(writer, (char[]){'\\', (char)c}, 2);
		else if (c < 0x20 || c == 0x7f || (is_bytes && c >= 0x80)) {
			snprintf(escape, sizeof(escape), "\\x%02x", c);
			put_text(writer, escape);
		} else {
			put(writer, &text[i], 1);
		}
	}
	put(writer, &mark, 1);
}

/* Characters of UTF-8 text; U+FFFD stands for what is none. */
static bool count_characters(const char *text, uint64_t *count)
{
	*count = 0;
	for (size_t i = 0; text[i]; i++)
		*count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return !strstr(text, "\xef\xbf\xbd");
}

static bool put_str(struct traverser *traverser, uint64_t object, struct writer *writer)
{
	uint64_t length, count;
	char text[TEXT_MAX];

	/* A text that was cut, or has a NUL in it, is shorter than it says. */
	if (!reader_u64(&traverser->reader, object + traverser->layout->PyASCIIObject_length,
			&length) ||
	    length >= TEXT_MAX - WORD ||
	    !object_str(traverser->runtime, &traverser->reader, object, text, sizeof(text)) ||
	    !count_characters(text, &count) || count != length)
		return false;
	put_quoted(writer, text, strlen(text), false);
	return true;
}

static bool put_bytes(struct traverser *traverser, uint64_t object, struct writer *writer)
{
	const struct layout *layout = traverser->layout;
	char bytes[BYTES_MAX];
	uint64_t length;

	if (!reader_u64(&traverser->reader, object + layout->PyVarObject_ob_size, &length) ||
	    length > sizeof(bytes) ||
	    !reader_copy(&traverser->reader, object + layout->PyBytesObject_ob_sval, bytes, length))
		return false;
	put_text(writer, "b");
	put_quoted(writer, bytes, length, true);
	return true;
}

static bool put_int(struct traverser *traverser, uint64_t object, bool is_bool,
		    struct writer *writer)
{
	int64_t number;
	char text[32];

	if (!read_int(traverser, object, &number))
		return false;
	snprintf(text, sizeof(text), "%" PRId64, number);
	put_text(writer, !is_bool ? text : number ? "True" : "False");
	return true;
}

static bool put_float(struct traverser *traverser, uint64_t object, struct writer *writer)
{
	char text[40];
	uint64_t bits;
	double value;

	if (!reader_u64(&traverser->reader, object + traverser->layout->PyFloatObject_ob_fval,
			&bits))
		return false;
	memcpy(&value, &bits, sizeof(value));
	if (isnan(value))
		return false;
	if (isinf(value)) {
		put_text(writer, value < 0 ? "float('-inf')" : "float('inf')");
		return true;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	put_text(writer, text);
	if (!strpbrk(text, ".e"))
		put_text(writer, ".0");
	return true;
}

/* A tuple that is being written. */
struct open_tuple {
	uint64_t items, count, next;
};

static bool open_tuple(struct traverser *traverser, uint64_t object, struct open_tuple *tuple)
{
	const struct layout *layout = traverser->layout;

	*tuple = (struct open_tuple){.items = object + layout->PyTupleObject_ob_item};
	return reader_u64(&traverser->reader, object + layout->PyVarObject_ob_size,
			  &tuple->count) &&
	       tuple->count <= TUPLE_ITEMS;
}

/* Writes an object that is no tuple. */
static bool put_simple(struct traverser *traverser, uint64_t object, const char *type,
		       struct writer *writer)
{
	if (!strcmp(type, "str"))
		return put_str(traverser, object, writer);
	if (!strcmp(type, "bytes"))
		return put_bytes(traverser, object, writer);
	if (!strcmp(type, "int") || !strcmp(type, "bool"))
		return put_int(traverser, object, *type == 'b', writer);
	if (!strcmp(type, "float"))
		return put_float(traverser, object, writer);
	if (!strcmp(type, "NoneType"))
		put_text(writer, "None");
	else if (!strcmp(type, "ellipsis"))
		put_text(writer, "...");
	else
		return false;
	return true;
}

/* The name of an exact builtin type; NULL: another. */
static const char *builtin_type(struct traverser *traverser, uint64_t object)
{
	struct object_header header;
	const struct type *type;

	if (!object_header(traverser->runtime, &traverser->reader, object, &header))
		return NULL;
	type = type_get(traverser->runtime->types, &traverser->reader, header.type);
	return type && !(type->flags & TPFLAGS_HEAPTYPE) ? type->name : NULL;
}

/* Writes an object, or the opening parenthesis of a tuple, which is then on the stack. */
static bool put_object(struct traverser *traverser, uint64_t object, struct open_tuple *stack,
		       size_t *depth, struct writer *writer)
{
	const char *type = builtin_type(traverser, object);

	if (!type)
		return false;
	if (strcmp(type, "tuple"))
		return put_simple(traverser, object, type, writer);
	if (*depth == TUPLE_DEPTH || !open_tuple(traverser, object, &stack[*depth]))
		return false;
	put_text(writer, "(");
	(*depth)++;
	return true;
}

static bool write_literal(struct traverser *traverser, uint64_t object, struct writer *writer)
{
	struct open_tuple stack[TUPLE_DEPTH];
	size_t depth = 0;

	if (!put_object(traverser, object, stack, &depth, writer))
		return false;
	while (depth) {
		struct open_tuple *tuple = &stack[depth - 1];
		uint64_t item;

		if (tuple->next == tuple->count) {
			put_text(writer, tuple->count == 1 ? ",)" : ")");
			depth--;
			continue;
		}
		if (tuple->next)
			put_text(writer, ", ");
		if (!reader_u64(&traverser->reader, tuple->items + tuple->next++ * WORD, &item) ||
		    !put_object(traverser, item, stack, &depth, writer))
			return false;
	}
	return true;
}

bool object_literal(struct traverser *traverser, uint64_t object, char *buffer, size_t size)
{
	struct writer writer = {.buffer = buffer, .size = size};

	*buffer = '\0';
	if (!traverser->redact && write_literal(traverser, object, &writer) && !writer.full)
		return true;
	*buffer = '\0';
	return false;
}

bool text_literal(const char *text, char *buffer, size_t size)
{
	struct writer writer = {.buffer = buffer, .size = size};

	*buffer = '\0';
	put_quoted(&writer, text, strlen(text), false);
	return !writer.full;
}

bool is_identifier(const char *text)
{
	static const char *const keywords[] = {
		"False",  "None",   "True",    "and",	   "as",       "assert", "async",
		"await",  "break",  "class",   "continue", "def",      "del",	 "elif",
		"else",	  "except", "finally", "for",	   "from",     "global", "if",
		"import", "in",	    "is",      "lambda",   "nonlocal", "not",	 "or",
		"pass",	  "raise",  "return",  "try",	   "while",    "with",	 "yield",
	};

	if (!(*text == '_' || (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z')))
		return false;
	if (text[strspn(text, "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")])
		return false;
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (!strcmp(text, keywords[i]))
			return false;
	return true;
}
