/*
 * References that objects hold without telling the collector, of the types where that hides much:
 * arrays of numpy with objects in them (hidden_numpy.c), code objects, dates with a time zone.
 * Found by the name of the C type that defines the layout and the file that its functions are in.
 */
#include "traverse/decoder.h"

#include <stdlib.h>

enum {
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
	{"numpy.ndarray", "/numpy/", hidden_array},
	{"numpy.void", "/numpy/", hidden_record},
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

static bool is_array(const struct plan *plan)
{
	return plan && plan->hidden && plan->hidden->decode == hidden_array;
}

bool traverse_may_be_unaligned(struct traverser *traverser, const struct type *type)
{
	return is_array(traverser_plan(traverser, type));
}

void traverse_unaligned(struct traverser *traverser, uint64_t object, const struct type *type,
			const struct reference **references, size_t *count)
{
	traverser->count = 0;
	if (is_array(traverser_plan(traverser, type)) && !hidden_array_unaligned(traverser, object))
		traverser->count = 0;
	*references = traverser->references;
	*count = traverser->count;
}

bool hidden_is_flat(struct traverser *traverser, const struct plan *plan, uint64_t object)
{
	return is_array(plan) && hidden_array_is_flat(traverser, object);
}

bool hidden_array_shape(struct traverser *traverser, const struct plan *plan, uint64_t object,
			struct array_shape *shape)
{
	*shape = (struct array_shape){0};
	return is_array(plan) && hidden_array_read_shape(traverser, object, shape);
}

/*
 * Labels
 */

// A member by the offset of its slot.
static const char *member_name(const struct traverser *traverser, const struct plan *plan,
			       uint64_t offset)
{
	bool (*decode)(struct traverser *, uint64_t) = plan->hidden->decode;

	if (decode == hidden_array || decode == hidden_record)
		return hidden_numpy_member(decode == hidden_array, offset);
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

bool hidden_label(struct traverser *traverser, const struct plan *plan, uint64_t object,
		  const struct reference *reference, struct edge_label *label)
{
	const char *name;

	if (!plan->hidden)
		return false;
	name = member_name(traverser, plan, reference->slot - object);
	if (!name)
		return is_array(plan) && hidden_array_label(traverser, object, reference, label);
	/* Python code does not see these two. */
	label->kind = strcmp(name, "tp_subclasses") && strcmp(name, "co_localsplusnames")
			      ? EDGE_ATTRIBUTE
			      : EDGE_INTERNAL;
	label_text(label, name);
	return true;
}
