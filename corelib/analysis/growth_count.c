/* What is in the rows, by snapshot and by type; and the order in which they are shown. */
#include "analysis/growth_private.h"

#include <stdlib.h>
#include <string.h>

#define COMPARE(a, b)                              \
	do {                                       \
		if ((a) != (b))                    \
			return (a) < (b) ? -1 : 1; \
	} while (0)

/* The types of the heap, densely numbered. */
struct type_totals {
	uint32_t *number_of; /* number of the name -> number of the type; NAME_NONE */
	uint32_t *names;     /* number of the type -> of its name */
	uint32_t count;
};

static struct growth_row *row_at(struct growth *growth, uint32_t row)
{
	return row < growth->row_count ? &growth->rows[row]
				       : &growth->shrunk[row - growth->row_count];
}

static bool number_types(const struct growth_work *work, struct type_totals *types)
{
	const struct holders *holders = &work->history->holders;
	size_t names = (size_t)holders->names.table.count + 1;

	types->number_of = malloc(names * sizeof(*types->number_of));
	types->names = malloc(names * sizeof(*types->names));
	if (!types->number_of || !types->names)
		return false;
	memset(types->number_of, 0xff, names * sizeof(*types->number_of));
	for (uint32_t i = 0; i < work->count; i++) {
		uint32_t name = holders->nodes[i].type;

		if (types->number_of[name] != NAME_NONE)
			continue;
		types->number_of[name] = types->count;
		types->names[types->count++] = name;
	}
	return true;
}

static void count_into(struct series_count *counts, const struct growth_work *work, uint32_t node)
{
	for (size_t i = 0; i < work->history->count; i++) {
		struct series_count count = series_at(&work->history->series, i, node);

		counts[i].objects += count.objects;
		counts[i].bytes += count.bytes;
	}
}

/* All counts stand in one array: those of the rows, then those of the types. */
static void count_all(struct growth_work *work, const struct type_totals *types)
{
	struct growth *growth = work->growth;
	size_t snapshots = work->history->count, rows = growth->row_count + growth->shrunk_count;

	for (size_t i = 0; i < rows; i++) {
		struct growth_row *row = row_at(growth, (uint32_t)i);

		row->counts = growth->counts + i * snapshots;
		for (size_t j = 0; j < snapshots; j++) {
			struct series_count own = series_at(&work->history->series, j, row->node);

			row->counts[j].items = own.items;
			row->counts[j].example = own.example;
		}
	}
	for (uint32_t i = 0; i < work->count; i++) {
		uint32_t type = types->number_of[work->history->holders.nodes[i].type];

		if (work->row_of[i] != ROW_NONE)
			count_into(row_at(growth, work->row_of[i])->counts, work, i);
		count_into(growth->counts + (rows + type) * snapshots, work, i);
	}
	for (size_t i = 0; i < rows; i++) {
		struct growth_row *row = row_at(growth, (uint32_t)i);

		row->trend = growth_trend_of(row->counts, snapshots);
	}
}

static bool split_types(struct growth_work *work, const struct type_totals *types)
{
	struct growth *growth = work->growth;
	size_t snapshots = work->history->count, rows = growth->row_count + growth->shrunk_count;
	int64_t noise = (int64_t)growth->noise;

	growth->types = calloc((size_t)types->count + 1, sizeof(*growth->types));
	growth->shrunk_types = calloc((size_t)types->count + 1, sizeof(*growth->shrunk_types));
	if (!growth->types || !growth->shrunk_types)
		return false;
	for (uint32_t i = 0; i < types->count; i++) {
		struct growth_type type = {
			.type = types->names[i],
			.counts = growth->counts + (rows + i) * snapshots,
			.row = (uint32_t)growth->row_count,
		};

		type.delta = growth_of_counts(type.counts, snapshots);
		type.trend = growth_trend_of(type.counts, snapshots);
		if (type.delta.bytes >= noise)
			growth->types[growth->type_count++] = type;
		else if (type.delta.bytes <= -noise)
			growth->shrunk_types[growth->shrunk_type_count++] = type;
	}
	return true;
}

/*
 * Parts
 */

static int by_row_and_type(const void *left, const void *right)
{
	const struct growth_part *a = left, *b = right;

	COMPARE(a->row, b->row);
	COMPARE(a->type, b->type);
	return 0;
}

static int compare_deltas(const struct growth_delta *a, const struct growth_delta *b)
{
	int64_t left = a->bytes < 0 ? -a->bytes : a->bytes;
	int64_t right = b->bytes < 0 ? -b->bytes : b->bytes;

	COMPARE(right, left);
	return 0;
}

static int by_row_and_bytes(const void *left, const void *right)
{
	const struct growth_part *a = left, *b = right;
	int order;

	COMPARE(a->row, b->row);
	order = compare_deltas(&a->delta, &b->delta);
	if (order)
		return order;
	COMPARE(a->type, b->type);
	return 0;
}

static size_t list_parts(const struct growth_work *work, struct growth_part *parts)
{
	size_t count = 0, used = 0;

	for (uint32_t i = 0; i < work->count; i++)
		if (work->row_of[i] != ROW_NONE && (work->self[i].objects || work->self[i].bytes))
			parts[count++] = (struct growth_part){
				work->history->holders.nodes[i].type,
				work->row_of[i],
				work->self[i],
			};
	if (count)
		qsort(parts, count, sizeof(*parts), by_row_and_type);
	for (size_t i = 0; i < count; i++) {
		if (used && !by_row_and_type(&parts[used - 1], &parts[i])) {
			parts[used - 1].delta.objects += parts[i].delta.objects;
			parts[used - 1].delta.bytes += parts[i].delta.bytes;
		} else {
			parts[used++] = parts[i];
		}
	}
	if (used)
		qsort(parts, used, sizeof(*parts), by_row_and_bytes);
	return used;
}

static struct error *find_parts(struct growth_work *work)
{
	struct growth *growth = work->growth;
	size_t count;

	growth->parts = calloc((size_t)work->count + 1, sizeof(*growth->parts));
	if (!growth->parts)
		return &error_no_memory;
	count = list_parts(work, growth->parts);
	for (size_t i = 0; i < count; i++) {
		struct growth_row *row = row_at(growth, growth->parts[i].row);

		if (!row->part_count++)
			row->parts = &growth->parts[i];
	}
	return NULL;
}

struct error *growth_count(struct growth_work *work)
{
	struct growth *growth = work->growth;
	struct type_totals types = {0};
	struct error *err = &error_no_memory;

	if (number_types(work, &types)) {
		size_t lines = growth->row_count + growth->shrunk_count + types.count + 1;

		growth->counts = calloc(lines * work->history->count, sizeof(*growth->counts));
		if (growth->counts) {
			count_all(work, &types);
			if (split_types(work, &types))
				err = find_parts(work);
		}
	}
	free(types.number_of);
	free(types.names);
	return err;
}

/*
 * Order
 */

/* What only warms up grows once; what leaks grows in every step. */
static int compare_growth(const struct growth *growth, struct growth_trend a_trend,
			  const struct growth_delta *a, struct growth_trend b_trend,
			  const struct growth_delta *b)
{
	COMPARE(growth_is_steady(growth, b_trend), growth_is_steady(growth, a_trend));
	return compare_deltas(a, b);
}

static int compare_rows(const void *left, const void *right, void *context)
{
	const struct growth_row *a = left, *b = right;
	int order = compare_growth(context, a->trend, &a->delta, b->trend, &b->delta);

	if (order)
		return order;
	COMPARE(a->node, b->node);
	return 0;
}

static int compare_types(const void *left, const void *right, void *context)
{
	const struct growth_type *a = left, *b = right;
	int order = compare_growth(context, a->trend, &a->delta, b->trend, &b->delta);

	if (order)
		return order;
	COMPARE(a->type, b->type);
	return 0;
}

static int compare_groups(const void *left, const void *right, void *context)
{
	const struct growth_group *a = left, *b = right;
	int order = compare_growth(context, a->trend, &a->delta, b->trend, &b->delta);

	if (order)
		return order;
	COMPARE(a->group, b->group);
	return 0;
}

static void sort(void *items, size_t count, size_t size,
		 int (*compare)(const void *left, const void *right, void *context),
		 struct growth *growth)
{
	if (count)
		qsort_r(items, count, size, compare, growth);
}

/* The row that holds most of the new objects of each type. */
static struct error *find_type_rows(struct growth_work *work)
{
	struct growth *growth = work->growth;
	size_t names = (size_t)work->history->holders.names.table.count + 1;
	uint32_t *type_of = malloc(names * sizeof(*type_of));

	if (!type_of)
		return &error_no_memory;
	memset(type_of, 0xff, names * sizeof(*type_of));
	for (size_t i = 0; i < growth->type_count; i++)
		type_of[growth->types[i].type] = (uint32_t)i;
	for (size_t i = 0; i < growth->row_count; i++) {
		const struct growth_row *row = &growth->rows[i];

		for (size_t j = 0; j < row->part_count; j++) {
			uint32_t number = type_of[row->parts[j].type];
			struct growth_type *type =
				number == NAME_NONE ? NULL : &growth->types[number];

			if (type && row->parts[j].delta.bytes > type->held.bytes) {
				type->row = (uint32_t)i;
				type->held = row->parts[j].delta;
			}
		}
	}
	free(type_of);
	return NULL;
}

struct error *growth_rank(struct growth_work *work)
{
	struct growth *growth = work->growth;
	size_t snapshots = work->history->count;

	for (size_t i = 1; i < snapshots; i++) {
		uint64_t before = work->history->facts[i - 1].bytes;
		uint64_t now = work->history->facts[i].bytes;

		growth->trend.up += now > before;
		growth->trend.down += now < before;
	}
	sort(growth->rows, growth->row_count, sizeof(*growth->rows), compare_rows, growth);
	sort(growth->shrunk, growth->shrunk_count, sizeof(*growth->shrunk), compare_rows, growth);
	sort(growth->types, growth->type_count, sizeof(*growth->types), compare_types, growth);
	sort(growth->shrunk_types, growth->shrunk_type_count, sizeof(*growth->shrunk_types),
	     compare_types, growth);
	sort(growth->cycles, growth->cycle_count, sizeof(*growth->cycles), compare_groups, growth);
	sort(growth->leaks, growth->leak_count, sizeof(*growth->leaks), compare_groups, growth);
	return find_type_rows(work);
}
