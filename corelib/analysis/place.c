/*
 * What is cheap to look up comes first: blocks with an object in them, stacks, modules. Then
 * storage that stands apart from its object is found by asking every object where it keeps its
 * references, and what is left by looking for pointers to the block.
 */
#include "analysis/place.h"

#include "analysis/data_stack.h"
#include "analysis/owned.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROGRESS_STEP = 1 << 16, RED_ZONE = 128 };

/* The work in progress. */
struct placing {
	const struct census *census;
	const struct objects *objects;
	struct heap *heap;
	struct target *target;
	const struct holder *words;
	struct place *places;
	size_t count;
	uint32_t *order; /* places without an owner yet, by address */
	size_t pending;
};

const char *place_name(enum place_kind kind)
{
	static const char *const names[] = {
		[PLACE_OBJECT] = "object",     [PLACE_FRAME] = "frame",	  [PLACE_STACK] = "stack",
		[PLACE_REGISTER] = "register", [PLACE_STATIC] = "static", [PLACE_RAW] = "raw",
		[PLACE_MEMORY] = "memory",
	};

	return names[kind];
}

static const struct type *type_of(const struct placing *work, uint32_t object)
{
	uint32_t type = work->objects->types[object];

	return type == HEAP_NONE ? NULL : type_by_index(work->heap->runtime->types, type);
}

/*
 * Stacks
 */

static bool on_c_stack(const struct placing *work, struct place *place)
{
	const struct target *target = work->target;

	for (size_t i = 0; i < target->thread_count; i++) {
		uint64_t top = target->threads[i].registers.rsp;
		const struct segment *segment = top ? image_segment(target->image, top) : NULL;

		if (!segment || place->address < top - RED_ZONE || place->address >= segment->end)
			continue;
		place->kind = PLACE_STACK;
		place->tid = target->threads[i].tid;
		return true;
	}
	return false;
}

/* Looks for the chunk of a data stack that contains an address. */
struct chunk_search {
	uint64_t address;
	bool found;
	struct data_chunk chunk;
};

static bool match_chunk(void *context, const struct data_chunk *chunk)
{
	struct chunk_search *search = context;

	search->found = search->address >= chunk->start && search->address < chunk->limit;
	if (search->found)
		search->chunk = *chunk;
	return !search->found;
}

static bool in_frame(const struct placing *work, struct place *place)
{
	struct chunk_search search = {.address = place->address};

	data_stacks_walk(work->heap, match_chunk, &search);
	if (!search.found)
		return false;
	place->kind = PLACE_FRAME;
	place->tid = search.chunk.tid;
	frame_slot(work->heap->traverser, search.chunk.start, place->address, &place->label,
		   place->function, sizeof(place->function));
	return true;
}

/*
 * Modules and other mappings
 */

static bool in_module(const struct placing *work, struct place *place)
{
	place->module = modules_at(work->target->modules, place->address);
	if (!place->module)
		return false;
	place->kind = PLACE_STATIC;
	if (!modules_symbol_at(work->target->modules, place->address, &place->symbol))
		place->symbol.name = NULL;
	return true;
}

static void in_memory(const struct placing *work, struct place *place)
{
	const struct segment *segment = image_segment(work->target->image, place->address);

	place->kind = PLACE_MEMORY;
	if (segment) {
		place->start = segment->start;
		place->end = segment->end;
	}
}

/*
 * Objects
 */

/* Which reference of the object is it? */
static void find_label(const struct placing *work, struct place *place, uint64_t value)
{
	const struct reference reference = {.target = value, .slot = place->address};
	const struct type *type = type_of(work, place->object);
	uint64_t address = work->objects->addresses[place->object], key, other, slot;
	struct dict_view view;

	if (!type)
		return;
	edge_label(work->heap->traverser, address, type, &reference, &place->label);
	if (place->label.kind != EDGE_UNKNOWN || !(type->flags & TPFLAGS_DICT_SUBCLASS) ||
	    !dict_open(work->heap->runtime, &work->heap->reader, address, &view) || view.values ||
	    place->address - view.entries >= view.count * view.entry_size ||
	    (place->address - view.entries) % view.entry_size != view.key_offset)
		return;
	if (dict_entry(&work->heap->reader, &view,
		       (place->address - view.entries) / view.entry_size, &key, &other, &slot)) {
		place->label.kind = EDGE_INTERNAL;
		snprintf(place->label.name, sizeof(place->label.name), "key");
	}
}

static bool is_owned_by(const struct placing *work, uint32_t object, uint64_t slot)
{
	struct owned owned = {0};
	bool found = false;

	if (owned_read(work->objects, object, &owned))
		for (size_t i = 0; i < owned.count && !found; i++)
			found = owned.items[i].slot == slot;
	owned_clear(&owned);
	return found;
}

/* @return false: it is in a raw block, whose owner is to be found */
static bool place_cheaply(const struct placing *work, const struct holder *word,
			  struct place *place)
{
	struct block block;

	*place = (struct place){.address = word->address, .object = HEAP_NONE};
	place->label.kind = EDGE_UNKNOWN;
	if (word->name) {
		place->kind = PLACE_REGISTER;
		place->name = word->name;
		place->tid = work->target->threads[word->thread].tid;
		return true;
	}
	block = block_at(work->objects, word->address);
	if (block.object != HEAP_NONE) {
		place->kind = PLACE_OBJECT;
		place->object = block.object;
		place->is_owned = is_owned_by(work, block.object, word->address);
		find_label(work, place, word->value);
		return true;
	}
	if (block.owner != BLOCK_NONE) {
		place->kind = PLACE_RAW;
		place->start = block.start;
		place->end = block.end;
		return false;
	}
	if (on_c_stack(work, place) || in_frame(work, place) || in_module(work, place))
		return true;
	in_memory(work, place);
	return false;
}

/*
 * Storage apart from its object
 */

static int compare_order(const void *left, const void *right, void *context)
{
	const struct placing *work = context;
	uint64_t a = work->places[*(const uint32_t *)left].address;
	uint64_t b = work->places[*(const uint32_t *)right].address;

	return a < b ? -1 : a > b;
}

/* The pending place at an address; NULL: none. */
static struct place *find_pending(const struct placing *work, uint64_t address)
{
	size_t low = 0, high = work->pending;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (work->places[work->order[middle]].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == work->pending || work->places[work->order[low]].address != address)
		return NULL;
	return &work->places[work->order[low]];
}

/* Asks every object where it keeps its references. */
static struct error *find_owners(struct placing *work, const struct progress *progress)
{
	const struct objects *objects = work->objects;
	struct owned owned = {0};
	struct error *err = NULL;
	uint64_t low = work->places[work->order[0]].address;
	uint64_t high = work->places[work->order[work->pending - 1]].address;

	for (uint32_t i = 0; i < objects->count && !err; i++) {
		if (i % PROGRESS_STEP == 0)
			err = progress_step(progress, "looking for owners", i, objects->count);
		if (!err && !owned_read(objects, i, &owned))
			err = &error_no_memory;
		for (size_t j = 0; !err && j < owned.count; j++) {
			struct place *place;

			if (owned.items[j].slot - low > high - low)
				continue;
			place = find_pending(work, owned.items[j].slot);
			if (!place || place->kind == PLACE_OBJECT)
				continue;
			place->kind = PLACE_OBJECT;
			place->start = place->end = 0;
			place->object = i;
			place->is_owned = true;
			find_label(work, place, owned.items[j].target);
		}
	}
	owned_clear(&owned);
	return err;
}

/* A word that points into the block of a place that is still raw. */
static void match_pointer(void *context, const struct holder *word)
{
	const struct placing *work = context;

	for (size_t i = 0; i < work->pending; i++) {
		struct place *place = &work->places[work->order[i]];
		struct block block;

		if (place->kind != PLACE_RAW || place->object != HEAP_NONE ||
		    word->value < place->start || word->value >= place->end ||
		    (word->address >= place->start && word->address < place->end))
			continue;
		block = block_at(work->objects, word->address);
		if (!word->name && block.object != HEAP_NONE)
			place->object = block.object;
	}
}

static struct error *find_pointers(struct placing *work, const struct progress *progress)
{
	uint64_t low = UINT64_MAX, high = 0;

	for (size_t i = 0; i < work->pending; i++) {
		const struct place *place = &work->places[work->order[i]];

		if (place->kind != PLACE_RAW || !place->start)
			continue;
		low = place->start < low ? place->start : low;
		high = place->end > high ? place->end : high;
	}
	return low < high ? census_scan(work->census, progress, low, high, match_pointer, work)
			  : NULL;
}

struct error *places_find(const struct census *census, const struct progress *progress,
			  const struct holder *words, size_t count, struct place *places)
{
	struct placing work = {
		.census = census,
		.objects = census->objects,
		.heap = census->objects->heap,
		.target = census->objects->heap->runtime->target,
		.words = words,
		.places = places,
		.count = count,
		.order = calloc(count + 1, sizeof(*work.order)),
	};
	struct error *err = NULL;

	if (!work.order)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++)
		if (!place_cheaply(&work, &words[i], &places[i]))
			work.order[work.pending++] = (uint32_t)i;
	if (work.pending) {
		qsort_r(work.order, work.pending, sizeof(*work.order), compare_order, &work);
		err = find_owners(&work, progress);
		if (!err)
			err = find_pointers(&work, progress);
	}
	free(work.order);
	return err;
}
