/*
 * Leaked references and damage of the heap as text.
 */
#include "command/leaked_report.h"

#include "command/findings.h"
#include "traverse/title.h"

#include <inttypes.h>
#include <string.h>

enum { KEPT_TYPES_IN_LINE = 3 };

const char *anomaly_name(enum anomaly_kind kind)
{
	static const char *const names[] = {
		[ANOMALY_EXCESS] = "excess",
		[ANOMALY_LOST] = "lost",
		[ANOMALY_OVER_RELEASED] = "over-released",
	};

	return names[kind];
}

const char *content_name(enum leaked_content content)
{
	static const char *const names[] = {
		[CONTENT_NONE] = NULL,
		[CONTENT_SAME] = "same",
		[CONTENT_SIMILAR] = "similar",
		[CONTENT_ONCE] = "once",
	};

	return names[content];
}

bool leaked_any(const struct session *session)
{
	return session->leaked && (session->leaked->head_count || session->check->total ||
				   session->check->over_released_count);
}

static const struct type *group_type(const struct session *session,
				     const struct leaked_group *group)
{
	return type_by_index(session->runtime->types, group->type);
}

/** The file of a module that is not Python itself. */
static const char *foreign_file(const struct session *session, uint64_t address)
{
	const struct module *module =
		address ? modules_at(session->target->modules, address) : NULL;
	const struct module *python = session->runtime->module;
	const char *slash;

	if (!module || (python && module->start == python->start))
		return NULL;
	slash = strrchr(module->path, '/');
	return slash ? slash + 1 : module->path;
}

const char *type_file(const struct session *session, const struct type *type)
{
	const char *file = foreign_file(session, type->address);

	if (!file)
		file = foreign_file(session, type->traverse);
	return file ? file : foreign_file(session, type->dealloc);
}

void leaked_summary(const struct session *session, struct screen *screen)
{
	const struct leaked *leaked = session->leaked;
	struct paragraph paragraph = paragraph_begin(screen, 2);

	paragraph_add(&paragraph, "", "Leaked references");
	paragraph.indent = 23;
	if (!leaked) {
		paragraph_add(&paragraph, "    ", "not counted:");
		paragraph_add(&paragraph, " ", "%s", session->no_census);
	} else if (!leaked->head_count) {
		paragraph_add(&paragraph, "    ", "none");
	} else {
		paragraph_add(&paragraph, "    ", "%s with references that nobody holds",
			      units_plural(leaked->head_count, "object").text);
		paragraph_add(&paragraph, "; ", "%s kept alive",
			      units_bytes(leaked->kept_bytes).text);
		if (session->census->suspicion)
			paragraph_add(&paragraph, ". ",
				      "A suspicion: not all memory or registers are known");
	}
	paragraph_end(&paragraph);
}

static void add_example(const struct session *session, const struct leaked_group *group,
			struct paragraph *paragraph)
{
	const struct leaked_head *head = &session->leaked->heads[group->example];
	uint64_t address = session->objects->addresses[head->object];
	const struct type *type = group_type(session, group);
	char text[96];

	paragraph_add(paragraph, "   ", "e.g. 0x%" PRIx64, address);
	if (report_title(session, address, type, paragraph))
		return;
	object_repr(session->heap->traverser, address, text, sizeof(text));
	if (*text != '<')
		paragraph_add(paragraph, " ", "%s", screen_clean(paragraph->screen, text).text);
}

/** "refcount 3, 2 holders found": of the example when they differ within the group. */
static void add_counts(const struct session *session, const struct leaked_group *group,
		       const char *gap, struct paragraph *paragraph)
{
	const struct leaked_head *head = &session->leaked->heads[group->example];

	paragraph_add(paragraph, gap, "refcount %" PRId64 ", %s", head->refcount,
		      head->found ? units_plural(head->found, "holder").text : "no holder");
}

static void add_content(const struct leaked_group *group, const char *gap,
			struct paragraph *paragraph)
{
	switch (group->content) {
	case CONTENT_NONE:
		break;
	case CONTENT_SAME:
		paragraph_add(paragraph, gap, "all equal");
		break;
	case CONTENT_SIMILAR:
		paragraph_add(paragraph, gap, "that begin alike");
		break;
	case CONTENT_ONCE:
		paragraph_add(paragraph, gap, "each value once: constants of a module?");
		break;
	}
}

void leaked_line(const struct session *session, uint32_t index, struct screen *screen)
{
	const struct leaked_group *group = &session->leaked->groups[index];
	const struct type *type = group_type(session, group);
	const char *file = type_file(session, type);
	struct paragraph paragraph = paragraph_begin(screen, 2);

	paragraph_add(&paragraph, "", "%-3u", index + 1);
	paragraph.indent += 4;
	paragraph_add(&paragraph, " ", "%s %s %s", units_count(group->heads).text,
		      screen_times(screen), screen_clean(screen, type->name).text);
	paragraph_add(&paragraph, ", ", "%s", units_bytes(group->kept_bytes).text);
	add_counts(session, group, "   ", &paragraph);
	if (group->in_cycle)
		paragraph_add(&paragraph, ", ", "keeps a cycle");
	add_content(group, "   ", &paragraph);
	if (file)
		paragraph_add(&paragraph, "   ", "in %s", screen_clean(screen, file).text);
	add_example(session, group, &paragraph);
	paragraph_end(&paragraph);
}

static void print_counts(const struct session *session, const struct leaked_group *group,
			 struct screen *screen)
{
	const struct leaked_head *head = &session->leaked->heads[group->example];
	struct paragraph paragraph = paragraph_begin(screen, 6);

	add_counts(session, group, "", &paragraph);
	paragraph_add(&paragraph, ": ", "%s%s",
		      units_plural(group->excess, "leaked reference").text,
		      group->heads > 1 ? " each" : "");
	if (!head->found)
		paragraph_add(&paragraph, "; ", "nothing in memory points at it");
	else if (group->in_cycle)
		paragraph_add(&paragraph, "; ",
			      "a cycle that would be collected but for the leaked reference");
	else if (!head->is_freed)
		paragraph_add(&paragraph, "; ", "others hold it too: `refcount 0x%" PRIx64 "`",
			      session->objects->addresses[head->object]);
	paragraph_end(&paragraph);
}

static void print_origin(const struct session *session, const struct type *type,
			 struct screen *screen)
{
	const char *file = type_file(session, type);

	if (file)
		screen_print(screen, "      type made in %s\n", screen_clean(screen, file).text);
}

static void print_holders(const struct session *session, uint32_t group, struct screen *screen)
{
	const struct places *places =
		session->group_holders ? &session->group_holders[group] : NULL;

	for (size_t i = 0; places && i < places->count; i++)
		places_line(session, &places->items[i], "held by  ", 6, screen);
	if (places && places->count < places->total)
		screen_print(screen, "      and %s more\n",
			     units_count(places->total - places->count).text);
}

void leaked_block(const struct session *session, uint32_t index, uint64_t limit,
		  struct screen *screen)
{
	const struct leaked_group *group = &session->leaked->groups[index];
	const struct type *type = group_type(session, group);
	struct paragraph paragraph;

	screen_print(screen, "  %-3u ", index + 1);
	screen_styled(screen, STYLE_HEADING, "%s %s %s, %s kept alive",
		      units_count(group->heads).text, screen_times(screen),
		      screen_clean(screen, type->name).text, units_bytes(group->kept_bytes).text);
	screen_print(screen, "\n");
	print_counts(session, group, screen);
	if (group->kept_type_count)
		report_types(screen, 6, "keeps ", group->kept_types, group->kept_type_count, limit);
	print_origin(session, type, screen);
	paragraph = paragraph_begin(screen, 6);
	add_content(group, "", &paragraph);
	add_example(session, group, &paragraph);
	paragraph_end(&paragraph);
	print_holders(session, index, screen);
}

void leaked_blocks(const struct session *session, uint64_t limit, uint64_t types,
		   struct screen *screen)
{
	const struct leaked *leaked = session->leaked;

	if (!leaked)
		return;
	for (uint32_t i = 0; i < leaked->group_count && i < limit; i++)
		leaked_block(session, i, types, screen);
	report_more(screen, 2, limit, leaked->group_count, "group");
}

void leaked_next(const struct session *session, struct screen *screen)
{
	const struct leaked *leaked = session->leaked;
	char refcount[40];
	const char *next[4] = {NULL};

	if (session->cycles && session->cycles->count)
		next[0] = "cycles 1";
	if (leaked && leaked->head_count) {
		const struct leaked_head *head = &leaked->heads[leaked->groups[0].example];

		snprintf(refcount, sizeof(refcount), "refcount 0x%" PRIx64,
			 session->objects->addresses[head->object]);
		next[1] = refcount;
	}
	if (session->check && session->check->total)
		next[2] = "check";
	if (!next[0] && !leaked_any(session))
		return;
	next[3] = "refcounts --ndjson";
	report_next(session, screen, next, sizeof(next) / sizeof(next[0]));
}

void over_released_summary(const struct session *session, uint64_t limit, struct screen *screen)
{
	const struct heap_check *check = session->check;
	struct paragraph paragraph;

	if (!check) {
		findings_over_released(session, limit, screen);
		return;
	}
	if (!check->over_released_count) {
		screen_print(screen, "  Over-released        none\n");
		return;
	}
	screen_print(screen,
		     "  Over-released        %s that will be freed while in use: more references "
		     "own it than\n"
		     "                       its refcount says\n",
		     units_plural(check->over_released_count, "object").text);
	for (size_t i = 0; i < check->over_released_count && i < limit; i++) {
		const struct anomaly *anomaly = &check->over_released[i];
		uint64_t address = session->objects->addresses[anomaly->object];
		const struct type *type = type_by_index(session->runtime->types,
							session->objects->types[anomaly->object]);

		paragraph = paragraph_begin(screen, 6);
		paragraph_add(&paragraph, "", "0x%" PRIx64 " %s", address,
			      screen_clean(screen, report_type_name(type)).text);
		report_title(session, address, type, &paragraph);
		paragraph_add(&paragraph, "   ", "refcount %" PRId64 ", %s", anomaly->refcount,
			      units_plural(anomaly->found, "owner").text);
		paragraph_end(&paragraph);
	}
	report_more(screen, 6, limit, check->over_released_count, "object");
}

void damage_summary(const struct session *session, struct screen *screen)
{
	const struct heap_check *check = session->check;

	if (!check)
		return;
	if (!check->total)
		screen_print(screen, "  Heap damage          none\n");
	else
		screen_print(screen, "  Heap damage          %s: `check` shows them\n",
			     units_plural(check->total, "place").text);
}
