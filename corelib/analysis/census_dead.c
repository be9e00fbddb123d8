/* Which words hold nothing: dead memory, and words of live objects that are no references of
 * theirs. */
#include "analysis/census.h"

#include <elf.h>

enum { WORD = 8, CHAIN_MAX = 1 << 16, THREADS_MAX = 1 << 20 };

/* One marking. */
struct marking {
	struct objects *objects;
	const struct runtime *runtime;
	const struct layout *layout;
	struct reader reader;
	struct word_map *dead;
};

/* Arenas are dead but for the blocks in use; what malloc has free is dead. */
static bool mark_allocators(struct marking *work)
{
	const struct pymalloc *pymalloc = work->objects->pymalloc;
	const struct malloc_heaps *heaps = work->objects->malloc_heaps;
	uint8_t is_free[PYMALLOC_BLOCKS_MAX];

	for (size_t i = 0; i < heaps->count; i++)
		if (heaps->chunks[i].is_free &&
		    !word_map_fill(work->dead, heaps->chunks[i].address,
				   heaps->chunks[i].address + heaps->chunks[i].size, true))
			return false;
	for (size_t i = 0; i < pymalloc->arena_count; i++)
		if (!word_map_fill(work->dead, pymalloc->arenas[i].start, pymalloc->arenas[i].end,
				   true))
			return false;
	for (size_t p = 0; p < pymalloc->pool_count; p++) {
		const struct pymalloc_pool *pool = &pymalloc->pools[p];
		uint64_t at = pool->address + pool->first;

		pymalloc_free_blocks(pool, &work->reader, is_free);
		for (uint32_t b = 0; b < pymalloc_block_count(pool); b++, at += pool->block_size)
			if (!is_free[b])
				word_map_fill(work->dead, at, at + pool->block_size, false);
	}
	return true;
}

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

/*
 * 3.11+: frames of Python functions stand on a stack of chunks of each thread; above its top there
 * are frames that have returned (Python/pystate.c _PyThreadState_PushFrame).
 */
static bool mark_data_stack(struct marking *work, uint64_t thread)
{
	const struct layout *layout = work->layout;
	uint64_t top, limit, chunk;

	if (!reader_u64(&work->reader, thread + layout->PyThreadState_datastack_top, &top) ||
	    !reader_u64(&work->reader, thread + layout->PyThreadState_datastack_limit, &limit) ||
	    !reader_u64(&work->reader, thread + layout->PyThreadState_datastack_chunk, &chunk) ||
	    !chunk)
		return true;
	if (top < limit && limit - top < 1 << 30 && !word_map_fill(work->dead, top, limit, true))
		return false;
	for (int i = 0; i < CHAIN_MAX; i++) {
		uint64_t size, used, start;

		if (!reader_u64(&work->reader, chunk + layout->_PyStackChunk_previous, &chunk) ||
		    !chunk ||
		    !reader_u64(&work->reader, chunk + layout->_PyStackChunk_size, &size) ||
		    !reader_u64(&work->reader, chunk + layout->_PyStackChunk_top, &used) ||
		    size > 1 << 30 || used > size / WORD)
			break;
		/* top of a chunk that was left behind counts words of its data. */
		start = chunk + layout->_PyStackChunk_data + used * WORD;
		if (start < chunk + size && !word_map_fill(work->dead, start, chunk + size, true))
			return false;
	}
	return true;
}

static bool mark_data_stacks(struct marking *work)
{
	const struct layout *layout = work->layout;

	if (!layout_has(layout->PyThreadState_datastack_top))
		return true;
	for (size_t i = 0; i < work->runtime->interpreter_count; i++) {
		uint64_t thread;
		int count = 0;

		reader_u64(&work->reader,
			   work->runtime->interpreters[i].address +
				   layout->PyInterpreterState_threads_head,
			   &thread);
		while (thread && count++ < THREADS_MAX) {
			if (!mark_data_stack(work, thread))
				return false;
			if (!reader_u64(&work->reader, thread + layout->PyThreadState_next,
					&thread))
				break;
		}
	}
	return true;
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

/* Items behind ob_size are capacity: list.pop() leaves its pointers there. */
static bool mark_list(struct marking *work, uint64_t object)
{
	const struct layout *layout = work->layout;
	uint64_t items, size, allocated;

	if (!reader_u64(&work->reader, object + layout->PyListObject_ob_item, &items) ||
	    !reader_u64(&work->reader, object + layout->PyVarObject_ob_size, &size) ||
	    !reader_u64(&work->reader, object + layout->PyListObject_allocated, &allocated) ||
	    !items || allocated > UINT32_MAX || size >= allocated)
		return true;
	return word_map_fill(work->dead, items + size * WORD, items + allocated * WORD, true);
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

static bool mark_object(struct marking *work, uint32_t number, const struct type *type)
{
	const struct layout *layout = work->layout;
	uint64_t object = work->objects->addresses[number];
	struct object_size size;

	if ((type->flags & TPFLAGS_HAVE_GC) &&
	    !word_map_fill(work->dead, object - layout->PyGC_Head_size, object, true))
		return false;
	if (is_leaf(type)) {
		object_measure(work->objects->heap->traverser, object, type, &size);
		return word_map_fill(work->dead, object + layout->PyObject_size,
				     object + size.object, true);
	}
	if ((type->flags & TPFLAGS_LIST_SUBCLASS) && !mark_list(work, object))
		return false;
	if (!strcmp(type->module, "weakref") || !strcmp(type->name, "weakref.ReferenceType") ||
	    !strcmp(type->short_name, "weakref"))
		return mark_weakref(work, object);
	if (layout_has(layout->PyCodeObject_co_code_adaptive) && !strcmp(type->name, "code")) {
		/* Bytecode: its inline caches borrow what they point at. */
		object_measure(work->objects->heap->traverser, object, type, &size);
		return word_map_fill(work->dead, object + layout->PyCodeObject_co_code_adaptive,
				     object + size.object, true);
	}
	return mark_weaklist(work, type, object);
}

bool census_mark_dead(struct objects *objects, struct word_map *dead)
{
	struct marking work = {
		.objects = objects,
		.runtime = objects->heap->runtime,
		.layout = &objects->heap->runtime->layout,
		.dead = dead,
	};

	reader_init(&work.reader, work.runtime->target->image);
	if (!mark_allocators(&work) || !mark_stacks(&work) || !mark_data_stacks(&work))
		return false;
	for (uint32_t i = 0; i < objects->count; i++) {
		const struct type *type =
			objects->types[i] == HEAP_NONE
				? NULL
				: type_by_index(work.runtime->types, objects->types[i]);

		if (type && !mark_object(&work, i, type))
			return false;
	}
	return true;
}
