/* Looks into each area, block by block. */
#include "analysis/memory_map.h"

#include "analysis/memory_areas.h"
#include "analysis/memory_paint.h"

#include <stdlib.h>

/* An arena of which less than this share is in use is nearly empty: one tenth. */
enum { NEARLY_EMPTY = 10 };

/* One mapping. */
struct mapping_work {
	struct objects *objects;
	struct memory_map *map;
	struct painter painter;
	struct areas areas;
	struct raw_blocks raw;
	struct block_cursor cursor;
	uint64_t *dead; /* starts of blocks on CPython's free lists, sorted */
	size_t dead_next;
	uint32_t raw_next;
	size_t pool_next, chunk_next;
};

/** The kinds that a block in use can have, by where it is. */
static const struct {
	enum memory_kind object, storage, raw, free;
} kinds_of_blocks[] = {
	[AREA_ARENA] = {MEMORY_OBJECT_POOL, MEMORY_STORAGE_POOL, MEMORY_POOL_RAW, MEMORY_FREE_POOL},
	[AREA_HEAP] = {MEMORY_OBJECT_MALLOC, MEMORY_STORAGE_MALLOC, MEMORY_MALLOC_RAW,
		       MEMORY_FREE_MALLOC},
	[AREA_MAPPED] = {MEMORY_OBJECT_MAPPED, MEMORY_STORAGE_MAPPED, MEMORY_MALLOC_MAPPED,
			 MEMORY_FREE_MALLOC},
};

/* What a block in use is. Blocks come in order of address. */
static enum memory_kind block_kind(struct mapping_work *work, enum area_owner owner, uint64_t start,
				   uint64_t end)
{
	const struct raw_blocks *raw = &work->raw;

	if (block_cursor_object(&work->cursor, start, end) != HEAP_NONE)
		return kinds_of_blocks[owner].object;
	while (work->dead_next < work->objects->dead_count && work->dead[work->dead_next] < start)
		work->dead_next++;
	if (work->dead_next < work->objects->dead_count && work->dead[work->dead_next] < end)
		return kinds_of_blocks[owner].free;
	while (work->raw_next < raw->count && raw->items[work->raw_next].start < start)
		work->raw_next++;
	if (work->raw_next < raw->count && raw->items[work->raw_next].start == start &&
	    raw->owned[work->raw_next])
		return kinds_of_blocks[owner].storage;
	return kinds_of_blocks[owner].raw;
}

/*
 * pymalloc
 */

static void count_pool(struct memory_map *map, const struct pymalloc_pool *pool, uint32_t capacity)
{
	struct memory_class *class =
		&map->arenas.classes[pool->block_size / PYMALLOC_ALIGNMENT - 1];

	class->pools++;
	class->used += pool->used;
	class->free += capacity - pool->used;
	map->arenas.used += (uint64_t)pool->used * pool->block_size;
}

static void paint_pool(struct mapping_work *work, const struct pymalloc_pool *pool)
{
	struct painter *painter = &work->painter;
	uint64_t size = work->objects->pymalloc->pool_size, at = pool->address + pool->first;
	uint32_t capacity = (uint32_t)(size - pool->first) / pool->block_size, carved, count = 0;
	enum memory_kind kind = MEMORY_POOL_FREE;
	uint8_t is_free[PYMALLOC_BLOCKS_MAX];

	paint(painter, pool->address, MEMORY_POOL_EMPTY);
	paint(painter, at, MEMORY_POOL_HEADER);
	pymalloc_free_blocks(pool, &work->objects->heap->reader, is_free);
	carved = pymalloc_block_count(pool);
	/* Neighbours are mostly of one kind: they are painted together. */
	for (uint32_t b = 0; b < capacity; b++, at += pool->block_size) {
		bool free = b >= carved || is_free[b];
		enum memory_kind next =
			free ? MEMORY_POOL_FREE
			     : block_kind(work, AREA_ARENA, at, at + pool->block_size);

		if (next != kind && count) {
			paint_blocks(painter, at, kind, count);
			count = 0;
		}
		kind = next;
		count++;
	}
	paint_blocks(painter, at, kind, count);
	paint(painter, pool->address + size, MEMORY_POOL_HEADER);
	count_pool(work->map, pool, capacity);
}

static void paint_arena(struct mapping_work *work, const struct area *area)
{
	const struct pymalloc *pymalloc = work->objects->pymalloc;
	struct memory_arenas *arenas = &work->map->arenas;
	uint64_t size = pymalloc->pool_size, before = arenas->used;

	if (area->start < work->painter.cursor)
		return;
	/* Pools are aligned, arenas need not be. */
	paint(&work->painter, (area->start + size - 1) & ~(size - 1), MEMORY_POOL_HEADER);
	while (work->pool_next < pymalloc->pool_count &&
	       pymalloc->pools[work->pool_next].address < area->start)
		work->pool_next++;
	while (work->pool_next < pymalloc->pool_count &&
	       pymalloc->pools[work->pool_next].address < area->inner)
		paint_pool(work, &pymalloc->pools[work->pool_next++]);
	paint(&work->painter, area->inner, MEMORY_POOL_EMPTY);
	paint(&work->painter, area->end, MEMORY_POOL_HEADER);
	arenas->count++;
	arenas->bytes += area->end - area->start;
	if (arenas->used - before < (area->end - area->start) / NEARLY_EMPTY) {
		arenas->nearly_empty++;
		arenas->pinned += area->end - area->start - (arenas->used - before);
	}
}

/* How few arenas the blocks in use would fill. */
static void count_needed(const struct pymalloc *pymalloc, struct memory_arenas *arenas)
{
	uint64_t pools = 0, per_arena;

	if (!pymalloc->pool_size)
		return;
	per_arena = pymalloc_arena_size(pymalloc) / pymalloc->pool_size;
	for (unsigned i = 0; i < PYMALLOC_CLASSES; i++) {
		struct memory_class *class = &arenas->classes[i];
		uint64_t blocks = class->pools ? (class->used + class->free) / class->pools : 1;

		class->needed_pools = (class->used + blocks - 1) / blocks;
		pools += class->needed_pools;
	}
	arenas->needed = (pools + per_arena - 1) / per_arena;
}

/*
 * malloc
 */

static enum memory_kind chunk_kind(struct mapping_work *work, const struct malloc_chunk *chunk)
{
	if (chunk->is_top)
		return MEMORY_MALLOC_TOP;
	if (chunk->is_free)
		return chunk->is_cached ? MEMORY_MALLOC_CACHED : MEMORY_MALLOC_FREE;
	return block_kind(work, AREA_HEAP, chunk->address, chunk->address + chunk->size);
}

static void paint_heap(struct mapping_work *work, const struct area *area)
{
	const struct malloc_heaps *heaps = work->objects->malloc_heaps;

	paint(&work->painter, area->inner, MEMORY_MALLOC_OWN);
	while (work->chunk_next < heaps->count &&
	       heaps->chunks[work->chunk_next].address < area->inner)
		work->chunk_next++;
	for (;
	     work->chunk_next < heaps->count && heaps->chunks[work->chunk_next].address < area->end;
	     work->chunk_next++) {
		const struct malloc_chunk *chunk = &heaps->chunks[work->chunk_next];
		/* The last word of a chunk in use is in the header of the next. */
		uint64_t end = chunk->address + chunk->size - 8;

		paint_block(&work->painter, chunk->address - MALLOC_HEADER,
			    end < area->end ? end : area->end, MEMORY_MALLOC_OWN,
			    chunk_kind(work, chunk));
	}
	paint(&work->painter, area->end, MEMORY_MALLOC_OWN);
}

static void paint_area(struct mapping_work *work, const struct area *area)
{
	struct painter *painter = &work->painter;

	painter->path = area->path;
	switch (area->owner) {
	case AREA_ARENA:
		paint_arena(work, area);
		break;
	case AREA_HEAP:
		paint_heap(work, area);
		break;
	case AREA_MAPPED:
		paint_block(painter, area->start, area->end, PAINT_REST,
			    block_kind(work, AREA_MAPPED, area->start + MALLOC_HEADER, area->end));
		break;
	case AREA_STACK:
		paint(painter, area->inner, MEMORY_STACK_UNUSED);
		paint_block(painter, area->inner, area->end, MEMORY_STACK_UNUSED,
			    MEMORY_STACK_USED);
		break;
	case AREA_FRAMES:
		paint_block(painter, area->start, area->end, PAINT_REST, MEMORY_FRAMES);
		break;
	case AREA_BSS:
		paint(painter, area->end, MEMORY_FILE_DATA);
		break;
	}
	painter->path = NULL;
}

static int compare_numbers(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static struct error *list_dead(struct mapping_work *work)
{
	const struct objects *objects = work->objects;

	work->dead = calloc(objects->dead_count + 1, sizeof(*work->dead));
	if (!work->dead)
		return &error_no_memory;
	for (size_t i = 0; i < objects->dead_count; i++)
		work->dead[i] = objects->dead[i].start;
	qsort(work->dead, objects->dead_count, sizeof(*work->dead), compare_numbers);
	return NULL;
}

/* Allocators whose heaps are not decoded, by the name of what is loaded. */
static const char *find_other_malloc(const struct target *target)
{
	static const struct {
		const char *file, *name;
	} others[] = {
		{"jemalloc", "jemalloc"}, {"tcmalloc", "tcmalloc"}, {"libmimalloc", "mimalloc"},
		{"ld-musl", "musl"},	  {"libhoard", "Hoard"},    {"libsnmalloc", "snmalloc"},
	};

	for (size_t m = 0; target->modules && m < target->modules->count; m++) {
		const char *slash = strrchr(target->modules->items[m].path, '/');

		for (size_t i = 0; slash && i < sizeof(others) / sizeof(others[0]); i++)
			if (strstr(slash, others[i].file))
				return others[i].name;
	}
	return NULL;
}

static struct error *paint_all(struct mapping_work *work, const struct progress *progress)
{
	for (size_t i = 0; i < work->areas.count; i++) {
		const struct area *area = &work->areas.items[i];
		struct error *err = progress_step(progress, "mapping memory", i, work->areas.count);

		if (err)
			return err;
		if (area->start > work->painter.cursor)
			paint(&work->painter, area->start, PAINT_REST);
		if (area->end > work->painter.cursor)
			paint_area(work, area);
	}
	paint_end(&work->painter);
	return work->painter.failed ? &error_no_memory : NULL;
}

static struct error *make(struct mapping_work *work, const struct progress *progress)
{
	struct target *target = work->objects->heap->runtime->target;
	struct memory_map *map = work->map;
	struct error *err = target_residency(target, &work->painter.residency);

	if (!err)
		err = raw_blocks_find(work->objects, progress, &work->raw);
	if (!err)
		err = list_dead(work);
	if (!err)
		err = areas_find(work->objects, &work->areas);
	if (err)
		return err;
	map->source = work->painter.residency->source;
	map->swapped = work->painter.residency->swapped;
	map->zeros = work->painter.residency->zeros;
	map->stacks = work->areas.stacks;
	map->broken_heaps = work->objects->malloc_heaps->broken;
	map->other_malloc = find_other_malloc(target);
	err = paint_all(work, progress);
	count_needed(work->objects->pymalloc, &map->arenas);
	return err;
}

struct error *memory_map_make(struct objects *objects, const struct progress *progress,
			      struct memory_map **result)
{
	struct mapping_work *work = calloc(1, sizeof(*work));
	struct memory_map *map = calloc(1, sizeof(*map));
	struct error *err = &error_no_memory;

	*result = NULL;
	if (work && map) {
		work->objects = objects;
		work->cursor.objects = objects;
		work->map = work->painter.map = map;
		work->painter.target = objects->heap->runtime->target;
		err = make(work, progress);
	}
	if (work) {
		raw_blocks_clear(&work->raw);
		areas_clear(&work->areas);
		free(work->dead);
	}
	free(work);
	if (err) {
		memory_map_free(map);
		return err;
	}
	*result = map;
	return NULL;
}

void memory_map_free(struct memory_map *map)
{
	if (!map)
		return;
	free(map->files);
	free(map->unknown);
	free(map);
}

struct memory_amount memory_map_sum(const struct memory_map *map, enum memory_kind first,
				    enum memory_kind last)
{
	struct memory_amount sum = {0};

	for (unsigned i = first; i <= last; i++) {
		sum.mapped += map->kinds[i].mapped;
		sum.resident += map->kinds[i].resident;
		sum.blocks += map->kinds[i].blocks;
	}
	return sum;
}
