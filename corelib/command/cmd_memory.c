/*
 * Where the memory of the process is: one screen.
 */
#include "command/command.h"
#include "command/memory_report.h"
#include "command/report.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	CLASSES_USUALLY = 4,
	FILES_USUALLY = 4,
	RANGES_USUALLY = 4,
	JSON_USUALLY = 100,
	LABEL = 28,
	BAR_NARROW = 12,
	BAR_WIDE = 20,
	WIDE = 96,
	SMALL = 200, /* one in so many bytes: under 0.5 % */
};

static struct error *prepare(struct session *session)
{
	struct error *err = session_unreachable(session);

	if (!err)
		err = session_memory(session);
	if (!err && session->no_census)
		err = error_create(ERROR_GENERAL, "the memory cannot be told apart: %s",
				   session->no_census);
	return err;
}

static bool is_wide(const struct screen *screen)
{
	return screen->columns >= WIDE;
}

/* A share of the total in few characters. */
static struct unit_text short_share(uint64_t part, uint64_t whole)
{
	struct unit_text result;
	uint64_t tenths = whole ? (uint64_t)((double)part / (double)whole * 1000 + 0.5) : 0;

	if (!tenths)
		snprintf(result.text, sizeof(result.text), part ? "<0.1 %%" : "0 %%");
	else
		snprintf(result.text, sizeof(result.text), "%u.%u %%", (unsigned)(tenths / 10),
			 (unsigned)(tenths % 10));
	return result;
}

static void print_amount(const struct memory_map *map, const char *label, unsigned indent,
			 const struct memory_amount *amount, const char *noun,
			 struct screen *screen)
{
	uint64_t total = memory_measure(map, &map->total), bytes = memory_measure(map, amount);

	screen_print(screen, "%*s", (int)indent, "");
	if (indent)
		screen_print(screen, "%-*s", (int)(LABEL - indent), label);
	else
		screen_styled(screen, STYLE_HEADING, "%-*s", LABEL, label);
	screen_print(screen, " %9s %8s  ", units_bytes(bytes).text, short_share(bytes, total).text);
	screen_bar(screen, bytes, total, is_wide(screen) ? BAR_WIDE : BAR_NARROW);
	if (map->source != RESIDENCY_UNKNOWN)
		screen_print(screen, " %9s", units_bytes(amount->mapped).text);
	if (noun && amount->blocks && is_wide(screen))
		screen_print(screen, "  %s", units_plural(amount->blocks, noun).text);
	screen_print(screen, "\n");
}

/* Is a kind too small for one screen? */
static bool is_small(const struct session *session, enum memory_kind kind)
{
	const struct memory_map *map = session->memory;
	uint64_t bytes = memory_measure(map, &map->kinds[kind]);

	return command_limit(session, 1) != UINT64_MAX && !session->options.verbose &&
	       bytes < memory_measure(map, &map->total) / SMALL;
}

static unsigned print_group(const struct session *session, const struct memory_group *group,
			    struct screen *screen)
{
	const struct memory_map *map = session->memory;
	struct memory_amount sum = memory_map_sum(map, group->first, group->last);
	unsigned small = 0;

	if (!sum.mapped)
		return 0;
	print_amount(map, group->label, 0, &sum, NULL, screen);
	for (unsigned kind = group->first; kind <= group->last; kind++) {
		if (!map->kinds[kind].mapped)
			continue;
		if (is_small(session, kind))
			small++;
		else
			print_amount(map, memory_row(kind)->label, 2, &map->kinds[kind],
				     memory_row(kind)->noun, screen);
	}
	return small;
}

static void print_kinds(const struct session *session, struct screen *screen)
{
	const struct memory_map *map = session->memory;
	unsigned small = 0;

	screen_print(screen, "\n%-*s ", LABEL, "");
	screen_styled(screen, STYLE_HEADING, "%9s %8s  %-*s", memory_measure_name(map), "share",
		      is_wide(screen) ? BAR_WIDE : BAR_NARROW, "");
	if (map->source != RESIDENCY_UNKNOWN)
		screen_styled(screen, STYLE_HEADING, " %9s", "mapped");
	screen_print(screen, "\n");
	for (const struct memory_group *group = memory_groups; group->label; group++)
		small += print_group(session, group, screen);
	print_amount(map, "Total", 0, &map->total, NULL, screen);
	if (small)
		screen_print(screen, "  %s %s under 0.5 %%; --limit 0 shows all\n",
			     screen_ellipsis(screen), units_plural(small, "more kind").text);
}

static void print_how(const struct memory_map *map, struct screen *screen)
{
	struct paragraph paragraph = paragraph_begin(screen, 0);

	switch (map->source) {
	case RESIDENCY_PAGEMAP:
		paragraph_add(&paragraph, "", "Resident: pages in memory, by the page tables (as");
		paragraph_add(&paragraph, " ", "Rss in smaps).");
		if (map->swapped)
			paragraph_add(&paragraph, " ", "Swapped out, not in it: %s.",
				      units_bytes(map->swapped).text);
		break;
	case RESIDENCY_DUMP:
		paragraph_add(&paragraph, "", "Dumped: pages in the core that are not all zeros");
		paragraph_add(&paragraph, " ", "(pages of zeros, most likely never written: %s).",
			      units_bytes(map->zeros).text);
		paragraph_add(&paragraph, " ", "Unchanged parts of files are not dumped.");
		break;
	case RESIDENCY_UNKNOWN:
		paragraph_add(&paragraph, "", "Mapped: address space; how much of it is in");
		paragraph_add(&paragraph, " ", "memory is not known here.");
		break;
	}
	if (map->broken_heaps)
		paragraph_add(&paragraph, " ", "%s of malloc broken off: the rest is unknown.",
			      units_plural(map->broken_heaps, "heap").text);
	if (map->other_malloc)
		paragraph_add(&paragraph, " ", "%s is loaded; its heaps are not decoded.",
			      map->other_malloc);
	paragraph_end(&paragraph);
}

/* Classes by their free bytes. */
static int compare_classes(const void *left, const void *right, void *context)
{
	const struct memory_class *classes = context;
	unsigned a = *(const unsigned *)left, b = *(const unsigned *)right;
	uint64_t one = classes[a].free * (a + 1), other = classes[b].free * (b + 1);

	return one == other ? (int)a - (int)b : one > other ? -1 : 1;
}

static uint64_t sort_classes(const struct memory_arenas *arenas, unsigned *order)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < PYMALLOC_CLASSES; i++)
		if (arenas->classes[i].pools)
			order[count++] = i;
	qsort_r(order, count, sizeof(*order), compare_classes, (void *)arenas->classes);
	return count;
}

static void print_classes(const struct session *session, struct screen *screen)
{
	const struct memory_arenas *arenas = &session->memory->arenas;
	uint64_t limit = command_limit(session, CLASSES_USUALLY), count;
	unsigned order[PYMALLOC_CLASSES];

	count = sort_classes(arenas, order);
	screen_styled(screen, STYLE_HEADING, "  %8s %9s %9s %12s %12s %10s", "blocks of", "pools",
		      "needed", "in use", "free", "free bytes");
	screen_print(screen, "\n");
	for (uint64_t i = 0; i < count && i < limit; i++) {
		const struct memory_class *class = &arenas->classes[order[i]];
		uint64_t size = (order[i] + 1) * PYMALLOC_ALIGNMENT;

		screen_print(screen, "  %9s %9s %9s %12s %12s %10s\n", units_bytes(size).text,
			     units_count(class->pools).text, units_count(class->needed_pools).text,
			     units_count(class->used).text, units_count(class->free).text,
			     units_bytes(class->free * size).text);
	}
	report_more(screen, 2, limit, count, "size");
}

static void print_pymalloc(const struct session *session, struct screen *screen)
{
	const struct memory_arenas *arenas = &session->memory->arenas;
	uint64_t size = pymalloc_arena_size(session->objects->pymalloc);
	struct paragraph paragraph;

	if (!arenas->count)
		return;
	screen_print(screen, "\n");
	screen_styled(screen, STYLE_HEADING, "pymalloc");
	screen_print(screen, "  ");
	paragraph = paragraph_continue(screen, 2, 10);
	paragraph_add(&paragraph, "", "%s of %s, %s in use",
		      units_plural(arenas->count, "arena").text, units_bytes(size).text,
		      units_share(arenas->used, arenas->bytes).text);
	if (arenas->nearly_empty)
		paragraph_add(&paragraph, "; ", "%s nearly empty (under 10 %% in use), pin %s",
			      units_count(arenas->nearly_empty).text,
			      units_bytes(arenas->pinned).text);
	paragraph_add(&paragraph, "; ",
		      "packed, the blocks in use would fill %s:", units_count(arenas->needed).text);
	paragraph_add(&paragraph, " ", "%s could be given back",
		      units_bytes(arenas->count > arenas->needed
					  ? (arenas->count - arenas->needed) * size
					  : 0)
			      .text);
	paragraph_end(&paragraph);
	print_classes(session, screen);
}

static uint64_t file_measure(const struct memory_map *map, const struct memory_file *file)
{
	return memory_measure(map, &file->text) + memory_measure(map, &file->constant) +
	       memory_measure(map, &file->data);
}

static void print_files(const struct session *session, struct screen *screen)
{
	const struct memory_map *map = session->memory;
	uint64_t limit = command_limit(session, FILES_USUALLY);

	if (!map->file_count)
		return;
	screen_print(screen, "\n");
	screen_styled(screen, STYLE_HEADING, "%9s %9s %9s %9s  mapped file",
		      memory_measure_name(map), "code", "read-only", "data");
	screen_print(screen, "\n");
	for (size_t i = 0; i < map->file_count && i < limit; i++) {
		const struct memory_file *file = &map->files[i];

		screen_print(screen, "%9s %9s %9s %9s  ", units_bytes(file_measure(map, file)).text,
			     units_bytes(memory_measure(map, &file->text)).text,
			     units_bytes(memory_measure(map, &file->constant)).text,
			     units_bytes(memory_measure(map, &file->data)).text);
		screen_print(screen, "%s\n", screen_clean(screen, file->path).text);
	}
	report_more(screen, 2, limit, map->file_count, "file");
}

static void print_unknown(const struct session *session, struct screen *screen)
{
	const struct memory_map *map = session->memory;
	uint64_t limit = command_limit(session, RANGES_USUALLY);

	if (!map->unknown_count)
		return;
	screen_print(screen, "\n");
	screen_styled(screen, STYLE_HEADING, "%9s %9s  unknown anonymous memory",
		      memory_measure_name(map), "mapped");
	screen_print(screen, "\n");
	for (size_t i = 0; i < map->unknown_count && i < limit; i++) {
		const struct memory_range *range = &map->unknown[i];
		const struct memory_amount amount = {range->end - range->start, range->resident, 0};

		screen_print(screen, "%9s %9s  0x%" PRIx64 "-0x%" PRIx64 "\n",
			     units_bytes(memory_measure(map, &amount)).text,
			     units_bytes(amount.mapped).text, range->start, range->end);
	}
	report_more(screen, 2, limit, map->unknown_count, "range");
}

static struct error *text(struct session *session, struct screen *screen)
{
	const struct memory_map *map = session->memory;
	struct memory_finding finding;
	struct paragraph paragraph;

	memory_judge(map, &finding);
	paragraph = paragraph_begin(screen, 0);
	paragraph_words(&paragraph, finding.text);
	paragraph_end(&paragraph);
	report_header(session, screen);
	report_problems(session, PROBLEM_PARTIAL, screen);
	print_how(map, screen);
	print_kinds(session, screen);
	print_pymalloc(session, screen);
	print_unknown(session, screen);
	print_files(session, screen);
	report_next(session, screen, (const char *[]){"types", "leaks", "memory --limit 0"}, 3);
	return NULL;
}

static void amount_json(struct document *document, json_t *object, const struct memory_map *map,
			const struct memory_amount *amount)
{
	document_set_count(document, object, "mapped", amount->mapped);
	if (map->source != RESIDENCY_UNKNOWN)
		document_set_count(document, object, memory_measure_name(map), amount->resident);
}

static void kinds_json(const struct memory_map *map, struct document *document, json_t *result)
{
	json_t *array = document_set_array(document, result, "kinds");

	for (const struct memory_group *group = memory_groups; group->label; group++)
		for (unsigned kind = group->first; kind <= group->last; kind++) {
			json_t *object = document_append_object(document, array);

			document_set_string(document, object, "group", group->word);
			document_set_string(document, object, "kind", memory_row(kind)->word);
			amount_json(document, object, map, &map->kinds[kind]);
			if (memory_row(kind)->noun)
				document_set_count(document, object, "count",
						   map->kinds[kind].blocks);
		}
}

static void pymalloc_json(const struct session *session, struct document *document, json_t *result)
{
	const struct memory_arenas *arenas = &session->memory->arenas;
	json_t *object = document_set_object(document, result, "pymalloc"), *array;

	document_set_count(document, object, "arenas", arenas->count);
	document_set_count(document, object, "arena_size",
			   pymalloc_arena_size(session->objects->pymalloc));
	document_set_count(document, object, "bytes", arenas->bytes);
	document_set_count(document, object, "used_bytes", arenas->used);
	document_set_count(document, object, "nearly_empty_arenas", arenas->nearly_empty);
	document_set_count(document, object, "pinned_bytes", arenas->pinned);
	document_set_count(document, object, "needed_arenas", arenas->needed);
	array = document_set_array(document, object, "classes");
	for (unsigned i = 0; i < PYMALLOC_CLASSES; i++) {
		const struct memory_class *class = &arenas->classes[i];

		if (!class->pools)
			continue;
		object = document_append_object(document, array);
		document_set_count(document, object, "size", (i + 1) * PYMALLOC_ALIGNMENT);
		document_set_count(document, object, "pools", class->pools);
		document_set_count(document, object, "needed_pools", class->needed_pools);
		document_set_count(document, object, "used", class->used);
		document_set_count(document, object, "free", class->free);
	}
}

static void lists_json(const struct session *session, struct document *document, json_t *result)
{
	const struct memory_map *map = session->memory;
	uint64_t limit = command_limit(session, JSON_USUALLY);
	json_t *array = document_set_array(document, result, "files"), *object;

	for (size_t i = 0; i < map->file_count && i < limit; i++) {
		const struct memory_file *file = &map->files[i];

		object = document_append_object(document, array);
		document_set_string(document, object, "path", file->path);
		amount_json(document, document_set_object(document, object, "code"), map,
			    &file->text);
		amount_json(document, document_set_object(document, object, "read_only"), map,
			    &file->constant);
		amount_json(document, document_set_object(document, object, "data"), map,
			    &file->data);
	}
	document_set_count(document, result, "files_total", map->file_count);
	array = document_set_array(document, result, "unknown");
	for (size_t i = 0; i < map->unknown_count && i < limit; i++) {
		const struct memory_range *range = &map->unknown[i];
		const struct memory_amount amount = {range->end - range->start, range->resident, 0};

		object = document_append_object(document, array);
		document_set_address(document, object, "start", range->start);
		document_set_address(document, object, "end", range->end);
		amount_json(document, object, map, &amount);
	}
	document_set_count(document, result, "unknown_total", map->unknown_count);
}

static struct error *json(struct session *session, struct document *document, json_t *result)
{
	const struct memory_map *map = session->memory;
	struct memory_finding finding;
	json_t *object;

	memory_judge(map, &finding);
	document_set_string(document, result, "measure", memory_measure_name(map));
	object = document_set_object(document, result, "verdict");
	document_set_string(document, object, "kind", finding.word);
	document_set_bool(document, object, "dominates", finding.dominates);
	document_set_bool(document, object, "fragmented", finding.fragmented);
	document_set_count(document, object, "bytes", finding.bytes);
	document_set_string(document, object, "text", finding.text);
	amount_json(document, document_set_object(document, result, "total"), map, &map->total);
	document_set_count(document, result, "swapped", map->swapped);
	document_set_count(document, result, "zero_pages", map->zeros);
	document_set_count(document, result, "threads", map->stacks);
	document_set_count(document, result, "malloc_arenas",
			   session->objects->malloc_heaps->arenas);
	document_set_count(document, result, "broken_heaps", map->broken_heaps);
	document_set_string(document, result, "other_malloc", map->other_malloc);
	kinds_json(map, document, result);
	pymalloc_json(session, document, result);
	lists_json(session, document, result);
	return NULL;
}

const struct command command_memory = {
	.description =
		"What all memory of the process is used for. The first line says whether it is "
		"Python\n"
		"objects, blocks of C code that no Python object points at (a leak outside of "
		"Python),\n"
		"or fragmentation: free blocks that cannot be given back because others beside "
		"them are\n"
		"in use. Each byte is counted once, so the parts add up to the total.\n"
		"\n"
		"'Resident' is what is in memory now (of a running process), 'dumped' what a core "
		"has,\n"
		"'mapped' address space. 'Tables' are blocks that an object points at: items of "
		"lists,\n"
		"tables of dicts, buffers. Heaps of allocators other than pymalloc and glibc's "
		"malloc\n"
		"are unknown memory. --limit 0 shows all block sizes, files and ranges.\n",
	.prepare = prepare,
	.text = text,
	.json = json,
};
