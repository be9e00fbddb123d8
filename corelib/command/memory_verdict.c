/* Is it a leak, or fragmentation? One sentence with its numbers. */
#include "command/memory_report.h"

#include <stdarg.h>

/* What dominates has this share at least; free blocks are fragmentation from these on. */
enum { DOMINANT_PERCENT = 40, FRAGMENTED_PERCENT = 25, FRAGMENTED_MIN = 8 << 20 };

static uint64_t sum(const struct memory_map *map, enum memory_kind first, enum memory_kind last)
{
	struct memory_amount amount = memory_map_sum(map, first, last);

	return memory_measure(map, &amount);
}

static uint64_t one(const struct memory_map *map, enum memory_kind kind)
{
	return sum(map, kind, kind);
}

/* Bytes by verdict. */
static void weigh(const struct memory_map *map, uint64_t bytes[VERDICT_COUNT])
{
	bytes[VERDICT_OBJECTS] = sum(map, MEMORY_OBJECT_POOL, MEMORY_FRAMES);
	bytes[VERDICT_POOLS_FREE] = sum(map, MEMORY_POOL_FREE, MEMORY_POOL_EMPTY);
	bytes[VERDICT_RAW] =
		one(map, MEMORY_POOL_RAW) + sum(map, MEMORY_MALLOC_RAW, MEMORY_MALLOC_MAPPED);
	bytes[VERDICT_MALLOC_FREE] = sum(map, MEMORY_MALLOC_FREE, MEMORY_MALLOC_TOP);
	bytes[VERDICT_STACKS] = sum(map, MEMORY_STACK_USED, MEMORY_STACK_UNUSED);
	bytes[VERDICT_FILES] = sum(map, MEMORY_FILE_TEXT, MEMORY_SHARED);
	bytes[VERDICT_UNKNOWN] = one(map, MEMORY_UNKNOWN);
}

/* What each verdict says: "Mostly LABEL: 812 MiB of 1.1 GiB REST". */
static const struct {
	const char *word, *label;
} verdicts[VERDICT_COUNT] = {
	[VERDICT_OBJECTS] = {"python-objects", "Python objects"},
	[VERDICT_POOLS_FREE] = {"pymalloc-fragmentation", "free blocks in pymalloc's arenas"},
	[VERDICT_RAW] = {"raw-blocks", "blocks of C code, which no Python object points at"},
	[VERDICT_MALLOC_FREE] = {"malloc-fragmentation", "free chunks of malloc"},
	[VERDICT_STACKS] = {"thread-stacks", "thread stacks"},
	[VERDICT_FILES] = {"mapped-files", "mapped files"},
	[VERDICT_UNKNOWN] = {"unknown", "memory of no allocator that is known"},
};

static void say(struct memory_finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct memory_finding *finding, const char *format, ...)
{
	size_t length = strlen(finding->text);
	va_list args;

	va_start(args, format);
	vsnprintf(finding->text + length, sizeof(finding->text) - length, format, args);
	va_end(args);
}

static void say_what(const struct memory_map *map, struct memory_finding *finding)
{
	struct unit_text bytes = units_bytes(finding->bytes), total = units_bytes(finding->total);
	const char *measure = memory_measure_name(map);

	if (finding->verdict == VERDICT_POOLS_FREE && finding->dominates) {
		say(finding,
		    "Fragmentation: %s of %s of pymalloc's arenas are free, pinned by %s in use",
		    bytes.text, units_bytes(finding->arenas).text,
		    units_share(map->arenas.used, map->arenas.bytes).text);
		return;
	}
	if (finding->verdict == VERDICT_MALLOC_FREE && finding->dominates)
		say(finding,
		    "Free in malloc: %s of %s %s are free chunks that malloc has not given "
		    "back",
		    bytes.text, total.text, measure);
	else if (finding->dominates)
		say(finding, "Mostly %s: %s of %s %s", verdicts[finding->verdict].label, bytes.text,
		    total.text, measure);
	else
		say(finding, "No kind dominates; the largest are %s: %s of %s %s",
		    verdicts[finding->verdict].label, bytes.text, total.text, measure);
	if (finding->verdict == VERDICT_STACKS)
		say(finding, ", %s", units_plural(map->stacks, "thread").text);
	if (finding->verdict == VERDICT_UNKNOWN && map->other_malloc)
		say(finding, " (%s is loaded: its heaps are not decoded)", map->other_malloc);
}

static void say_free(const struct memory_map *map, struct memory_finding *finding)
{
	if (finding->verdict == VERDICT_POOLS_FREE && finding->dominates)
		return;
	if (!finding->arenas) {
		say(finding, "; pymalloc is not in use");
		return;
	}
	say(finding, "; free in pools %s", units_share(finding->free, finding->arenas).text);
	if (!finding->fragmented) {
		if (finding->free < finding->arenas / 100 * FRAGMENTED_PERCENT)
			say(finding, ": no fragmentation");
		else
			say(finding, " of %s: little", units_bytes(finding->arenas).text);
		return;
	}
	say(finding, ": fragmentation, %s of %s, pinned by %s in use",
	    units_bytes(finding->free).text, units_bytes(finding->arenas).text,
	    units_share(map->arenas.used, map->arenas.bytes).text);
}

void memory_judge(const struct memory_map *map, struct memory_finding *finding)
{
	uint64_t bytes[VERDICT_COUNT];

	*finding = (struct memory_finding){.total = memory_measure(map, &map->total)};
	weigh(map, bytes);
	for (unsigned i = 1; i < VERDICT_COUNT; i++)
		if (bytes[i] > bytes[finding->verdict])
			finding->verdict = i;
	finding->bytes = bytes[finding->verdict];
	finding->word = verdicts[finding->verdict].word;
	finding->dominates = finding->bytes >= finding->total / 100 * DOMINANT_PERCENT;
	finding->free = bytes[VERDICT_POOLS_FREE];
	finding->arenas = one(map, MEMORY_OBJECT_POOL) + one(map, MEMORY_STORAGE_POOL) +
			  one(map, MEMORY_FREE_POOL) +
			  sum(map, MEMORY_POOL_RAW, MEMORY_POOL_HEADER);
	finding->fragmented = finding->free >= FRAGMENTED_MIN &&
			      finding->free >= finding->arenas / 100 * FRAGMENTED_PERCENT;
	say_what(map, finding);
	say_free(map, finding);
	say(finding, ".");
}
