/*
 * The rows of `retained`.
 */
#include "command/retained_rows.h"

#include "command/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 1 << 20 };

static bool add(struct retained_rows *rows, const struct retained_row *row)
{
	if (rows->count == rows->capacity) {
		size_t capacity = rows->capacity ? rows->capacity * 2 : 256;
		struct retained_row *items = realloc(rows->items, capacity * sizeof(*items));

		if (!items)
			return false;
		rows->items = items;
		rows->capacity = capacity;
	}
	rows->items[rows->count++] = *row;
	return true;
}

static struct retained_row row_of(const struct session *session, uint32_t object)
{
	return (struct retained_row){
		.object = object,
		.type = session->objects->types[object],
		.objects = 1,
		.own = session->sizes[object],
		.retained = dominators_retained(session->dominators, object),
	};
}

static int compare_rows(const void *left, const void *right)
{
	const struct retained_row *a = left, *b = right;

	if (a->retained != b->retained)
		return a->retained > b->retained ? -1 : 1;
	return a->object < b->object ? -1 : a->object > b->object;
}

static void sort(struct retained_rows *rows)
{
	if (rows->count)
		qsort(rows->items, rows->count, sizeof(*rows->items), compare_rows);
}

/* The module that a class is defined in counts as its own; else the first imported. */
static bool is_home(const struct session *session, const struct retained_row *row)
{
	struct heap *heap = session->heap;
	const struct type *metatype = objects_type(session->objects, row->object), *type;

	if (!metatype || !(metatype->flags & TPFLAGS_TYPE_SUBCLASS))
		return false;
	type = type_get(session->runtime->types, &heap->reader,
			session->objects->addresses[row->object]);
	return type && !strcmp(type->module, session->anchors->modules[row->module].name);
}

static uint64_t rank(const struct session *session, const struct retained_row *row)
{
	const struct anchor_module *module = &session->anchors->modules[row->module];

	if (is_home(session, row))
		return 0;
	return module->order + (strcmp(module->name, "__main__") ? UINT64_C(1) : UINT64_C(1) << 32);
}

static int compare_globals(const void *left, const void *right, void *session)
{
	const struct retained_row *a = left, *b = right;
	uint64_t rank_a, rank_b;

	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	rank_a = rank(session, a);
	rank_b = rank(session, b);
	if (rank_a != rank_b)
		return rank_a < rank_b ? -1 : 1;
	return a->key < b->key ? -1 : a->key > b->key;
}

/* Keeps one row of each object. */
static void unite(const struct session *session, struct retained_rows *rows)
{
	size_t kept = 0;

	if (!rows->count)
		return;
	qsort_r(rows->items, rows->count, sizeof(*rows->items), compare_globals, (void *)session);
	for (size_t i = 0; i < rows->count; i++)
		if (!kept || rows->items[kept - 1].object != rows->items[i].object)
			rows->items[kept++] = rows->items[i];
	rows->count = kept;
}

static bool add_globals(const struct session *session, size_t module, struct retained_rows *rows)
{
	const struct objects *objects = session->objects;
	struct reader *reader = &session->heap->reader;
	struct dict_view view;

	if (!dict_open(session->runtime, reader,
		       objects->addresses[session->anchors->modules[module].dict], &view))
		return true;
	for (uint64_t i = 0; i < view.count && i < NAMES_MAX; i++) {
		uint64_t key, value, slot;
		struct retained_row row;
		const struct type *type;
		uint32_t object;

		if (!dict_entry(reader, &view, i, &key, &value, &slot) || !key || !value)
			continue;
		object = objects_find(objects, value);
		if (object == HEAP_NONE)
			continue;
		type = objects_type(objects, object);
		if ((type && !strcmp(type->name, "module")) ||
		    anchors_module(session->anchors, object))
			continue;
		row = row_of(session, object);
		row.module = (uint32_t)module;
		row.key = key;
		if (!add(rows, &row))
			return false;
	}
	return true;
}

struct error *retained_by_global(const struct session *session, struct retained_rows *rows)
{
	for (size_t i = 0; i < session->anchors->module_count; i++)
		if (!add_globals(session, i, rows))
			return &error_no_memory;
	unite(session, rows);
	sort(rows);
	return NULL;
}

struct error *retained_by_module(const struct session *session, struct retained_rows *rows)
{
	const struct anchors *anchors = session->anchors;

	for (size_t i = 0; i < anchors->module_count; i++) {
		struct retained_row row = row_of(session, anchors->modules[i].dict);
		const struct type *type = objects_type(session->objects, row.object);

		row.module = (uint32_t)i;
		if (!type ||
		    !object_length(session->heap->traverser,
				   session->objects->addresses[row.object], type, &row.objects))
			row.objects = 0;
		if (!add(rows, &row))
			return &error_no_memory;
	}
	sort(rows);
	return NULL;
}

struct error *retained_by_type(const struct session *session, struct retained_rows *rows)
{
	const struct histogram_filter filter = {.generation = -1};
	struct histogram histogram;
	struct error *err = histogram_make(session->dominators, &filter, false,
					   &session->progress.progress, &histogram);

	for (size_t i = 0; !err && i < histogram.count; i++) {
		const struct histogram_row *from = &histogram.rows[i];

		if (!add(rows, &(struct retained_row){
				       .object = from->example,
				       .type = from->type,
				       .objects = from->objects,
				       .own = from->bytes,
				       .retained = from->retained,
			       }))
			err = &error_no_memory;
	}
	histogram_clear(&histogram);
	sort(rows);
	return err;
}

struct error *retained_below(const struct session *session, uint32_t node,
			     struct retained_rows *rows)
{
	const struct dominators *tree = session->dominators;

	for (uint32_t child = tree->first[node]; child != NODE_NONE; child = tree->next[child]) {
		const struct retained_row row = row_of(session, tree->object_of[child]);

		if (!add(rows, &row))
			return &error_no_memory;
	}
	sort(rows);
	return NULL;
}

void retained_rows_clear(struct retained_rows *rows)
{
	free(rows->items);
	*rows = (struct retained_rows){0};
}

void retained_row_name(const struct session *session, const struct retained_row *row, char *name,
		       size_t size)
{
	const char *module = session->anchors->modules[row->module].name;
	char key[160];

	if (row->key &&
	    object_str(session->runtime, &session->heap->reader, row->key, key, sizeof(key)))
		snprintf(name, size, "%s.%s", module, key);
	else
		snprintf(name, size, "%s", module);
}

/*
 * Edges
 */

static int compare_targets(const void *left, const void *right)
{
	const struct reference *a = left, *b = right;

	if (a->target != b->target)
		return a->target < b->target ? -1 : 1;
	return a->slot < b->slot ? -1 : a->slot > b->slot;
}

struct error *retained_edges_read(const struct session *session, uint32_t object,
				  struct retained_edges *edges)
{
	struct owned owned = {0};

	if (!graph_references(session->objects, object, &owned)) {
		owned_clear(&owned);
		return &error_no_memory;
	}
	edges->object = object;
	edges->items = owned.items;
	edges->count = owned.count;
	if (edges->count)
		qsort(edges->items, edges->count, sizeof(*edges->items), compare_targets);
	return NULL;
}

bool retained_edge(const struct session *session, const struct retained_edges *edges,
		   uint32_t child, struct edge_label *label)
{
	uint64_t target = session->objects->addresses[child];
	size_t low = 0, high = edges->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (edges->items[middle].target < target)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == edges->count || edges->items[low].target != target)
		return false;
	edge_label(session->heap->traverser, session->objects->addresses[edges->object],
		   objects_type(session->objects, edges->object), &edges->items[low], label);
	return label->kind != EDGE_UNKNOWN;
}

void retained_edges_clear(struct retained_edges *edges)
{
	free(edges->items);
	*edges = (struct retained_edges){0};
}
