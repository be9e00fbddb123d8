/*
 * One walk of the dominator tree counts everything: an object that another of its row dominates
 * adds nothing to what the row retains.
 */
#include "analysis/histogram.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRESS_STEP = 1 << 18 };

/* The work in progress. Rows are made for all types first; the last is for damaged objects. */
struct counting {
	const struct dominators *tree;
	const struct objects *objects;
	const struct histogram_filter *filter;
	uint32_t *row_of; /* type -> row; HEAP_NONE: the pattern does not match */
	uint32_t *open;	  /* row -> its objects among the dominators of the node at hand */
	uint32_t type_count;
	struct histogram_row *rows;
};

static uint32_t row_of(const struct counting *work, uint32_t object)
{
	uint32_t type = work->objects->types[object];

	return work->row_of[type == HEAP_NONE ? work->type_count : type];
}

static bool is_counted(const struct counting *work, uint32_t object)
{
	const struct histogram_filter *filter = work->filter;
	const struct heap *heap = work->objects->heap;

	if (work->tree->own[object] < filter->min_size ||
	    (filter->unreachable && work->tree->roots->reached[object] != ROOT_GARBAGE))
		return false;
	if (filter->generation >= 0) {
		uint32_t number = heap_find(heap, work->objects->addresses[object]);

		return number != HEAP_NONE && heap->generation[number] == filter->generation;
	}
	return true;
}

static void leave(void *context, uint32_t node)
{
	struct counting *work = context;
	uint32_t object = work->tree->object_of[node], row;

	if (node == work->filter->under)
		return;
	row = row_of(work, object);
	if (row != HEAP_NONE && is_counted(work, object))
		work->open[row]--;
}

static void count(struct counting *work, uint32_t node)
{
	const struct dominators *tree = work->tree;
	uint32_t object = tree->object_of[node], number = row_of(work, object);
	struct histogram_row *row;

	if (number == HEAP_NONE || !is_counted(work, object))
		return;
	row = &work->rows[number];
	if (!row->objects++ || tree->retained[node] > tree->retained[tree->node_of[row->example]])
		row->example = object;
	row->bytes += tree->own[object];
	if (!work->open[number]++)
		row->retained += tree->retained[node];
}

static struct error *count_all(struct counting *work, const struct progress *progress)
{
	const struct dominators *tree = work->tree;
	uint32_t top = work->filter->under, done = 0;

	for (uint32_t node = top; node != NODE_NONE;
	     node = dominators_next(tree, top, node, leave, work)) {
		if (node != top)
			count(work, node);
		if (done++ % PROGRESS_STEP == 0) {
			struct error *err =
				progress_step(progress, "counting objects", done, tree->count);

			if (err)
				return err;
		}
	}
	return NULL;
}

/* A row for each module, by the order of its first type. */
static uint32_t find_module(const struct counting *work, const struct type *type)
{
	struct type_cache *cache = work->objects->heap->runtime->types;

	for (uint32_t i = 0; i < type->index; i++)
		if (work->row_of[i] == i && !strcmp(type_by_index(cache, i)->module, type->module))
			return i;
	return type->index;
}

static void assign_rows(struct counting *work, bool by_module)
{
	struct type_cache *cache = work->objects->heap->runtime->types;
	const char *pattern = work->filter->type;

	for (uint32_t i = 0; i < work->type_count; i++) {
		const struct type *type = type_by_index(cache, i);

		work->rows[i].type = i;
		if (pattern && fnmatch(pattern, type->name, 0))
			work->row_of[i] = HEAP_NONE;
		else
			work->row_of[i] = by_module ? find_module(work, type) : i;
	}
	work->rows[work->type_count].type = HEAP_NONE;
	work->row_of[work->type_count] = pattern ? HEAP_NONE : work->type_count;
}

/* Where the type stands; the rows of modules have the first of their types. */
static uint64_t row_address(struct type_cache *cache, const struct histogram_row *row)
{
	return row->type == HEAP_NONE ? UINT64_MAX : type_by_index(cache, row->type)->address;
}

static int compare_rows(const void *left, const void *right, void *context)
{
	const struct histogram_row *a = left, *b = right;
	uint64_t first, second;

	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	first = row_address(context, a);
	second = row_address(context, b);
	return first < second ? -1 : first > second;
}

static void take_rows(struct counting *work, struct histogram *histogram)
{
	*histogram = (struct histogram){.rows = work->rows};
	for (uint32_t i = 0; i <= work->type_count; i++) {
		if (!work->rows[i].objects)
			continue;
		histogram->objects += work->rows[i].objects;
		histogram->bytes += work->rows[i].bytes;
		work->rows[histogram->count++] = work->rows[i];
	}
	qsort_r(work->rows, histogram->count, sizeof(*work->rows), compare_rows,
		work->objects->heap->runtime->types);
	work->rows = NULL;
}

struct error *histogram_make(const struct dominators *tree, const struct histogram_filter *filter,
			     bool by_module, const struct progress *progress,
			     struct histogram *histogram)
{
	const struct objects *objects = tree->roots->graph->objects;
	size_t types = type_count(objects->heap->runtime->types);
	struct counting work = {
		.tree = tree,
		.objects = objects,
		.filter = filter,
		.row_of = calloc(types + 1, sizeof(*work.row_of)),
		.open = calloc(types + 1, sizeof(*work.open)),
		.type_count = (uint32_t)types,
		.rows = calloc(types + 1, sizeof(*work.rows)),
	};
	struct error *err = &error_no_memory;

	*histogram = (struct histogram){0};
	if (work.row_of && work.open && work.rows) {
		assign_rows(&work, by_module);
		err = count_all(&work, progress);
		if (!err)
			take_rows(&work, histogram);
	}
	free(work.row_of);
	free(work.open);
	free(work.rows);
	return err;
}

void histogram_clear(struct histogram *histogram)
{
	free(histogram->rows);
	*histogram = (struct histogram){0};
}
