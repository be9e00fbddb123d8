/*
 * CPython's free lists that are arrays (Objects/listobject.c, dictobject.c, up to 3.13): behind the
 * entries in use stand old ones, which look like references. And the tables of dicts on such a list
 * are blocks in use, full of what they last held.
 */
#include "analysis/block.h"
#include "analysis/census.h"
#include "analysis/dying.h"

#include <elf.h>

enum { WORD = 8, SLOTS_MAX = 80, GONE_MIN = 2, GONE_SURE = 4, BSS_MAX = 16 << 20 };

/* Three dicts, behind which nothing is in use, also stand in PyInterpreterState: dict, sysdict_copy
 * and builtins_copy (3.12+, Include/internal/pycore_interp.h). */
enum { FILLED_MIN = 4 };

/* Tables on the free list have eight slots, each a byte (PyDict_MINSIZE). */
enum { FREE_KEYS_SLOTS = 8 };

static bool in_pymalloc(const struct objects *objects, uint64_t value)
{
	return value && !(value & 15) && pymalloc_arena_at(objects->pymalloc, value);
}

/* Does a word of static data point at what is on a free list, or was there and is freed? */
static bool is_gone(const struct objects *objects, uint64_t value)
{
	return in_pymalloc(objects, value) && objects_find(objects, value) == HEAP_NONE &&
	       (dying_dead_at(objects, value) || block_at(objects, value).is_free);
}

/* A live list or dict, which is what such arrays are for: 'l' or 'd', or 0. */
static char list_or_dict(const struct objects *objects, uint64_t value)
{
	uint32_t object = objects_find(objects, value);
	const struct type *type;

	if (object == HEAP_NONE || objects->types[object] == HEAP_NONE)
		return 0;
	type = type_by_index(objects->heap->runtime->types, objects->types[object]);
	if (!strcmp(type->name, "list"))
		return 'l';
	return strcmp(type->name, "dict") ? 0 : 'd';
}

/*
 * Where an array ends that has no entry in use: pointers to one type only, or to what is gone, then
 * entries that were never used, and a counter that is 0 (3.10+, struct _Py_list_state).
 */
static uint64_t idle_array_end(const struct objects *objects, struct reader *reader, uint64_t at)
{
	uint64_t value, filled = 0;
	char type = 0;

	if (reader_u64(reader, at - WORD, &value) && in_pymalloc(objects, value))
		return 0;
	for (uint64_t i = 0; i < SLOTS_MAX; i++) {
		char entry;

		if (!reader_u64(reader, at + i * WORD, &value))
			return 0;
		if (!value)
			continue;
		entry = list_or_dict(objects, value);
		if (filled != i || (!entry && !is_gone(objects, value)) ||
		    (entry && type && entry != type))
			return 0;
		type = entry ? entry : type;
		filled++;
	}
	if (filled < FILLED_MIN || !reader_u64(reader, at + SLOTS_MAX * WORD, &value) ||
	    (uint32_t)value)
		return 0;
	return at + filled * WORD;
}

/*
 * Where an array ends whose first entry points at what is gone. Behind the entries in use stand
 * those of objects that were taken from it since; their memory may be anything by now, which is
 * believed after a few that are gone. Behind the array there is a counter, or another symbol.
 */
static uint64_t array_end(const struct objects *objects, struct reader *reader, uint64_t at)
{
	struct modules *modules = objects->heap->runtime->target->modules;
	uint64_t value, end = at + SLOTS_MAX * WORD;
	struct symbol symbol;
	int gone = 0;

	if (modules_symbol_at(modules, at, &symbol) && symbol.size &&
	    end > symbol.address + symbol.size)
		end = symbol.address + symbol.size;
	for (; at < end && reader_u64(reader, at, &value); at += WORD) {
		if (!in_pymalloc(objects, value))
			break;
		if (is_gone(objects, value))
			gone++;
		else if (gone < GONE_SURE && !list_or_dict(objects, value))
			break;
	}
	/* One alone is a pointer that somebody forgot, among others that count. */
	return gone >= GONE_MIN ? at : 0;
}

/*
 * The table of a dict that nobody uses: dk_refcnt is 0, and what follows makes sense for a small
 * one. Tables are raw blocks.
 */
static bool is_free_keys(const struct objects *objects, struct reader *reader, uint64_t address)
{
	const struct pymalloc_pool *pool = pymalloc_pool_at(objects->pymalloc, address);
	struct dict_view view;
	uint64_t refcount;

	return pool && reader_u64(reader, address, &refcount) && !refcount &&
	       dict_open_keys(objects->heap->runtime, reader, address, &view) &&
	       view.entries == address +
				       objects->heap->runtime->layout.PyDictKeysObject_dk_indices +
				       FREE_KEYS_SLOTS;
}

static bool mark_keys(const struct objects *objects, struct reader *reader, uint64_t address,
		      struct word_map *dead)
{
	struct block block;

	if (!is_free_keys(objects, reader, address))
		return true;
	block = block_at(objects, address);
	if (block.is_free || block.object != HEAP_NONE ||
	    address != block.start + objects->debug_offset)
		return true;
	return word_map_fill(dead, block.start, block.end, true);
}

/* Where an array ends that begins here; 0: none does. From 3.14 on the lists are linked. */
static uint64_t find_array(const struct objects *objects, struct reader *reader, uint64_t at,
			   uint64_t value)
{
	if (layout_has(objects->heap->runtime->layout.PyObject_ob_flags))
		return 0;
	if (is_gone(objects, value))
		return array_end(objects, reader, at);
	return list_or_dict(objects, value) ? idle_array_end(objects, reader, at) : 0;
}

static bool mark_range(const struct objects *objects, struct reader *reader, uint64_t start,
		       uint64_t end, struct word_map *dead)
{
	for (uint64_t at = start; at + WORD <= end;) {
		uint64_t value, end, next = at + WORD;

		if (!reader_u64(reader, at, &value))
			return true;
		end = find_array(objects, reader, at, value);
		if (end) {
			next = end;
			if (!word_map_fill(dead, at, next, true))
				return false;
		} else if (value && !(value & 15) && !mark_keys(objects, reader, value, dead)) {
			return false;
		}
		at = next;
	}
	return true;
}

/* The module's end with its .bss, which the list of mappings of a process shows as anonymous. */
static uint64_t data_end(const struct image *image, const struct module *module)
{
	const struct segment *segment = image_segment(image, module->end);

	if (!segment || !(segment->flags & PF_W) || segment->end - module->end > BSS_MAX)
		return module->end;
	return segment->end;
}

/* 3.10 has the lists in PyInterpreterState, which malloc handed out up to there. */
static bool mark_interpreters(const struct objects *objects, struct reader *reader,
			      struct word_map *dead)
{
	const struct runtime *runtime = objects->heap->runtime;
	uint32_t size = runtime->layout.PyInterpreterState_size;

	for (size_t i = 0; i < runtime->interpreter_count; i++)
		if (layout_has(size) &&
		    !mark_range(objects, reader, runtime->interpreters[i].address,
				runtime->interpreters[i].address + size, dead))
			return false;
	return true;
}

bool census_mark_free_lists(struct objects *objects, struct word_map *dead)
{
	const struct runtime *runtime = objects->heap->runtime;
	const struct image *image = runtime->target->image;
	const struct module *module = runtime->module;
	struct reader *reader = &objects->heap->reader;

	uint64_t limit = module ? data_end(image, module) : 0;

	for (size_t i = 0; module && i < image->segment_count; i++) {
		const struct segment *segment = &image->segments[i];
		uint64_t start = segment->start, end = segment->end;

		if (!(segment->flags & PF_W) || end <= module->start || start >= limit)
			continue;
		start = start < module->start ? module->start : start;
		end = end > limit ? limit : end;
		if (!mark_range(objects, reader, (start + WORD - 1) & ~(uint64_t)(WORD - 1), end,
				dead))
			return false;
	}
	return mark_interpreters(objects, reader, dead);
}
