/* The variables of a frame by their names in the code object. */
#include "cpython/frame.h"
#include "cpython/type.h"

#include <string.h>

enum {
	WORD = sizeof(uint64_t),
	SLOTS_MAX = 1 << 16,
	CO_OPTIMIZED = 1,    /* Include/cpython/code.h: variables are in slots, not in a dict */
	CO_FAST_CELL = 0x40, /* co_localspluskinds, 3.11+ (pycore_code.h) */
	CO_FAST_FREE = 0x80,
	STACKREF_INTEGER = 3, /* both low bits: no object */
};

/* Tags of _PyStackRef, 3.14+; 1 alone is NULL. */
#define TAGS UINT64_C(7)

/* The tuples of names that follow each other in the slots. */
static size_t name_lists(const struct layout *layout, uint32_t lists[3])
{
	lists[0] = layout->PyCodeObject_co_localsplusnames;
	if (layout_has(lists[0]))
		return 1;
	lists[0] = layout->PyCodeObject_co_varnames;
	lists[1] = layout->PyCodeObject_co_cellvars;
	lists[2] = layout->PyCodeObject_co_freevars;
	return 3;
}

static bool name_list(const struct layout *layout, struct reader *reader, uint64_t at,
		      uint64_t *names, uint64_t *count)
{
	return reader_u64(reader, at, names) &&
	       reader_u64(reader, *names + layout->PyVarObject_ob_size, count);
}

uint64_t code_slot_name(const struct layout *layout, struct reader *reader, uint64_t code,
			uint64_t i)
{
	uint32_t lists[3];
	size_t list_count = name_lists(layout, lists);

	for (size_t list = 0; list < list_count; list++) {
		uint64_t names, count, name;

		if (!name_list(layout, reader, code + lists[list], &names, &count))
			return 0;
		if (i < count) {
			reader_u64(reader, names + layout->PyTupleObject_ob_item + i * WORD, &name);
			return name;
		}
		i -= count;
	}
	return 0;
}

/* The slots of a frame, and how many of them have names. */
static void open_slots(struct locals *locals, const struct frame *frame)
{
	const struct layout *layout = &locals->runtime->layout;
	uint32_t lists[3];
	size_t list_count = name_lists(layout, lists);

	locals->slots = frame->address + (list_count == 1 ? layout->_PyInterpreterFrame_localsplus
							  : layout->PyFrameObject_f_localsplus);
	for (size_t list = 0; list < list_count; list++) {
		uint64_t names, count;

		if (!name_list(layout, locals->reader, frame->code + lists[list], &names, &count) ||
		    count > SLOTS_MAX)
			return;
		locals->count += count;
		if (!list)
			locals->plain = count;
	}
}

/* A class body, or code of exec(): its variables are in a dict. */
static void open_dict(struct locals *locals, const struct frame *frame)
{
	const struct runtime *runtime = locals->runtime;
	const struct layout *layout = &runtime->layout;
	bool is_object = layout_has(layout->PyFrameObject_f_lasti);
	struct object_header header;
	const struct type *type;
	uint64_t dict, globals;

	if (!reader_u64(locals->reader,
			frame->address + (is_object ? layout->PyFrameObject_f_locals
						    : layout->_PyInterpreterFrame_f_locals),
			&dict) ||
	    !reader_u64(locals->reader,
			frame->address + (is_object ? layout->PyFrameObject_f_globals
						    : layout->_PyInterpreterFrame_f_globals),
			&globals) ||
	    !dict || dict == globals || !object_header(runtime, locals->reader, dict, &header))
		return;
	type = type_get(runtime->types, locals->reader, header.type);
	if (type && (type->flags & TPFLAGS_DICT_SUBCLASS) &&
	    dict_open(runtime, locals->reader, dict, &locals->names))
		locals->count = dict_ordinals(&locals->names);
}

void locals_begin(struct locals *locals, const struct runtime *runtime, struct reader *reader,
		  const struct frame *frame)
{
	uint32_t flags;

	*locals = (struct locals){.runtime = runtime, .reader = reader, .code = frame->code};
	if (!reader_u32(reader, frame->code + runtime->layout.PyCodeObject_co_flags, &flags))
		return;
	if (flags & CO_OPTIMIZED)
		open_slots(locals, frame);
	else
		open_dict(locals, frame);
}

static bool is_cell_slot(const struct locals *locals, uint64_t i)
{
	const struct layout *layout = &locals->runtime->layout;
	uint64_t kinds;
	uint8_t kind;

	if (!layout_has(layout->PyCodeObject_co_localspluskinds))
		return i >= locals->plain;
	return reader_u64(locals->reader, locals->code + layout->PyCodeObject_co_localspluskinds,
			  &kinds) &&
	       reader_u8(locals->reader, kinds + layout->PyBytesObject_ob_sval + i, &kind) &&
	       (kind & (CO_FAST_CELL | CO_FAST_FREE));
}

/* Before the function begins a slot of a cell still has the argument itself. */
static uint64_t cell_content(const struct locals *locals, uint64_t cell)
{
	struct object_header header;
	const struct type *type;
	uint64_t content;

	if (!object_header(locals->runtime, locals->reader, cell, &header))
		return cell;
	type = type_get(locals->runtime->types, locals->reader, header.type);
	if (!type || strcmp(type->name, "cell"))
		return cell;
	reader_u64(locals->reader, cell + locals->runtime->layout.PyCellObject_ob_ref, &content);
	return content;
}

static uint64_t slot_value(const struct locals *locals, uint64_t i)
{
	uint64_t value;

	reader_u64(locals->reader, locals->slots + i * WORD, &value);
	if (layout_has(locals->runtime->layout._PyInterpreterFrame_stackpointer)) {
		if ((value & STACKREF_INTEGER) == STACKREF_INTEGER)
			return 0;
		value &= ~TAGS;
	}
	return value && is_cell_slot(locals, i) ? cell_content(locals, value) : value;
}

static bool set_name(const struct locals *locals, uint64_t name, struct local *local)
{
	return name && object_is_str(locals->runtime, locals->reader, name) &&
	       object_str(locals->runtime, locals->reader, name, local->name, sizeof(local->name));
}

bool locals_next(struct locals *locals, struct local *local)
{
	while (locals->next < locals->count) {
		uint64_t i = locals->next++, key, slot;

		if (locals->slots) {
			local->value = slot_value(locals, i);
			key = code_slot_name(&locals->runtime->layout, locals->reader, locals->code,
					     i);
		} else if (!dict_entry(locals->reader, &locals->names,
				       dict_ordinal(locals->reader, &locals->names, i), &key,
				       &local->value, &slot)) {
			continue;
		}
		if (local->value && set_name(locals, key, local))
			return true;
	}
	return false;
}
