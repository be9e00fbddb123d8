/*
 * Arrays of numpy with objects in them: what they own is in a buffer, at places that the dtype
 * tells. Records may be packed, so that references stand at any address.
 */
#include "traverse/decoder.h"

enum {
	WORD = sizeof(uint64_t),
	FIELDS_PENDING = 64, // nested structures of one dtype

	/* numpy/core/include/numpy/ndarraytypes.h: PyArrayObject_fields, 1.7 to 2.x */
	ARRAY_DATA = 16,
	ARRAY_ND = 24,
	ARRAY_DIMENSIONS = 32,
	ARRAY_BASE = 48,
	ARRAY_DESCR = 56,
	ARRAY_FLAGS = 64,
	FLAG_OWNDATA = 4, // the buffer is the array's, and so is what is in it
	ARRAY_ND_MAX = 64,
	/* PyArray_Descr: names and fields are elsewhere since 2.0 */
	DESCR_TYPEOBJ = 16,
	DESCR_TYPE_NUM = 28,
	DESCR_ELSIZE_1 = 32,
	DESCR_FIELDS_1 = 48,
	DESCR_ELSIZE_2 = 40,
	DESCR_FIELDS_2 = 96,
	TYPE_OBJECT = 17, // enum NPY_TYPES
	TYPE_VOID = 20,
	/* numpy/arrayscalars.h: PyVoidScalarObject */
	VOID_DESCR = 32,
	VOID_BASE = 48,
};

/** What a dtype says about an element. */
struct element {
	uint64_t size;
	uint64_t offsets[FIELDS_PENDING]; /**< of the objects in it */
	size_t count;
};

/** A dtype that is part of an element. */
struct part {
	uint64_t descr, offset;
};

// The dict of fields of a dtype, of numpy 1 or 2.
static bool open_fields(struct traverser *traverser, uint64_t descr, struct dict_view *fields)
{
	static const uint32_t places[] = {DESCR_FIELDS_1, DESCR_FIELDS_2};
	uint64_t dict;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct object_header header;
		const struct type *type;

		if (!reader_u64(&traverser->reader, descr + places[i], &dict) ||
		    !object_header(traverser->runtime, &traverser->reader, dict, &header))
			continue;
		type = type_get(traverser->runtime->types, &traverser->reader, header.type);
		if (type && (type->flags & TPFLAGS_DICT_SUBCLASS))
			return dict_open(traverser->runtime, &traverser->reader, dict, fields);
	}
	return false;
}

// The (dtype, offset[, title]) that a field's name stands for.
static bool read_field(struct traverser *traverser, uint64_t tuple, struct part *part)
{
	uint64_t items = tuple + traverser->layout->PyTupleObject_ob_item, offset;
	int64_t number;

	if (!reader_u64(&traverser->reader, items, &part->descr) ||
	    !reader_u64(&traverser->reader, items + WORD, &offset) ||
	    !read_int(traverser, offset, &number) || number < 0 || number > INT32_MAX)
		return false;
	part->offset = (uint64_t)number;
	return true;
}

// Adds the parts of a structured dtype to those still to be looked at. @return how many there are
static size_t add_parts(struct traverser *traverser, const struct part *whole,
			struct part pending[FIELDS_PENDING], size_t count)
{
	struct dict_view fields;
	uint64_t key, value, slot;

	if (!open_fields(traverser, whole->descr, &fields))
		return count;
	for (uint64_t i = 0; i < fields.count && count < FIELDS_PENDING; i++) {
		struct part part;

		if (!dict_entry(&traverser->reader, &fields, i, &key, &value, &slot) || !value ||
		    !read_field(traverser, value, &part))
			continue;
		part.offset += whole->offset;
		pending[count++] = part;
	}
	return count;
}

// A field with a title is there twice.
static void add_offset(struct element *element, uint64_t offset)
{
	for (size_t i = 0; i < element->count; i++)
		if (element->offsets[i] == offset)
			return;
	if (element->count < FIELDS_PENDING)
		element->offsets[element->count++] = offset;
}

// Where in an element there are objects. Parts that refer to each other in a circle end by a limit.
static bool read_element(struct traverser *traverser, uint64_t descr, struct element *element)
{
	struct part pending[FIELDS_PENDING] = {{descr, 0}};
	size_t count = 1, steps = 0;
	uint32_t number;

	*element = (struct element){0};
	while (count && steps++ < FIELDS_PENDING) {
		struct part part = pending[--count];

		if (!reader_u32(&traverser->reader, part.descr + DESCR_TYPE_NUM, &number))
			return false;
		if (number == TYPE_OBJECT)
			add_offset(element, part.offset);
		if (number == TYPE_VOID)
			count = add_parts(traverser, &part, pending, count);
	}
	return true;
}

// The size of an element: an int in numpy 1, 64 bits further on in numpy 2, where flags stand
// there.
static bool read_element_size(struct traverser *traverser, uint64_t descr, struct element *element)
{
	uint32_t size_1, number;
	uint64_t size_2;

	if (!reader_u32(&traverser->reader, descr + DESCR_TYPE_NUM, &number) ||
	    !reader_u32(&traverser->reader, descr + DESCR_ELSIZE_1, &size_1) ||
	    !reader_u64(&traverser->reader, descr + DESCR_ELSIZE_2, &size_2))
		return false;
	if (number == TYPE_OBJECT) {
		element->size = WORD;
		return true;
	}
	// In numpy 1 a dtype with fields has a pointer at 40, which is NULL, or far too large.
	element->size = size_2 && size_2 < INT32_MAX ? size_2 : size_1;
	return element->size >= WORD;
}

// How many elements: the product of the dimensions.
static bool read_length(struct traverser *traverser, uint64_t object, uint64_t *length)
{
	uint32_t nd;
	uint64_t dimensions, dimension;

	if (!reader_u32(&traverser->reader, object + ARRAY_ND, &nd) || nd > ARRAY_ND_MAX ||
	    !reader_u64(&traverser->reader, object + ARRAY_DIMENSIONS, &dimensions))
		return false;
	*length = 1;
	for (uint32_t i = 0; i < nd; i++)
		if (!reader_u64(&traverser->reader, dimensions + (uint64_t)i * WORD, &dimension) ||
		    __builtin_mul_overflow(*length, dimension, length) ||
		    *length > INT64_MAX / WORD)
			return false;
	return true;
}

/** Elements that an array owns. */
struct elements {
	struct element element;
	uint64_t data, length;
};

// What stands in the buffer of an array. An array that owns its data has no gaps in it, in whatever
// order the dimensions are. @return false if it makes no sense; without objects the length is 0
static bool open_array(struct traverser *traverser, uint64_t object, struct elements *elements)
{
	uint64_t descr;
	uint32_t flags;

	*elements = (struct elements){0};
	if (!reader_u64(&traverser->reader, object + ARRAY_DESCR, &descr) ||
	    !reader_u64(&traverser->reader, object + ARRAY_DATA, &elements->data) ||
	    !reader_u32(&traverser->reader, object + ARRAY_FLAGS, &flags))
		return false;
	if (!(flags & FLAG_OWNDATA) || !read_element(traverser, descr, &elements->element) ||
	    !elements->element.count)
		return true;
	// Objects in an element do not overlap: numpy refuses such a dtype.
	return read_element_size(traverser, descr, &elements->element) &&
	       elements->element.size >= elements->element.count * WORD &&
	       read_length(traverser, object, &elements->length);
}

static bool visit_elements(struct traverser *traverser, const struct elements *elements)
{
	const struct element *element = &elements->element;

	if (element->count == 1 && element->size == WORD)
		return visit_words(traverser, elements->data, elements->length);
	for (uint64_t i = 0; i < elements->length; i++)
		for (size_t j = 0; j < element->count; j++)
			if (!visit_word(traverser,
					elements->data + i * element->size + element->offsets[j]))
				return false;
	return true;
}

// The array that a view is of, the dtype, and the elements if the array owns them.
bool hidden_array(struct traverser *traverser, uint64_t object)
{
	struct elements elements;

	return visit_word(traverser, object + ARRAY_BASE) &&
	       visit_word(traverser, object + ARRAY_DESCR) &&
	       open_array(traverser, object, &elements) && visit_elements(traverser, &elements);
}

// A record with objects in it is a view: they are the array's that it is of.
bool hidden_record(struct traverser *traverser, uint64_t object)
{
	return visit_word(traverser, object + VOID_DESCR) &&
	       visit_word(traverser, object + VOID_BASE);
}

// Are all objects of all elements at multiples of a word?
static bool is_aligned(const struct elements *elements)
{
	uint64_t bits = elements->data | elements->element.size;

	for (size_t i = 0; i < elements->element.count; i++)
		bits |= elements->element.offsets[i];
	return bits % WORD == 0;
}

bool hidden_array_unaligned(struct traverser *traverser, uint64_t object)
{
	struct elements elements;
	const struct element *element = &elements.element;

	if (!open_array(traverser, object, &elements))
		return false;
	if (is_aligned(&elements))
		return true;
	for (uint64_t i = 0; i < elements.length; i++)
		for (size_t j = 0; j < element->count; j++) {
			uint64_t slot = elements.data + i * element->size + element->offsets[j];

			if (slot % WORD && !visit_word(traverser, slot))
				return false;
		}
	return true;
}

const char *hidden_numpy_member(bool is_array, uint64_t offset)
{
	if (is_array)
		return offset == ARRAY_BASE ? "base" : offset == ARRAY_DESCR ? "dtype" : NULL;
	return offset == VOID_BASE ? "base" : offset == VOID_DESCR ? "dtype" : NULL;
}

bool hidden_array_is_flat(struct traverser *traverser, uint64_t object)
{
	uint64_t descr;
	uint32_t number;

	return reader_u64(&traverser->reader, object + ARRAY_DESCR, &descr) &&
	       reader_u32(&traverser->reader, descr + DESCR_TYPE_NUM, &number) &&
	       number == TYPE_OBJECT;
}

bool hidden_array_read_shape(struct traverser *traverser, uint64_t object,
			     struct array_shape *shape)
{
	uint64_t descr;

	if (!reader_u32(&traverser->reader, object + ARRAY_ND, &shape->count) ||
	    shape->count > ARRAY_ND_MAX ||
	    !reader_u64(&traverser->reader, object + ARRAY_DIMENSIONS, &shape->dimensions) ||
	    !reader_u64(&traverser->reader, object + ARRAY_DESCR, &descr))
		return false;
	reader_u64(&traverser->reader, descr + DESCR_TYPEOBJ, &shape->scalar);
	return true;
}

bool hidden_array_label(struct traverser *traverser, uint64_t object,
			const struct reference *reference, struct edge_label *label)
{
	struct element element;
	uint64_t data, descr, length;

	if (!reader_u64(&traverser->reader, object + ARRAY_DATA, &data) ||
	    !reader_u64(&traverser->reader, object + ARRAY_DESCR, &descr) ||
	    !read_element_size(traverser, descr, &element) ||
	    !read_length(traverser, object, &length) || reference->slot < data ||
	    (reference->slot - data) / element.size >= length)
		return false;
	label->kind = EDGE_INDEX;
	label->index = (reference->slot - data) / element.size;
	return true;
}
