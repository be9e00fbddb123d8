/* Names of edges, for people: the plan's parts are asked in turn whose slot it is. */
#include "traverse/decoder.h"

#include "traverse/member.h"
#include "traverse/repr.h"
#include "traverse/title.h"

#include <inttypes.h>
#include <stdio.h>

void label_text(struct edge_label *label, const char *text)
{
	snprintf(label->name, sizeof(label->name), "%s", text);
}

static bool label_field(const struct plan *plan, uint64_t object, const struct reference *reference,
			struct edge_label *label)
{
	const struct binding *binding = plan->binding;

	for (size_t i = 0; i < binding->field_count; i++) {
		const struct bound_field *field = &binding->fields[i];

		if (field->offset >= FIELD_FACT_MANAGED_DICT ||
		    object + field->offset != reference->slot)
			continue;
		label->kind = field->field->attribute ? EDGE_ATTRIBUTE : EDGE_INTERNAL;
		label_text(label, field->field->label);
		return true;
	}
	return false;
}

static bool label_part(struct traverser *traverser, const struct plan *plan, uint64_t object,
		       const struct reference *reference, struct edge_label *label)
{
	const struct decoder *decoder = plan->binding ? plan->binding->decoder : NULL;

	if (!decoder)
		return false;
	if (label_field(plan, object, reference, label))
		return true;
	if (decoder->label && decoder->label(traverser, plan, object, reference, label))
		return true;
	return (plan->type->flags & TPFLAGS_MANAGED_DICT) &&
	       managed_dict_label(traverser, plan->type, object, reference, label);
}

void edge_label(struct traverser *traverser, uint64_t object, const struct type *type,
		const struct reference *reference, struct edge_label *label)
{
	const struct plan *plan = traverser_plan(traverser, type);

	*label = (struct edge_label){.kind = EDGE_UNKNOWN};
	if (!reference->slot)
		return;
	if (reference->slot == object + traverser->layout->PyObject_ob_type) {
		label->kind = EDGE_TYPE;
		label_text(label, "__class__");
		return;
	}
	if (plan && hidden_label(traverser, plan, object, reference, label))
		return;
	for (; plan; plan = plan->base)
		if (label_part(traverser, plan, object, reference, label))
			return;
	*label = (struct edge_label){.kind = EDGE_UNKNOWN};
	if (member_at(traverser, type, reference->slot - object, label->name, sizeof(label->name)))
		label->kind = EDGE_ATTRIBUTE;
	else
		*label->name = '\0';
}

/*
 * Values in labels and titles: without addresses, so that equal labels look equal
 */

/* An int of up to two digits (60 bits), 30 bits each (Include/cpython/longintrepr.h). */
bool read_int(struct traverser *traverser, uint64_t object, int64_t *value)
{
	const struct layout *layout = traverser->layout;
	uint64_t size, digits;
	bool negative;

	if (layout_has(layout->PyLongObject_lv_tag)) {
		if (!reader_u64(&traverser->reader, object + layout->PyLongObject_lv_tag, &size))
			return false;
		digits = size >> 3;
		negative = (size & 3) == 2;
	} else {
		if (!reader_u64(&traverser->reader, object + layout->PyVarObject_ob_size, &size))
			return false;
		negative = (int64_t)size < 0;
		digits = negative ? -size : size;
	}
	if (digits > 2)
		return false;
	*value = 0;
	for (uint64_t i = 0; i < digits; i++) {
		uint32_t digit;

		if (!reader_u32(&traverser->reader, object + layout->PyLongObject_ob_digit + i * 4,
				&digit))
			return false;
		*value |= (int64_t)(digit & 0x3fffffff) << (30 * i);
	}
	if (negative)
		*value = -*value;
	return true;
}

void label_repr(struct traverser *traverser, uint64_t object, char *buffer, size_t size)
{
	const struct repr_options options = {.depth = 1, .items = 4, .text = 64};

	repr_object(traverser, object, &options, buffer, size);
}

void object_repr(struct traverser *traverser, uint64_t object, char *buffer, size_t size)
{
	label_repr(traverser, object, buffer, size);
}
