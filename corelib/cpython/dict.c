/*
 * Dicts: up to 3.10 the keys object has dk_size and three-word entries; from 3.11 it has logarithms
 * and a kind, and a table of str keys has two-word entries. Which it is, the layout says by the
 * fields that the build has (Objects/dict-common.h, Include/internal/pycore_dict.h).
 */
#include "cpython/object.h"

/* dk_kind (DictKeysKind, 3.11+). */
enum { KIND_GENERAL = 0, KIND_UNICODE = 1, KIND_SPLIT = 2 };

enum { GENERAL_ENTRY_SIZE = 24, UNICODE_ENTRY_SIZE = 16, WORD = 8 };

/* DK_IXSIZE of 3.8-3.10. */
static uint64_t old_index_bytes(uint64_t dk_size)
{
	if (dk_size <= 0xff)
		return dk_size;
	if (dk_size <= 0xffff)
		return dk_size * 2;
	if (dk_size <= 0xffffffff)
		return dk_size * 4;
	return dk_size * 8;
}

static bool open_old_keys(const struct layout *layout, struct reader *reader,
			  struct dict_view *view)
{
	uint64_t dk_size;

	if (!reader_u64(reader, view->keys + layout->PyDictKeysObject_dk_size, &dk_size) ||
	    dk_size > UINT64_MAX / 16)
		return false;
	view->general = true;
	view->entries = view->keys + layout->PyDictKeysObject_dk_indices + old_index_bytes(dk_size);
	return true;
}

static bool open_new_keys(const struct layout *layout, struct reader *reader,
			  struct dict_view *view)
{
	uint8_t log2_index_bytes, kind;

	if (!reader_u8(reader, view->keys + layout->PyDictKeysObject_dk_log2_index_bytes,
		       &log2_index_bytes) ||
	    !reader_u8(reader, view->keys + layout->PyDictKeysObject_dk_kind, &kind) ||
	    log2_index_bytes > 40 || kind > KIND_SPLIT)
		return false;
	view->general = kind == KIND_GENERAL;
	view->entries = view->keys + layout->PyDictKeysObject_dk_indices +
			(UINT64_C(1) << log2_index_bytes);
	return true;
}

bool dict_open_keys(const struct runtime *runtime, struct reader *reader, uint64_t keys,
		    struct dict_view *view)
{
	const struct layout *layout = &runtime->layout;
	bool old = layout_has(layout->PyDictKeysObject_dk_size);

	*view = (struct dict_view){.keys = keys};
	if (!(old ? open_old_keys : open_new_keys)(layout, reader, view) ||
	    !reader_u64(reader, keys + layout->PyDictKeysObject_dk_nentries, &view->count))
		return false;
	view->entry_size = view->general ? GENERAL_ENTRY_SIZE : UNICODE_ENTRY_SIZE;
	view->key_offset = view->general ? WORD : 0;
	view->value_offset = view->key_offset + WORD;
	if (view->count > INT64_MAX / GENERAL_ENTRY_SIZE)
		return false;
	return !view->count ||
	       reader_at(reader, view->entries, (size_t)(view->count * view->entry_size));
}

/*
 * 3.11, 3.12: one byte each, downwards from two bytes in front of the values, where their number
 * is. 3.13+: upwards, behind the last value that there is room for.
 */
void dict_open_order(const struct runtime *runtime, struct reader *reader, uint64_t values,
		     struct dict_view *view)
{
	const struct layout *layout = &runtime->layout;
	uint64_t start = values - layout->PyDictValues_values;
	uint8_t capacity, count;

	if (!layout_has(layout->PyDictValues_values))
		return;
	if (!layout_has(layout->PyDictValues_capacity)) {
		if (!reader_u8(reader, start - 2, &count) || count > view->count)
			return;
		view->order = start - 3;
		view->order_step = -1;
	} else {
		if (!reader_u8(reader, start + layout->PyDictValues_capacity, &capacity) ||
		    !reader_u8(reader, start + layout->PyDictValues_size, &count) ||
		    count > capacity)
			return;
		view->order = values + (uint64_t)capacity * WORD;
		view->order_step = 1;
	}
	view->order_count = count;
}

uint64_t dict_ordinal(struct reader *reader, const struct dict_view *view, uint64_t i)
{
	uint8_t index;

	if (!view->order ||
	    !reader_u8(reader, view->order + (uint64_t)((int64_t)i * view->order_step), &index) ||
	    index >= view->count)
		return i;
	return index;
}

bool dict_open(const struct runtime *runtime, struct reader *reader, uint64_t dict,
	       struct dict_view *view)
{
	const struct layout *layout = &runtime->layout;
	uint64_t keys, values;
	uint8_t embedded;

	*view = (struct dict_view){0};
	if (!reader_u64(reader, dict + layout->PyDictObject_ma_keys, &keys) ||
	    !reader_u64(reader, dict + layout->PyDictObject_ma_values, &values) ||
	    !dict_open_keys(runtime, reader, keys, view))
		return false;
	if (!values)
		return true;
	if (layout_has(layout->PyDictValues_embedded)) {
		if (!reader_u8(reader, values + layout->PyDictValues_embedded, &embedded))
			return false;
		view->embedded = embedded != 0;
	}
	if (layout_has(layout->PyDictValues_values))
		values += layout->PyDictValues_values;
	view->values = values;
	dict_open_order(runtime, reader, values, view);
	return !view->count || reader_at(reader, values, (size_t)view->count * WORD);
}

bool dict_entry(struct reader *reader, const struct dict_view *view, uint64_t i, uint64_t *key,
		uint64_t *value, uint64_t *value_slot)
{
	uint64_t entry = view->entries + i * view->entry_size;

	*value_slot = view->values ? view->values + i * WORD : entry + view->value_offset;
	*value = 0;
	return reader_u64(reader, entry + view->key_offset, key) && *key &&
	       reader_u64(reader, *value_slot, value) && *value;
}

uint64_t dict_find(const struct runtime *runtime, struct reader *reader, uint64_t dict,
		   const char *key)
{
	struct dict_view view;
	char text[64];

	if (!dict_open(runtime, reader, dict, &view))
		return 0;
	for (uint64_t i = 0; i < view.count; i++) {
		uint64_t name, value, slot;

		if (dict_entry(reader, &view, i, &name, &value, &slot) &&
		    object_is_str(runtime, reader, name) &&
		    object_str(runtime, reader, name, text, sizeof(text)) && !strcmp(text, key))
			return value;
	}
	return 0;
}
