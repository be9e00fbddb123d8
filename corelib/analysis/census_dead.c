/* Which words hold nothing: dead memory, and words of live objects that are no references of
 * theirs. */
#include "analysis/census.h"

#include "analysis/data_stack.h"
#include "analysis/views.h"
#include "cpython/frame.h"

#include <elf.h>
#include <stdlib.h>

enum { WORD = 8, DEQUE_SPARE_MAX = 16, PIECE_STEP = 1 << 14 };

/* What is known of all objects of a type. */
enum role {
	ROLE_UNKNOWN, /* not looked at yet */
	ROLE_LEAF,    /* text or numbers only */
	ROLE_DEQUE,
	ROLE_WEAKREF,
	ROLE_CODE,  /* 3.11+ */
	ROLE_FRAME, /* up to 3.10 */
	ROLE_OTHER,
};

/* One marking. */
struct marking {
	JOBS_APART struct objects *objects;
	const struct runtime *runtime;
	const struct layout *layout;
	struct reader reader;
	struct word_map *dead;
	uint8_t *roles; /* by type->index: enum role */
	/* The last ones met: objects come in order of address. */
	const struct pymalloc_pool *pool;
	const struct malloc_chunk *chunk;
	bool failed; /* memory ran out while walking data stacks */
};

/* Below the red zone of each thread's stack pointer. A guard page ends the mapping of each stack.
 */
static bool mark_stacks(struct marking *work)
{
	enum { RED_ZONE = 128 };
	const struct target *target = work->runtime->target;

	for (size_t i = 0; i < target->thread_count; i++) {
		uint64_t top = target->threads[i].registers.rsp;
		const struct segment *segment = image_segment(target->image, top);

		if (segment && top - RED_ZONE > segment->start &&
		    !word_map_fill(work->dead, segment->start, top - RED_ZONE, true))
			return false;
	}
	return true;
}

/* Above the top of a data stack there are frames that have returned. */
static bool mark_chunk(void *context, const struct data_chunk *chunk)
{
	struct marking *work = context;

	if (!word_map_fill(work->dead, chunk->end, chunk->limit, true))
		work->failed = true;
	return !work->failed;
}

static bool mark_data_stacks(struct marking *work)
{
	data_stacks_walk(work->objects->heap, mark_chunk, work);
	return !work->failed;
}

/* Does the type hold text or numbers only: exactly str, bytes, int, float, complex, bool? */
static bool is_leaf(const struct type *type)
{
	return !(type->flags & (TPFLAGS_HEAPTYPE | TPFLAGS_HAVE_GC)) &&
	       ((type->flags &
		 (TPFLAGS_UNICODE_SUBCLASS | TPFLAGS_BYTES_SUBCLASS | TPFLAGS_LONG_SUBCLASS)) ||
		!strcmp(type->name, "float") || !strcmp(type->name, "complex"));
}

static bool mark_word(struct marking *work, uint64_t address)
{
	return word_map_fill(work->dead, address, address + WORD, true);
}

static const struct pymalloc_pool *find_pool(struct marking *work, uint64_t address)
{
	const struct pymalloc *pymalloc = work->objects->pymalloc;

	if (!work->pool || address - work->pool->address >= pymalloc->pool_size)
		work->pool = pymalloc_pool_at(pymalloc, address);
	return work->pool;
}

/* Where the block or chunk that holds an address ends; 0: not known. */
static uint64_t storage_end(struct marking *work, uint64_t address)
{
	const struct pymalloc_pool *pool = find_pool(work, address);
	uint32_t block;

	if (pool) {
		block = (uint32_t)(address - pool->address - pool->first) / pool->block_size;
		return pool->address + pool->first + (uint64_t)(block + 1) * pool->block_size;
	}
	if (!work->chunk || address - work->chunk->address >= work->chunk->size)
		work->chunk = malloc_chunk_at(work->objects->malloc_heaps, address);
	return work->chunk ? work->chunk->address + work->chunk->size : 0;
}

/* From a point on, a block is filled by nobody: what stands there is of its last owner. */
static bool mark_rest(struct marking *work, uint64_t start)
{
	uint64_t end = storage_end(work, start - 1);

	return !end || end <= start || word_map_fill(work->dead, start, end, true);
}

/* Entries of a table behind the last one used; keys and values are blocks of their own. */
static bool mark_dict(struct marking *work, uint64_t object)
{
	struct dict_view view;

	if (!dict_open(work->runtime, &work->reader, object, &view))
		return true;
	if (view.values && !view.embedded && !mark_rest(work, view.values + view.count * WORD))
		return false;
	return mark_rest(work, view.entries + view.count * view.entry_size);
}

/* Has an object of this type, in a pool, a block of exactly its size? */
static bool fills_its_block(const struct marking *work, const struct type *type)
{
	uint64_t size = type->presize + (uint64_t)type->basicsize;

	return !type->itemsize && !work->objects->debug_offset && size % PYMALLOC_ALIGNMENT == 0 &&
	       size <= PYMALLOC_ALIGNMENT * PYMALLOC_CLASSES;
}

/*
 * The last bytes of a block, when the object fills it but for the rounding. A block that is larger
 * than the object needs may hold more than its type says.
 */
static bool mark_padding(struct marking *work, const struct type *type, uint64_t object)
{
	uint64_t end, used;

	if ((type->flags & TPFLAGS_INLINE_VALUES) || fills_its_block(work, type))
		return true;
	end = storage_end(work, object);
	if (!end)
		return true;
	used = object + object_extent(work->objects->heap->traverser, object, type);
	used = (used + WORD - 1) & ~(uint64_t)(WORD - 1);
	/* PyType_GenericAlloc() adds an item as a sentinel (Objects/typeobject.c). */
	if (used < end && end - used >= PYMALLOC_ALIGNMENT && type->itemsize > 0)
		used += ((uint64_t)type->itemsize + WORD - 1) & ~(uint64_t)(WORD - 1);
	if (used >= end || end - used >= PYMALLOC_ALIGNMENT)
		return true;
	return word_map_fill(work->dead, used, end, true);
}

/* Items behind ob_size are capacity: list.pop() leaves its pointers there. */
static bool mark_list(struct marking *work, uint64_t object)
{
	const struct layout *layout = work->layout;
	uint64_t items, size, allocated;

	if (!reader_u64(&work->reader, object + layout->PyListObject_ob_item, &items) ||
	    !reader_u64(&work->reader, object + layout->PyVarObject_ob_size, &size) ||
	    !reader_u64(&work->reader, object + layout->PyListObject_allocated, &allocated) ||
	    !items || allocated > UINT32_MAX || size > allocated)
		return true;
	return word_map_fill(work->dead, items + size * WORD, items + allocated * WORD, true) &&
	       mark_rest(work, items + allocated * WORD);
}

/* Is it a weakref or proxy, or an instance of a class derived from one? */
static bool is_weakref(const struct type *type)
{
	static const char *const names[] = {
		"weakref",	     "weakproxy",
		"weakcallableproxy", "weakref.ReferenceType",
		"weakref.ProxyType", "weakref.CallableProxyType",
	};

	while (type && (type->flags & TPFLAGS_HEAPTYPE))
		type = type->base;
	for (size_t i = 0; type && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(type->name, names[i]))
			return true;
	return false;
}

/*
 * deque: slots outside of the used part of the first and the last block, and blocks that are kept
 * for later (Modules/_collectionsmodule.c). They were never cleared.
 */
static bool mark_deque(struct marking *work, uint64_t object)
{
	const struct layout *layout = work->layout;
	uint64_t slots = (layout->BLOCK_rightlink - layout->BLOCK_data) / WORD;
	uint64_t left, right, left_block, right_block, count, block;
	uint64_t spare = object + layout->dequeobject_numfreeblocks;

	if (!reader_u64(&work->reader, object + layout->dequeobject_leftblock, &left_block) ||
	    !reader_u64(&work->reader, object + layout->dequeobject_rightblock, &right_block) ||
	    !reader_u64(&work->reader, object + layout->dequeobject_leftindex, &left) ||
	    !reader_u64(&work->reader, object + layout->dequeobject_rightindex, &right) ||
	    left > slots || right >= slots)
		return true;
	/* From the link to the left on, and up to the one to the right: both ends lead nowhere. */
	if (!word_map_fill(work->dead, left_block, left_block + layout->BLOCK_data + left * WORD,
			   true) ||
	    !mark_rest(work, right_block + layout->BLOCK_data + (right + 1) * WORD))
		return false;
	if (!layout_has(layout->dequeobject_numfreeblocks) ||
	    !reader_u64(&work->reader, spare, &count))
		return true;
	for (uint64_t i = 0; i < count && i < DEQUE_SPARE_MAX; i++)
		if (reader_u64(&work->reader, spare + (i + 1) * WORD, &block) && block &&
		    !word_map_fill(work->dead, block, block + layout->BLOCK_size, true))
			return false;
	return true;
}

/* A weakref does not own what it refers to, nor its neighbours in the referent's list. */
static bool mark_weakref(struct marking *work, uint64_t object)
{
	const struct layout *layout = work->layout;

	return mark_word(work, object + layout->PyWeakReference_wr_object) &&
	       mark_word(work, object + layout->PyWeakReference_wr_prev) &&
	       mark_word(work, object + layout->PyWeakReference_wr_next);
}

/* The list of weakrefs to an object is not the object's: in its pre-header (3.12+) or at an offset.
 */
static bool mark_weaklist(struct marking *work, const struct type *type, uint64_t object)
{
	if (type->flags & TPFLAGS_MANAGED_WEAKREF)
		return mark_word(work, object - 32);
	if (type->weaklistoffset > 0 && type->weaklistoffset < type->basicsize)
		return mark_word(work, object + (uint64_t)type->weaklistoffset);
	return true;
}

/*
 * A frame object has numbers in front of its locals (f_lineno, f_iblock, f_blockstack), of which
 * those that are not used were never written. What is behind the top of its value stack is left
 * from before (Include/cpython/frameobject.h, Include/frameobject.h in 3.8).
 */
static bool mark_frame(struct marking *work, uint64_t object, uint64_t extent)
{
	const struct layout *layout = work->layout;
	uint64_t bottom, top;

	if (!word_map_fill(work->dead, object + layout->PyFrameObject_f_lineno,
			   object + layout->PyFrameObject_f_localsplus, true))
		return false;
	return !frame_value_stack(work->runtime, &work->reader, object, &bottom, &top) || !top ||
	       top >= object + extent || word_map_fill(work->dead, top, object + extent, true);
}

static enum role find_role(const struct layout *layout, const struct type *type)
{
	if (is_leaf(type))
		return ROLE_LEAF;
	if (layout_has(layout->dequeobject_leftblock) && !strcmp(type->name, "collections.deque"))
		return ROLE_DEQUE;
	if (is_weakref(type))
		return ROLE_WEAKREF;
	if (layout_has(layout->PyCodeObject_co_code_adaptive) && !strcmp(type->name, "code"))
		return ROLE_CODE;
	if (layout_has(layout->PyFrameObject_f_valuestack) && !strcmp(type->name, "frame"))
		return ROLE_FRAME;
	return ROLE_OTHER;
}

static bool mark_object(struct marking *work, uint32_t number, const struct type *type)
{
	const struct layout *layout = work->layout;
	uint64_t object = work->objects->addresses[number], extent = 0;
	uint8_t *role = &work->roles[type->index];

	/* The links in front of it need no mark: no object begins where they lead, at a head. */
	if (*role == ROLE_UNKNOWN)
		*role = (uint8_t)find_role(layout, type);
	if (*role == ROLE_LEAF)
		return mark_rest(work, object + layout->PyObject_size);
	if (!mark_padding(work, type, object) ||
	    ((type->flags & TPFLAGS_LIST_SUBCLASS) && !mark_list(work, object)) ||
	    ((type->flags & TPFLAGS_DICT_SUBCLASS) && !mark_dict(work, object)))
		return false;
	if (*role == ROLE_DEQUE && !mark_deque(work, object))
		return false;
	if (*role == ROLE_WEAKREF)
		return mark_weakref(work, object);
	if (*role == ROLE_CODE || *role == ROLE_FRAME)
		extent = object_extent(work->objects->heap->traverser, object, type);
	if (*role == ROLE_CODE)
		return word_map_fill(work->dead, object + code_references_end(layout),
				     object + extent, true);
	if (*role == ROLE_FRAME)
		return mark_frame(work, object, extent);
	return mark_weaklist(work, type, object);
}

static struct error *mark_piece(void *worker, size_t start, size_t end)
{
	struct marking *work = worker;

	for (size_t i = start; i < end; i++) {
		const struct type *type = objects_type(work->objects, (uint32_t)i);

		if (type && !mark_object(work, (uint32_t)i, type))
			return &error_no_memory;
	}
	return NULL;
}

/* With all processors: each has a view of the objects and roles of its own. */
static struct error *mark_with(const struct marking *marking, struct views *views,
			       const struct progress *progress)
{
	size_t types = type_count(marking->runtime->types);
	struct marking works[JOBS_WORKERS_MAX];
	void *workers[JOBS_WORKERS_MAX];
	struct jobs_loop loop = {
		.count = marking->objects->count,
		.step = PIECE_STEP,
		.run = mark_piece,
		.workers = workers,
		.worker_count = views->count,
		.phase = "looking for dead memory",
	};
	struct error *err = NULL;

	for (size_t i = 0; i < views->count; i++) {
		works[i] = *marking;
		works[i].objects = &views->objects[i];
		works[i].roles = calloc(types + 1, sizeof(*works[i].roles));
		workers[i] = &works[i];
		if (!works[i].roles)
			err = &error_no_memory;
	}
	if (!err)
		err = jobs_loop(&loop, progress);
	for (size_t i = 0; i < views->count; i++)
		free(works[i].roles);
	return err;
}

static struct error *mark_objects(const struct marking *marking, const struct progress *progress)
{
	struct views views;
	struct error *err = views_open(marking->objects->heap, marking->objects, &views);

	if (!err)
		err = mark_with(marking, &views, progress);
	views_close(&views);
	return err;
}

/* What is on CPython's free lists holds nothing: only its first words are used, as links. */
static bool mark_dead_objects(struct marking *work)
{
	const struct objects *objects = work->objects;

	for (size_t i = 0; i < objects->dead_count; i++)
		if (!word_map_fill(work->dead, objects->dead[i].start, objects->dead[i].end, true))
			return false;
	return true;
}

/* The dict of interned str does not own them. */
static bool mark_interned(struct marking *work)
{
	const struct objects *objects = work->objects;

	for (size_t i = 0; i < objects->interned_count; i++) {
		struct dict_view view;

		if (dict_open(work->runtime, &work->reader,
			      objects->addresses[objects->interned[i]], &view) &&
		    !word_map_fill(work->dead, view.entries,
				   view.entries + view.count * view.entry_size, true))
			return false;
	}
	return true;
}

struct error *census_mark_dead(struct objects *objects, const struct progress *progress,
			       struct word_map *dead)
{
	struct marking work = {
		.objects = objects,
		.runtime = objects->heap->runtime,
		.layout = &objects->heap->runtime->layout,
		.dead = dead,
	};

	reader_init(&work.reader, work.runtime->target->image);
	if (!word_map_copy(dead, &objects->allocators->unused) || !mark_stacks(&work) ||
	    !mark_data_stacks(&work) || !mark_dead_objects(&work) || !mark_interned(&work) ||
	    !census_mark_free_lists(objects, dead) ||
	    !census_mark_linker(objects, &work.reader, dead))
		return &error_no_memory;
	return mark_objects(&work, progress);
}
