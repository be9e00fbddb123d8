/*
 * A block in use is an object if, at the distance that its type puts in front of it, there is a
 * header: a type that is a type, a refcount that is one, and a size that the block can hold. A raw
 * block (a table of a dict, a buffer) fails at the first word or two.
 */
#include "analysis/objects_search.h"

#include "analysis/views.h"
#include "target/huge.h"

#include <stdlib.h>
#include <string.h>

enum { TYPE_SLOTS = 4096, POOLS_STEP = 64, PRESIZE_MAX = 32, DEBUG_FRONT = 16 };

/* More than any program holds: the refcount of a mortal object stays below. */
#define REFCOUNT_MAX (INT64_C(1) << 40)

/* What one thread searches. */
struct search {
	JOBS_APART const struct objects *objects;
	struct heap *heap; /* its view */
	const struct runtime *runtime;
	struct reader reader;
	struct finds finds;   /* of the piece at hand */
	struct finds *result; /* to which they are added */
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
 * Does a link lead to the next object of a free list: of the same type, with the last link or one
 * more? The items of a list may be in a block that was an int before, whose type still stands
 * behind the first of them.
 */
static bool is_link(struct search *search, uint64_t link, uint64_t type)
{
	struct object_header header;
	uint64_t next;

	return object_header(search->runtime, &search->reader, link, &header) &&
	       header.type == type && reader_u64(&search->reader, link, &next) &&
	       (!next || is_free_listed(search->runtime, next));
}

/*
 * Blocks that start with a zero, or with what is left of a header, are common. Free lists are for
 * types of CPython itself; up to 3.13 those that keep the type in place are for GC objects with
 * refcount 0. The object fills its block but for the rounding, and its GC head is on no list.
 */
static bool is_left_behind(struct search *search, uint64_t address, const struct type *type,
			   uint64_t padding, uint64_t link)
{
	const struct layout *layout = &search->runtime->layout;
	uint64_t next, prev;

	if ((type->flags & TPFLAGS_HEAPTYPE) || padding >= PYMALLOC_ALIGNMENT ||
	    !has_free_list(type) || (link && !is_link(search, link, type->address)))
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
	uint64_t word, next, extent;
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
				&next) ||
		    next)
			return FOUND_NOTHING;
	}
	if (!dead)
		return FOUND_OBJECT;
	return is_left_behind(search, address, *type, room - extent, word) ? FOUND_DEAD
									   : FOUND_NOTHING;
}

static bool add_dead(struct finds *finds, const struct dead_object *dead, size_t count)
{
	struct dead_object *items = huge_room(finds->dead, &finds->dead_capacity,
					      finds->dead_count + count, sizeof(*items));

	if (!items)
		return false;
	finds->dead = items;
	for (size_t i = 0; i < count; i++)
		items[finds->dead_count++] = dead[i];
	return true;
}

static bool add(struct finds *finds, const struct find *find, size_t count)
{
	struct find *items =
		huge_room(finds->items, &finds->capacity, finds->count + count, sizeof(*items));

	if (!items)
		return false;
	finds->items = items;
	for (size_t i = 0; i < count; i++)
		items[finds->count++] = find[i];
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
			return add(&search->finds,
				   &(struct find){
					   .address = address,
					   .type = type->index,
					   .refcount = heap_refcount(&header),
					   .place = (uint8_t)place,
				   },
				   1);
		case FOUND_DEAD:
			return add_dead(&search->finds,
					&(struct dead_object){address, block, block + size}, 1);
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

static bool search_pool(struct search *search, const struct pymalloc_pool *pool)
{
	uint64_t at = pool->address + pool->first;
	uint8_t is_free[PYMALLOC_BLOCKS_MAX];

	pymalloc_free_blocks(pool, &search->reader, is_free);
	for (uint32_t b = 0; b < pymalloc_block_count(pool); b++, at += pool->block_size)
		if (!is_free[b] && !probe_block(search, at, pool->block_size, OBJECT_POOLED))
			return false;
	return true;
}

static struct error *search_pools(void *worker, size_t start, size_t end)
{
	struct search *search = worker;

	for (size_t p = start; p < end; p++)
		if (!search_pool(search, &search->objects->pymalloc->pools[p]))
			return &error_no_memory;
	return NULL;
}

static struct error *join_finds(void *worker, size_t start, size_t end)
{
	struct search *search = worker;
	struct finds *finds = &search->finds;

	(void)start, (void)end;
	if (!add(search->result, finds->items, finds->count) ||
	    !add_dead(search->result, finds->dead, finds->dead_count))
		return &error_no_memory;
	finds->count = finds->dead_count = 0;
	return NULL;
}

/* What malloc has in its heaps, and what it mapped by itself. */
static struct error *search_malloc(struct search *search)
{
	const struct malloc_heaps *heaps = search->objects->malloc_heaps;

	for (size_t i = 0; i < heaps->count; i++)
		if (!heaps->chunks[i].is_free &&
		    !pymalloc_arena_at(search->objects->pymalloc, heaps->chunks[i].address) &&
		    !probe_block(search, heaps->chunks[i].address, heaps->chunks[i].size,
				 OBJECT_MALLOCED))
			return &error_no_memory;
	for (size_t i = 0; i < heaps->mapped_count; i++) {
		const struct malloc_range *chunk = &heaps->mapped[i];

		if (!probe_block(search, chunk->start + MALLOC_HEADER,
				 chunk->end - chunk->start - MALLOC_HEADER, OBJECT_MALLOCED))
			return &error_no_memory;
	}
	return join_finds(search, 0, 0);
}

static struct error *search_with(const struct objects *objects, const struct views *views,
				 struct search *searches, const struct progress *progress,
				 struct finds *finds)
{
	void *workers[JOBS_WORKERS_MAX];
	struct jobs_loop loop = {
		.count = objects->pymalloc->pool_count,
		.step = POOLS_STEP,
		.run = search_pools,
		.join = join_finds,
		.workers = workers,
		.worker_count = views->count,
		.phase = "reading pymalloc's pools",
	};
	struct error *err;

	for (size_t i = 0; i < views->count; i++) {
		searches[i].objects = objects;
		searches[i].heap = views->heaps[i];
		searches[i].runtime = objects->heap->runtime;
		searches[i].result = finds;
		reader_init(&searches[i].reader, objects->heap->runtime->target->image);
		workers[i] = &searches[i];
	}
	err = jobs_loop(&loop, progress);
	if (!err)
		err = search_malloc(&searches[0]);
	for (size_t i = 0; i < views->count; i++)
		finds_clear(&searches[i].finds);
	return err;
}

struct error *objects_search(struct objects *objects, const struct progress *progress,
			     struct finds *finds)
{
	struct search *searches = NULL;
	struct views views;
	struct error *err = views_open(objects->heap, NULL, &views);

	*finds = (struct finds){0};
	if (err)
		return err;
	objects->debug_offset = find_debug_offset(objects);
	searches = jobs_memory(views.count * sizeof(*searches));
	err = searches ? search_with(objects, &views, searches, progress, finds) : &error_no_memory;
	free(searches);
	views_close(&views);
	return err;
}

void finds_clear(struct finds *finds)
{
	free(finds->items);
	free(finds->dead);
	*finds = (struct finds){0};
}
