/* Names of the kinds, and the line of the overview. */
#include "command/memory_report.h"

enum { BAR = 14 };

const struct memory_group memory_groups[] = {
	{"python", "Python objects", MEMORY_OBJECT_POOL, MEMORY_FRAMES},
	{"pymalloc", "pymalloc, not in objects", MEMORY_POOL_RAW, MEMORY_POOL_HEADER},
	{"malloc", "malloc, not in objects", MEMORY_MALLOC_RAW, MEMORY_MALLOC_OWN},
	{"stacks", "Thread stacks", MEMORY_STACK_USED, MEMORY_STACK_UNUSED},
	{"files", "Mapped files", MEMORY_FILE_TEXT, MEMORY_SHARED},
	{"rest", "The rest", MEMORY_KERNEL, MEMORY_UNKNOWN},
	{NULL, NULL, MEMORY_KINDS, MEMORY_KINDS},
};

static const struct memory_row rows[MEMORY_KINDS] = {
	{MEMORY_OBJECT_POOL, "objects_pooled", "in pymalloc's pools", "object"},
	{MEMORY_OBJECT_MALLOC, "objects_malloc", "in malloc, above 512 bytes", "object"},
	{MEMORY_OBJECT_MAPPED, "objects_mapped", "mapped by malloc", "object"},
	{MEMORY_STORAGE_POOL, "storage_pooled", "their tables in pools", "block"},
	{MEMORY_STORAGE_MALLOC, "storage_malloc", "their tables in malloc", "chunk"},
	{MEMORY_STORAGE_MAPPED, "storage_mapped", "their tables mapped", "chunk"},
	{MEMORY_FREE_POOL, "free_lists_pooled", "free lists, in pools", "object"},
	{MEMORY_FREE_MALLOC, "free_lists_malloc", "free lists, in malloc", "object"},
	{MEMORY_FRAMES, "frames", "frames (data stacks)", "chunk"},
	{MEMORY_POOL_RAW, "pool_raw", "in use by C code", "block"},
	{MEMORY_POOL_FREE, "pool_free", "free, in pools in use", "block"},
	{MEMORY_POOL_EMPTY, "pool_empty", "free pools", NULL},
	{MEMORY_POOL_HEADER, "pool_overhead", "headers and rests", NULL},
	{MEMORY_MALLOC_RAW, "malloc_raw", "in use by C code", "chunk"},
	{MEMORY_MALLOC_MAPPED, "malloc_mapped", "in use, mapped", "chunk"},
	{MEMORY_MALLOC_FREE, "malloc_free", "free chunks", "chunk"},
	{MEMORY_MALLOC_CACHED, "malloc_cached", "free, in thread caches", "chunk"},
	{MEMORY_MALLOC_TOP, "malloc_top", "free, on top", "heap"},
	{MEMORY_MALLOC_OWN, "malloc_own", "malloc's headers", NULL},
	{MEMORY_STACK_USED, "stack_used", "in use", "thread"},
	{MEMORY_STACK_UNUSED, "stack_unused", "below the stack pointer", NULL},
	{MEMORY_FILE_TEXT, "file_text", "code", NULL},
	{MEMORY_FILE_CONSTANT, "file_constant", "read-only data", NULL},
	{MEMORY_FILE_DATA, "file_data", "writable data", NULL},
	{MEMORY_SHARED, "shared", "shared memory", NULL},
	{MEMORY_KERNEL, "kernel", "kernel's pages", NULL},
	{MEMORY_RESERVED, "reserved", "reserved, no access", NULL},
	{MEMORY_UNKNOWN, "unknown", "unknown", NULL},
};

const struct memory_row *memory_row(enum memory_kind kind)
{
	return &rows[kind];
}

uint64_t memory_measure(const struct memory_map *map, const struct memory_amount *amount)
{
	return map->source == RESIDENCY_UNKNOWN ? amount->mapped : amount->resident;
}

const char *memory_measure_name(const struct memory_map *map)
{
	static const char *const names[] = {
		[RESIDENCY_UNKNOWN] = "mapped",
		[RESIDENCY_PAGEMAP] = "resident",
		[RESIDENCY_DUMP] = "dumped",
	};

	return names[map->source];
}

/* What the overview tells apart. */
struct line {
	struct memory_amount python, free, malloc;
};

static struct line add_up(const struct memory_map *map)
{
	return (struct line){
		.python = memory_map_sum(map, MEMORY_OBJECT_POOL, MEMORY_FRAMES),
		.free = memory_map_sum(map, MEMORY_POOL_FREE, MEMORY_POOL_EMPTY),
		.malloc = memory_map_sum(map, MEMORY_MALLOC_RAW, MEMORY_MALLOC_OWN),
	};
}

void memory_line(const struct session *session, struct screen *screen)
{
	const struct memory_map *map = session->memory;
	struct memory_finding finding;
	struct paragraph paragraph;
	struct line line;
	uint64_t python, free, malloc;

	if (!map)
		return;
	line = add_up(map);
	memory_judge(map, &finding);
	python = memory_measure(map, &line.python);
	free = memory_measure(map, &line.free);
	malloc = memory_measure(map, &line.malloc);
	screen_print(screen, "Memory     Python objects %s ", units_bytes(python).text);
	screen_bar(screen, python, finding.total, BAR);
	paragraph = paragraph_continue(screen, 11,
				       27 + (unsigned)strlen(units_bytes(python).text) + BAR);
	paragraph.empty = false;
	paragraph_add(&paragraph, "  ", "free in pools %s", units_bytes(free).text);
	if (finding.fragmented)
		paragraph_add(&paragraph, " ", "(fragmentation %s)",
			      units_share(finding.free, finding.arenas).text);
	paragraph_add(&paragraph, "  ", "malloc %s", units_bytes(malloc).text);
	paragraph_add(&paragraph, "  ", "other %s",
		      units_bytes(finding.total - python - free - malloc).text);
	paragraph_end(&paragraph);
}

void memory_line_json(const struct session *session, struct document *document, json_t *result)
{
	json_t *object;
	struct line line;

	if (!session->memory)
		return;
	line = add_up(session->memory);
	object = document_set_object(document, result, "memory");
	document_set_count(document, object, "python_bytes", line.python.mapped);
	document_set_count(document, object, "pymalloc_free_bytes", line.free.mapped);
	document_set_count(document, object, "pymalloc_arena_bytes", session->memory->arenas.bytes);
	document_set_count(document, object, "malloc_bytes", line.malloc.mapped);
}
