/*
 * dict: dict_traverse() visits the values, and in tables that may have keys other than str each key
 * behind its value (Objects/dictobject.c). Where the table is, cpython/dict.c knows.
 */
#include "traverse/decoder.h"

enum { WORD = sizeof(uint64_t) };

/* 3.13+ with the older rule: the instance that a dict's values are embedded in visits them. */
static bool values_are_elsewhere(const struct traverser *traverser, const struct dict_view *view)
{
	return view->embedded && traverser->managed_dict_rule == MANAGED_DICT_VALUES;
}

/* 3.8-3.10: only tables that once saw a key that is no str have lookdict() and visit their keys.
 * Where lookdict() is not known, visiting str keys too does no harm: they are no GC objects. */
bool dict_visits_keys(struct traverser *traverser, const struct dict_view *view)
{
	const struct layout *layout = traverser->layout;
	uint64_t lookup;

	if (!view->general || !layout_has(layout->PyDictKeysObject_dk_lookup) ||
	    !traverser->general_lookup)
		return view->general;
	return reader_u64(&traverser->reader, view->keys + layout->PyDictKeysObject_dk_lookup,
			  &lookup) &&
	       lookup == traverser->general_lookup;
}

static bool visit_entries(struct traverser *traverser, const struct dict_view *view, bool keys)
{
	const uint8_t *entry = reader_at(&traverser->reader, view->entries,
					 (size_t)(view->count * view->entry_size));
	uint64_t address = view->entries;

	if (!entry || !visit_room(traverser, view->count * 2))
		return false;
	for (uint64_t i = 0; i < view->count; i++) {
		uint64_t value = host_u64(entry + view->value_offset);

		visit_put(traverser, value, address + view->value_offset);
		if (keys && value)
			visit_put(traverser, host_u64(entry + view->key_offset),
				  address + view->key_offset);
		entry += view->entry_size;
		address += view->entry_size;
	}
	return true;
}

enum traverse_result decode_dict(struct traverser *traverser, const struct plan *plan,
				 uint64_t object)
{
	struct dict_view view;

	(void)plan;
	if (!dict_open(traverser->runtime, &traverser->reader, object, &view))
		return TRAVERSE_DAMAGED;
	if (!view.count || values_are_elsewhere(traverser, &view))
		return TRAVERSE_EXACT;
	if (view.values)
		return exact_if(visit_words(traverser, view.values, view.count));
	return exact_if(visit_entries(traverser, &view, dict_visits_keys(traverser, &view)));
}

bool dict_slot(const struct dict_view *view, uint64_t slot, uint64_t *entry, bool *is_key)
{
	uint64_t start = view->values ? view->values : view->entries;
	uint64_t size = view->values ? WORD : view->entry_size;

	if (slot < start || (slot - start) / size >= view->count)
		return false;
	*entry = (slot - start) / size;
	*is_key = !view->values && (slot - start) % size == view->key_offset;
	return true;
}

bool label_dict(struct traverser *traverser, const struct plan *plan, uint64_t object,
		const struct reference *reference, struct edge_label *label)
{
	struct dict_view view;
	uint64_t entry, key;
	bool is_key;

	(void)plan;
	if (!dict_open(traverser->runtime, &traverser->reader, object, &view) ||
	    !dict_slot(&view, reference->slot, &entry, &is_key))
		return false;
	if (is_key) {
		label->kind = EDGE_INTERNAL;
		strcpy(label->name, "key");
		return true;
	}
	label->kind = EDGE_KEY;
	return reader_u64(&traverser->reader,
			  view.entries + entry * view.entry_size + view.key_offset, &key) &&
	       (label_repr(traverser, key, label->name, sizeof(label->name)), true);
}

/*
 * Sizes, as Objects/dictobject.c allocates them. A table of 2^n slots has room for two thirds as
 * many entries (USABLE_FRACTION).
 */

static bool table_slots(struct traverser *traverser, uint64_t keys, uint64_t *slots)
{
	const struct layout *layout = traverser->layout;
	uint8_t log2_size;

	if (layout_has(layout->PyDictKeysObject_dk_size))
		return reader_u64(&traverser->reader, keys + layout->PyDictKeysObject_dk_size,
				  slots) &&
		       *slots <= INT32_MAX;
	if (!reader_u8(&traverser->reader, keys + layout->PyDictKeysObject_dk_log2_size,
		       &log2_size) ||
	    log2_size > 40)
		return false;
	*slots = UINT64_C(1) << log2_size;
	return true;
}

/* A table and its entries. */
static uint64_t table_storage(struct traverser *traverser, const struct dict_view *view)
{
	uint64_t slots;

	if (!table_slots(traverser, view->keys, &slots))
		return 0;
	return view->entries - view->keys + slots * 2 / 3 * view->entry_size;
}

uint64_t keys_storage(struct traverser *traverser, uint64_t keys)
{
	struct dict_view view;

	if (!dict_open_keys(traverser->runtime, &traverser->reader, keys, &view))
		return 0;
	return table_storage(traverser, &view);
}

/* How many values a split table has room for: 3.13+ say so, before it is what their names allow. */
static bool values_capacity(struct traverser *traverser, const struct dict_view *view,
			    uint64_t *capacity)
{
	const struct layout *layout = traverser->layout;
	uint64_t usable;
	uint8_t byte;

	if (layout_has(layout->PyDictValues_capacity)) {
		if (!reader_u8(&traverser->reader,
			       view->values - layout->PyDictValues_values +
				       layout->PyDictValues_capacity,
			       &byte))
			return false;
		*capacity = byte;
		return true;
	}
	if (layout_has(layout->PyDictKeysObject_dk_size)) {
		if (!table_slots(traverser, view->keys, capacity))
			return false;
		*capacity = *capacity * 2 / 3;
		return true;
	}
	reader_u64(&traverser->reader, view->keys + layout->PyDictKeysObject_dk_usable, &usable);
	*capacity = view->count + usable;
	return *capacity <= UINT16_MAX;
}

/* Values of a split table. 3.11+ keep the insertion order beside them. */
static uint64_t values_storage(struct traverser *traverser, const struct dict_view *view)
{
	uint64_t capacity, order = 0;

	if (view->embedded || !values_capacity(traverser, view, &capacity))
		return 0;
	if (layout_has(traverser->layout->PyDictValues_values))
		order = (capacity + 2 + 7) & ~UINT64_C(7);
	return order + capacity * WORD;
}

/* Keys that have other owners are a class's, or the static ones of empty dicts. */
uint64_t dict_storage(struct traverser *traverser, const struct plan *plan, uint64_t object)
{
	struct dict_view view;
	uint64_t owners, size = 0;

	(void)plan;
	if (!dict_open(traverser->runtime, &traverser->reader, object, &view))
		return 0;
	if (view.values)
		size = values_storage(traverser, &view);
	reader_u64(&traverser->reader, view.keys + traverser->layout->PyDictKeysObject_dk_refcnt,
		   &owners);
	return size + (owners == 1 ? table_storage(traverser, &view) : 0);
}
