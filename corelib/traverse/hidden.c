/*
 * References that objects hold without telling the collector, of the types where that hides much:
 * arrays of numpy with objects in them, code objects, dates with a time zone. Found by the name of
 * the C type that defines the layout and the file that its functions are in.
 */
#include "traverse/decoder.h"

#include <stdlib.h>

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
	ARRAY_OWNDATA = 4, // of the flags: the buffer is the array's, and so is what is in it
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

	/* Include/datetime.h: PyDateTime_DateTime, PyDateTime_Time */
	DATE_HASTZINFO = 24,
	DATETIME_TZINFO = 40,
	TIME_TZINFO = 32,
};

/** A type that keeps references for itself. */
struct hidden_decoder {
	const char *type; /**< module-qualified name of the C type */
	const char *file; /**< part of the path of the file with its code; NULL: CPython's own */
	bool (*decode)(struct traverser *traverser, uint64_t object);
};

/*
 * Arrays of numpy
 */

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
		if (number == TYPE_OBJECT && element->count < FIELDS_PENDING)
			element->offsets[element->count++] = part.offset;
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

static bool visit_elements(struct traverser *traverser, uint64_t data,
			   const struct element *element, uint64_t length)
{
	if (element->count == 1 && element->size == WORD)
		return visit_words(traverser, data, length);
	for (uint64_t i = 0; i < length; i++)
		for (size_t j = 0; j < element->count; j++)
			if (!visit_word(traverser, data + i * element->size + element->offsets[j]))
				return false;
	return true;
}

// The array that a view is of, the dtype, and the elements if the array owns them. An array that
// owns its data has no gaps in it, in whatever order the dimensions are.
static bool decode_array(struct traverser *traverser, uint64_t object)
{
	struct element element;
	uint64_t descr, data, length;
	uint32_t flags;

	if (!visit_word(traverser, object + ARRAY_BASE) ||
	    !visit_word(traverser, object + ARRAY_DESCR) ||
	    !reader_u64(&traverser->reader, object + ARRAY_DESCR, &descr) ||
	    !reader_u64(&traverser->reader, object + ARRAY_DATA, &data) ||
	    !reader_u32(&traverser->reader, object + ARRAY_FLAGS, &flags))
		return false;
	if (!(flags & ARRAY_OWNDATA) || !read_element(traverser, descr, &element) || !element.count)
		return true;
	return read_element_size(traverser, descr, &element) &&
	       read_length(traverser, object, &length) &&
	       visit_elements(traverser, data, &element, length);
}

static bool decode_void(struct traverser *traverser, uint64_t object)
{
	return visit_word(traverser, object + VOID_DESCR) &&
	       visit_word(traverser, object + VOID_BASE);
}

/*
 * CPython's own
 */

// What a code object holds: constants, functions inside of it among them.
static bool decode_code(struct traverser *traverser, uint64_t object)
{
	return visit_word(traverser, object + traverser->layout->PyCodeObject_co_consts);
}

// There is no member for the time zone if a flag says that there is none.
static bool decode_zone(struct traverser *traverser, uint64_t object, uint32_t tzinfo)
{
	uint8_t has;

	if (!reader_u8(&traverser->reader, object + DATE_HASTZINFO, &has))
		return false;
	return !has || visit_word(traverser, object + tzinfo);
}

static bool decode_datetime(struct traverser *traverser, uint64_t object)
{
	return decode_zone(traverser, object, DATETIME_TZINFO);
}

static bool decode_time(struct traverser *traverser, uint64_t object)
{
	return decode_zone(traverser, object, TIME_TZINFO);
}

// What type_traverse() leaves out: the dict of weak references to subclasses, and the names of the
// table that the instances' dicts share. Static types of 3.12+ have a number in place of the dict.
static bool decode_class(struct traverser *traverser, uint64_t object)
{
	const struct layout *layout = traverser->layout;
	struct dict_view names;
	uint64_t flags, keys;

	if (!reader_u64(&traverser->reader, object + layout->PyTypeObject_tp_flags, &flags))
		return false;
	if (!(flags & TPFLAGS_HEAPTYPE))
		return true;
	if (!visit_word(traverser, object + layout->PyTypeObject_tp_subclasses) ||
	    !reader_u64(&traverser->reader, object + layout->PyHeapTypeObject_ht_cached_keys,
			&keys))
		return false;
	if (!keys || !dict_open_keys(traverser->runtime, &traverser->reader, keys, &names))
		return true;
	for (uint64_t i = 0; i < names.count; i++)
		if (!visit_word(traverser, names.entries + i * names.entry_size + names.key_offset))
			return false;
	return true;
}

static const struct hidden_decoder decoders[] = {
	{"numpy.ndarray", "/numpy/", decode_array},
	{"numpy.void", "/numpy/", decode_void},
	{"code", NULL, decode_code},
	{"type", NULL, decode_class},
	{"generator", NULL, generator_visit_running},
	{"coroutine", NULL, generator_visit_running},
	{"async_generator", NULL, generator_visit_running},
	{"datetime.datetime", NULL, decode_datetime},
	{"datetime.time", NULL, decode_time},
};

static bool is_defined_by(const struct traverser *traverser, const struct type *type,
			  const struct hidden_decoder *decoder)
{
	const struct module *module;

	if (type->flags & TPFLAGS_HEAPTYPE || strcmp(type->name, decoder->type))
		return false;
	if (!decoder->file)
		return is_cpython_code(traverser, type->dealloc);
	module = modules_at(traverser->runtime->target->modules, type->dealloc);
	return module && module->path && strstr(module->path, decoder->file);
}

const struct hidden_decoder *hidden_decoder_of(const struct traverser *traverser,
					       const struct type *type)
{
	for (; type; type = type->base)
		for (size_t i = 0; i < sizeof(decoders) / sizeof(decoders[0]); i++)
			if (is_defined_by(traverser, type, &decoders[i]))
				return &decoders[i];
	return NULL;
}

bool traverse_hidden(struct traverser *traverser, uint64_t object, const struct type *type,
		     const struct reference **references, size_t *count)
{
	const struct plan *plan = traverser_plan(traverser, type);
	bool has_dict = plan && plan->dict_place == DICT_MANAGED;
	bool known = plan && (plan->hidden || has_dict);

	traverser->count = 0;
	if (known && plan->hidden)
		known = plan->hidden->decode(traverser, object);
	if (known && has_dict)
		known = managed_dict_visit_hidden(traverser, type, object);
	if (!known)
		traverser->count = 0;
	*references = traverser->references;
	*count = traverser->count;
	return known;
}

/*
 * Labels
 */

bool hidden_is_flat(struct traverser *traverser, const struct plan *plan, uint64_t object)
{
	uint64_t descr;
	uint32_t number;

	return plan->hidden && plan->hidden->decode == decode_array &&
	       reader_u64(&traverser->reader, object + ARRAY_DESCR, &descr) &&
	       reader_u32(&traverser->reader, descr + DESCR_TYPE_NUM, &number) &&
	       number == TYPE_OBJECT;
}

bool hidden_array_shape(struct traverser *traverser, const struct plan *plan, uint64_t object,
			struct array_shape *shape)
{
	uint64_t descr;

	*shape = (struct array_shape){0};
	if (!plan->hidden || plan->hidden->decode != decode_array ||
	    !reader_u32(&traverser->reader, object + ARRAY_ND, &shape->count) ||
	    shape->count > ARRAY_ND_MAX ||
	    !reader_u64(&traverser->reader, object + ARRAY_DIMENSIONS, &shape->dimensions) ||
	    !reader_u64(&traverser->reader, object + ARRAY_DESCR, &descr))
		return false;
	reader_u64(&traverser->reader, descr + DESCR_TYPEOBJ, &shape->scalar);
	return true;
}

// A member by the offset of its slot.
static const char *member_name(const struct traverser *traverser, const struct plan *plan,
			       uint64_t offset)
{
	bool (*decode)(struct traverser *, uint64_t) = plan->hidden->decode;

	if (decode == decode_array)
		return offset == ARRAY_BASE ? "base" : offset == ARRAY_DESCR ? "dtype" : NULL;
	if (decode == decode_void)
		return offset == VOID_BASE ? "base" : offset == VOID_DESCR ? "dtype" : NULL;
	if (decode == generator_visit_running)
		return NULL;
	if (decode == decode_class)
		return offset == traverser->layout->PyTypeObject_tp_subclasses ? "tp_subclasses"
									       : NULL;
	if (decode == decode_code)
		return offset == traverser->layout->PyCodeObject_co_consts ? "co_consts"
		       : offset == traverser->layout->PyCodeObject_co_localsplusnames
			       ? "co_localsplusnames"
			       : NULL;
	return offset == (decode == decode_time ? TIME_TZINFO : DATETIME_TZINFO) ? "tzinfo" : NULL;
}

static bool label_element(struct traverser *traverser, uint64_t object,
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

bool hidden_label(struct traverser *traverser, const struct plan *plan, uint64_t object,
		  const struct reference *reference, struct edge_label *label)
{
	const char *name;

	if (!plan->hidden)
		return false;
	name = member_name(traverser, plan, reference->slot - object);
	if (!name)
		return plan->hidden->decode == decode_array &&
		       label_element(traverser, object, reference, label);
	/* Python code does not see these two. */
	label->kind = strcmp(name, "tp_subclasses") && strcmp(name, "co_localsplusnames")
			      ? EDGE_ATTRIBUTE
			      : EDGE_INTERNAL;
	label_text(label, name);
	return true;
}
