/*
 * Attribute lookup. Classes of Python code and of heap types have all their names in a dict; static
 * types of 3.12+ keep theirs elsewhere, but what matters of them, their data descriptors, stands in
 * tp_getset and tp_members too.
 */
#include "traverse/lookup.h"

#include "traverse/decoder.h"

enum { MRO_MAX = 4096, DEFINITIONS_MAX = 4096, WORD = 8, NAME_MAX_BYTES = 64 };

/** The classes of an object, in the order in which they are asked. */
struct mro {
	uint64_t items, count;
};

static bool open_mro(struct traverser *traverser, const struct type *type, struct mro *mro)
{
	const struct layout *layout = traverser->layout;
	uint64_t tuple;

	if (!reader_u64(&traverser->reader, type->address + layout->PyTypeObject_tp_mro, &tuple) ||
	    !tuple ||
	    !reader_u64(&traverser->reader, tuple + layout->PyVarObject_ob_size, &mro->count) ||
	    mro->count > MRO_MAX)
		return false;
	mro->items = tuple + layout->PyTupleObject_ob_item;
	return true;
}

static const struct type *mro_class(struct traverser *traverser, const struct mro *mro, uint64_t i)
{
	uint64_t address;

	if (!reader_u64(&traverser->reader, mro->items + i * WORD, &address))
		return NULL;
	return type_get(traverser->runtime->types, &traverser->reader, address);
}

static uint64_t type_word(struct traverser *traverser, uint64_t type, uint32_t offset)
{
	uint64_t value = 0;

	if (layout_has(offset))
		reader_u64(&traverser->reader, type + offset, &value);
	return value;
}

/** Is a name in a table of PyGetSetDef or PyMemberDef? */
static bool is_defined(struct traverser *traverser, uint64_t table, uint32_t size,
		       uint32_t name_offset, const char *name)
{
	size_t length = strlen(name) + 1;

	for (int i = 0; table && i < DEFINITIONS_MAX; i++, table += size) {
		char text[NAME_MAX_BYTES];
		uint64_t address;

		if (!reader_u64(&traverser->reader, table + name_offset, &address) || !address)
			break;
		if (length <= sizeof(text) &&
		    reader_copy(&traverser->reader, address, text, length) &&
		    !memcmp(text, name, length))
			return true;
	}
	return false;
}

static bool has_member(struct traverser *traverser, const struct type *type, const char *name)
{
	const struct layout *layout = traverser->layout;

	return is_defined(traverser,
			  type_word(traverser, type->address, layout->PyTypeObject_tp_getset),
			  layout->PyGetSetDef_size, layout->PyGetSetDef_name, name) ||
	       is_defined(traverser,
			  type_word(traverser, type->address, layout->PyTypeObject_tp_members),
			  layout->PyMemberDef_size, layout->PyMemberDef_name, name);
}

static uint64_t own_value(struct traverser *traverser, const struct type *type, const char *name)
{
	return type->dict ? dict_find(traverser->runtime, &traverser->reader, type->dict, name) : 0;
}

/** A word of the type of an object. */
static uint64_t slot_of(struct traverser *traverser, uint64_t object, uint32_t offset)
{
	struct object_header header;

	if (!object_header(traverser->runtime, &traverser->reader, object, &header))
		return 0;
	return type_word(traverser, header.type, offset);
}

/** The tp_getattro of `object`: PyObject_GenericGetAttr. */
static uint64_t generic_lookup(struct traverser *traverser, const struct mro *mro)
{
	const struct type *object = mro->count ? mro_class(traverser, mro, mro->count - 1) : NULL;

	return object ? type_word(traverser, object->address,
				  traverser->layout->PyTypeObject_tp_getattro)
		      : 0;
}

/** Are attributes looked up in the usual way, by the first class that has a say in it? */
static bool lookup_is_usual(struct traverser *traverser, const struct mro *mro)
{
	uint64_t generic = generic_lookup(traverser, mro);

	for (uint64_t i = 0; i < mro->count; i++) {
		const struct type *type = mro_class(traverser, mro, i);

		if (!type)
			return false;
		if (!own_value(traverser, type, "__getattribute__"))
			continue;
		return type_word(traverser, type->address,
				 traverser->layout->PyTypeObject_tp_getattro) == generic ||
		       !strcmp(type->name, "module") || !strcmp(type->name, "type");
	}
	return true;
}

enum lookup_result attribute_lookup(struct traverser *traverser, const struct type *type,
				    const char *name)
{
	struct mro mro;

	/* dict_find() compares what fits its buffer. */
	if (strlen(name) >= NAME_MAX_BYTES - WORD || !open_mro(traverser, type, &mro) ||
	    !lookup_is_usual(traverser, &mro))
		return LOOKUP_OTHER;
	for (uint64_t i = 0; i < mro.count; i++) {
		const struct type *class = mro_class(traverser, &mro, i);
		uint64_t value;

		if (!class)
			return LOOKUP_OTHER;
		value = own_value(traverser, class, name);
		if (value)
			return slot_of(traverser, value,
				       traverser->layout->PyTypeObject_tp_descr_set)
				       ? LOOKUP_DATA
				       : LOOKUP_NONE;
		if (!class->dict && has_member(traverser, class, name))
			return LOOKUP_DATA;
	}
	return LOOKUP_NONE;
}

bool class_overrides(struct traverser *traverser, const struct type *type, const char *base,
		     const char *name)
{
	struct mro mro;

	if (!(type->flags & TPFLAGS_HEAPTYPE))
		return false;
	if (!open_mro(traverser, type, &mro))
		return true;
	for (uint64_t i = 0; i < mro.count; i++) {
		const struct type *class = mro_class(traverser, &mro, i);

		if (class && !strcmp(class->name, base))
			return false;
		if (!class ||
		    ((class->flags & TPFLAGS_HEAPTYPE) && own_value(traverser, class, name)))
			return true;
	}
	return false;
}

/** Does `Class.name` give this very object? A function does: func_descr_get() without an instance.
 */
static bool gives_itself(struct traverser *traverser, uint64_t value)
{
	struct object_header header;
	const struct type *type;

	if (!slot_of(traverser, value, traverser->layout->PyTypeObject_tp_descr_get))
		return true;
	if (!object_header(traverser->runtime, &traverser->reader, value, &header))
		return false;
	type = type_get(traverser->runtime->types, &traverser->reader, header.type);
	return type && !(type->flags & TPFLAGS_HEAPTYPE) && !strcmp(type->name, "function");
}

bool class_value_is_plain(struct traverser *traverser, const struct type *metatype, uint64_t value,
			  const char *name)
{
	return gives_itself(traverser, value) &&
	       attribute_lookup(traverser, metatype, name) == LOOKUP_NONE;
}
