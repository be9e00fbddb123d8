/*
 * What CPython's own structures hold: PyInterpreterState, PyThreadState, data stacks, static types.
 */
#include "analysis/roots_private.h"

#include <string.h>

enum { WORD = 8, THREADS_MAX = 1 << 20, CHUNKS_MAX = 1 << 16, CHUNK_MAX = 1 << 30 };

/* Tags of _PyStackRef (3.14+) stand in the low bits. */
#define TAG_MASK (~UINT64_C(7))

/* A reference that counts even if something else reaches the object too. */
static void add_strong(struct root_search *search, struct root root, uint64_t value)
{
	root.object = objects_find(search->objects, value);
	if (root.object != HEAP_NONE && !search->is_garbage[root.object])
		root_add(search, &root);
}

static void add_range(struct root_search *search, struct root root, uint64_t start, uint64_t end,
		      void (*add)(struct root_search *, struct root, uint64_t))
{
	const uint8_t *bytes = reader_at(&search->reader, start, (size_t)(end - start));

	for (uint64_t i = 0; bytes && i + WORD <= end - start; i += WORD) {
		uint64_t value;

		memcpy(&value, bytes + i, sizeof(value));
		root.word = start + i;
		add(search, root, value & TAG_MASK);
	}
}

/* Calls a function for each thread of each interpreter. */
static void each_thread(struct root_search *search,
			void (*visit)(struct root_search *search, uint64_t thread))
{
	const struct runtime *runtime = search->runtime;
	const struct layout *layout = &runtime->layout;

	for (size_t i = 0; i < runtime->interpreter_count; i++) {
		uint64_t thread;

		reader_u64(&search->reader,
			   runtime->interpreters[i].address +
				   layout->PyInterpreterState_threads_head,
			   &thread);
		for (int j = 0; thread && j < THREADS_MAX; j++) {
			visit(search, thread);
			if (!reader_u64(&search->reader, thread + layout->PyThreadState_next,
					&thread))
				break;
		}
	}
}

/*
 * 3.11+: the frames on a thread's data stack. Of the newest chunk the thread state knows the top,
 * of those below `top` counts words of the data (Python/pystate.c push_chunk()).
 */
static void add_data_stack(struct root_search *search, uint64_t thread)
{
	const struct layout *layout = &search->runtime->layout;
	struct root root = {.kind = ROOT_FRAME, .thread = thread};
	uint64_t chunk, top, used, size;

	if (!reader_u64(&search->reader, thread + layout->PyThreadState_datastack_chunk, &chunk) ||
	    !reader_u64(&search->reader, thread + layout->PyThreadState_datastack_top, &top))
		return;
	for (int i = 0; chunk && i < CHUNKS_MAX; i++) {
		uint64_t start = chunk + layout->_PyStackChunk_data;

		if (!reader_u64(&search->reader, chunk + layout->_PyStackChunk_size, &size) ||
		    size > CHUNK_MAX || top < start || top > chunk + size)
			break;
		add_range(search, root, start, top, add_strong);
		if (!reader_u64(&search->reader, chunk + layout->_PyStackChunk_previous, &chunk) ||
		    !chunk ||
		    !reader_u64(&search->reader, chunk + layout->_PyStackChunk_top, &used) ||
		    used > CHUNK_MAX / WORD)
			break;
		top = chunk + layout->_PyStackChunk_data + used * WORD;
	}
}

static void add_frames(struct root_search *search, uint64_t thread)
{
	const struct layout *layout = &search->runtime->layout;
	uint64_t word = thread + layout->PyThreadState_frame;

	if (layout_has(layout->PyThreadState_datastack_chunk))
		add_data_stack(search, thread);
	else if (layout_has(layout->PyThreadState_frame))
		add_range(search, (struct root){.kind = ROOT_FRAME, .thread = thread}, word,
			  word + WORD, add_strong);
}

static void add_named(struct root_search *search, enum root_kind kind, uint64_t word,
		      const char *name)
{
	add_range(search, (struct root){.kind = (uint8_t)kind, .name = name}, word, word + WORD,
		  add_strong);
}

void roots_of_interpreters(struct root_search *search)
{
	const struct runtime *runtime = search->runtime;
	const struct layout *layout = &runtime->layout;

	for (size_t i = 0; i < runtime->interpreter_count; i++)
		add_named(search, ROOT_MODULES,
			  runtime->interpreters[i].address + layout->PyInterpreterState_modules,
			  "sys.modules");
	for (size_t i = 0; i < runtime->interpreter_count; i++) {
		const struct interpreter *interpreter = &runtime->interpreters[i];

		add_named(search, ROOT_INTERPRETER,
			  interpreter->address + layout->PyInterpreterState_sysdict,
			  "sys.__dict__");
		add_named(search, ROOT_INTERPRETER,
			  interpreter->address + layout->PyInterpreterState_builtins,
			  "builtins.__dict__");
		add_named(search, ROOT_INTERPRETER, interpreter->gc + layout->gc_garbage,
			  "gc.garbage");
		add_named(search, ROOT_INTERPRETER, interpreter->gc + layout->gc_callbacks,
			  "gc.callbacks");
	}
	each_thread(search, add_frames);
}

static void add_thread_state(struct root_search *search, uint64_t thread)
{
	add_range(search, (struct root){.kind = ROOT_THREAD, .thread = thread}, thread,
		  thread + search->runtime->layout.PyThreadState_size, root_add_word);
}

/* Those that are no objects of the heap: the structs stand in the data of a module. */
static void add_static_types(struct root_search *search)
{
	struct type_cache *cache = search->runtime->types;

	for (uint32_t i = 0; i < type_count(cache); i++) {
		const struct type *type = type_by_index(cache, i);

		if (!(type->flags & TPFLAGS_HEAPTYPE) &&
		    objects_find(search->objects, type->address) == HEAP_NONE)
			add_range(search, (struct root){.kind = ROOT_TYPE}, type->address,
				  type->address + search->runtime->layout.PyTypeObject_size,
				  root_add_word);
	}
}

static void add_interned(struct root_search *search)
{
	const struct objects *objects = search->objects;

	for (size_t i = 0; i < objects->interned_count; i++) {
		struct dict_view view;

		if (!dict_open(search->runtime, &search->reader,
			       objects->addresses[objects->interned[i]], &view) ||
		    view.values)
			continue;
		for (uint64_t j = 0; j < view.count; j++) {
			uint64_t key, value, slot;

			if (dict_entry(&search->reader, &view, j, &key, &value, &slot) && key)
				root_add_word(search,
					      (struct root){.kind = ROOT_INTERNED, .word = slot},
					      key);
		}
	}
}

void roots_of_state(struct root_search *search)
{
	const struct runtime *runtime = search->runtime;

	for (size_t i = 0; i < runtime->interpreter_count; i++) {
		uint64_t start = runtime->interpreters[i].address;

		add_range(search, (struct root){.kind = ROOT_STATE}, start,
			  start + runtime->layout.PyInterpreterState_size, root_add_word);
	}
	each_thread(search, add_thread_state);
	add_static_types(search);
	add_interned(search);
}

uint64_t root_data_chunk(const struct runtime *runtime, struct reader *reader, uint64_t thread,
			 uint64_t address)
{
	const struct layout *layout = &runtime->layout;
	uint64_t at = thread + layout->PyThreadState_datastack_chunk, chunk, size;

	for (int i = 0; i < CHUNKS_MAX; i++) {
		if (!reader_u64(reader, at, &chunk) || !chunk ||
		    !reader_u64(reader, chunk + layout->_PyStackChunk_size, &size))
			break;
		if (address - chunk < size)
			return chunk;
		at = chunk + layout->_PyStackChunk_previous;
	}
	return 0;
}
