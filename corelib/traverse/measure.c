/*
 * Sizes of objects, as sys.getsizeof() counts them, apart from what instances have outside of
 * tp_basicsize: getsizeof() knows nothing of an instance's values.
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

/* Items of a var-sized object: an int's ob_size has its sign, or from 3.12 on flags below it. */
static uint64_t item_count(struct traverser *traverser, uint64_t object, const struct type *type)
{
	const struct layout *layout = traverser->layout;
	uint64_t count;

	if ((type->flags & TPFLAGS_LONG_SUBCLASS) && layout_has(layout->PyLongObject_lv_tag)) {
		reader_u64(&traverser->reader, object + layout->PyLongObject_lv_tag, &count);
		return count >> 3;
	}
	reader_u64(&traverser->reader, object + layout->PyVarObject_ob_size, &count);
	return (int64_t)count < 0 ? -count : count;
}

void object_measure(struct traverser *traverser, uint64_t object, const struct type *type,
		    struct object_size *size)
{
	const struct plan *plan = traverser_plan(traverser, type);
	const struct decoder *decoder = plan && plan->binding ? plan->binding->decoder : NULL;
	uint64_t items;

	*size = (struct object_size){.object = (uint64_t)type->basicsize, .header = type->presize};
	/* A static type object has nothing in front of it. */
	if (!type_object_is_gc(traverser->runtime, &traverser->reader, type, object))
		size->header = 0;
	if (type->flags & TPFLAGS_UNICODE_SUBCLASS && type->basicsize)
		str_size(traverser, object, size);
	if (type->itemsize) {
		items = item_count(traverser, object, type);
		if (items <= ITEMS_MAX)
			size->object += items * (uint64_t)type->itemsize;
	}
	if (decoder && decoder->out_of_line)
		size->out_of_line += decoder->out_of_line(traverser, plan, object);
}
