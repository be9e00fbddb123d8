/*
 * CPython's free lists that are arrays (Objects/listobject.c, dictobject.c, up to 3.13): behind the
 * entries in use stand old ones, which look like references. And the tables of dicts on such a list
 * are blocks in use, full of what they last held.
 */
#include "analysis/block.h"
#include "analysis/census.h"

#include <elf.h>

enum { WORD = 8, SLOTS_MAX = 80, BSS_MAX = 16 << 20 };

/* Tables on the free list have eight slots, each a byte (PyDict_MINSIZE). */
enum { FREE_KEYS_SLOTS = 8 };

/* What an entry of such an array points at. */
enum entry { ENTRY_OTHER, ENTRY_GONE, ENTRY_LIST, ENTRY_DICT };

static bool is_free_listed(const struct objects *objects, uint64_t address)
{
	size_t low = 0, high = objects->dead_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (objects->dead[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < objects->dead_count && objects->dead[low].address == address;
}

/* Lists and dicts are what has such arrays. */
static enum entry read_entry(const struct objects *objects, uint64_t value)
{
	uint32_t object;
	const struct type *type;

	if (!value || value & 15 || !pymalloc_arena_at(objects->pymalloc, value))
		return ENTRY_OTHER;
	object = objects_find(objects, value);
	if (object == HEAP_NONE)
		return is_free_listed(objects, value) || block_at(objects, value).is_free
			       ? ENTRY_GONE
			       : ENTRY_OTHER;
	type = objects->types[object] == HEAP_NONE
		       ? NULL
		       : type_by_index(objects->heap->runtime->types, objects->types[object]);
	if (!type || (type->flags & TPFLAGS_HEAPTYPE))
		return ENTRY_OTHER;
	if (!strcmp(type->name, "list"))
		return ENTRY_LIST;
	return strcmp(type->name, "dict") ? ENTRY_OTHER : ENTRY_DICT;
}

/*
 * Where an array ends whose first entry points at what is gone. Behind the entries in use stand
 * those of objects that were taken from it since, and may be anything but of another type.
 */
static uint64_t array_end(const struct objects *objects, struct reader *reader, uint64_t at)
{
	enum entry type = ENTRY_GONE;
	uint64_t value;

	for (int i = 0; i < SLOTS_MAX && reader_u64(reader, at, &value); i++, at += WORD) {
		enum entry entry = read_entry(objects, value);

		if (entry == ENTRY_OTHER ||
		    (entry != ENTRY_GONE && type != ENTRY_GONE && entry != type))
			break;
		if (entry != ENTRY_GONE)
			type = entry;
	}
	return at;
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

static bool mark_range(const struct objects *objects, struct reader *reader, uint64_t start,
		       uint64_t end, struct word_map *dead)
{
	for (uint64_t at = start; at + WORD <= end;) {
		uint64_t value, next = at + WORD;

		if (!reader_u64(reader, at, &value))
			return true;
		if (read_entry(objects, value) == ENTRY_GONE) {
			next = array_end(objects, reader, at);
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
	return true;
}
