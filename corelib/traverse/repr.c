/*
 * repr without running code: which part writes an object, and the bounds that all parts share. The
 * way down is recursive, as deep as the options allow, which is never deeper than REPR_DEPTH_MAX.
 */
#include "traverse/repr_private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static const char ellipsis[] = "\xe2\x80\xa6";

/*
 * Text
 */

/* Bytes that may be written with room left for the ellipsis. */
static size_t room(const struct repr *repr)
{
	size_t end = repr->size - sizeof(ellipsis);

	return repr->used < end ? end - repr->used : 0;
}

/* Adds as many whole characters as fit and then the ellipsis. */
static void cut(struct repr *repr, const char *text)
{
	size_t length = room(repr);

	while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	memcpy(repr->buffer + repr->used, text, length);
	memcpy(repr->buffer + repr->used + length, ellipsis, sizeof(ellipsis));
	repr->used += length + sizeof(ellipsis) - 1;
	repr->full = true;
}

void repr_add(struct repr *repr, const char *text)
{
	size_t length = strlen(text);

	if (repr->full)
		return;
	if (length > room(repr)) {
		cut(repr, text);
		return;
	}
	memcpy(repr->buffer + repr->used, text, length + 1);
	repr->used += length;
}

void repr_addf(struct repr *repr, const char *format, ...)
{
	char text[1200];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	repr_add(repr, text);
}

void repr_add_character(struct repr *repr, uint32_t character)
{
	char text[5] = "";

	text[utf8_encode(character, text)] = '\0';
	repr_add(repr, text);
}

void repr_add_address(struct repr *repr, uint64_t object)
{
	if (repr->options.addresses)
		repr_addf(repr, " at 0x%" PRIx64, object);
}

void repr_add_class(struct repr *repr, const struct type *type)
{
	repr_add(repr, !strcmp(type->module, "collections") ? type->short_name : type->name);
}

bool repr_begin_class(struct repr *repr, const struct type *type, const char *name)
{
	if (!strcmp(type->name, name))
		return false;
	repr_add_class(repr, type);
	repr_add(repr, "(");
	return true;
}

void repr_end_class(struct repr *repr, bool begun)
{
	if (begun)
		repr_add(repr, ")");
}

/*
 * Reading
 */

const struct type *repr_type(struct repr *repr, uint64_t object)
{
	struct traverser *traverser = repr->traverser;
	struct object_header header;

	if (!object || !object_header(traverser->runtime, &traverser->reader, object, &header))
		return NULL;
	return type_get(traverser->runtime->types, &traverser->reader, header.type);
}

bool repr_u64(struct repr *repr, uint64_t address, uint64_t *value)
{
	return reader_u64(&repr->traverser->reader, address, value);
}

bool repr_count(struct repr *repr, uint64_t object, uint64_t *count)
{
	return repr_u64(repr, object + repr->traverser->layout->PyVarObject_ob_size, count) &&
	       *count <= INT64_MAX;
}

bool repr_is_native(const struct repr *repr, const struct type *type)
{
	return type->dealloc != repr->python_dealloc &&
	       is_cpython_code(repr->traverser, type->dealloc);
}

/*
 * Containers
 */

bool repr_open(struct repr *repr, uint64_t object, const char *marks, const char *shape,
	       uint64_t count)
{
	for (unsigned i = 0; i < repr->level; i++)
		if (repr->open[i] == object) {
			repr_addf(repr, "%c...%c", marks[0], marks[1]);
			return false;
		}
	if (repr->level >= repr->options.depth) {
		repr_addf(repr, "%s%c%" PRIu64 "%c", shape, marks[0] == '(' ? '[' : marks[0], count,
			  marks[0] == '(' ? ']' : marks[1]);
		return false;
	}
	repr->open[repr->level++] = object;
	return true;
}

void repr_close(struct repr *repr)
{
	repr->level--;
}

bool repr_next(struct repr *repr, uint64_t written, uint64_t total)
{
	if (repr->full)
		return false;
	if (written)
		repr_add(repr, ", ");
	if (written < repr->options.items)
		return true;
	repr_addf(repr, "%s %" PRIu64 " more", ellipsis, total > written ? total - written : 0);
	return false;
}

void repr_items(struct repr *repr, uint64_t items, uint64_t count)
{
	uint64_t item;

	for (uint64_t i = 0; i < count && repr_next(repr, i, count); i++) {
		repr_u64(repr, items + i * sizeof(uint64_t), &item);
		repr_value(repr, item);
	}
}

bool repr_plain(struct repr *repr, uint64_t object, const struct type *type)
{
	repr_addf(repr, "<%s", type->name);
	if (repr->options.addresses)
		repr_add(repr, " object");
	repr_add_address(repr, object);
	repr_add(repr, ">");
	return true;
}

/*
 * Which part
 */

static repr_function *kind_of(const struct repr *repr, const struct type *type)
{
	static const struct repr_kind *const tables[] = {repr_number_kinds, repr_container_kinds,
							 repr_callable_kinds, repr_library_kinds};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct repr_kind *kind = tables[i]; kind->type; kind++)
			if (!strcmp(kind->type, type->name) && repr_is_native(repr, type))
				return kind->write;
	return NULL;
}

/* Built-in types by the flags that their subclasses inherit. */
static repr_function *kind_by_flags(const struct type *type)
{
	static const struct {
		uint64_t flag;
		repr_function *write;
	} kinds[] = {
		{TPFLAGS_UNICODE_SUBCLASS, repr_str},	     {TPFLAGS_BYTES_SUBCLASS, repr_bytes},
		{TPFLAGS_LONG_SUBCLASS, repr_int},	     {TPFLAGS_LIST_SUBCLASS, repr_list},
		{TPFLAGS_TUPLE_SUBCLASS, repr_tuple},	     {TPFLAGS_DICT_SUBCLASS, repr_dict},
		{TPFLAGS_BASE_EXC_SUBCLASS, repr_exception},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (type->flags & kinds[i].flag)
			return kinds[i].write;
	return NULL;
}

/* The first of the type's base classes that is of C and known. */
static repr_function *kind_by_base(const struct repr *repr, const struct type *type)
{
	int steps = 0;

	for (; type && steps++ < 256; type = type->base) {
		repr_function *write = kind_of(repr, type);

		if (write)
			return write;
	}
	return NULL;
}

static bool write_object(struct repr *repr, uint64_t object, const struct type *type)
{
	repr_function *write = kind_of(repr, type);
	bool ok;

	if (write)
		return write(repr, object, type);
	if (repr_known_class(repr, object, type, &ok))
		return ok;
	write = kind_by_flags(type);
	if (!write && repr_numpy(repr, object, type))
		return true;
	if (!write)
		write = kind_by_base(repr, type);
	return (write ? write : repr_instance)(repr, object, type);
}

/* A word that is none is what overwrote a pointer: part of a value. */
static bool is_address(const struct repr *repr, uint64_t word)
{
	const struct image *image = repr->traverser->reader.image;

	return image_segment(image, word) || image_hole(image, word);
}

static bool write_value(struct repr *repr, uint64_t object)
{
	size_t mark = repr->used;
	unsigned level = repr->level;
	const struct type *type;

	if (repr->full)
		return true;
	type = repr_type(repr, object);
	if ((type && write_object(repr, object, type)) || repr->full)
		return true;
	/* What was written of it is as doubtful as the rest. */
	repr->level = level;
	repr->used = mark;
	repr->buffer[mark] = '\0';
	if (!object)
		repr_add(repr, "<NULL>");
	else if (repr->options.redact && !is_address(repr, object))
		repr_add(repr, "<unreadable>");
	else
		repr_addf(repr, "<unreadable at 0x%" PRIx64 ">", object);
	return false;
}

void repr_value(struct repr *repr, uint64_t object)
{
	write_value(repr, object);
}

/* Classes of Python code share subtype_dealloc(). */
static uint64_t find_python_dealloc(const struct traverser *traverser)
{
	const struct traverse_binding *binding;

	for (size_t i = 0; (binding = traverser_binding(traverser, i)); i++)
		if (binding->decoder && !strcmp(binding->decoder, "instance") && binding->example)
			return binding->example->dealloc;
	return 0;
}

bool repr_object(struct traverser *traverser, uint64_t object, const struct repr_options *options,
		 char *buffer, size_t size)
{
	struct repr repr = {
		.traverser = traverser,
		.options = *options,
		.buffer = buffer,
		.size = size,
		.python_dealloc = find_python_dealloc(traverser),
	};

	*buffer = '\0';
	if (repr.options.depth > REPR_DEPTH_MAX)
		repr.options.depth = REPR_DEPTH_MAX;
	repr.options.redact |= traverser->redact;
	return write_value(&repr, object);
}
