/* A program may have dicts of interned str to themselves, too; the interpreter's are complete. */
#include "analysis/interned.h"

#include <stdlib.h>

enum { ENTRIES_MIN = 200 };

static bool is_interned(struct heap *heap, uint64_t object)
{
	const struct layout *layout = &heap->runtime->layout;
	uint32_t state;

	/* state.interned is the lowest bits in all releases (Include/cpython/unicodeobject.h). */
	return object_is_str(heap->runtime, &heap->reader, object) &&
	       reader_u32(&heap->reader, object + layout->PyASCIIObject_state, &state) &&
	       (state & 3);
}

/* How many entries has the dict, if all are interned str with themselves as value? Else 0. */
static uint64_t interned_entries(struct heap *heap, uint64_t dict)
{
	struct dict_view view;
	uint64_t used, count = 0;

	/* Most dicts are small. */
	if (!reader_u64(&heap->reader, dict + heap->runtime->layout.PyDictObject_ma_used, &used) ||
	    used < ENTRIES_MIN || !dict_open(heap->runtime, &heap->reader, dict, &view) ||
	    view.values || view.count < ENTRIES_MIN)
		return 0;
	for (uint64_t i = 0; i < view.count; i++) {
		uint64_t key, value, slot;

		if (!dict_entry(&heap->reader, &view, i, &key, &value, &slot))
			continue;
		if (key != value || !is_interned(heap, key))
			return 0;
		count++;
	}
	return count >= ENTRIES_MIN ? count : 0;
}

uint32_t *interned_find(const struct objects *objects, size_t *count)
{
	struct heap *heap = objects->heap;
	size_t wanted = heap->runtime->interpreter_count;
	uint32_t *dicts = calloc(wanted + 1, sizeof(*dicts));
	uint64_t *sizes = calloc(wanted + 1, sizeof(*sizes));

	*count = 0;
	for (uint32_t i = 0; dicts && sizes && i < objects->count; i++) {
		const struct type *type = objects_type(objects, i);
		uint64_t size;
		size_t at;

		if (!type || !(type->flags & TPFLAGS_DICT_SUBCLASS))
			continue;
		size = interned_entries(heap, objects->addresses[i]);
		if (!size)
			continue;
		/* The largest ones, largest first. */
		for (at = *count; at > 0 && sizes[at - 1] < size; at--) {
			dicts[at] = dicts[at - 1];
			sizes[at] = sizes[at - 1];
		}
		dicts[at] = i;
		sizes[at] = size;
		if (*count < wanted)
			++*count;
	}
	free(sizes);
	return dicts;
}
