/* Names of edges, for people: the plan's parts are asked in turn whose slot it is. */
#include "traverse/decoder.h"

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
}

/*
 * repr() of simple objects
 */

/* Quotes as repr() does, as far as the buffer reaches. */
static void quote(const char *text, char *buffer, size_t size)
{
	char mark = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';
	size_t used = 0;

	buffer[used++] = mark;
	for (; *text && used + 8 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\n')
			used += (size_t)sprintf(buffer + used, "\\n");
		else if (c == '\t')
			used += (size_t)sprintf(buffer + used, "\\t");
		else if (c < 0x20 || c == 0x7f)
			used += (size_t)sprintf(buffer + used, "\\x%02x", c);
		else if (c == '\\' || c == (unsigned char)mark)
			used += (size_t)sprintf(buffer + used, "\\%c", c);
		else
			buffer[used++] = (char)c;
	}
	/* Not in the middle of a character. */
	if (*text) {
		while (used > 1 && ((unsigned char)buffer[used - 1] & 0xc0) == 0x80)
			used--;
		if (used > 1 && (unsigned char)buffer[used - 1] >= 0xc0)
			used--;
		used += (size_t)sprintf(buffer + used, "\xe2\x80\xa6");
	}
	buffer[used++] = mark;
	buffer[used] = '\0';
}

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

static bool repr_bytes(struct traverser *traverser, uint64_t object, char *buffer, size_t size)
{
	const struct layout *layout = traverser->layout;
	uint64_t length;
	char text[32] = "";

	if (!reader_u64(&traverser->reader, object + layout->PyVarObject_ob_size, &length))
		return false;
	if (length >= sizeof(text))
		length = sizeof(text) - 1;
	reader_copy(&traverser->reader, object + layout->PyBytesObject_ob_sval, text, length);
	for (uint64_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] >= 0x7f)
			return false;
	buffer[0] = 'b';
	quote(text, buffer + 1, size - 1);
	return true;
}

void label_repr(struct traverser *traverser, uint64_t object, char *buffer, size_t size)
{
	const struct runtime *runtime = traverser->runtime;
	struct object_header header;
	const struct type *type;
	char text[64];
	int64_t number;

	if (!object_header(runtime, &traverser->reader, object, &header) ||
	    !(type = type_get(runtime->types, &traverser->reader, header.type))) {
		snprintf(buffer, size, "<0x%" PRIx64 ">", object);
	} else if ((type->flags & TPFLAGS_UNICODE_SUBCLASS) &&
		   object_str(runtime, &traverser->reader, object, text, sizeof(text))) {
		quote(text, buffer, size);
	} else if (!strcmp(type->name, "bool") && read_int(traverser, object, &number)) {
		snprintf(buffer, size, number ? "True" : "False");
	} else if (!strcmp(type->name, "NoneType")) {
		snprintf(buffer, size, "None");
	} else if ((type->flags & TPFLAGS_LONG_SUBCLASS) && read_int(traverser, object, &number)) {
		snprintf(buffer, size, "%" PRId64, number);
	} else if (!(type->flags & TPFLAGS_BYTES_SUBCLASS) ||
		   !repr_bytes(traverser, object, buffer, size)) {
		snprintf(buffer, size, "<%.64s>", type->name);
	}
}

void object_repr(struct traverser *traverser, uint64_t object, char *buffer, size_t size)
{
	label_repr(traverser, object, buffer, size);
}
