/*
 * Attributes are read where this release keeps them; all else is what the object refers to, with
 * the names that the references have.
 */
#include "analysis/contents.h"

#include "traverse/attributes.h"

#include <stdlib.h>
#include <string.h>

/* The work in progress. */
struct reading {
	const struct objects *objects;
	uint64_t address;
	const struct type *type;
	uint64_t limit;
	struct contents *contents;
	uint64_t *slots; /* of the attributes, ascending once all are there */
	size_t slot_count, slot_capacity;
	bool is_plain; /* there are items and nothing else */
	struct referents referents;
};

static bool add(const struct reading *work, enum contents_part part, const struct edge_label *label,
		uint64_t object)
{
	struct contents_list *list = &work->contents->parts[part];

	if (list->total++ >= work->limit)
		return true;
	if (!(list->count & (list->count - 1))) {
		size_t capacity = list->count ? list->count * 2 : 1;
		struct content_item *items = realloc(list->items, capacity * sizeof(*items));

		if (!items)
			return false;
		list->items = items;
	}
	list->items[list->count++] = (struct content_item){*label, object};
	return true;
}

/*
 * Attributes
 */

static bool remember_slot(struct reading *work, uint64_t slot)
{
	if (work->slot_count == work->slot_capacity) {
		size_t capacity = work->slot_capacity ? work->slot_capacity * 2 : 16;
		uint64_t *slots = realloc(work->slots, capacity * sizeof(*slots));

		if (!slots)
			return false;
		work->slots = slots;
		work->slot_capacity = capacity;
	}
	work->slots[work->slot_count++] = slot;
	return true;
}

static int compare_slots(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

static bool is_attribute(const struct reading *work, uint64_t slot)
{
	return work->slot_count &&
	       bsearch(&slot, work->slots, work->slot_count, sizeof(*work->slots), compare_slots);
}

static bool add_attributes(struct reading *work)
{
	struct attributes attributes;
	struct attribute attribute;

	attributes_begin(&attributes, work->objects->heap->traverser, work->address, work->type);
	while (attributes_next(&attributes, &attribute)) {
		struct edge_label label = {.kind = EDGE_ATTRIBUTE};

		memcpy(label.name, attribute.name, sizeof(attribute.name));
		if (!remember_slot(work, attribute.slot) ||
		    !add(work, CONTENTS_ATTRIBUTES, &label, attribute.value))
			return false;
	}
	if (work->slot_count)
		qsort(work->slots, work->slot_count, sizeof(*work->slots), compare_slots);
	return true;
}

/*
 * The rest
 */

static bool is_item(const struct edge_label *label)
{
	return label->kind == EDGE_INDEX || label->kind == EDGE_KEY ||
	       (label->kind == EDGE_INTERNAL && !strcmp(label->name, "element"));
}

/* What is shown already, or stands for something that is. */
static bool is_left_out(const struct reading *work, const struct edge_label *label, uint64_t slot)
{
	switch (label->kind) {
	case EDGE_UNKNOWN:
	case EDGE_TYPE:
		return true;
	case EDGE_ATTRIBUTE:
	case EDGE_INTERNAL:
		return is_attribute(work, slot) || !strcmp(label->name, "key") ||
		       (work->slot_count && !strcmp(label->name, "__dict__"));
	case EDGE_KEY:
	case EDGE_INDEX:
	case EDGE_LOCAL:
		break;
	}
	return false;
}

static int compare_references(const void *left, const void *right)
{
	const struct referent *a = left, *b = right;

	return a->reference.slot < b->reference.slot ? -1 : a->reference.slot > b->reference.slot;
}

static bool add_referents(struct reading *work, uint64_t length)
{
	struct contents_list *items = &work->contents->parts[CONTENTS_ITEMS];
	struct edge_label label;

	/* tp_traverse of these begins at the end. */
	if (work->type->flags & (TPFLAGS_LIST_SUBCLASS | TPFLAGS_TUPLE_SUBCLASS) &&
	    work->referents.count)
		qsort(work->referents.items, work->referents.count, sizeof(*work->referents.items),
		      compare_references);
	for (size_t i = 0; i < work->referents.count; i++) {
		const struct reference *reference = &work->referents.items[i].reference;
		enum contents_part part = CONTENTS_REFERENCES;

		/* Each label is a search: not for millions that nobody sees. */
		if (work->is_plain && items->total >= work->limit && length > items->total)
			break;
		edge_label(work->objects->heap->traverser, work->address, work->type, reference,
			   &label);
		if (is_item(&label))
			part = CONTENTS_ITEMS;
		else if (is_left_out(work, &label, reference->slot))
			continue;
		if (!add(work, part, &label, reference->target))
			return false;
	}
	if (items->total && length > items->total)
		items->total = length;
	return true;
}

bool contents_read(const struct objects *objects, uint32_t object, uint64_t address,
		   const struct type *type, uint64_t limit, struct contents *contents)
{
	struct reading work = {
		.objects = objects,
		.address = address,
		.type = type,
		.limit = limit,
		.contents = contents,
	};
	uint64_t length = 0;
	bool ok;

	contents_clear(contents);
	if (!type)
		return true;
	work.is_plain = object_length(objects->heap->traverser, address, type, &length) &&
			!(type->flags & TPFLAGS_HEAPTYPE);
	ok = add_attributes(&work) &&
	     referents_read(objects, object, address, type, &work.referents) &&
	     add_referents(&work, length);
	free(work.slots);
	referents_clear(&work.referents);
	return ok;
}

void contents_clear(struct contents *contents)
{
	for (size_t i = 0; i < CONTENTS_PARTS; i++)
		free(contents->parts[i].items);
	*contents = (struct contents){0};
}
