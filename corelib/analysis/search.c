/*
 * What costs little is asked first: the type by a table, the address, the lists of the collector.
 */
#include "analysis/search.h"

#include "analysis/glob.h"
#include "analysis/sizes.h"

#include <fnmatch.h>
#include <stdlib.h>

enum { PROGRESS_STEP = 1 << 16 };

/* Characters looked at for each byte of memory before the strings are taken for hostile: damaged
 * ones that all claim one large text would never end. */
enum { BUDGET_FACTOR = 16 };

/* The work in progress. */
struct searching {
	const struct objects *objects;
	const struct search_filter *filter;
	bool *types; /* by index of type; the last: damaged objects */
	uint32_t type_count;
	struct glob text, bytes;
	uint64_t budget;
	struct search *search;
	size_t capacity;
};

bool object_in_generation(const struct objects *objects, uint32_t object, int generation)
{
	uint32_t number = heap_find(objects->heap, objects->addresses[object]);

	return number != HEAP_NONE && objects->heap->generation[number] == generation;
}

static bool has_text(const struct type *type)
{
	return type->flags & (TPFLAGS_UNICODE_SUBCLASS | TPFLAGS_BYTES_SUBCLASS);
}

/* Which types may be. */
static bool choose_types(struct searching *work)
{
	const struct search_filter *filter = work->filter;
	struct type_cache *cache = work->objects->heap->runtime->types;

	work->type_count = (uint32_t)type_count(cache);
	work->types = calloc((size_t)work->type_count + 1, sizeof(*work->types));
	if (!work->types)
		return false;
	for (uint32_t i = 0; i < work->type_count; i++) {
		const struct type *type = type_by_index(cache, i);

		work->types[i] = (!filter->type || !fnmatch(filter->type, type->name, 0)) &&
				 (!filter->text || has_text(type));
	}
	work->types[work->type_count] = !filter->type && !filter->text;
	return true;
}

static bool text_matches(struct searching *work, uint32_t object)
{
	struct heap *heap = work->objects->heap;
	const struct layout *layout = &heap->runtime->layout;
	const struct type *type = objects_type(work->objects, object);
	uint64_t address = work->objects->addresses[object];
	struct str_view view = {.data = address + layout->PyBytesObject_ob_sval, .width = 1};

	if (type->flags & TPFLAGS_UNICODE_SUBCLASS)
		return str_open(heap->runtime, &heap->reader, address, &view) &&
		       glob_match(&work->text, &heap->reader, &view, &work->budget);
	return reader_u64(&heap->reader, address + layout->PyVarObject_ob_size, &view.length) &&
	       view.length <= INT64_MAX &&
	       glob_match(&work->bytes, &heap->reader, &view, &work->budget);
}

static bool matches(struct searching *work, uint32_t object, uint64_t *size)
{
	const struct search_filter *filter = work->filter;
	const struct objects *objects = work->objects;
	uint32_t type = objects->types[object];

	if (!work->types[type == HEAP_NONE ? work->type_count : type] ||
	    objects->addresses[object] < filter->start ||
	    objects->addresses[object] >= filter->end ||
	    (filter->roots && filter->roots->reached[object] != ROOT_GARBAGE) ||
	    (filter->generation >= 0 && !object_in_generation(objects, object, filter->generation)))
		return false;
	*size = object_bytes(objects, object);
	return *size >= filter->min_size && *size <= filter->max_size &&
	       (!filter->text || text_matches(work, object));
}

static bool append(struct searching *work, uint32_t object, uint64_t size)
{
	struct search *search = work->search;

	if (search->count == work->capacity) {
		size_t capacity = work->capacity ? work->capacity * 2 : 1024;
		uint32_t *objects = realloc(search->objects, capacity * sizeof(*objects));

		if (!objects)
			return false;
		search->objects = objects;
		work->capacity = capacity;
	}
	search->objects[search->count++] = object;
	search->bytes += size;
	return true;
}

static struct error *search_all(struct searching *work, const struct progress *progress)
{
	const struct objects *objects = work->objects;
	uint64_t size;

	for (uint32_t i = 0; i < objects->count; i++) {
		if (i % PROGRESS_STEP == 0) {
			struct error *err =
				progress_step(progress, "searching objects", i, objects->count);

			if (err)
				return err;
		}
		if (matches(work, i, &size) && !append(work, i, size))
			return &error_no_memory;
	}
	if (!work->budget)
		coverage_add(&objects->heap->runtime->target->coverage, PROBLEM_PARTIAL,
			     "damaged-objects",
			     "the text of all objects together is longer than the memory; "
			     "not all of it was searched");
	return NULL;
}

struct error *search_run(const struct objects *objects, const struct search_filter *filter,
			 const struct progress *progress, struct search *search)
{
	struct searching work = {
		.objects = objects,
		.filter = filter,
		.budget = heap_reference_budget(objects->heap, 0) * BUDGET_FACTOR,
		.search = search,
	};
	struct error *err = &error_no_memory;

	search_clear(search);
	if (choose_types(&work) &&
	    glob_compile(&work.text, filter->text ? filter->text : "", false) &&
	    glob_compile(&work.bytes, filter->text ? filter->text : "", true))
		err = search_all(&work, progress);
	glob_clear(&work.text);
	glob_clear(&work.bytes);
	free(work.types);
	return err;
}

void search_clear(struct search *search)
{
	free(search->objects);
	*search = (struct search){0};
}
