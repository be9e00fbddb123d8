/*
 * The search for one path. It goes backwards from the object asked for and, by the levels, straight
 * to the roots (A*): what leads nowhere is not looked at, and how well a reference can be written
 * is only found out where it matters.
 */
#include "analysis/paths_private.h"
#include "analysis/root_expression.h"

#include <stdlib.h>

enum {
	STEP = EXPRESSION_COST_STEP,
	ENTRIES_MAX = 1 << 24, /* of one search */
	WEIGHED_MAX = 20000,   /* references of one search whose cost is found out */
	PARALLEL_MAX = 16,     /* references between the same two objects that are compared */
	COST_ROOT = 1,	       /* of a root that can be written, but for sys.modules */
};

/*
 * What waits: a binary heap
 */

static bool is_before(const struct waiting *a, const struct waiting *b)
{
	return a->estimate != b->estimate ? a->estimate < b->estimate : a->entry < b->entry;
}

static bool grow(void **array, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? *capacity * 2 : 1024;
	void *bigger = realloc(*array, wanted * size);

	if (!bigger)
		return false;
	*array = bigger;
	*capacity = wanted;
	return true;
}

static void heap_push(struct path_search *search, struct waiting item)
{
	size_t i = search->heap_count;

	if (i == search->heap_capacity &&
	    !grow((void **)&search->heap, &search->heap_capacity, sizeof(*search->heap))) {
		search->failed = true;
		return;
	}
	search->heap_count++;
	for (; i && is_before(&item, &search->heap[(i - 1) / 2]); i = (i - 1) / 2)
		search->heap[i] = search->heap[(i - 1) / 2];
	search->heap[i] = item;
}

static uint32_t heap_pop(struct path_search *search)
{
	uint32_t entry = search->heap[0].entry;
	struct waiting last = search->heap[--search->heap_count];
	size_t i = 0;

	for (;;) {
		size_t child = i * 2 + 1;

		if (child >= search->heap_count)
			break;
		if (child + 1 < search->heap_count &&
		    is_before(&search->heap[child + 1], &search->heap[child]))
			child++;
		if (!is_before(&search->heap[child], &last))
			break;
		search->heap[i] = search->heap[child];
		i = child;
	}
	search->heap[i] = last;
	return entry;
}

/* How far it is at least. */
static uint32_t estimate(const struct path_search *search, const struct entry *entry)
{
	return entry->cost + (entry->root == HEAP_NONE ? search->levels[entry->object] * STEP : 0);
}

static void push(struct path_search *search, const struct entry *entry)
{
	if (search->entry_count == ENTRIES_MAX)
		return;
	if (search->entry_count == search->entry_capacity &&
	    !grow((void **)&search->entries, &search->entry_capacity, sizeof(*search->entries))) {
		search->failed = true;
		return;
	}
	search->entries[search->entry_count] = *entry;
	heap_push(search, (struct waiting){estimate(search, entry), (uint32_t)search->entry_count});
	search->entry_count++;
}

/*
 * The search
 */

void path_mark(struct path_search *search, uint32_t object, uint8_t bits)
{
	if (!search->marks[object])
		search->touched[search->touched_count++] = object;
	search->marks[object] |= bits;
}

static bool is_banned(const struct path_search *search, uint64_t word)
{
	for (size_t i = 0; i < search->banned_count; i++)
		if (search->banned[i] == word)
			return true;
	return false;
}

void path_ban(struct path_search *search, uint64_t word)
{
	if (search->banned_count == search->banned_capacity &&
	    !grow((void **)&search->banned, &search->banned_capacity, sizeof(*search->banned))) {
		search->failed = true;
		return;
	}
	search->banned[search->banned_count++] = word;
}

/* Adds what the beginning costs. */
static void weigh_root(struct path_search *search, struct entry *entry)
{
	const struct root *root = &search->roots->items[entry->root];
	struct expression expression = {0};

	if (root->kind == ROOT_MODULES)
		return;
	root_expression(search->roots, root, &expression);
	entry->cost += expression.evaluable ? COST_ROOT : EXPRESSION_COST_WORDS;
	expression_clear(&expression);
}

/* Chooses among the references between two objects. @return false if there is none left */
static bool weigh_reference(struct path_search *search, struct entry *entry)
{
	const struct objects *objects = search->objects;
	uint64_t target = objects->addresses[search->entries[entry->next].object];
	uint64_t address = objects->addresses[entry->object];
	const struct type *type = objects_type(objects, entry->object);
	unsigned best = UINT32_MAX, compared = 0;
	uint32_t least =
		path_least_cost(search, entry->object, search->entries[entry->next].object);

	if (!graph_references(objects, entry->object, &search->references)) {
		search->failed = true;
		return false;
	}
	for (size_t i = 0; i < search->references.count && compared < PARALLEL_MAX; i++) {
		const struct reference *reference = &search->references.items[i];
		unsigned cost;

		if (reference->target != target || is_banned(search, reference->slot))
			continue;
		compared++;
		cost = search->weighed > WEIGHED_MAX ? 0
						     : expression_cost(objects->heap->traverser,
								       address, type, reference);
		search->weighed++;
		if (cost < best) {
			best = cost;
			entry->reference = *reference;
		}
	}
	if (!compared)
		return false;
	entry->cost += best > least ? best - least : 0;
	return true;
}

/* The first root of an object, as a place in by_object. */
static uint32_t first_root(const struct path_search *search, uint32_t object)
{
	uint32_t low = 0, high = search->root_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (search->roots->items[search->by_object[middle]].object < object)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void push_roots(struct path_search *search, uint32_t at)
{
	const struct entry from = search->entries[at];

	for (uint32_t i = first_root(search, from.object); i < search->root_count; i++) {
		uint32_t index = search->by_object[i];
		const struct root *root = &search->roots->items[index];

		if (root->object != from.object)
			break;
		if (root->kind == ROOT_MODULES || !is_banned(search, root->word))
			push(search,
			     &(struct entry){
				     .object = from.object,
				     .next = at,
				     .root = index,
				     .cost = from.cost + path_root_level(search, root) * STEP,
			     });
	}
}

static void push_sources(struct path_search *search, uint32_t at)
{
	const struct graph *graph = search->graph;
	const struct entry from = search->entries[at];
	uint32_t before = HEAP_NONE;

	for (uint64_t e = graph->source_first[from.object];
	     e < graph->source_first[from.object + 1]; e++) {
		uint32_t source = graph->sources[e];

		if (source == before || search->marks[source] ||
		    search->levels[source] == LEVEL_NONE)
			continue;
		before = source;
		push(search,
		     &(struct entry){
			     .object = source,
			     .next = at,
			     .root = HEAP_NONE,
			     .cost = from.cost + path_least_cost(search, source, from.object),
		     });
	}
}

/* @return the entry of the root that the best path begins with; HEAP_NONE: there is none */
uint32_t path_search_once(struct path_search *search, uint32_t object)
{
	search->entry_count = 0;
	search->heap_count = 0;
	search->weighed = 0;
	push(search, &(struct entry){.object = object, .root = HEAP_NONE, .is_weighed = true});
	while (search->heap_count && !search->failed) {
		uint32_t at = heap_pop(search);
		struct entry entry = search->entries[at];
		uint32_t cost = entry.cost;

		if (entry.root == HEAP_NONE && search->marks[entry.object])
			continue;
		if (!entry.is_weighed) {
			entry.is_weighed = true;
			if (entry.root != HEAP_NONE)
				weigh_root(search, &entry);
			else if (!weigh_reference(search, &entry))
				continue;
			search->entries[at] = entry;
			if (entry.cost > cost) {
				heap_push(search, (struct waiting){estimate(search, &entry), at});
				continue;
			}
		}
		if (entry.root != HEAP_NONE)
			return at;
		path_mark(search, entry.object, MARK_CLOSED);
		push_roots(search, at);
		push_sources(search, at);
	}
	return HEAP_NONE;
}
