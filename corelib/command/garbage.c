/*
 * gc.garbage is a list like any other: its items are what its tp_traverse visits.
 */
#include "command/garbage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/** The items of an interpreter's list, valid until the traverser's next object. */
static bool garbage_items(struct heap *heap, const struct interpreter *interpreter,
			  const struct reference **items, size_t *count)
{
	struct object_header header;
	const struct type *type;

	*count = 0;
	if (!interpreter->garbage)
		return true;
	if (!object_header(heap->runtime, &heap->reader, interpreter->garbage, &header))
		return false;
	type = type_get(heap->runtime->types, &heap->reader, header.type);
	return type && type->flags & TPFLAGS_LIST_SUBCLASS &&
	       traverse_object(heap->traverser, interpreter->garbage, type, items, count) ==
		       TRAVERSE_EXACT;
}

uint64_t garbage_count(struct heap *heap, const struct interpreter *interpreter)
{
	const struct reference *items;
	size_t count;

	return garbage_items(heap, interpreter, &items, &count) ? count : 0;
}

/** Copies one interpreter's items behind those that are there. */
static struct error *append_items(struct heap *heap, const struct interpreter *interpreter,
				  struct reference **all, size_t *total)
{
	const struct reference *items;
	struct reference *grown;
	size_t count;

	if (!garbage_items(heap, interpreter, &items, &count)) {
		coverage_add(&heap->runtime->target->coverage, PROBLEM_PARTIAL, "damaged-garbage",
			     "gc.garbage at 0x%" PRIx64 " is not a readable list",
			     interpreter->garbage);
		return NULL;
	}
	if (!count)
		return NULL;
	grown = reallocarray(*all, *total + count, sizeof(**all));
	if (!grown)
		return &error_no_memory;
	memcpy(grown + *total, items, count * sizeof(*items));
	*all = grown;
	*total += count;
	return NULL;
}

struct error *garbage_read(struct heap *heap, struct garbage *garbage)
{
	const struct runtime *runtime = heap->runtime;
	struct reference *items = NULL;
	struct error *err = NULL;

	*garbage = (struct garbage){0};
	for (size_t i = 0; !err && i < runtime->interpreter_count; i++)
		if (!runtime->interpreters[i].shares_gc)
			err = append_items(heap, &runtime->interpreters[i], &items,
					   &garbage->count);
	if (!err && garbage->count) {
		garbage->objects = calloc(garbage->count, sizeof(*garbage->objects));
		if (!garbage->objects)
			err = &error_no_memory;
	}
	if (!err)
		err = tally_references(heap, items, garbage->count, &garbage->tally);
	for (size_t i = 0; !err && i < garbage->count; i++)
		garbage->objects[i] = items[i].target;
	free(items);
	if (err)
		garbage_clear(garbage);
	return err;
}

void garbage_clear(struct garbage *garbage)
{
	tally_clear(&garbage->tally);
	free(garbage->objects);
	*garbage = (struct garbage){0};
}
