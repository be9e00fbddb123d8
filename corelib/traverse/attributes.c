/*
 * Attributes of instances, wherever this release keeps them: T_OBJECT_EX members for __slots__, a
 * dict behind tp_dictoffset, or values whose names are the class's shared keys (3.11+).
 */
#include "traverse/attributes.h"

#include "traverse/decoder.h"

#include <stdio.h>

enum {
	WORD = sizeof(uint64_t),
	NAMES_MAX = 1 << 16, // entries of one __dict__ that are looked at
	CLASSES_MAX = 256,   // of an MRO
	CHAIN_MAX = 64,	     // base classes
};

uint64_t object_dict(struct traverser *traverser, uint64_t object, const struct type *type)
{
	uint64_t slot = 0, dict;

	if (type->flags & TPFLAGS_MANAGED_DICT)
		return managed_dict_pointer(traverser, object);
	if (type->dictoffset > 0 && type->dictoffset <= type->basicsize - WORD)
		slot = object + (uint64_t)type->dictoffset;
	else if (type->dictoffset >= 0 || !dict_at_end(traverser, type, object, &slot))
		return 0;
	reader_u64(&traverser->reader, slot, &dict);
	return dict;
}

/* A pointer that is no dict would be taken for one: its type decides. */
static bool open_dict(struct traverser *traverser, uint64_t dict, struct dict_view *view)
{
	struct object_header header;
	const struct type *type = NULL;

	if (dict && object_header(traverser->runtime, &traverser->reader, dict, &header))
		type = type_get(traverser->runtime->types, &traverser->reader, header.type);
	return type && (type->flags & TPFLAGS_DICT_SUBCLASS) &&
	       dict_open(traverser->runtime, &traverser->reader, dict, view);
}

/* Values without a dict: as many as the class has shared names, or fewer. */
static void open_values(struct attributes *attributes, const struct type *type)
{
	struct traverser *traverser = attributes->traverser;
	uint64_t first, count;

	if (!(type->flags & TPFLAGS_MANAGED_DICT) || !type->cached_keys ||
	    !traverser->managed_dict->values(traverser, type, attributes->object, &first, &count) ||
	    !dict_open_keys(traverser->runtime, &traverser->reader, type->cached_keys,
			    &attributes->dict))
		return;
	attributes->values = first;
	if (count < attributes->dict.count)
		attributes->dict.count = count;
	dict_open_order(traverser->runtime, &traverser->reader, first, &attributes->dict);
	attributes->count = dict_ordinals(&attributes->dict);
}

void attributes_begin(struct attributes *attributes, struct traverser *traverser, uint64_t object,
		      const struct type *type)
{
	uint64_t dict = object_dict(traverser, object, type);

	*attributes =
		(struct attributes){.traverser = traverser, .object = object, .slots_of = type};
	if (!dict)
		open_values(attributes, type);
	else if (open_dict(traverser, dict, &attributes->dict))
		attributes->count = dict_ordinals(&attributes->dict);
	if (attributes->count > NAMES_MAX)
		attributes->count = NAMES_MAX;
}

static bool next_slot(struct attributes *attributes, struct attribute *attribute)
{
	for (; attributes->slots_of; attributes->slots_of = attributes->slots_of->base) {
		const struct type *type = attributes->slots_of;

		while (attributes->slot < type->slot_count) {
			const struct type_slot *slot = &type->slots[attributes->slot++];

			attribute->slot = attributes->object + (uint64_t)slot->offset;
			if (!reader_u64(&attributes->traverser->reader, attribute->slot,
					&attribute->value) ||
			    !attribute->value)
				continue;
			snprintf(attribute->name, sizeof(attribute->name), "%s", slot->name);
			return true;
		}
		attributes->slot = 0;
	}
	return false;
}

static bool next_entry(struct attributes *attributes, struct attribute *attribute)
{
	struct traverser *traverser = attributes->traverser;
	const struct runtime *runtime = traverser->runtime;

	while (attributes->next < attributes->count) {
		uint64_t i =
			dict_ordinal(&traverser->reader, &attributes->dict, attributes->next++);
		uint64_t key;

		dict_entry(&traverser->reader, &attributes->dict, i, &key, &attribute->value,
			   &attribute->slot);
		if (attributes->values) {
			attribute->slot = attributes->values + i * WORD;
			reader_u64(&traverser->reader, attribute->slot, &attribute->value);
		}
		if (attribute->value && object_is_str(runtime, &traverser->reader, key) &&
		    object_str(runtime, &traverser->reader, key, attribute->name,
			       sizeof(attribute->name)))
			return true;
	}
	return false;
}

bool attributes_next(struct attributes *attributes, struct attribute *attribute)
{
	return next_slot(attributes, attribute) || next_entry(attributes, attribute);
}

uint64_t attribute_find(struct traverser *traverser, uint64_t object, const struct type *type,
			const char *name)
{
	struct attributes attributes;
	struct attribute attribute;

	attributes_begin(&attributes, traverser, object, type);
	while (attributes_next(&attributes, &attribute))
		if (!strcmp(attribute.name, name))
			return attribute.value;
	return 0;
}

/*
 * Classes
 */

size_t type_mro(struct traverser *traverser, const struct type *type, const struct type **classes,
		size_t max)
{
	const struct layout *layout = traverser->layout;
	struct reader *reader = &traverser->reader;
	uint64_t mro, count, address;
	size_t written = 0;

	if (!reader_u64(reader, type->address + layout->PyTypeObject_tp_mro, &mro) || !mro ||
	    !reader_u64(reader, mro + layout->PyVarObject_ob_size, &count) || count > CLASSES_MAX)
		return 0;
	for (uint64_t i = 0; i < count && written < max; i++) {
		const struct type *class;

		if (!reader_u64(reader, mro + layout->PyTupleObject_ob_item + i * WORD, &address))
			break;
		class = type_get(traverser->runtime->types, reader, address);
		if (class)
			classes[written++] = class;
	}
	return written;
}

uint64_t class_attribute(struct traverser *traverser, const struct type *type, const char *name)
{
	const struct type *classes[CHAIN_MAX];
	size_t count = type_mro(traverser, type, classes, CHAIN_MAX);

	for (size_t i = 0; i < count; i++) {
		uint64_t value = 0;

		if ((classes[i]->flags & TPFLAGS_HEAPTYPE) && classes[i]->dict)
			value = dict_find(traverser->runtime, &traverser->reader, classes[i]->dict,
					  name);
		if (value)
			return value;
	}
	return 0;
}
