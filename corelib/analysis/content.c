/* Hashes of what is behind the header of an object whose value stands in itself. */
#include "analysis/content.h"

enum { PREFIX = 6, ITEMS_MAX = 64, HASHED_MAX = 1 << 16 };

/* FNV-1a. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* The bytes behind the header; their hash and the hash of their beginning. */
static bool read_bytes(const struct objects *objects, uint64_t start, uint64_t size,
		       struct content *content)
{
	const uint8_t *bytes;
	uint64_t length = size < HASHED_MAX ? size : HASHED_MAX;
	unsigned power = size ? (64 - (unsigned)__builtin_clzll(size)) / 4 : 0;

	bytes = reader_at(&objects->heap->reader, start, length ? length : 1);
	if (!bytes)
		return false;
	content->hash = mix(mix(HASH_START, &size, sizeof(size)), bytes, length);
	content->prefix = mix(mix(HASH_START, &power, sizeof(power)), bytes,
			      length < PREFIX ? length : PREFIX);
	return true;
}

/* str: the characters of a compact one, with their width. */
static bool read_str(const struct objects *objects, uint64_t object, struct content *content)
{
	const struct layout *layout = &objects->heap->runtime->layout;
	struct reader *reader = &objects->heap->reader;
	uint32_t state, bit = layout->PyASCIIObject_state * 8, kind;
	uint64_t length, start;

	if (!reader_u32(reader, object + layout->PyASCIIObject_state, &state) ||
	    !reader_u64(reader, object + layout->PyASCIIObject_length, &length) ||
	    length > INT64_MAX / 4 || !(state >> (layout->PyASCIIObject_compact - bit) & 1))
		return false;
	kind = state >> (layout->PyASCIIObject_kind - bit) & 7;
	start = object + (state >> (layout->PyASCIIObject_ascii - bit) & 1
				  ? layout->PyASCIIObject_size
				  : layout->PyCompactUnicodeObject_size);
	return read_bytes(objects, start, length * kind, content);
}

/* What of the object is its value: from an offset to the end of it. */
static bool read_value(const struct objects *objects, uint64_t object, const struct type *type,
		       struct content *content)
{
	const struct layout *layout = &objects->heap->runtime->layout;
	struct object_size size;
	uint64_t start, length;

	if (type->flags & TPFLAGS_UNICODE_SUBCLASS)
		return read_str(objects, object, content);
	if (type->flags & TPFLAGS_BYTES_SUBCLASS)
		return reader_u64(&objects->heap->reader, object + layout->PyVarObject_ob_size,
				  &length) &&
		       length < INT64_MAX &&
		       read_bytes(objects, object + layout->PyBytesObject_ob_sval, length, content);
	if (type->flags & TPFLAGS_LONG_SUBCLASS)
		start = layout->PyObject_size;
	else if (!strcmp(type->name, "float"))
		start = layout->PyFloatObject_ob_fval;
	else
		return false;
	object_measure(objects->heap->traverser, object, type, &size);
	return size.object > start &&
	       read_bytes(objects, object + start, size.object - start, content);
}

static const struct type *type_at(const struct objects *objects, uint64_t object)
{
	struct runtime *runtime = objects->heap->runtime;
	struct object_header header;

	if (!object_header(runtime, &objects->heap->reader, object, &header))
		return NULL;
	return type_get(runtime->types, &objects->heap->reader, header.type);
}

/* A tuple: the values of its first items; an item that has no value counts as itself. */
static bool read_tuple(const struct objects *objects, uint64_t object, struct content *content)
{
	const struct layout *layout = &objects->heap->runtime->layout;
	struct reader *reader = &objects->heap->reader;
	uint64_t count, hash;

	if (!reader_u64(reader, object + layout->PyVarObject_ob_size, &count))
		return false;
	hash = mix(HASH_START, &count, sizeof(count));
	for (uint64_t i = 0; i < count && i < ITEMS_MAX; i++) {
		struct content item = {0};
		const struct type *type;
		uint64_t at;

		if (!reader_u64(reader, object + layout->PyTupleObject_ob_item + i * 8, &at))
			return false;
		type = at ? type_at(objects, at) : NULL;
		if (type && read_value(objects, at, type, &item))
			at = item.hash;
		hash = mix(hash, &at, sizeof(at));
	}
	content->hash = hash;
	return true;
}

struct content content_read(const struct objects *objects, uint32_t object)
{
	uint64_t address = objects->addresses[object];
	struct content content = {0};
	const struct type *type;

	if (objects->types[object] == HEAP_NONE)
		return content;
	type = type_by_index(objects->heap->runtime->types, objects->types[object]);
	if (!type)
		return content;
	if (type->flags & TPFLAGS_TUPLE_SUBCLASS) {
		content.known = read_tuple(objects, address, &content);
	} else {
		content.known = read_value(objects, address, type, &content);
		content.has_prefix =
			content.known &&
			(type->flags & (TPFLAGS_UNICODE_SUBCLASS | TPFLAGS_BYTES_SUBCLASS));
	}
	return content;
}
