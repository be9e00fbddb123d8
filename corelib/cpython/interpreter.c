/*
 * The interpreters of a runtime and the state of their collectors (struct _gc_runtime_state). Every
 * list is checked before anything relies on it.
 */
#include "cpython/runtime_private.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	INTERPRETERS_MAX = 65536,
	THREADS_MAX = 1 << 20,
	SAMPLE_OBJECTS = 64,
	GENERATIONS_OFFSET_MAX = 64,
};

/* Both low bits of the links may be flags; heads carry none (pycore_gc.h). */
#define GC_LINK_MASK (~UINT64_C(3))

static bool read_link(struct reader *reader, uint64_t address, uint64_t *value)
{
	bool ok = reader_u64(reader, address, value);

	*value &= GC_LINK_MASK;
	return ok;
}

/* Does the dump lack this address, which the process had mapped? Then nothing speaks against it. */
static bool is_missing(const struct reader *reader, uint64_t address)
{
	return image_hole(reader->image, address) != NULL;
}

/* Does a neighbour's link lead back to the head? */
static bool leads_back(struct reader *reader, uint64_t neighbour, uint32_t link, uint64_t head)
{
	uint64_t back;

	if (!read_link(reader, neighbour + link, &back))
		return is_missing(reader, neighbour + link);
	return back == head;
}

/* A head whose neighbours point back at it. While the collector runs, _gc_prev is not a link. */
static bool head_closes(const struct layout *layout, struct reader *reader, uint64_t head,
			bool collecting)
{
	uint64_t next, prev, back;

	if (!read_link(reader, head + layout->PyGC_Head__gc_next, &next) ||
	    !read_link(reader, head + layout->PyGC_Head__gc_prev, &prev))
		return false;
	if (collecting)
		return reader_u64(reader, next, &back) || is_missing(reader, next);
	return leads_back(reader, next, layout->PyGC_Head__gc_prev, head) &&
	       leads_back(reader, prev, layout->PyGC_Head__gc_next, head);
}

static bool has_type(const struct runtime *runtime, struct reader *reader, uint64_t object)
{
	struct object_header header;

	if (!object_header(runtime, reader, object, &header))
		return is_missing(reader, object);
	return type_get(runtime->types, reader, header.type) || is_missing(reader, header.type);
}

/* The first objects of a list must have types. What a truncated dump lacks ends the look. */
static bool sample_list(const struct runtime *runtime, struct reader *reader, uint64_t head)
{
	const struct layout *layout = &runtime->layout;
	uint64_t at = head, next;

	for (int i = 0; i < SAMPLE_OBJECTS; i++) {
		if (!read_link(reader, at + layout->PyGC_Head__gc_next, &next))
			return is_missing(reader, at);
		if (next == head)
			return true;
		at = next;
		if (!has_type(runtime, reader, at + layout->PyGC_Head_size))
			return false;
	}
	return true;
}

/*
 * Distributions change the alignment of PyGC_Head, and with it where `generations` is; generation0,
 * where there is one, always points at its first element.
 */
static uint64_t generations_address(const struct runtime *runtime, struct reader *reader,
				    uint64_t gc)
{
	const struct layout *layout = &runtime->layout;
	uint64_t first;

	if (layout_has(layout->gc_generation0) &&
	    reader_u64(reader, gc + layout->gc_generation0, &first) && first > gc &&
	    first - gc <= GENERATIONS_OFFSET_MAX)
		return first;
	return gc + layout->gc_generations;
}

static int32_t read_int(struct reader *reader, uint64_t address)
{
	uint32_t value;

	reader_u32(reader, address, &value);
	return (int32_t)value;
}

/*
 * gc.get_stats(): an array in the struct up to 3.14; 3.15 has a pointer to ring buffers, one for
 * the young and two for the old generations, whose `index` tells the newest element.
 */
static uint64_t stats_address(const struct layout *layout, struct reader *reader, uint64_t gc,
			      int generation)
{
	uint64_t buffer, stats = gc + layout->gc_generation_stats;
	uint8_t index;

	if (!layout_has(layout->gc_young_stats_buffer_size))
		return stats + (uint64_t)generation * layout->gc_generation_stats_size;
	if (!reader_u64(reader, stats, &buffer))
		return 0;
	if (generation)
		buffer += layout->gc_young_stats_buffer_size +
			  (uint64_t)(generation - 1) * layout->gc_old_stats_buffer_size;
	if (!reader_u8(reader,
		       buffer + (generation ? layout->gc_old_stats_buffer_index
					    : layout->gc_young_stats_buffer_index),
		       &index))
		return 0;
	return buffer + (uint64_t)index * layout->gc_generation_stats_size;
}

static void read_stats(const struct layout *layout, struct reader *reader, uint64_t gc, int number,
		       struct generation *generation)
{
	uint64_t stats, collections, collected, uncollectable;

	generation->collections = generation->collected = generation->uncollectable = -1;
	if (!layout_has(layout->gc_generation_stats_collections))
		return;
	stats = stats_address(layout, reader, gc, number);
	if (!stats ||
	    !reader_u64(reader, stats + layout->gc_generation_stats_collections, &collections) ||
	    !reader_u64(reader, stats + layout->gc_generation_stats_collected, &collected) ||
	    !reader_u64(reader, stats + layout->gc_generation_stats_uncollectable, &uncollectable))
		return;
	generation->collections = (int64_t)collections;
	generation->collected = (int64_t)collected;
	generation->uncollectable = (int64_t)uncollectable;
}

static void read_generations(const struct runtime *runtime, struct reader *reader,
			     struct interpreter *interpreter)
{
	const struct layout *layout = &runtime->layout;
	uint64_t first = generations_address(runtime, reader, interpreter->gc);

	for (int i = 0; i < GENERATION_COUNT; i++) {
		struct generation *generation = &interpreter->generations[i];

		generation->head = first + (uint64_t)i * layout->gc_generation_size;
		generation->threshold =
			read_int(reader, generation->head + layout->gc_generation_threshold);
		generation->count =
			read_int(reader, generation->head + layout->gc_generation_count);
		read_stats(layout, reader, interpreter->gc, i, generation);
	}
	interpreter->generations[GENERATION_PERMANENT] = (struct generation){
		.head = interpreter->gc + layout->gc_permanent_generation,
		.collections = -1,
		.collected = -1,
		.uncollectable = -1,
	};
}

static size_t count_threads(const struct layout *layout, struct reader *reader,
			    uint64_t interpreter)
{
	uint64_t at;
	size_t count = 0;

	reader_u64(reader, interpreter + layout->PyInterpreterState_threads_head, &at);
	while (at && count < THREADS_MAX) {
		count++;
		if (!reader_u64(reader, at + layout->PyThreadState_next, &at))
			break;
	}
	return count;
}

static struct error *read_one(struct runtime *runtime, struct reader *reader, uint64_t address,
			      struct interpreter *interpreter)
{
	const struct layout *layout = &runtime->layout;
	uint64_t id;

	*interpreter = (struct interpreter){.address = address};
	if (!reader_u64(reader, address + layout->PyInterpreterState_id, &id) ||
	    !reader_u64(reader, address + layout->PyInterpreterState_modules,
			&interpreter->modules) ||
	    !reader_u64(reader, address + layout->PyInterpreterState_sysdict,
			&interpreter->sysdict) ||
	    !reader_u64(reader, address + layout->PyInterpreterState_builtins,
			&interpreter->builtins))
		return error_create_at(ERROR_NOT_PYTHON, address,
				       "the memory of an interpreter is not there");
	interpreter->id = (int64_t)id;
	interpreter->gc = layout_has(layout->PyRuntime_gc)
				  ? runtime->address + layout->PyRuntime_gc
				  : address + layout->PyInterpreterState_gc;
	interpreter->gc_enabled = read_int(reader, interpreter->gc + layout->gc_enabled) != 0;
	interpreter->collecting = read_int(reader, interpreter->gc + layout->gc_collecting) != 0;
	reader_u64(reader, interpreter->gc + layout->gc_garbage, &interpreter->garbage);
	interpreter->thread_count = count_threads(layout, reader, address);
	read_generations(runtime, reader, interpreter);
	for (int i = 0; i < GENERATION_LISTS; i++) {
		uint64_t head = interpreter->generations[i].head;

		if (!head_closes(layout, reader, head, interpreter->collecting) ||
		    !sample_list(runtime, reader, head))
			return error_create_at(ERROR_NOT_PYTHON, head,
					       "the collector's list %d of interpreter %" PRId64
					       " does not hold together",
					       i, interpreter->id);
	}
	return NULL;
}

static int compare_ids(const void *left, const void *right)
{
	const struct interpreter *a = left, *b = right;

	return (a->id > b->id) - (a->id < b->id);
}

/* The runtime's list begins with the newest; the main interpreter, 0, is the oldest. */
static void sort_interpreters(struct runtime *runtime)
{
	if (runtime->interpreter_count)
		qsort(runtime->interpreters, runtime->interpreter_count,
		      sizeof(*runtime->interpreters), compare_ids);
	for (size_t i = 0; i < runtime->interpreter_count; i++)
		runtime->interpreters[i].shares_gc =
			layout_has(runtime->layout.PyRuntime_gc) && i > 0;
}

struct error *interpreters_read(struct runtime *runtime, struct reader *reader)
{
	uint64_t at;

	runtime->interpreter_count = 0;
	if (!reader_u64(reader, runtime->address + runtime->layout.PyRuntime_interpreters_head,
			&at))
		return error_create_at(ERROR_NOT_PYTHON, runtime->address,
				       "the memory of _PyRuntime is not there");
	if (!at)
		return error_create_at(ERROR_NOT_PYTHON, runtime->address,
				       "no interpreter is initialised in _PyRuntime");
	while (at && runtime->interpreter_count < INTERPRETERS_MAX) {
		struct interpreter *grown = realloc(
			runtime->interpreters, (runtime->interpreter_count + 1) * sizeof(*grown));
		struct error *err;

		if (!grown)
			return &error_no_memory;
		runtime->interpreters = grown;
		err = read_one(runtime, reader, at, &grown[runtime->interpreter_count]);
		if (err)
			return err;
		runtime->interpreter_count++;
		if (!reader_u64(reader, at + runtime->layout.PyInterpreterState_next, &at))
			break;
	}
	sort_interpreters(runtime);
	return NULL;
}
