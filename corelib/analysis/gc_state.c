/* The lists were walked already; only the flag of the finalizer is read from the header. */
#include "analysis/gc_state.h"

#include <stdlib.h>

/* Include/internal/pycore_gc.h _PyGC_PREV_MASK_FINALIZED, 3.8+ */
enum { FINALIZED = 1 };

static int compare_numbers(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return a < b ? -1 : a > b;
}

struct gc_state gc_state_read(const struct unreachable *unreachable, uint64_t address,
			      const struct type *type)
{
	struct heap *heap = unreachable->heap;
	const struct layout *layout = &heap->runtime->layout;
	uint32_t number = heap_find(heap, address);
	struct gc_state state = {0};
	uint64_t prev;

	state.collectable = type && type_object_is_gc(heap->runtime, &heap->reader, type, address);
	if (state.collectable &&
	    reader_u64(&heap->reader, address - layout->PyGC_Head_size + layout->PyGC_Head__gc_prev,
		       &prev))
		state.finalized = prev & FINALIZED;
	if (number == HEAP_NONE)
		return state;
	state.tracked = true;
	state.frozen = heap->generation[number] == GENERATION_PERMANENT;
	state.generation = state.frozen ? 0 : heap->generation[number];
	state.unreachable =
		unreachable->count && bsearch(&number, unreachable->objects, unreachable->count,
					      sizeof(number), compare_numbers);
	return state;
}
