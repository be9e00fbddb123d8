/* Bytes of objects: what they are, and what stands before them and elsewhere. */
#include "analysis/sizes.h"

#include "target/huge.h"

#include <stdlib.h>

enum { PROGRESS_STEP = 1 << 18 };

uint64_t object_bytes(const struct objects *objects, uint32_t object)
{
	const struct type *type = objects_type(objects, object);
	struct object_size size = {0};

	if (type)
		object_measure(objects->heap->traverser, objects->addresses[object], type, &size);
	return size.object + size.header + size.out_of_line;
}

struct error *sizes_measure(const struct objects *objects, const struct progress *progress,
			    uint64_t **out)
{
	uint64_t *sizes = huge_array((size_t)objects->count + 1, sizeof(*sizes));

	*out = NULL;
	if (!sizes)
		return &error_no_memory;
	for (uint32_t i = 0; i < objects->count; i++) {
		sizes[i] = object_bytes(objects, i);
		if (i % PROGRESS_STEP == 0) {
			struct error *err =
				progress_step(progress, "measuring objects", i, objects->count);

			if (err) {
				free(sizes);
				return err;
			}
		}
	}
	*out = sizes;
	return NULL;
}
