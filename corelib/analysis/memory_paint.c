/* Counts bytes by kind, each once. */
#include "analysis/memory_paint.h"

#include <elf.h>
#include <stdlib.h>

/* Above the user half there is the kernel's. */
#define USER_END (UINT64_C(1) << 47)

/* How much of [start, end) is in memory; asked in order of address. */
static uint64_t resident_bytes(struct painter *painter, uint64_t start, uint64_t end)
{
	const struct residency *residency = painter->residency;
	uint64_t bytes = 0;

	while (painter->range < residency->count && residency->ranges[painter->range].end <= start)
		painter->range++;
	for (size_t i = painter->range; i < residency->count && residency->ranges[i].start < end;
	     i++) {
		const struct resident_range *range = &residency->ranges[i];

		bytes += (range->end < end ? range->end : end) -
			 (range->start > start ? range->start : start);
	}
	return bytes;
}

/* A core that names a file but has no segment for it does not tell its access rights. */
static uint32_t access_rights(const struct painter *painter, const struct mapping *mapping)
{
	const struct image *image = painter->target->image;
	const struct segment *segment;
	const struct hole *hole;

	if (mapping->flags_known)
		return mapping->flags;
	segment = image_segment(image, mapping->start);
	hole = segment ? NULL : image_hole(image, mapping->start);
	return segment ? segment->flags : hole ? hole->flags : mapping->flags;
}

static bool is_kernel(const struct mapping *mapping)
{
	return mapping->path && (!strncmp(mapping->path, "[v", 2));
}

static unsigned kind_of_mapping(const struct painter *painter, const struct mapping *mapping)
{
	uint32_t flags = access_rights(painter, mapping);

	if (is_kernel(mapping))
		return MEMORY_KERNEL;
	if (mapping->path && mapping->path[0] == '/') {
		if (!mapping_path_is_file(mapping->path) || (mapping->shared && (flags & PF_W)))
			return MEMORY_SHARED;
		if (flags & PF_X)
			return MEMORY_FILE_TEXT;
		return flags & PF_W ? MEMORY_FILE_DATA : MEMORY_FILE_CONSTANT;
	}
	return flags ? MEMORY_UNKNOWN : MEMORY_RESERVED;
}

static void add_amount(struct memory_amount *amount, uint64_t mapped, uint64_t resident)
{
	amount->mapped += mapped;
	amount->resident += resident;
}

/* Grows a list by one. @return false when out of memory */
static bool grow(struct painter *painter, void **items, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? *capacity * 2 : 64;
	void *grown;

	if (count < *capacity)
		return true;
	grown = reallocarray(*items, wanted, size);
	if (!grown) {
		painter->failed = true;
		return false;
	}
	*items = grown;
	*capacity = wanted;
	return true;
}

static void add_file(struct painter *painter, const char *path, unsigned kind, uint64_t mapped,
		     uint64_t resident)
{
	struct memory_map *map = painter->map;
	struct memory_file *file = map->file_count ? &map->files[map->file_count - 1] : NULL;

	if (!path)
		return;
	if (!file || strcmp(file->path, path)) {
		if (!grow(painter, (void **)&map->files, map->file_count, &painter->file_capacity,
			  sizeof(*map->files)))
			return;
		file = &map->files[map->file_count++];
		*file = (struct memory_file){.path = path};
	}
	add_amount(kind == MEMORY_FILE_TEXT	  ? &file->text
		   : kind == MEMORY_FILE_CONSTANT ? &file->constant
						  : &file->data,
		   mapped, resident);
}

static void add_unknown(struct painter *painter, uint64_t start, uint64_t end, uint64_t resident)
{
	struct memory_map *map = painter->map;
	struct memory_range *last =
		map->unknown_count ? &map->unknown[map->unknown_count - 1] : NULL;

	if (last && last->end == start) {
		last->end = end;
		last->resident += resident;
		return;
	}
	if (grow(painter, (void **)&map->unknown, map->unknown_count, &painter->unknown_capacity,
		 sizeof(*map->unknown)))
		map->unknown[map->unknown_count++] = (struct memory_range){start, end, resident};
}

/* A piece within one mapping. */
static void add_piece(struct painter *painter, const struct mapping *mapping, uint64_t start,
		      uint64_t end, unsigned kind)
{
	uint64_t resident = resident_bytes(painter, start, end);

	if (kind == PAINT_REST || !mapping->flags)
		kind = kind_of_mapping(painter, mapping);
	add_amount(&painter->map->kinds[kind], end - start, resident);
	add_amount(&painter->map->total, end - start, resident);
	if (kind >= MEMORY_FILE_TEXT && kind <= MEMORY_FILE_DATA)
		add_file(painter, painter->path ? painter->path : mapping->path, kind, end - start,
			 resident);
	else if (kind == MEMORY_UNKNOWN)
		add_unknown(painter, start, end, resident);
}

uint64_t paint(struct painter *painter, uint64_t end, unsigned kind)
{
	const struct mappings *mappings = &painter->target->mappings;
	uint64_t painted = 0;

	while (painter->cursor < end) {
		const struct mapping *mapping;
		uint64_t start, stop;

		while (painter->mapping < mappings->count &&
		       mappings->items[painter->mapping].end <= painter->cursor)
			painter->mapping++;
		if (painter->mapping == mappings->count)
			break;
		mapping = &mappings->items[painter->mapping];
		start = mapping->start > painter->cursor ? mapping->start : painter->cursor;
		stop = mapping->end < end ? mapping->end : end;
		if (start >= end || start >= USER_END)
			break;
		add_piece(painter, mapping, start, stop, kind);
		painted += stop - start;
		painter->cursor = stop;
	}
	if (painter->cursor < end)
		painter->cursor = end;
	return painted;
}

void paint_block(struct painter *painter, uint64_t start, uint64_t end, unsigned before,
		 unsigned kind)
{
	if (start > painter->cursor)
		paint(painter, start, before);
	paint_blocks(painter, end, kind, 1);
}

void paint_blocks(struct painter *painter, uint64_t end, unsigned kind, uint64_t count)
{
	if (paint(painter, end, kind))
		painter->map->kinds[kind].blocks += count;
}

static int compare_paths(const void *left, const void *right)
{
	const struct memory_file *a = left, *b = right;

	return strcmp(a->path, b->path);
}

static uint64_t file_size(const struct memory_file *file, bool resident)
{
	return resident ? file->text.resident + file->constant.resident + file->data.resident
			: file->text.mapped + file->constant.mapped + file->data.mapped;
}

static int compare_files(const void *left, const void *right)
{
	const struct memory_file *a = left, *b = right;

	for (int resident = 1; resident >= 0; resident--) {
		uint64_t one = file_size(a, resident), other = file_size(b, resident);

		if (one != other)
			return one > other ? -1 : 1;
	}
	return strcmp(a->path, b->path);
}

static int compare_ranges(const void *left, const void *right)
{
	const struct memory_range *a = left, *b = right;

	if (a->resident != b->resident)
		return a->resident > b->resident ? -1 : 1;
	if (a->end - a->start != b->end - b->start)
		return a->end - a->start > b->end - b->start ? -1 : 1;
	return a->start < b->start ? -1 : a->start > b->start;
}

static void join(struct memory_amount *amount, const struct memory_amount *more)
{
	add_amount(amount, more->mapped, more->resident);
}

void paint_end(struct painter *painter)
{
	struct memory_map *map = painter->map;
	size_t kept = 0;

	painter->path = NULL;
	paint(painter, USER_END, PAINT_REST);
	if (map->file_count)
		qsort(map->files, map->file_count, sizeof(*map->files), compare_paths);
	for (size_t i = 0; i < map->file_count; i++) {
		struct memory_file *file = &map->files[i];
		struct memory_file *last = kept ? &map->files[kept - 1] : NULL;

		if (!last || strcmp(last->path, file->path)) {
			map->files[kept++] = *file;
			continue;
		}
		join(&last->text, &file->text);
		join(&last->constant, &file->constant);
		join(&last->data, &file->data);
	}
	map->file_count = kept;
	if (kept)
		qsort(map->files, kept, sizeof(*map->files), compare_files);
	if (map->unknown_count)
		qsort(map->unknown, map->unknown_count, sizeof(*map->unknown), compare_ranges);
}
