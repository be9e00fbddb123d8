/*
 * Which node of the tree of holders is a row. A node takes all that is below it if that is
 * explained by it; what is left at the end of each branch goes up until it is worth a row.
 */
#include "analysis/growth_private.h"

#include <stdlib.h>
#include <string.h>

enum { NOISE_MIN = 4096, NOISE_SHARE = 1000 };

/* What is known of the nodes right below one. */
struct below {
	int64_t most_objects, most_bytes; /* of the child that grew most */
	int64_t item_bytes;		  /* of the items of a container */
	int64_t most_item_bytes;
	uint32_t most_item;
};

struct growth_delta growth_of_counts(const struct series_count *counts, size_t snapshots)
{
	const struct series_count *last = &counts[snapshots - 1];

	return (struct growth_delta){(int64_t)(last->objects - counts->objects),
				     (int64_t)(last->bytes - counts->bytes)};
}

struct growth_delta growth_between(const struct series *series, size_t snapshots, uint32_t thing)
{
	struct series_count first = series_at(series, 0, thing);
	struct series_count last = series_at(series, snapshots - 1, thing);

	return (struct growth_delta){(int64_t)(last.objects - first.objects),
				     (int64_t)(last.bytes - first.bytes)};
}

struct growth_trend growth_trend_of(const struct series_count *counts, size_t snapshots)
{
	struct growth_trend trend = {0};

	for (size_t i = 1; i < snapshots; i++) {
		trend.up += counts[i].bytes > counts[i - 1].bytes;
		trend.down += counts[i].bytes < counts[i - 1].bytes;
	}
	return trend;
}

static void add(struct growth_delta *sum, struct growth_delta delta)
{
	sum->objects += delta.objects;
	sum->bytes += delta.bytes;
}

/* A child always has a higher number than the node above it. */
static void sum_up(struct growth_work *work)
{
	const struct holder_node *nodes = work->history->holders.nodes;
	int64_t grown = 0;

	for (uint32_t i = 0; i < work->count; i++) {
		work->self[i] = growth_between(&work->history->series, work->history->count, i);
		work->total[i] = work->self[i];
		grown += work->self[i].bytes > 0 ? work->self[i].bytes : 0;
	}
	for (uint32_t i = work->count; i-- > 1;)
		add(&work->total[nodes[i].parent], work->total[i]);
	work->growth->delta = work->count ? work->total[HOLDER_OUTSIDE] : (struct growth_delta){0};
	work->growth->noise = (uint64_t)grown / NOISE_SHARE;
	if (work->growth->noise < NOISE_MIN)
		work->growth->noise = NOISE_MIN;
}

/* Growth and shrinking are alike but for the sign. */
static int sign_of(const struct growth_work *work, uint32_t node)
{
	return work->total[node].bytes < 0 ? -1 : 1;
}

static void look_below(const struct growth_work *work, struct below *below)
{
	const struct holder_node *nodes = work->history->holders.nodes;

	for (uint32_t i = 0; i < work->count; i++)
		below[i].most_item = HOLDER_NONE;
	for (uint32_t i = 1; i < work->count; i++) {
		struct below *parent = &below[nodes[i].parent];
		int sign = sign_of(work, nodes[i].parent);
		int64_t bytes = work->total[i].bytes * sign;
		int64_t objects = work->total[i].objects * sign;

		if (objects > parent->most_objects)
			parent->most_objects = objects;
		if (bytes > parent->most_bytes)
			parent->most_bytes = bytes;
		if (nodes[i].step != HOLDER_ITEM && nodes[i].step != HOLDER_KEY)
			continue;
		parent->item_bytes += bytes;
		if (bytes > parent->most_item_bytes && nodes[i].step == HOLDER_ITEM) {
			parent->most_item_bytes = bytes;
			parent->most_item = i;
		}
	}
}

/* Below such a root there are types and no paths. */
static bool is_without_names(const struct holder_node *node)
{
	return node->step == HOLDER_ROOT &&
	       (node->root_kind == ROOT_GARBAGE || node->root_kind == ROOT_NOTHING ||
		node->root_kind == ROOT_RAW || node->root_kind == ROOT_INTERNED);
}

/* Is all that changed below a node explained by the node itself? */
static bool takes_all(const struct growth_work *work, uint32_t node, const struct below *below)
{
	const struct series *series = &work->history->series;
	struct series_count first = series_at(series, 0, node);
	struct series_count last = series_at(series, work->history->count - 1, node);
	int sign = sign_of(work, node);
	int64_t bytes = work->total[node].bytes * sign;
	int64_t items = (int64_t)(last.items - first.items) * sign;
	int64_t objects = work->self[node].objects * sign;

	if (bytes < (int64_t)work->growth->noise || node == HOLDER_OUTSIDE)
		return false;
	if (is_without_names(&work->history->holders.nodes[node]))
		return true;
	// A container with more items.
	if (items > 0 && below->item_bytes * 2 >= bytes - work->self[node].bytes * sign)
		return true;
	// More objects than before, each with the same below it.
	if (objects > 0 && objects * 2 >= below->most_objects)
		return true;
	// New, and nothing below stands out.
	return objects > 0 && !(sign > 0 ? first.objects : last.objects) &&
	       below->most_bytes * 2 < bytes;
}

static struct growth_row *append_row(struct growth_row **rows, size_t *count)
{
	struct growth_row *grown;

	if (!(*count & (*count - 1))) {
		grown = realloc(*rows, (*count ? *count * 2 : 1) * sizeof(*grown));
		if (!grown)
			return NULL;
		*rows = grown;
	}
	return &(*rows)[(*count)++];
}

/* What is left at a node goes up, unless it is enough for a row. */
static bool settle(struct growth_work *work, uint32_t node, struct growth_delta *left,
		   const struct below *below)
{
	struct growth *growth = work->growth;
	int64_t noise = (int64_t)growth->noise;
	bool grew = left[node].bytes >= noise, shrank = left[node].bytes <= -noise;
	uint32_t parent = work->history->holders.nodes[node].parent;
	struct growth_row *row;

	if (node == HOLDER_OUTSIDE || (!grew && !shrank)) {
		if (node != HOLDER_OUTSIDE)
			add(&left[parent], left[node]);
		return true;
	}
	row = grew ? append_row(&growth->rows, &growth->row_count)
		   : append_row(&growth->shrunk, &growth->shrunk_count);
	if (!row)
		return false;
	*row = (struct growth_row){
		.node = node,
		.delta = left[node],
		.mostly = below[node].most_item,
	};
	return true;
}

/* Nodes below one that takes all have nothing to say. */
static bool choose_rows(struct growth_work *work, const struct below *below)
{
	const struct holder_node *nodes = work->history->holders.nodes;
	struct growth_delta *left = calloc((size_t)work->count + 1, sizeof(*left));
	uint8_t *takes = calloc((size_t)work->count + 1, 1), *taken;
	bool ok = left && takes;

	taken = calloc((size_t)work->count + 1, 1);
	ok = ok && taken;
	for (uint32_t i = 0; ok && i < work->count; i++) {
		taken[i] =
			i != HOLDER_OUTSIDE && (taken[nodes[i].parent] || takes[nodes[i].parent]);
		takes[i] = !taken[i] && takes_all(work, i, &below[i]);
		left[i] = takes[i] ? work->total[i] : work->self[i];
	}
	for (uint32_t i = work->count; ok && i-- > 0;)
		if (!taken[i])
			ok = settle(work, i, left, below);
	if (ok && work->count)
		work->growth->smaller = left[HOLDER_OUTSIDE];
	free(left);
	free(takes);
	free(taken);
	return ok;
}

/* Every node is in the row of the nearest node at or above it that is one. */
static void assign_rows(struct growth_work *work)
{
	const struct growth *growth = work->growth;
	const struct holder_node *nodes = work->history->holders.nodes;

	memset(work->row_of, 0xff, ((size_t)work->count + 1) * sizeof(*work->row_of));
	for (size_t i = 0; i < growth->row_count; i++)
		work->row_of[growth->rows[i].node] = (uint32_t)i;
	for (size_t i = 0; i < growth->shrunk_count; i++)
		work->row_of[growth->shrunk[i].node] = (uint32_t)(growth->row_count + i);
	for (uint32_t i = 1; i < work->count; i++)
		if (work->row_of[i] == ROW_NONE)
			work->row_of[i] = work->row_of[nodes[i].parent];
}

static bool find_rows(struct growth_work *work)
{
	struct below *below = calloc((size_t)work->count + 1, sizeof(*below));
	bool ok = below != NULL;

	if (ok) {
		sum_up(work);
		look_below(work, below);
		ok = choose_rows(work, below);
	}
	if (ok)
		assign_rows(work);
	free(below);
	return ok;
}

static bool find_groups(const struct history *history, const struct history_groups *groups,
			struct growth_group **grown, size_t *count)
{
	*grown = calloc((size_t)groups->keys.table.count + 1, sizeof(**grown));
	if (!*grown)
		return false;
	for (uint32_t i = 0; i < groups->keys.table.count; i++) {
		struct growth_group group = {
			.group = i,
			.delta = growth_between(&groups->series, history->count, i),
		};

		for (size_t j = 1; j < history->count; j++) {
			uint64_t before = series_at(&groups->series, j - 1, i).objects;
			uint64_t now = series_at(&groups->series, j, i).objects;

			group.trend.up += now > before;
			group.trend.down += now < before;
		}
		if (group.delta.objects > 0)
			(*grown)[(*count)++] = group;
	}
	return true;
}

struct error *growth_find(const struct history *history, struct growth *growth)
{
	struct growth_work work = {
		.history = history,
		.growth = growth,
		.count = history->holders.table.count,
	};
	size_t count = (size_t)work.count + 1;
	struct error *err = &error_no_memory;

	*growth = (struct growth){.history = history};
	work.self = calloc(count, sizeof(*work.self));
	work.total = calloc(count, sizeof(*work.total));
	work.row_of = malloc(count * sizeof(*work.row_of));
	if (work.self && work.total && work.row_of && find_rows(&work) &&
	    find_groups(history, &history->cycles, &growth->cycles, &growth->cycle_count) &&
	    find_groups(history, &history->leaks, &growth->leaks, &growth->leak_count))
		err = growth_count(&work);
	if (!err)
		err = growth_rank(&work);
	free(work.self);
	free(work.total);
	free(work.row_of);
	if (err)
		growth_clear(growth);
	return err;
}

void growth_clear(struct growth *growth)
{
	free(growth->rows);
	free(growth->shrunk);
	free(growth->types);
	free(growth->shrunk_types);
	free(growth->cycles);
	free(growth->leaks);
	free(growth->counts);
	free(growth->parts);
	*growth = (struct growth){0};
}
