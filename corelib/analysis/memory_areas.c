/* Finds arenas, heaps, stacks and .bss. */
#include "analysis/memory_areas.h"

#include "analysis/data_stack.h"

#include <elf.h>
#include <stdlib.h>

enum { PAGE = 4096, RED_ZONE = 128, PTHREAD_SIZE = 0x1000, BSS_MAX = 1 << 30 };

/* Heaps of other arenas than the main one are aligned to their greatest size (malloc/arena.c). */
#define HEAP_MAX  (UINT64_C(64) << 20)
#define STACK_MAX (UINT64_C(1) << 36)

static void add(struct areas *areas, struct area area)
{
	if (area.start >= area.end)
		return;
	if (areas->count == areas->capacity) {
		size_t capacity = areas->capacity ? areas->capacity * 2 : 256;
		struct area *items = reallocarray(areas->items, capacity, sizeof(*items));

		if (!items) {
			areas->failed = true;
			return;
		}
		areas->items = items;
		areas->capacity = capacity;
	}
	areas->items[areas->count++] = area;
}

static void add_arenas(const struct pymalloc *pymalloc, struct areas *areas)
{
	for (size_t i = 0; i < pymalloc->arena_count; i++) {
		const struct pymalloc_arena *arena = &pymalloc->arenas[i];
		uint64_t end = arena->start + pymalloc_arena_size(pymalloc);

		add(areas, (struct area){.start = arena->start,
					 .end = end > arena->end ? end : arena->end,
					 .inner = arena->end,
					 .owner = AREA_ARENA});
	}
}

/* A heap begins with its own header where the mapping is aligned to the size of heaps. */
static uint64_t heap_start(const struct malloc_range *range)
{
	uint64_t start = range->start & ~(HEAP_MAX - 1);

	return range->start - start <= PAGE ? start : range->start;
}

static void add_heaps(const struct malloc_heaps *heaps, struct areas *areas)
{
	for (size_t i = 0; i < heaps->range_count; i++)
		add(areas, (struct area){.start = heap_start(&heaps->ranges[i]),
					 .end = heaps->ranges[i].end,
					 .inner = heaps->ranges[i].start,
					 .owner = AREA_HEAP});
	/* Without an arena of glibc what looks like such a chunk is something else. */
	for (size_t i = 0; heaps->arenas && i < heaps->mapped_count; i++)
		add(areas, (struct area){.start = heaps->mapped[i].start,
					 .end = heaps->mapped[i].end,
					 .inner = heaps->mapped[i].start,
					 .owner = AREA_MAPPED});
}

static bool in_heap(const struct malloc_heaps *heaps, uint64_t address)
{
	for (size_t i = 0; i < heaps->range_count; i++)
		if (address >= heaps->ranges[i].start && address < heaps->ranges[i].end)
			return true;
	return false;
}

/*
 * A thread's struct pthread, at its thread pointer, holds start and size of its stack side by side
 * (glibc: stackblock, stackblock_size; musl: map_base, map_size), and lies in it itself.
 */
static bool find_thread_stack(struct reader *reader, const struct target_thread *thread,
			      struct area *area)
{
	uint64_t pthread = thread->registers.fs_base, top = thread->registers.rsp;

	for (uint64_t at = pthread; at < pthread + PTHREAD_SIZE; at += 8) {
		uint64_t start, size;

		if (!reader_u64(reader, at, &start) || !reader_u64(reader, at + 8, &size))
			return false;
		if (start % PAGE || !start || size % PAGE || size > STACK_MAX ||
		    pthread - start >= size || top - start >= size)
			continue;
		area->start = start;
		area->end = start + size;
		return true;
	}
	return false;
}

/* The mapping of a stack, where the thread does not tell. */
static bool find_stack_mapping(const struct objects *objects, uint64_t top, struct area *area)
{
	const struct target *target = objects->heap->runtime->target;
	const struct mapping *mapping = mappings_at(&target->mappings, top);

	if (!mapping || in_heap(objects->malloc_heaps, top) ||
	    pymalloc_arena_at(objects->pymalloc, top) ||
	    (mapping->path && strcmp(mapping->path, "[stack]")))
		return false;
	area->start = mapping->start;
	area->end = mapping->end;
	return true;
}

static void add_stacks(struct objects *objects, struct areas *areas)
{
	const struct target *target = objects->heap->runtime->target;
	const struct mappings *mappings = &target->mappings;

	for (size_t i = 0; i < target->thread_count; i++) {
		uint64_t top = target->threads[i].registers.rsp;
		struct area area = {.inner = top - RED_ZONE, .owner = AREA_STACK};

		if (!top ||
		    (!find_thread_stack(&objects->heap->reader, &target->threads[i], &area) &&
		     !find_stack_mapping(objects, top, &area)))
			continue;
		areas->stacks++;
		add(areas, area);
	}
	/* Without registers, that of the first thread still has a name. */
	for (size_t i = 0; !areas->stacks && i < mappings->count; i++)
		if (mappings->items[i].path && !strcmp(mappings->items[i].path, "[stack]"))
			add(areas, (struct area){.start = mappings->items[i].start,
						 .end = mappings->items[i].end,
						 .inner = mappings->items[i].start,
						 .owner = AREA_STACK});
}

static bool add_frames(void *context, const struct data_chunk *chunk)
{
	struct areas *areas = context;

	/* Whatever stands in front of the frames is on the same page. */
	add(areas, (struct area){.start = chunk->start & ~(uint64_t)(PAGE - 1),
				 .end = chunk->limit,
				 .inner = chunk->start,
				 .owner = AREA_FRAMES});
	return !areas->failed;
}

static void add_bss(const struct target *target, struct areas *areas)
{
	for (size_t i = 0; target->modules && i < target->modules->count; i++) {
		const struct module *module = &target->modules->items[i];
		uint64_t end = modules_data_end(target->modules, module);

		end = (end + PAGE - 1) & ~(uint64_t)(PAGE - 1);
		if (end > module->end && end - module->end < BSS_MAX)
			add(areas, (struct area){.start = module->end,
						 .end = end,
						 .path = module->path,
						 .owner = AREA_BSS});
	}
}

static int compare_areas(const void *left, const void *right)
{
	const struct area *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (int)a->owner - (int)b->owner;
}

struct error *areas_find(struct objects *objects, struct areas *areas)
{
	*areas = (struct areas){0};
	add_arenas(objects->pymalloc, areas);
	add_heaps(objects->malloc_heaps, areas);
	add_stacks(objects, areas);
	data_stacks_walk(objects->heap, add_frames, areas);
	add_bss(objects->heap->runtime->target, areas);
	if (areas->failed) {
		areas_clear(areas);
		return &error_no_memory;
	}
	if (areas->count)
		qsort(areas->items, areas->count, sizeof(*areas->items), compare_areas);
	return NULL;
}

void areas_clear(struct areas *areas)
{
	free(areas->items);
	*areas = (struct areas){0};
}
