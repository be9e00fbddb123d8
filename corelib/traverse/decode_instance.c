/*
 * Instances of Python classes: subtype_traverse() in Objects/typeobject.c. It walks the base
 * classes while their tp_traverse is subtype_traverse too and visits their __slots__; then the
 * __dict__, unless the first other base has it already; then the class; then it calls that base's
 * own tp_traverse.
 */
#include "traverse/decoder.h"

#include <stdlib.h>

/* Ob_size of an int is its number of digits, with flags in the low bits from 3.12 on. */
static uint64_t item_count(struct traverser *traverser, const struct type *type, uint64_t object)
{
	const struct layout *layout = traverser->layout;
	uint64_t size;

	if ((type->flags & TPFLAGS_LONG_SUBCLASS) && layout_has(layout->PyLongObject_lv_tag)) {
		reader_u64(&traverser->reader, object + layout->PyLongObject_lv_tag, &size);
		return size >> 3;
	}
	reader_u64(&traverser->reader, object + layout->PyVarObject_ob_size, &size);
	return (int64_t)size < 0 ? -size : size;
}

/* Address of the dict pointer that a negative tp_dictoffset means: counted from the object's end.
 */
bool dict_at_end(struct traverser *traverser, const struct type *type, uint64_t object,
		 uint64_t *slot)
{
	uint64_t items = item_count(traverser, type, object), size;

	if (__builtin_mul_overflow(items, (uint64_t)type->itemsize, &size) || size > INT64_MAX / 2)
		return false;
	size = ((uint64_t)type->basicsize + size + 7) & ~UINT64_C(7);
	*slot = object + size + (uint64_t)type->dictoffset;
	return true;
}

static bool visit_dict(struct traverser *traverser, const struct plan *plan, const uint8_t *body,
		       uint64_t object)
{
	uint64_t slot;

	switch (plan->dict_place) {
	case DICT_NONE:
		return true;
	case DICT_OFFSET:
		visit_member(traverser, body, object, (uint32_t)plan->type->dictoffset);
		return true;
	case DICT_END:
		return dict_at_end(traverser, plan->type, object, &slot) &&
		       visit_word(traverser, slot);
	case DICT_MANAGED:
		return traverser->managed_dict->visit(traverser, plan->type, object);
	}
	return false;
}

static enum traverse_result decode_instance(struct traverser *traverser, const struct plan *plan,
					    uint64_t object)
{
	const uint8_t *body = reader_at(&traverser->reader, object, plan->extent);
	enum traverse_result result;

	if (!body || !visit_room(traverser, plan->slot_count + 1))
		return TRAVERSE_DAMAGED;
	for (size_t i = 0; i < plan->slot_count; i++)
		visit_member(traverser, body, object, (uint32_t)plan->slots[i]);
	if (!visit_dict(traverser, plan, body, object) ||
	    (plan->visits_type && !visit_type(traverser, plan->type, object)))
		return TRAVERSE_DAMAGED;
	if (!plan->base)
		return TRAVERSE_EXACT;
	result = plan->base->run(traverser, plan->base, object);
	return result == TRAVERSE_UNKNOWN ? TRAVERSE_PARTIAL : result;
}

static bool prepare_slots(struct traverser *traverser, struct plan *plan, const struct type *end)
{
	const struct type *type = plan->type;

	for (const struct type *base = type; base != end; base = base->base)
		plan->slot_count += base->slot_count;
	if (!plan->slot_count)
		return true;
	plan->slots = calloc(plan->slot_count, sizeof(*plan->slots));
	if (!plan->slots)
		return false;
	plan->slot_count = 0;
	for (const struct type *base = type; base != end; base = base->base) {
		for (size_t i = 0; i < base->slot_count; i++) {
			int64_t offset = base->slots[i].offset;

			if (offset < traverser->layout->PyObject_size ||
			    offset > type->basicsize - (int64_t)sizeof(uint64_t))
				return false;
			plan->slots[plan->slot_count++] = offset;
			if (offset + sizeof(uint64_t) > plan->extent)
				plan->extent = (uint32_t)(offset + sizeof(uint64_t));
		}
	}
	return true;
}

static bool prepare_dict(struct plan *plan, const struct type *end)
{
	const struct type *type = plan->type;

	if (type->dictoffset == end->dictoffset)
		return true;
	if (type->flags & TPFLAGS_MANAGED_DICT) {
		plan->dict_place = DICT_MANAGED;
		return true;
	}
	if (type->dictoffset < 0) {
		plan->dict_place = DICT_END;
		return true;
	}
	if (type->dictoffset > type->basicsize - (int64_t)sizeof(uint64_t))
		return false;
	plan->dict_place = DICT_OFFSET;
	if (type->dictoffset + sizeof(uint64_t) > plan->extent)
		plan->extent = (uint32_t)(type->dictoffset + sizeof(uint64_t));
	return true;
}

/*
 * The class counts as a reference; from 3.9 on (bpo-40217) a base that is a heap type made by C
 * code visits it, and subtype_traverse does not.
 */
static bool visits_class(const struct traverser *traverser, const struct type *type,
			 const struct type *end)
{
	if (!(type->flags & TPFLAGS_HEAPTYPE))
		return false;
	return !traverser->heap_types_visited || !end->traverse || !(end->flags & TPFLAGS_HEAPTYPE);
}

static bool prepare_instance(struct traverser *traverser, struct plan *plan)
{
	const struct type *type = plan->type, *end = type;

	while (end && end->traverse == plan->binding->info.address)
		end = end->base;
	plan->extent = traverser->layout->PyObject_size;
	if (!end || !prepare_slots(traverser, plan, end) || !prepare_dict(plan, end))
		return false;
	plan->visits_type = visits_class(traverser, type, end);
	if (!end->traverse)
		return true;
	plan->base = plan_create(traverser, type, end);
	return plan->base != NULL;
}

/*
 * Labels
 */

static bool label_slot(const struct plan *plan, uint64_t object, const struct reference *reference,
		       struct edge_label *label)
{
	for (const struct type *type = plan->type; type; type = type->base)
		for (size_t i = 0; i < type->slot_count; i++)
			if (object + (uint64_t)type->slots[i].offset == reference->slot) {
				label->kind = EDGE_ATTRIBUTE;
				label_text(label, type->slots[i].name);
				return true;
			}
	return false;
}

static bool label_instance(struct traverser *traverser, const struct plan *plan, uint64_t object,
			   const struct reference *reference, struct edge_label *label)
{
	uint64_t slot = 0;

	if (label_slot(plan, object, reference, label))
		return true;
	if (plan->dict_place == DICT_MANAGED)
		return managed_dict_label(traverser, plan->type, object, reference, label);
	if (plan->dict_place == DICT_OFFSET)
		slot = object + (uint64_t)plan->type->dictoffset;
	if (plan->dict_place == DICT_END)
		dict_at_end(traverser, plan->type, object, &slot);
	if (!slot || slot != reference->slot)
		return false;
	label->kind = EDGE_INTERNAL;
	label_text(label, "__dict__");
	return true;
}

static uint64_t instance_storage(struct traverser *traverser, const struct plan *plan,
				 uint64_t object)
{
	uint64_t size = 0;

	if (plan->dict_place == DICT_MANAGED)
		size = managed_dict_storage(traverser, plan->type, object);
	if (plan->base && plan->base->binding && plan->base->binding->decoder &&
	    plan->base->binding->decoder->out_of_line)
		size += plan->base->binding->decoder->out_of_line(traverser, plan->base, object);
	return size;
}

/* The first of this table is what bind.c knows as "the classes of Python code". */
const struct decoder instance_decoders[] = {
	{
		.name = "instance",
		.classes = "_frozen_importlib:ModuleSpec _frozen_importlib:BuiltinImporter "
			   "_frozen_importlib:FrozenImporter "
			   "_frozen_importlib_external:SourceFileLoader "
			   "_frozen_importlib_external:FileFinder codecs:Codec "
			   "codecs:IncrementalDecoder",
		.prepare = prepare_instance,
		.decode = decode_instance,
		.label = label_instance,
		.out_of_line = instance_storage,
	},
	{0},
};
