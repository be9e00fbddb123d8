/* From components to groups: by shape, with their sizes and types, the largest first. */
#include "analysis/cycles_private.h"

#include "target/huge.h"

#include <stdlib.h>

enum {
	DESCRIBED_GROUPS = 1000, /* edges are looked up for that many of the largest groups */
	PROGRESS_STEP = 1 << 16,
};

/* A group in the making. */
struct draft {
	uint64_t shape;
	uint32_t first_owner; /* its first cycle, in order of address */
	struct cycle_group group;
};

/* Everything while grouping. */
struct grouping {
	struct unreachable *unreachable;
	const struct progress *progress;
	struct components *components;
	struct clusters clusters;
	struct draft *drafts;
	uint32_t draft_count, draft_capacity;
	uint32_t *by_shape; /* hash table of draft numbers */
	size_t table_size;
	uint32_t *draft_of; /* owner -> draft */
	uint64_t *bytes;    /* position -> size of the object */
	struct cycles *result;
};

bool clusters_init(struct clusters *clusters, const struct components *components, uint32_t count)
{
	uint32_t *fill = huge_array((size_t)components->count + 1, sizeof(*fill));

	clusters->start = huge_zeroed((size_t)components->count + 2, sizeof(*clusters->start));
	clusters->positions = huge_array((size_t)count + 1, sizeof(*clusters->positions));
	if (!fill || !clusters->start || !clusters->positions) {
		free(fill);
		return false;
	}
	for (uint32_t i = 0; i < count; i++)
		clusters->start[components->owner[i] + 1]++;
	for (uint32_t c = 0; c < components->count; c++) {
		fill[c] = clusters->start[c];
		clusters->start[c + 1] += clusters->start[c];
	}
	for (uint32_t i = 0; i < count; i++)
		clusters->positions[fill[components->owner[i]]++] = i;
	free(fill);
	return true;
}

void clusters_clear(struct clusters *clusters)
{
	free(clusters->start);
	free(clusters->positions);
}

static bool table_grow(struct grouping *work)
{
	size_t size = work->table_size ? work->table_size * 2 : 256;
	uint32_t *table = malloc(size * sizeof(*table));

	if (!table)
		return false;
	for (size_t i = 0; i < size; i++)
		table[i] = UINT32_MAX;
	for (uint32_t d = 0; d < work->draft_count; d++) {
		size_t slot = work->drafts[d].shape & (size - 1);

		while (table[slot] != UINT32_MAX)
			slot = (slot + 1) & (size - 1);
		table[slot] = d;
	}
	free(work->by_shape);
	work->by_shape = table;
	work->table_size = size;
	return true;
}

static uint32_t draft_find(struct grouping *work, uint64_t shape, uint32_t owner)
{
	size_t slot;

	if ((size_t)work->draft_count * 2 >= work->table_size && !table_grow(work))
		return UINT32_MAX;
	slot = shape & (work->table_size - 1);
	while (work->by_shape[slot] != UINT32_MAX) {
		if (work->drafts[work->by_shape[slot]].shape == shape)
			return work->by_shape[slot];
		slot = (slot + 1) & (work->table_size - 1);
	}
	if (work->draft_count == work->draft_capacity) {
		uint32_t capacity = work->draft_capacity ? work->draft_capacity * 2 : 64;
		struct draft *drafts = realloc(work->drafts, capacity * sizeof(*drafts));

		if (!drafts)
			return UINT32_MAX;
		work->drafts = drafts;
		work->draft_capacity = capacity;
	}
	work->by_shape[slot] = work->draft_count;
	work->drafts[work->draft_count] = (struct draft){.shape = shape, .first_owner = owner};
	return work->draft_count++;
}

/* Gives every cycle to the draft of its shape. Owners come in order of their lowest object. */
static struct error *draft_groups(struct grouping *work)
{
	const struct unreachable *unreachable = work->unreachable;

	for (uint32_t i = 0; i < unreachable->count; i++) {
		uint32_t owner = work->components->of[i], draft;
		uint64_t shape;

		if (work->components->owner[i] != owner || work->draft_of[owner] != UINT32_MAX)
			continue;
		if (!cycle_shape(unreachable, work->components, &work->clusters, owner, &shape))
			return &error_no_memory;
		draft = draft_find(work, shape, owner);
		if (draft == UINT32_MAX)
			return &error_no_memory;
		work->draft_of[owner] = draft;
		work->drafts[draft].group.cycles++;
		work->result->cycle_count++;
	}
	return NULL;
}

static struct error *measure(struct grouping *work)
{
	struct heap *heap = work->unreachable->heap;

	for (uint32_t i = 0; i < work->unreachable->count; i++) {
		uint32_t object = work->unreachable->objects[i];
		const struct type *type = heap_type(heap, object);
		struct draft *draft = &work->drafts[work->draft_of[work->components->owner[i]]];
		struct object_size size = {0};

		if (type) {
			object_measure(heap->traverser, heap->addresses[object], type, &size);
			draft->group.has_del |= type->has_del;
		}
		work->bytes[i] = size.object + size.header + size.out_of_line;
		draft->group.bytes += work->bytes[i];
		if (work->components->is_member[i])
			draft->group.members++;
		else
			draft->group.attached++;
		if (i % PROGRESS_STEP == 0) {
			struct error *err = progress_step(work->progress, "grouping", i,
							  work->unreachable->count);

			if (err)
				return err;
		}
	}
	return NULL;
}

static int compare_tallies(const void *left, const void *right)
{
	const struct type_tally *a = left, *b = right;

	if (a->objects != b->objects)
		return a->objects > b->objects ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	if (a->type && b->type)
		return strcmp(a->type->name, b->type->name);
	return a->type ? -1 : b->type != NULL;
}

/* One list of tallies in the making: dense by type, with the types met. */
struct counter {
	struct type_tally *by_type;
	uint32_t *met;
	uint32_t met_count;
};

static void count_object(struct counter *counter, uint32_t index, uint64_t bytes)
{
	struct type_tally *tally = &counter->by_type[index];

	if (!tally->objects)
		counter->met[counter->met_count++] = index;
	tally->objects++;
	tally->bytes += bytes;
}

/* Moves the counts to a sorted array of their own and zeroes the counter. */
static struct type_tally *take_tallies(struct counter *counter, struct type_cache *cache,
				       uint32_t type_total, size_t *count)
{
	struct type_tally *tallies = malloc((counter->met_count + 1) * sizeof(*tallies));

	for (uint32_t i = 0; i < counter->met_count; i++) {
		uint32_t index = counter->met[i];

		if (tallies) {
			tallies[i] = counter->by_type[index];
			tallies[i].type = index < type_total ? type_by_index(cache, index) : NULL;
		}
		counter->by_type[index] = (struct type_tally){0};
	}
	*count = counter->met_count;
	counter->met_count = 0;
	if (tallies)
		qsort(tallies, *count, sizeof(*tallies), compare_tallies);
	return tallies;
}

static bool counter_init(struct counter *counter, uint32_t types)
{
	counter->by_type = calloc((size_t)types + 1, sizeof(*counter->by_type));
	counter->met = malloc(((size_t)types + 1) * sizeof(*counter->met));
	counter->met_count = 0;
	return counter->by_type && counter->met;
}

static void counter_clear(struct counter *counter)
{
	free(counter->by_type);
	free(counter->met);
}

/* Cycles ordered by draft, so that each group is counted in one go. */
static uint32_t *owners_by_draft(const struct grouping *work, uint32_t **start)
{
	uint32_t owners = work->components->count;
	uint32_t *order = huge_array((size_t)owners + 1, sizeof(*order));
	uint32_t *fill = calloc((size_t)work->draft_count + 2, sizeof(*fill));

	*start = calloc((size_t)work->draft_count + 2, sizeof(**start));
	if (order && fill && *start) {
		for (uint32_t c = 0; c < owners; c++)
			if (work->draft_of[c] != UINT32_MAX)
				(*start)[work->draft_of[c] + 1]++;
		for (uint32_t d = 0; d < work->draft_count; d++) {
			fill[d] = (*start)[d];
			(*start)[d + 1] += (*start)[d];
		}
		for (uint32_t c = 0; c < owners; c++)
			if (work->draft_of[c] != UINT32_MAX)
				order[fill[work->draft_of[c]]++] = c;
	} else {
		free(order);
		order = NULL;
	}
	free(fill);
	return order;
}

static void count_cluster(const struct grouping *work, uint32_t owner, uint32_t type_total,
			  struct counter *members, struct counter *attached)
{
	const struct clusters *clusters = &work->clusters;

	for (uint32_t i = clusters->start[owner]; i < clusters->start[owner + 1]; i++) {
		uint32_t position = clusters->positions[i];
		uint32_t type =
			work->unreachable->heap->types[work->unreachable->objects[position]];

		count_object(work->components->is_member[position] ? members : attached,
			     type == HEAP_NONE ? type_total : type, work->bytes[position]);
	}
}

/* What is asked of all cycles of a group together: types, fingerprint. */
static struct error *sum_up(struct grouping *work)
{
	struct type_cache *cache = work->unreachable->heap->runtime->types;
	uint32_t type_total = (uint32_t)type_count(cache), *start = NULL;
	uint32_t *owners = owners_by_draft(work, &start);
	struct counter members = {0}, attached = {0};
	struct error *err = NULL;
	bool ok = owners && counter_init(&members, type_total + 1) &&
		  counter_init(&attached, type_total + 1);

	for (uint32_t d = 0; ok && !err && d < work->draft_count; d++) {
		struct cycle_group *group = &work->drafts[d].group;

		for (uint32_t i = start[d]; i < start[d + 1]; i++)
			count_cluster(work, owners[i], type_total, &members, &attached);
		group->member_types =
			take_tallies(&members, cache, type_total, &group->member_type_count);
		group->attached_types =
			take_tallies(&attached, cache, type_total, &group->attached_type_count);
		ok = group->member_types && group->attached_types;
		err = cycle_fingerprint(work->unreachable, work->components, &work->clusters,
					owners + start[d], start[d + 1] - start[d],
					&group->fingerprint);
	}
	counter_clear(&members);
	counter_clear(&attached);
	free(owners);
	free(start);
	return ok ? err : &error_no_memory;
}

/* Largest first; then the lower first cycle, so that the order is that of the memory. */
static int compare_drafts(const void *left, const void *right)
{
	const struct draft *a = *(struct draft *const *)left, *b = *(struct draft *const *)right;

	if (a->group.bytes != b->group.bytes)
		return a->group.bytes > b->group.bytes ? -1 : 1;
	return a < b ? -1 : a > b;
}

/* Moves the drafts to the result, in order, and numbers the objects by group. */
static struct error *publish(struct grouping *work)
{
	struct cycles *result = work->result;
	uint32_t count = work->unreachable->count, *rank;
	struct draft **order = malloc(((size_t)work->draft_count + 1) * sizeof(struct draft *));
	struct error *err = NULL;

	rank = malloc(((size_t)work->draft_count + 1) * sizeof(*rank));
	result->groups = calloc((size_t)work->draft_count + 1, sizeof(*result->groups));
	if (!order || !rank || !result->groups) {
		free(order);
		free(rank);
		return &error_no_memory;
	}
	for (uint32_t d = 0; d < work->draft_count; d++)
		order[d] = &work->drafts[d];
	qsort(order, work->draft_count, sizeof(struct draft *), compare_drafts);
	for (uint32_t g = 0; g < work->draft_count; g++) {
		struct cycle_group *group = &result->groups[g];

		*group = order[g]->group;
		order[g]->group = (struct cycle_group){0};
		rank[order[g] - work->drafts] = g;
		result->count++;
		result->bytes += group->bytes;
		if (!err && g < DESCRIBED_GROUPS)
			err = cycle_describe(work->unreachable, work->components, &work->clusters,
					     order[g]->first_owner, group);
	}
	for (uint32_t i = 0; i < count; i++) {
		result->group_of[i] = rank[work->draft_of[work->components->owner[i]]];
		result->is_member[i] = work->components->is_member[i];
	}
	result->objects = count;
	free(order);
	free(rank);
	return err;
}

static void group_clear(struct cycle_group *group)
{
	for (size_t i = 0; i < group->edge_count; i++)
		free(group->edges[i].label);
	free(group->edges);
	free(group->member_types);
	free(group->attached_types);
}

static bool grouping_init(struct grouping *work)
{
	uint32_t owners = work->components->count;
	size_t count = (size_t)work->unreachable->count + 1;

	work->draft_of = huge_array((size_t)owners + 1, sizeof(*work->draft_of));
	work->bytes = huge_array(count, sizeof(*work->bytes));
	work->result->group_of = huge_array(count, sizeof(*work->result->group_of));
	work->result->is_member = huge_array(count, 1);
	if (!work->draft_of || !work->bytes || !work->result->group_of ||
	    !work->result->is_member ||
	    !clusters_init(&work->clusters, work->components, work->unreachable->count))
		return false;
	for (uint32_t c = 0; c < owners; c++)
		work->draft_of[c] = UINT32_MAX;
	return true;
}

struct error *cycles_group(struct unreachable *unreachable, const struct progress *progress,
			   struct cycles **result)
{
	struct grouping work = {.unreachable = unreachable, .progress = progress};
	struct error *err = components_compute(unreachable, &work.components);

	*result = NULL;
	work.result = calloc(1, sizeof(*work.result));
	if (!err && (!work.result || !grouping_init(&work)))
		err = &error_no_memory;
	if (!err)
		err = draft_groups(&work);
	if (!err)
		err = measure(&work);
	if (!err)
		err = sum_up(&work);
	if (!err)
		err = publish(&work);
	for (uint32_t d = 0; d < work.draft_count; d++)
		group_clear(&work.drafts[d].group);
	free(work.drafts);
	free(work.by_shape);
	free(work.draft_of);
	free(work.bytes);
	clusters_clear(&work.clusters);
	components_free(work.components);
	if (err) {
		cycles_free(work.result);
		return err;
	}
	*result = work.result;
	return NULL;
}

void cycles_free(struct cycles *cycles)
{
	if (!cycles)
		return;
	for (size_t i = 0; i < cycles->count; i++)
		group_clear(&cycles->groups[i]);
	free(cycles->groups);
	free(cycles->group_of);
	free(cycles->is_member);
	free(cycles);
}
