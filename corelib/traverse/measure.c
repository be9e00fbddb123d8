/*
 * Sizes of objects: what the allocator was asked for. sys.getsizeof() is object + header + out of
 * line, but for a few types. It leaves out the values of an instance (and counts those that are
 * embedded in one for the dict, 3.13+), the order of a split dict's values, the __slots__ table of
 * a class, an instance's own words where the base class has a __sizeof__ (int, str), the spare
 * blocks of a deque (3.11+), and one word of a frame (up to 3.10). What C types other than those of
 * the decoders allocate is not known: buffers of files, indices of permutations.
 */
#include "traverse/decoder.h"

enum { ITEMS_MAX = 1u << 30 };

/* str: one, two or four bytes a character and a NUL, behind the struct or elsewhere. */
static bool str_size(struct traverser *traverser, uint64_t object, struct object_size *size)
{
	const struct layout *layout = traverser->layout;
	uint32_t state, bit = layout->PyASCIIObject_state * 8, kind;
	uint64_t length;

	if (!reader_u32(&traverser->reader, object + layout->PyASCIIObject_state, &state) ||
	    !reader_u64(&traverser->reader, object + layout->PyASCIIObject_length, &length) ||
	    length > INT64_MAX / 4)
		return false;
	kind = state >> (layout->PyASCIIObject_kind - bit) & 7;
	if (!(state >> (layout->PyASCIIObject_compact - bit) & 1)) {
		size->out_of_line = (length + 1) * kind;
		return true;
	}
	size->object = state >> (layout->PyASCIIObject_ascii - bit) & 1
			       ? layout->PyASCIIObject_size
			       : layout->PyCompactUnicodeObject_size;
	size->object += (length + 1) * kind;
	return true;
}

bool is_bytearray_class(const struct type *type)
{
	while (type && strcmp(type->name, "bytearray"))
		type = type->base;
	return type && !(type->flags & TPFLAGS_HEAPTYPE);
}

/*
 * bytearray: its bytes are elsewhere, ob_alloc of them. It is no GC object, so no decoder knows it.
 * From 3.15 on they are in a bytes object (ob_bytes_object, Objects/bytearrayobject.c), which is
 * measured as such.
 */
static uint64_t bytearray_storage(struct traverser *traverser, uint64_t object)
{
	uint64_t allocated;

	if (layout_has(traverser->layout->PyByteArrayObject_ob_bytes_object))
		return 0;
	reader_u64(&traverser->reader, object + traverser->layout->PyByteArrayObject_ob_alloc,
		   &allocated);
	return allocated <= INT64_MAX ? allocated : 0;
}

/* The digits of an int: ob_size has its sign; from 3.12 on lv_tag counts them above three flags,
 * and zero has one as well. */
static uint64_t digit_count(struct traverser *traverser, uint64_t object)
{
	const struct layout *layout = traverser->layout;
	uint64_t count;

	if (layout_has(layout->PyLongObject_lv_tag)) {
		reader_u64(&traverser->reader, object + layout->PyLongObject_lv_tag, &count);
		return count >> 3 ? count >> 3 : 1;
	}
	reader_u64(&traverser->reader, object + layout->PyVarObject_ob_size, &count);
	return (int64_t)count < 0 ? -count : count;
}

static uint64_t item_count(struct traverser *traverser, const struct plan *plan, uint64_t object)
{
	uint64_t count;

	if (plan->type->flags & TPFLAGS_LONG_SUBCLASS)
		return digit_count(traverser, object);
	if (plan->binding && plan->binding->decoder && plan->binding->decoder->items)
		return plan->binding->decoder->items(traverser, plan, object);
	reader_u64(&traverser->reader, object + traverser->layout->PyVarObject_ob_size, &count);
	return (int64_t)count < 0 ? 0 : count;
}

/* The object itself and what is in front of it. @return false if there is nothing else to look for
 */
static bool measure_object(struct traverser *traverser, const struct plan *plan, uint64_t object,
			   struct object_size *size)
{
	const struct type *type = plan->type;
	uint64_t items;

	*size = (struct object_size){.object = (uint64_t)type->basicsize, .header = type->presize};
	if ((type->flags & TPFLAGS_HAVE_GC) &&
	    !type_object_is_gc(traverser->runtime, &traverser->reader, type, object)) {
		size->header = 0;
		/* A static type object has neither a header nor the members of a heap type. */
		if (type->flags & TPFLAGS_TYPE_SUBCLASS) {
			size->object = traverser->layout->PyTypeObject_size;
			return false;
		}
	}
	if (type->flags & TPFLAGS_UNICODE_SUBCLASS)
		str_size(traverser, object, size);
	if (type->itemsize) {
		items = item_count(traverser, plan, object);
		if (items <= ITEMS_MAX)
			size->object += items * (uint64_t)type->itemsize;
	}
	return true;
}

void object_measure(struct traverser *traverser, uint64_t object, const struct type *type,
		    struct object_size *size)
{
	const struct plan *plan = traverser_plan(traverser, type);

	*size = (struct object_size){.object = (uint64_t)type->basicsize, .header = type->presize};
	if (!plan || !measure_object(traverser, plan, object, size))
		return;
	if (plan->binding && plan->binding->decoder && plan->binding->decoder->out_of_line)
		size->out_of_line += plan->binding->decoder->out_of_line(traverser, plan, object);
	else if (plan->is_bytearray)
		size->out_of_line += bytearray_storage(traverser, object);
}

uint64_t object_extent(struct traverser *traverser, uint64_t object, const struct type *type)
{
	const struct plan *plan = traverser_plan(traverser, type);
	struct object_size size;

	if (!plan)
		return (uint64_t)type->basicsize;
	measure_object(traverser, plan, object, &size);
	return size.object;
}

/* Where the number of items is. LAYOUT_ABSENT: it has none, or none that is known. */
static uint32_t length_field(struct traverser *traverser, const struct type *type)
{
	const struct layout *layout = traverser->layout;
	const struct plan *plan = traverser_plan(traverser, type);

	if (type->flags & TPFLAGS_DICT_SUBCLASS)
		return layout->PyDictObject_ma_used;
	if (type->flags & TPFLAGS_UNICODE_SUBCLASS)
		return layout->PyASCIIObject_length;
	if (type->flags & (TPFLAGS_LIST_SUBCLASS | TPFLAGS_TUPLE_SUBCLASS | TPFLAGS_BYTES_SUBCLASS))
		return layout->PyVarObject_ob_size;
	for (; plan; plan = plan->base) {
		const char *name =
			plan->binding && plan->binding->decoder ? plan->binding->decoder->name : "";

		if (!strcmp(name, "set"))
			return layout->PySetObject_used;
		if (!strcmp(name, "deque"))
			return layout->PyVarObject_ob_size;
	}
	return is_bytearray_class(type) ? layout->PyVarObject_ob_size : LAYOUT_ABSENT;
}

bool object_length(struct traverser *traverser, uint64_t object, const struct type *type,
		   uint64_t *length)
{
	uint32_t field = length_field(traverser, type);

	*length = 0;
	return layout_has(field) && reader_u64(&traverser->reader, object + field, length) &&
	       *length <= INT64_MAX;
}
