/*
 * An object's own references are read on the spot; who refers to it is found by asking every object
 * and every data stack.
 */
#include "analysis/referents.h"

#include "analysis/data_stack.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRESS_STEP = 1 << 16, WORD = sizeof(uint64_t) };

/* Tags of a reference in a frame, 3.14+ (_PyStackRef); objects are 8-byte aligned at least. */
#define TAGS UINT64_C(7)

static bool append(struct referents *referents, const struct reference *reference, bool visited)
{
	struct referent *items;

	if (!(referents->count & (referents->count - 1))) {
		size_t capacity = referents->count ? referents->count * 2 : 1;

		items = realloc(referents->items, capacity * sizeof(*items));
		if (!items)
			return false;
		referents->items = items;
	}
	referents->items[referents->count++] = (struct referent){*reference, visited};
	return true;
}

/* What tp_traverse visits of an object that has one; static types have one that is not for them. */
static bool add_visited(const struct objects *objects, uint64_t address, const struct type *type,
			struct referents *referents)
{
	struct heap *heap = objects->heap;
	const struct reference *references;
	size_t count;
	bool is_gc = type_object_is_gc(heap->runtime, &heap->reader, type, address);

	if (!type->traverse)
		return true;
	traverse_object(heap->traverser, address, type, &references, &count);
	for (size_t i = 0; i < count; i++) {
		/* A static type ends before the members of heap types. */
		if (!is_gc && (type->flags & TPFLAGS_TYPE_SUBCLASS) &&
		    references[i].slot - address >= heap->runtime->layout.PyTypeObject_size)
			continue;
		if (!append(referents, &references[i], is_gc))
			return false;
	}
	return true;
}

static int compare_slots(const void *left, const void *right)
{
	const struct referent *a = left, *b = right;

	return a->reference.slot < b->reference.slot ? -1 : a->reference.slot > b->reference.slot;
}

/* Adds the other references that the object owns: those whose words were not visited. */
static bool add_others(const struct objects *objects, uint32_t object, struct referents *referents)
{
	size_t visited = referents->count;
	struct referent *sorted = NULL;
	bool ok;

	if (!graph_references(objects, object, &referents->buffer))
		return false;
	if (visited) {
		sorted = malloc(visited * sizeof(*sorted));
		if (!sorted)
			return false;
		memcpy(sorted, referents->items, visited * sizeof(*sorted));
		qsort(sorted, visited, sizeof(*sorted), compare_slots);
	}
	ok = true;
	for (size_t i = 0; ok && i < referents->buffer.count; i++) {
		const struct referent key = {.reference = referents->buffer.items[i]};

		// A word that is not known was visited: the others all have one.
		if (!key.reference.slot ||
		    (visited && bsearch(&key, sorted, visited, sizeof(*sorted), compare_slots)))
			continue;
		ok = append(referents, &key.reference, false);
	}
	free(sorted);
	return ok;
}

bool referents_read(const struct objects *objects, uint32_t object, uint64_t address,
		    const struct type *type, struct referents *referents)
{
	referents->count = 0;
	if (!type)
		return true;
	if (!add_visited(objects, address, type, referents))
		return false;
	return object == HEAP_NONE || add_others(objects, object, referents);
}

void referents_clear(struct referents *referents)
{
	free(referents->items);
	owned_clear(&referents->buffer);
	*referents = (struct referents){0};
}

/*
 * Referrers
 */

/* The search. */
struct search {
	const struct objects *objects;
	uint64_t address;
	uint64_t limit;
	struct referrers *referrers;
	struct referents referents;
	struct owned references;
	bool failed; /* memory ran out */
};

/* Room for one more. @return NULL: it is not wanted, or memory ran out */
static struct referrer *add_referrer(struct search *search)
{
	struct referrers *referrers = search->referrers;
	struct referrer *items;

	if (referrers->total++ >= search->limit)
		return NULL;
	if (referrers->count == referrers->capacity) {
		size_t capacity = referrers->capacity ? referrers->capacity * 2 : 16;

		items = realloc(referrers->items, capacity * sizeof(*items));
		if (!items) {
			search->failed = true;
			return NULL;
		}
		referrers->items = items;
		referrers->capacity = capacity;
	}
	items = &referrers->items[referrers->count++];
	*items = (struct referrer){.object = HEAP_NONE, .label.kind = EDGE_UNKNOWN};
	return items;
}

static bool is_among(const struct reference *references, size_t count, uint64_t address)
{
	for (size_t i = 0; i < count; i++)
		if (references[i].target == address)
			return true;
	return false;
}

/* Does it refer to the address, with or without a refcount (borrowed ones, 3.14+)? */
static bool refers(struct search *search, uint32_t object, bool *found)
{
	const struct objects *objects = search->objects;
	const struct type *type = objects_type(objects, object);
	struct owned *owned = &search->references;
	const struct reference *references;
	size_t count;

	*found = false;
	if (!type)
		return true;
	if (type->traverse) {
		traverse_object(objects->heap->traverser, objects->addresses[object], type,
				&references, &count);
		*found = is_among(references, count, search->address);
	}
	if (*found)
		return true;
	if (!graph_references(objects, object, owned))
		return false;
	*found = is_among(owned->items, owned->count, search->address);
	return true;
}

/* An object with at least one reference. */
static bool add_object(struct search *search, uint32_t object)
{
	const struct objects *objects = search->objects;
	struct referents *referents = &search->referents;
	uint64_t address = objects->addresses[object];
	const struct type *type = objects_type(objects, object);

	if (!referents_read(objects, object, address, type, referents))
		return false;
	search->referrers->objects++;
	for (size_t i = 0; i < referents->count; i++) {
		const struct referent *referent = &referents->items[i];
		struct referrer *referrer;

		if (referent->reference.target != search->address)
			continue;
		referrer = add_referrer(search);
		if (!referrer)
			continue;
		referrer->object = object;
		referrer->tracked = objects->places[object] == OBJECT_TRACKED;
		referrer->visited = referent->visited;
		referrer->slot = referent->reference.slot;
		edge_label(objects->heap->traverser, address, type, &referent->reference,
			   &referrer->label);
	}
	return !search->failed;
}

static struct error *search_objects(struct search *search, const struct progress *progress)
{
	for (uint32_t i = 0; i < search->objects->count; i++) {
		struct error *err = NULL;
		bool found;

		if (i % PROGRESS_STEP == 0)
			err = progress_step(progress, "looking for references", i,
					    search->objects->count);
		if (err)
			return err;
		if (!refers(search, i, &found) || (found && !add_object(search, i)))
			return &error_no_memory;
	}
	return NULL;
}

static void add_word(struct search *search, const struct data_chunk *chunk, uint64_t slot)
{
	struct edge_label label;
	char function[sizeof(search->referrers->items->function)];
	struct referrer *referrer;

	if (!frame_slot(search->objects->heap->traverser, chunk->start, slot, &label, function,
			sizeof(function)))
		return;
	referrer = add_referrer(search);
	if (!referrer)
		return;
	referrer->label = label;
	referrer->slot = slot;
	referrer->tid = chunk->tid;
	memcpy(referrer->function, function, sizeof(function));
}

static bool search_chunk(void *context, const struct data_chunk *chunk)
{
	struct search *search = context;
	struct reader *reader = &search->objects->heap->reader;
	uint64_t value;

	for (uint64_t slot = chunk->start; slot < chunk->end; slot += WORD) {
		if (!reader_u64(reader, slot, &value))
			break;
		if ((value & ~TAGS) == search->address)
			add_word(search, chunk, slot);
	}
	return !search->failed;
}

struct error *referrers_find(const struct objects *objects, const struct progress *progress,
			     uint64_t address, uint64_t limit, struct referrers *referrers)
{
	struct search search = {
		.objects = objects,
		.address = address,
		.limit = limit,
		.referrers = referrers,
	};
	struct error *err;

	referrers_clear(referrers);
	err = search_objects(&search, progress);
	if (!err)
		data_stacks_walk(objects->heap, search_chunk, &search);
	if (!err && search.failed)
		err = &error_no_memory;
	referents_clear(&search.referents);
	owned_clear(&search.references);
	if (err)
		referrers_clear(referrers);
	return err;
}

void referrers_clear(struct referrers *referrers)
{
	free(referrers->items);
	*referrers = (struct referrers){0};
}
