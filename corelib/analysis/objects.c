/*
 * A block in use is an object if, at the distance that its type puts in front of it, there is a
 * header: a type that is a type, a refcount that is one, and a size that the block can hold. A raw
 * block (a table of a dict, a buffer) fails at the first word or two.
 */
#include "analysis/objects.h"

#include "analysis/dying.h"
#include "analysis/interned.h"
#include "target/huge.h"

#include <stdlib.h>

enum { TYPE_SLOTS = 4096, PROGRESS_STEP = 1 << 10, PRESIZE_MAX = 32, DEBUG_FRONT = 16 };

/* More than any program holds: the refcount of a mortal object stays below. */
#define REFCOUNT_MAX (INT64_C(1) << 40)

/* An object found in an allocator. */
struct found {
	uint64_t address;
	uint32_t type;
	int32_t refcount;
	uint8_t place;
};

/* The search through the allocators. */
struct search {
	struct objects *objects;
	struct heap *heap;
	const struct runtime *runtime;
	struct reader reader;
	struct found *items;
	size_t count, capacity, dead_capacity;
	struct {
		uint64_t address;
		const struct type *type;
	} types[TYPE_SLOTS];
};

/*
 * The type at an address that comes from an arbitrary word. What is no type is refused by two
 * reads, so that the type cache need not remember the contents of raw memory.
 */
static const struct type *find_type(struct search *search, uint64_t address)
{
	const struct layout *layout = &search->runtime->layout;
	size_t slot = (address >> 4) % TYPE_SLOTS;
	struct object_header header;
	uint64_t flags;

	if (!address || address & 7)
		return NULL;
	if (search->types[slot].address == address)
		return search->types[slot].type;
	search->types[slot].address = address;
	search->types[slot].type = NULL;
	if (object_header(search->runtime, &search->reader, address, &header) &&
	    !(header.type & 7) &&
	    reader_u64(&search->reader, header.type + layout->PyTypeObject_tp_flags, &flags) &&
	    (flags & TPFLAGS_TYPE_SUBCLASS))
		search->types[slot].type =
			type_get(search->runtime->types, &search->reader, address);
	return search->types[slot].type;
}

/* 3.14+: a free-listed object has a link where the refcount, the overflow and the flags were. */
static bool is_free_listed(const struct runtime *runtime, uint64_t word)
{
	return layout_has(runtime->layout.PyObject_ob_flags) && (word >> 32 & 0xffff);
}

/* A word that is an address of the process is no refcount: a raw block starts with a pointer. */
static bool is_pointer(const struct search *search, uint64_t word)
{
	return word >= 1 << 16 && image_segment(search->reader.image, word);
}

/* Types with a free list of their own in some release (pycore_freelist_state.h, and statics
 * before). */
static bool has_free_list(const struct type *type)
{
	static const char *const names[] = {
		"float",
		"complex",
		"int",
		"tuple",
		"list",
		"list_iterator",
		"dict",
		"slice",
		"range",
		"method",
		"frame",
		"tuple_iterator",
		"Context",
		"builtin_function_or_method",
		"async_generator_asend",
		"range_iterator",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(type->short_name, names[i]))
			return true;
	return false;
}

/*
 * Blocks that start with a zero, or with what is left of a header, are common. Free lists are for
 * types of CPython itself; up to 3.13 those that keep the type in place are for GC objects with
 * refcount 0. The object fills its block but for the rounding, and its GC head is on no list.
 */
static bool is_left_behind(struct search *search, uint64_t address, const struct type *type,
			   uint64_t padding)
{
	const struct layout *layout = &search->runtime->layout;
	uint64_t next, prev;

	if ((type->flags & TPFLAGS_HEAPTYPE) || padding >= PYMALLOC_ALIGNMENT ||
	    !has_free_list(type))
		return false;
	if (!(type->flags & TPFLAGS_HAVE_GC))
		return layout_has(layout->PyObject_ob_flags);
	address -= layout->PyGC_Head_size;
	return reader_u64(&search->reader, address + layout->PyGC_Head__gc_next, &next) && !next &&
	       reader_u64(&search->reader, address + layout->PyGC_Head__gc_prev, &prev) &&
	       prev <= 1;
}

/* tp_basicsize of str is that of one that is not compact (sizeof(PyUnicodeObject)). */
static uint64_t least_size(const struct search *search, const struct type *type)
{
	return type->flags & TPFLAGS_UNICODE_SUBCLASS ? search->runtime->layout.PyASCIIObject_size
						      : (uint64_t)type->basicsize;
}

/* What a block turned out to be. */
enum finding { FOUND_NOTHING, FOUND_OBJECT, FOUND_DEAD };

/* Is there an object at `address`, which has `room` bytes, with `front` bytes of its block before
 * it? */
static enum finding probe(struct search *search, uint64_t address, uint64_t front, uint64_t room,
			  struct object_header *header, const struct type **type)
{
	uint64_t word, extent;
	bool dead;

	if (room < search->runtime->layout.PyObject_size ||
	    !reader_u64(&search->reader, address, &word) ||
	    !object_header(search->runtime, &search->reader, address, header))
		return FOUND_NOTHING;
	dead = !word || is_free_listed(search->runtime, word);
	if (!dead &&
	    (is_pointer(search, word) ||
	     (!header->immortal && (header->refcount <= 0 || header->refcount > REFCOUNT_MAX))))
		return FOUND_NOTHING;
	*type = find_type(search, header->type);
	if (!*type || (*type)->presize != front || least_size(search, *type) > room)
		return FOUND_NOTHING;
	extent = object_extent(search->heap->traverser, address, *type);
	if (extent > room)
		return FOUND_NOTHING;
	/* Tracked objects are known: one with a GC head must be on no list. */
	if ((*type)->flags & TPFLAGS_HAVE_GC) {
		uint64_t head = address - search->runtime->layout.PyGC_Head_size;

		if (!reader_u64(&search->reader, head + search->runtime->layout.PyGC_Head__gc_next,
				&word) ||
		    word)
			return FOUND_NOTHING;
	}
	if (!dead)
		return FOUND_OBJECT;
	return is_left_behind(search, address, *type, room - extent) ? FOUND_DEAD : FOUND_NOTHING;
}

static bool add_dead(struct search *search, uint64_t address, uint64_t start, uint64_t end)
{
	struct objects *objects = search->objects;

	if (objects->dead_count == search->dead_capacity) {
		size_t capacity = search->dead_capacity ? search->dead_capacity * 2 : 1024;
		struct dead_object *dead = huge_grow(objects->dead, capacity, sizeof(*dead));

		if (!dead)
			return false;
		objects->dead = dead;
		search->dead_capacity = capacity;
	}
	objects->dead[objects->dead_count++] = (struct dead_object){address, start, end};
	return true;
}

static bool add(struct search *search, uint64_t address, const struct type *type,
		const struct object_header *header, enum object_place place)
{
	if (search->count == search->capacity) {
		size_t capacity = search->capacity ? search->capacity * 2 : 1 << 16;
		struct found *items = huge_grow(search->items, capacity, sizeof(*items));

		if (!items)
			return false;
		search->items = items;
		search->capacity = capacity;
	}
	search->items[search->count++] = (struct found){
		.address = address,
		.type = type->index,
		.refcount = heap_refcount(header),
		.place = (uint8_t)place,
	};
	return true;
}

/* A block of `size` bytes that is in use. @return false when out of memory */
static bool probe_block(struct search *search, uint64_t block, uint64_t size,
			enum object_place place)
{
	uint32_t debug = search->objects->debug_offset;

	for (uint64_t front = 0; front <= PRESIZE_MAX; front += 16)
		if (heap_find(search->heap, block + debug + front) != HEAP_NONE)
			return true;
	for (uint64_t front = 0; front <= PRESIZE_MAX && debug + front < size; front += 16) {
		uint64_t address = block + debug + front;
		struct object_header header;
		const struct type *type;

		switch (probe(search, address, front, size - debug - front, &header, &type)) {
		case FOUND_OBJECT:
			return add(search, address, type, &header, place);
		case FOUND_DEAD:
			return add_dead(search, address, block, block + size);
		case FOUND_NOTHING:
			break;
		}
	}
	return true;
}

/*
 * PYTHONMALLOC=debug and Py_DEBUG builds put 16 bytes in front of each block (Objects/obmalloc.c
 * _PyMem_DebugRawAlloc): seen by where tracked objects stand in theirs.
 */
static uint32_t find_debug_offset(const struct objects *objects)
{
	enum { SAMPLE = 1000 };
	const struct heap *heap = objects->heap;
	uint32_t step = heap->count / SAMPLE + 1, with = 0, without = 0;

	for (uint32_t i = 0; i < heap->count; i += step) {
		const struct pymalloc_pool *pool =
			pymalloc_pool_at(objects->pymalloc, heap->addresses[i]);
		const struct type *type = heap_type(heap, i);
		uint64_t offset;

		if (!pool || !type)
			continue;
		offset = (heap->addresses[i] - pool->address - pool->first) % pool->block_size;
		without += offset == type->presize;
		with += offset == type->presize + DEBUG_FRONT;
	}
	return with > without ? DEBUG_FRONT : 0;
}

static struct error *search_pools(struct search *search, const struct progress *progress)
{
	const struct pymalloc *pymalloc = search->objects->pymalloc;
	uint8_t is_free[PYMALLOC_BLOCKS_MAX];

	for (size_t p = 0; p < pymalloc->pool_count; p++) {
		const struct pymalloc_pool *pool = &pymalloc->pools[p];

		pymalloc_free_blocks(pool, &search->reader, is_free);
		for (uint32_t b = 0; b < pymalloc_block_count(pool); b++)
			if (!is_free[b] && !probe_block(search,
							pool->address + pool->first +
								(uint64_t)b * pool->block_size,
							pool->block_size, OBJECT_POOLED))
				return &error_no_memory;
		if (p % PROGRESS_STEP == 0) {
			struct error *err = progress_step(progress, "reading pymalloc's pools", p,
							  pymalloc->pool_count);

			if (err)
				return err;
		}
	}
	return NULL;
}

static struct error *search_chunks(struct search *search)
{
	const struct malloc_heaps *heaps = search->objects->malloc_heaps;

	for (size_t i = 0; i < heaps->count; i++)
		if (!heaps->chunks[i].is_free &&
		    !pymalloc_arena_at(search->objects->pymalloc, heaps->chunks[i].address) &&
		    !probe_block(search, heaps->chunks[i].address, heaps->chunks[i].size,
				 OBJECT_MALLOCED))
			return &error_no_memory;
	return NULL;
}

static bool in_arena(const void *context, uint64_t address)
{
	return pymalloc_arena_at(context, address) != NULL;
}

/* Of the chunks that malloc mapped by themselves, those with an object in them. */
static struct error *search_mapped(struct search *search)
{
	struct malloc_heaps *heaps = search->objects->malloc_heaps;
	struct error *err = malloc_mapped_find(search->heap->runtime->target, in_arena,
					       search->objects->pymalloc, heaps);

	for (size_t i = 0; !err && i < heaps->mapped_count; i++) {
		const struct malloc_range *chunk = &heaps->mapped[i];

		if (!probe_block(search, chunk->start + MALLOC_HEADER,
				 chunk->end - chunk->start - MALLOC_HEADER, OBJECT_MALLOCED))
			err = &error_no_memory;
	}
	return err;
}

static struct error *allocate(struct objects *objects)
{
	size_t count = (size_t)objects->index.count + 1;

	objects->count = objects->index.count;
	objects->addresses = huge_array(count, sizeof(*objects->addresses));
	objects->types = huge_array(count, sizeof(*objects->types));
	objects->refcounts = huge_array(count, sizeof(*objects->refcounts));
	objects->places = huge_array(count, 1);
	objects->type_table = type_table(objects->heap->runtime->types);
	return objects->type_table && objects->addresses && objects->types && objects->refcounts &&
			       objects->places
		       ? NULL
		       : &error_no_memory;
}

/* Numbers tracked and found objects together. */
static struct error *number(struct search *search)
{
	struct objects *objects = search->objects;
	const struct heap *heap = search->heap;
	struct error *err;

	for (uint32_t i = 0; i < heap->count; i++)
		if (index_insert(&objects->index, heap->addresses[i]) == INDEX_NO_MEMORY)
			return &error_no_memory;
	for (size_t i = 0; i < search->count; i++)
		if (index_insert(&objects->index, search->items[i].address) == INDEX_NO_MEMORY)
			return &error_no_memory;
	err = allocate(objects);
	if (err)
		return err;
	index_number(&objects->index, objects->addresses);
	for (uint32_t i = 0; i < heap->count; i++) {
		uint32_t n = objects_find(objects, heap->addresses[i]);

		objects->types[n] = heap->types[i];
		objects->refcounts[n] = heap->refcounts[i];
		objects->places[n] = OBJECT_TRACKED;
	}
	objects->place_counts[OBJECT_TRACKED] = heap->count;
	for (size_t i = 0; i < search->count; i++) {
		const struct found *item = &search->items[i];
		uint32_t n = objects_find(objects, item->address);

		objects->types[n] = item->type;
		objects->refcounts[n] = item->refcount;
		objects->places[n] = item->place;
		objects->place_counts[item->place]++;
	}
	return NULL;
}

struct error *objects_open(struct heap *heap, const struct progress *progress,
			   struct objects **result)
{
	struct objects *objects = calloc(1, sizeof(*objects));
	struct search *search = calloc(1, sizeof(*search));
	struct error *err = objects && search ? NULL : &error_no_memory;

	*result = NULL;
	if (!err) {
		objects->heap = search->heap = heap;
		search->objects = objects;
		search->runtime = heap->runtime;
		reader_init(&search->reader, heap->runtime->target->image);
		err = pymalloc_open(heap->runtime, &objects->pymalloc);
	}
	if (!err)
		err = malloc_heaps_open(heap->runtime->target, &objects->malloc_heaps);
	if (!err) {
		objects->debug_offset = find_debug_offset(objects);
		err = search_pools(search, progress);
	}
	if (!err)
		err = search_chunks(search);
	if (!err)
		err = search_mapped(search);
	if (!err)
		err = number(search);
	if (!err) {
		dying_find(objects);
		objects->interned = interned_find(objects, &objects->interned_count);
		err = objects->interned ? NULL : &error_no_memory;
	}
	if (search)
		free(search->items);
	free(search);
	if (err) {
		objects_close(objects);
		return err;
	}
	*result = objects;
	return NULL;
}

void objects_close(struct objects *objects)
{
	if (!objects)
		return;
	pymalloc_close(objects->pymalloc);
	malloc_heaps_close(objects->malloc_heaps);
	index_clear(&objects->index);
	free(objects->addresses);
	free(objects->types);
	free(objects->type_table);
	free(objects->refcounts);
	free(objects->places);
	free(objects->dead);
	free(objects->interned);
	free(objects);
}
