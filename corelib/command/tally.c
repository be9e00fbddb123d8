/*
 * Counting by type. Types have dense indexes, so a tally is a flat array first and is sorted and
 * shortened to the types that occur at the end. Damaged types are counted under NULL.
 */
#include "command/tally.h"

#include <stdlib.h>
#include <string.h>

/** Makes room for all types of the runtime, and one more for objects whose type is damaged. */
static struct error *tally_begin(struct heap *heap, struct tally *tally)
{
	struct type_cache *cache = heap->runtime->types;
	size_t count = type_count(cache);

	*tally = (struct tally){.types = calloc(count + 1, sizeof(*tally->types)),
				.count = count + 1};
	if (!tally->types)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++)
		tally->types[i].type = type_by_index(cache, (uint32_t)i);
	return NULL;
}

static void tally_add(struct tally *tally, const struct type *type, uint64_t objects,
		      uint64_t bytes)
{
	struct type_tally *entry = &tally->types[type ? type->index : tally->count - 1];

	entry->objects += objects;
	entry->bytes += bytes;
	tally->objects += objects;
	tally->bytes += bytes;
}

static int compare_types(const struct type *a, const struct type *b)
{
	int order;

	if (!a || !b)
		return !a - !b;
	order = strcmp(a->name, b->name);
	if (order)
		return order;
	return a->address < b->address ? -1 : a->address > b->address;
}

static int compare_entries(const void *a, const void *b)
{
	const struct type_tally *left = a, *right = b;

	if (left->objects != right->objects)
		return left->objects > right->objects ? -1 : 1;
	return compare_types(left->type, right->type);
}

static void tally_end(struct tally *tally)
{
	qsort(tally->types, tally->count, sizeof(*tally->types), compare_entries);
	while (tally->count && !tally->types[tally->count - 1].objects)
		tally->count--;
}

struct error *tally_heap(struct heap *heap, const struct progress *progress, struct tally *tally)
{
	struct error *err = tally_begin(heap, tally);

	for (uint32_t i = 0; !err && i < heap->count; i++) {
		const struct type *type = heap_type(heap, i);
		struct object_size size = {0};

		if (type)
			object_measure(heap->traverser, heap->addresses[i], type, &size);
		tally_add(tally, type, 1, size.object + size.header + size.out_of_line);
		if (i % 8192 == 0)
			err = progress_step(progress, "measuring objects", i, heap->count);
	}
	if (err)
		tally_clear(tally);
	else
		tally_end(tally);
	return err;
}

struct error *tally_inexact(struct heap *heap, struct tally *tally)
{
	struct error *err = tally_begin(heap, tally);

	if (err)
		return err;
	for (size_t i = 0; i < tally->count; i++) {
		const struct type *type = tally->types[i].type;

		if (type)
			tally_add(tally, type, traverser_usage(heap->traverser, type).inexact, 0);
	}
	tally_end(tally);
	return NULL;
}

static const struct type *type_of(struct heap *heap, uint64_t object)
{
	struct object_header header;

	if (!object_header(heap->runtime, &heap->reader, object, &header))
		return NULL;
	return type_get(heap->runtime->types, &heap->reader, header.type);
}

struct error *tally_references(struct heap *heap, const struct reference *references, size_t count,
			       struct tally *tally)
{
	struct error *err;

	// Types that are new to the cache get their indexes before the array is made.
	for (size_t i = 0; i < count; i++)
		type_of(heap, references[i].target);
	err = tally_begin(heap, tally);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		const struct type *type = type_of(heap, references[i].target);
		struct object_size size = {0};

		if (type)
			object_measure(heap->traverser, references[i].target, type, &size);
		tally_add(tally, type, 1, size.object + size.header + size.out_of_line);
	}
	tally_end(tally);
	return NULL;
}

void tally_clear(struct tally *tally)
{
	free(tally->types);
	*tally = (struct tally){0};
}
