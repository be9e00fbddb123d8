/* Decodes one type object: its fields, its name, its own slots (Include/cpython/object.h). */
#include "cpython/type_names.h"
#include "cpython/type_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	NAME_MAX_BYTES = 256,
	BASICSIZE_MAX = 1 << 30,
	SLOTS_MAX = 4096,
	MRO_MAX = 4096,
	MEMBER_OBJECT_EX = 16, /* Py_T_OBJECT_EX (Include/descrobject.h) */
};

static bool read_field(struct reader *reader, uint64_t address, uint32_t offset, uint64_t *value)
{
	return reader_u64(reader, address + offset, value);
}

/* A type's own type must say of itself that its instances are types. */
static bool is_metatype(const struct runtime *runtime, struct reader *reader, uint64_t address)
{
	uint64_t flags;

	return read_field(reader, address, runtime->layout.PyTypeObject_tp_flags, &flags) &&
	       (flags & TPFLAGS_TYPE_SUBCLASS);
}

bool type_read_fields(const struct runtime *runtime, struct reader *reader, uint64_t address,
		      struct type *type, uint64_t *base)
{
	const struct layout *layout = &runtime->layout;
	struct object_header header;
	uint64_t basicsize, itemsize, dictoffset, weaklistoffset;

	if (!reader_at(reader, address, layout->PyTypeObject_size) ||
	    !object_header(runtime, reader, address, &header) ||
	    !is_metatype(runtime, reader, header.type))
		return false;
	read_field(reader, address, layout->PyTypeObject_tp_flags, &type->flags);
	read_field(reader, address, layout->PyTypeObject_tp_basicsize, &basicsize);
	read_field(reader, address, layout->PyTypeObject_tp_itemsize, &itemsize);
	read_field(reader, address, layout->PyTypeObject_tp_dictoffset, &dictoffset);
	read_field(reader, address, layout->PyTypeObject_tp_weaklistoffset, &weaklistoffset);
	read_field(reader, address, layout->PyTypeObject_tp_traverse, &type->traverse);
	read_field(reader, address, layout->PyTypeObject_tp_dealloc, &type->dealloc);
	read_field(reader, address, layout->PyTypeObject_tp_is_gc, &type->is_gc);
	read_field(reader, address, layout->PyTypeObject_tp_del, &type->del);
	read_field(reader, address, layout->PyTypeObject_tp_finalize, &type->finalize);
	read_field(reader, address, layout->PyTypeObject_tp_dict, &type->dict);
	read_field(reader, address, layout->PyTypeObject_tp_base, base);
	type->address = address;
	type->metatype = header.type;
	type->basicsize = (int64_t)basicsize;
	type->itemsize = (int64_t)itemsize;
	type->dictoffset = (int64_t)dictoffset;
	type->weaklistoffset = (int64_t)weaklistoffset;
	if ((type->flags & TPFLAGS_HEAPTYPE) && layout_has(layout->PyHeapTypeObject_ht_cached_keys))
		read_field(reader, address, layout->PyHeapTypeObject_ht_cached_keys,
			   &type->cached_keys);
	return basicsize >= layout->PyObject_size && basicsize <= BASICSIZE_MAX &&
	       itemsize <= BASICSIZE_MAX;
}

/*
 * What the allocator puts in front of an object: the GC head, and from 3.11 on a pre-header of two
 * words for a managed dict or, 3.12+, a managed weakref list (_PyType_PreHeaderSize).
 */
uint32_t type_presize(const struct layout *layout, uint64_t flags)
{
	uint32_t size = flags & TPFLAGS_HAVE_GC ? layout->PyGC_Head_size : 0;

	if (flags & (TPFLAGS_MANAGED_DICT | TPFLAGS_MANAGED_WEAKREF))
		size += 2 * sizeof(uint64_t);
	return size;
}

/* The string behind key of the type's dict, if it is a str. */
static bool dict_text(const struct runtime *runtime, struct reader *reader, uint64_t dict,
		      const char *key, char *buffer, size_t size)
{
	uint64_t value = dict ? dict_find(runtime, reader, dict, key) : 0;

	return value && object_is_str(runtime, reader, value) &&
	       object_str(runtime, reader, value, buffer, size) && buffer[0];
}

/*
 * __module__ and __qualname__ as Objects/typeobject.c type_module() and type_qualname() find them:
 * heap types keep them in their dict and ht_qualname, static types in the two halves of tp_name.
 */
static void split_name(const struct runtime *runtime, struct reader *reader,
		       const struct type *type, char *module, char *qualname)
{
	const struct layout *layout = &runtime->layout;
	uint64_t qualname_object;
	char tp_name[NAME_MAX_BYTES], *dot;

	module[0] = qualname[0] = '\0';
	if (!type_tp_name(runtime, reader, type->address, tp_name, sizeof(tp_name)))
		snprintf(tp_name, sizeof(tp_name), "<type at 0x%" PRIx64 ">", type->address);
	dot = strrchr(tp_name, '.');
	if (type->flags & TPFLAGS_HEAPTYPE) {
		dict_text(runtime, reader, type->dict, "__module__", module, NAME_MAX_BYTES);
		if (read_field(reader, type->address, layout->PyHeapTypeObject_ht_qualname,
			       &qualname_object) &&
		    object_is_str(runtime, reader, qualname_object))
			object_str(runtime, reader, qualname_object, qualname, NAME_MAX_BYTES);
	} else if (dot) {
		memcpy(module, tp_name, (size_t)(dot - tp_name));
		module[dot - tp_name] = '\0';
	} else if (tp_name[0] != '<') {
		strcpy(module, "builtins");
	}
	if (!qualname[0])
		strcpy(qualname, dot ? dot + 1 : tp_name);
}

bool type_read_name(const struct runtime *runtime, struct reader *reader, struct type *type)
{
	char module[NAME_MAX_BYTES], qualname[NAME_MAX_BYTES];
	char *full, *prefix;

	split_name(runtime, reader, type, module, qualname);
	prefix = strdup(module);
	if (!prefix)
		return false;
	type->module = prefix;
	if (!module[0] || !strcmp(module, "builtins")) {
		full = strdup(qualname);
		type->short_name = full;
	} else {
		full = malloc(strlen(module) + strlen(qualname) + 2);
		if (full) {
			sprintf(full, "%s.%s", module, qualname);
			type->short_name = full + strlen(module) + 1;
		}
	}
	type->name = full;
	return full != NULL;
}

/*
 * Slots of the class itself: an array of PyMemberDef behind the heap type, as long as the ob_size
 * of the type object says (PyHeapType_GET_MEMBERS). subtype_traverse visits those of kind
 * Py_T_OBJECT_EX.
 */
bool type_read_slots(const struct runtime *runtime, struct reader *reader, struct type *type)
{
	const struct layout *layout = &runtime->layout;
	uint64_t count, metatype_size, members;

	if (!(type->flags & TPFLAGS_HEAPTYPE) ||
	    !read_field(reader, type->address, layout->PyVarObject_ob_size, &count) || !count ||
	    count > SLOTS_MAX ||
	    !read_field(reader, type->metatype, layout->PyTypeObject_tp_basicsize,
			&metatype_size) ||
	    metatype_size > BASICSIZE_MAX)
		return true;
	members = type->address + metatype_size;
	if (!reader_at(reader, members, count * layout->PyMemberDef_size))
		return true;
	type->slots = calloc(count, sizeof(*type->slots));
	if (!type->slots)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t member = members + i * layout->PyMemberDef_size, name, offset;
		struct type_slot *slot = &type->slots[type->slot_count];
		char text[NAME_MAX_BYTES] = "";
		uint32_t kind;

		reader_u32(reader, member + layout->PyMemberDef_type, &kind);
		if (kind != MEMBER_OBJECT_EX)
			continue;
		read_field(reader, member, layout->PyMemberDef_offset, &offset);
		read_field(reader, member, layout->PyMemberDef_name, &name);
		reader_string(reader, name, text, sizeof(text));
		slot->offset = (int64_t)offset;
		slot->member = member;
		slot->name = strdup(text);
		if (!slot->name)
			return false;
		type->slot_count++;
	}
	return true;
}

/* Has any class of the MRO a __del__ in its dict? Static types have none. */
static bool mro_has_del(const struct runtime *runtime, struct reader *reader,
			const struct type *type)
{
	const struct layout *layout = &runtime->layout;
	uint64_t mro, count;

	if (!read_field(reader, type->address, layout->PyTypeObject_tp_mro, &mro) ||
	    !read_field(reader, mro, layout->PyVarObject_ob_size, &count))
		return false;
	if (count > MRO_MAX)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t class, flags, dict;

		if (!reader_u64(reader, mro + layout->PyTupleObject_ob_item + i * 8, &class) ||
		    !read_field(reader, class, layout->PyTypeObject_tp_flags, &flags))
			return false;
		if ((flags & TPFLAGS_HEAPTYPE) &&
		    read_field(reader, class, layout->PyTypeObject_tp_dict, &dict) &&
		    dict_find(runtime, reader, dict, "__del__"))
			return true;
	}
	return false;
}

bool type_has_del(const struct runtime *runtime, struct reader *reader, const struct type *type)
{
	return type->del || ((type->flags & TPFLAGS_HEAPTYPE) && type->finalize &&
			     mro_has_del(runtime, reader, type));
}

/*
 * tp_is_gc has two users: `type`, whose instances are GC objects if they are heap types, and
 * executors of 3.14+, which are not met in containers.
 */
bool type_object_is_gc(const struct runtime *runtime, struct reader *reader,
		       const struct type *type, uint64_t object)
{
	uint64_t flags;

	if (!(type->flags & TPFLAGS_HAVE_GC))
		return false;
	if (!type->is_gc || !(type->flags & TPFLAGS_TYPE_SUBCLASS))
		return true;
	return read_field(reader, object, runtime->layout.PyTypeObject_tp_flags, &flags) &&
	       (flags & TPFLAGS_HEAPTYPE);
}
