/* Numbers the objects that the walk found and lays out what is known of each by number. */
#include "analysis/heap_walk.h"
#include "target/huge.h"

#include <stdlib.h>
#include <string.h>

enum { INTERPRETERS_MAX = 255, CHECK_STEP = 65536 };

static struct error *allocate(struct heap *heap)
{
	size_t count;

	if (!index_number(&heap->index))
		return &error_no_memory;
	heap->count = heap->index.count;
	count = heap->count ? heap->count : 1;
	heap->addresses = huge_array(count, sizeof(*heap->addresses));
	heap->types = huge_array(count, sizeof(*heap->types));
	heap->refcounts = huge_array(count, sizeof(*heap->refcounts));
	heap->generation = huge_array(count, 1);
	heap->interpreter = huge_array(count, 1);
	if (!heap->addresses || !heap->types || !heap->refcounts || !heap->generation ||
	    !heap->interpreter)
		return &error_no_memory;
	return NULL;
}

/* Most objects are on one list; the others are looked up. */
static void number_lists(struct heap *heap, const struct walk *walk)
{
	const struct walked_list *longest = walk->lists;
	const uint64_t *addresses = walk->addresses;

	for (size_t i = 1; i < walk->list_count; i++)
		if (walk->lists[i].count > longest->count)
			longest = &walk->lists[i];
	if (!heap->count)
		return;
	memset(heap->generation, longest->generation, heap->count);
	memset(heap->interpreter, longest->interpreter, heap->count);
	for (size_t i = 0; i < walk->list_count; i++) {
		const struct walked_list *list = &walk->lists[i];

		for (size_t j = 0; list != longest && j < list->count; j++) {
			uint32_t number = heap_find(heap, addresses[j]);

			heap->generation[number] = list->generation;
			heap->interpreter[number] = list->interpreter;
		}
		addresses += list->count;
	}
}

// Compares the decoders with the target's code on a sample of the objects.
static struct error *check_decoders(struct heap *heap, const struct progress *progress)
{
	for (uint32_t i = 0; i < heap->count; i++) {
		const struct type *type = heap_type(heap, i);
		struct error *err;

		if (type)
			traverser_check(heap->traverser, heap->addresses[i], type);
		err = i % CHECK_STEP ? NULL
				     : progress_step(progress, "checking decoders", i, heap->count);
		if (err)
			return err;
	}
	traverser_report(heap->traverser, &heap->runtime->target->coverage);
	return NULL;
}

/*
 * Makes all classes and their bases known, so that which static types are known does not depend on
 * what was looked at, nor their numbers on which of two threads saw them first.
 */
static void load_classes(struct heap *heap)
{
	for (uint32_t i = 0; i < heap->count; i++) {
		const struct type *type = heap_type(heap, i);

		if (type && (type->flags & TPFLAGS_TYPE_SUBCLASS))
			type_get(heap->runtime->types, &heap->reader, heap->addresses[i]);
	}
}

static struct error *build(struct heap *heap, const struct progress *progress)
{
	struct walk walk = {0};
	struct error *err = heap_walk(heap, &walk, progress);

	if (!err)
		err = allocate(heap);
	if (!err)
		number_lists(heap, &walk);
	walk_clear(&walk);
	if (!err)
		err = heap_read_headers(heap, progress);
	if (!err) {
		heap->type_table = type_table(heap->runtime->types);
		err = heap->type_table ? NULL : &error_no_memory;
	}
	if (!err)
		err = check_decoders(heap, progress);
	if (!err)
		load_classes(heap);
	if (!err && heap->damaged_types)
		coverage_add(&heap->runtime->target->coverage, PROBLEM_PARTIAL, "damaged-objects",
			     "%u tracked objects have no readable type", heap->damaged_types);
	return err;
}

struct error *heap_open(struct runtime *runtime, const struct progress *progress,
			struct heap **result)
{
	struct heap *heap = calloc(1, sizeof(*heap));
	struct error *err;

	*result = NULL;
	if (!heap)
		return &error_no_memory;
	heap->runtime = runtime;
	reader_init(&heap->reader, runtime->target->image);
	heap->traverser = traverser_create(runtime);
	heap->list_counts = calloc(runtime->interpreter_count, sizeof(*heap->list_counts));
	if (!heap->traverser || !heap->list_counts)
		err = &error_no_memory;
	else if (runtime->interpreter_count > INTERPRETERS_MAX)
		err = error_create(ERROR_GENERAL,
				   "%zu interpreters in one process; at most %d are handled",
				   runtime->interpreter_count, INTERPRETERS_MAX);
	else
		err = build(heap, progress);
	if (err) {
		heap_close(heap);
		return err;
	}
	*result = heap;
	return NULL;
}

void heap_close(struct heap *heap)
{
	if (!heap)
		return;
	traverser_destroy(heap->traverser);
	index_clear(&heap->index);
	free(heap->addresses);
	free(heap->types);
	free(heap->type_table);
	free(heap->refcounts);
	free(heap->generation);
	free(heap->interpreter);
	free(heap->list_counts);
	free(heap);
}

struct error *heap_view_open(const struct heap *heap, struct heap **result)
{
	struct heap *view = malloc(sizeof(*view));

	*result = NULL;
	if (!view)
		return &error_no_memory;
	*view = *heap;
	reader_init(&view->reader, heap->runtime->target->image);
	view->traverser = traverser_clone(heap->traverser);
	if (!view->traverser) {
		free(view);
		return &error_no_memory;
	}
	*result = view;
	return NULL;
}

void heap_view_close(struct heap *view)
{
	if (view)
		traverser_destroy(view->traverser);
	free(view);
}

uint64_t heap_reference_budget(const struct heap *heap, uint32_t count)
{
	const struct image *image = heap->reader.image;
	uint64_t bytes = UINT64_C(1) << 26;

	for (size_t i = 0; i < image->segment_count; i++)
		bytes += image->segments[i].end - image->segments[i].start;
	return bytes / 4 + count * UINT64_C(64);
}
