/* Bytes of objects: what they are, and what stands before them and elsewhere. */
#include "analysis/sizes.h"

uint64_t object_bytes(const struct objects *objects, uint32_t object)
{
	const struct type *type = objects_type(objects, object);
	struct object_size size = {0};

	if (type)
		object_measure(objects->heap->traverser, objects->addresses[object], type, &size);
	return size.object + size.header + size.out_of_line;
}
