/*
 * What grew, for people.
 */
#include "command/diff.h"

#include "command/command.h"
#include "command/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	ROWS_USUALLY = 10,
	PARTS_IN_LINE = 4,
	STEPS_IN_LINE = 8,
	SHRUNK_IN_LINE = 4,
	PATH_MAX_TEXT = 400
};

static struct unit_text change_of_bytes(int64_t bytes)
{
	struct unit_text text, size = units_bytes((uint64_t)(bytes < 0 ? -bytes : bytes));

	snprintf(text.text, sizeof(text.text), "%c%.30s", bytes < 0 ? '-' : '+', size.text);
	return text;
}

static struct unit_text change_of_count(int64_t count)
{
	struct unit_text text, size = units_count((uint64_t)(count < 0 ? -count : count));

	snprintf(text.text, sizeof(text.text), "%c%.30s", count < 0 ? '-' : '+', size.text);
	return text;
}

double diff_seconds(const struct history *history)
{
	double first = history->facts[0].seconds, last = history->facts[history->count - 1].seconds;

	return first > 0 && last > 0 ? last - first : -1;
}

/* A core keeps the beginning of the command line only: 80 bytes, in those of gcore the first word.
 */
static bool same_program(const char *a, const char *b)
{
	size_t shorter = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

	return !strncmp(a, b, shorter);
}

bool diff_warning(const struct session *session, size_t index, char *text, size_t size)
{
	const struct history *history = &session->history;
	const struct history_facts *first = history->facts, *last = first + history->count - 1;
	bool commands = first->command && last->command && !session->options.redact;
	char warnings[3][400];
	size_t count = 0;

	if (strcmp(first->version, last->version))
		snprintf(warnings[count++], sizeof(warnings[0]),
			 "CPython %s and %s: types and paths of the library differ", first->version,
			 last->version);
	if (commands && !same_program(first->command, last->command))
		snprintf(warnings[count++], sizeof(warnings[0]),
			 "two programs: \"%.150s\" and \"%.150s\"", first->command, last->command);
	if (diff_seconds(history) < 0 && first->seconds > 0 && last->seconds > 0)
		snprintf(warnings[count++], sizeof(warnings[0]),
			 "the file of the older core is newer: were they named in this order on "
			 "purpose?");
	if (index < count)
		snprintf(text, size, "%s", warnings[index]);
	return index < count;
}

static void print_total(const struct session *session, struct screen *screen)
{
	const struct growth *growth = &session->growth;
	const struct history *history = &session->history;
	const struct history_facts *first = history->facts, *last = first + history->count - 1;
	double seconds = diff_seconds(history);
	int64_t bytes = growth->delta.bytes;
	bool grew = growth->row_count || growth->cycle_count || growth->leak_count;
	char time[64] = "";

	if (seconds >= 0)
		snprintf(time, sizeof(time), " in %s", units_duration(seconds).text);
	if (!grew && bytes > -(int64_t)growth->noise)
		screen_styled(screen, STYLE_HEADING, "No growth%s", time);
	else if (bytes < 0)
		screen_styled(screen, STYLE_HEADING, "Shrank by %s%s",
			      units_bytes((uint64_t)-bytes).text, time);
	else
		screen_styled(screen, STYLE_HEADING, "Grew by %s%s",
			      units_bytes((uint64_t)bytes).text, time);
	screen_print(screen, ": %s, %s", units_plural(first->objects, "object").text,
		     units_bytes(first->bytes).text);
	screen_print(screen, " -> %s, %s\n", units_plural(last->objects, "object").text,
		     units_bytes(last->bytes).text);
}

static void print_snapshot(const struct session *session, size_t index, const char *lead,
			   struct screen *screen)
{
	const struct history_facts *facts = &session->history.facts[index];
	struct paragraph paragraph = paragraph_begin(screen, 2);

	paragraph_add(&paragraph, "", "%-8s", lead);
	paragraph.indent = 12;
	paragraph_add(&paragraph, "  ", "%s", screen_clean(screen, facts->name).text);
	paragraph_add(&paragraph, "   ", "CPython %s", facts->version);
	if (facts->pid)
		paragraph_add(&paragraph, "   ", "pid %ld", (long)facts->pid);
	if (facts->command && !session->options.redact)
		paragraph_add(&paragraph, " ", "\"%s\"", screen_clean(screen, facts->command).text);
	if (!facts->complete)
		paragraph_add(&paragraph, "   ", "incomplete");
	paragraph_end(&paragraph);
}

static void print_snapshots(const struct session *session, struct screen *screen)
{
	char text[500];

	if (session->argument) {
		print_snapshot(session, 0, "older", screen);
		print_snapshot(session, 1, "newer", screen);
	} else {
		char lead[48];

		snprintf(lead, sizeof(lead), "%zu snapshots of", session->history.count);
		print_snapshot(session, session->history.count - 1, lead, screen);
	}
	for (size_t i = 0; diff_warning(session, i, text, sizeof(text)); i++) {
		screen_styled(screen, STYLE_CAUTION, "Warning: ");
		screen_text(screen, text);
		screen_print(screen, "\n");
	}
	report_coverage(session, screen);
}

/*
 * Holders
 */

static void add_path(const struct session *session, uint32_t node, const char *gap,
		     struct paragraph *paragraph)
{
	const struct holders *holders = &session->history.holders;
	const struct holder_node *at = &holders->nodes[node];
	char path[PATH_MAX_TEXT], kind[256];
	// The ellipsis of the screen is not ASCII: it must come through cleaning whole.
	const char *ellipsis = paragraph->screen->utf8 ? "…" : "...";

	if (at->root_kind == ROOT_GARBAGE) {
		paragraph_add(paragraph, gap, "unreachable: gc.collect() would free them");
		return;
	}
	if (at->root_kind == ROOT_NOTHING) {
		paragraph_add(paragraph, gap, "leaked: nothing holds them");
		return;
	}
	holders_path(holders, node, ellipsis, path, sizeof(path));
	holders_kind(holders, node, kind, sizeof(kind));
	paragraph_add(paragraph, gap, "%s", screen_clean(paragraph->screen, path).text);
	if (*kind)
		paragraph_add(paragraph, " ", "(%s)", screen_clean(paragraph->screen, kind).text);
}

/** The number that tells most: items of a container, or objects at the node. */
static uint64_t telling_number(const struct session *session, const struct growth_row *row,
			       size_t snapshot, const char **noun)
{
	size_t last = session->history.count - 1;
	struct series_count now = series_at(&session->history.series, snapshot, row->node);

	if (row->counts[last].items != row->counts[0].items) {
		*noun = "items";
		return row->counts[snapshot].items;
	}
	*noun = "objects";
	if (now.objects != row->counts[snapshot].objects &&
	    series_at(&session->history.series, 0, row->node).objects ==
		    series_at(&session->history.series, last, row->node).objects)
		return row->counts[snapshot].objects;
	return now.objects;
}

static void add_steps(const struct session *session, const struct growth_row *row,
		      struct paragraph *paragraph)
{
	size_t count = session->history.count, steps = count - 1;
	const char *noun;

	if (count <= 2)
		return;
	if (growth_is_steady(&session->growth, row->trend))
		paragraph_add(paragraph, "   ", "in every step:");
	else
		paragraph_add(paragraph, "   ", "in %zu of %zu steps:", row->trend.up, steps);
	for (size_t i = count > STEPS_IN_LINE ? count - STEPS_IN_LINE : 0; i < count; i++)
		paragraph_add(paragraph, i ? " -> " : " ", "%s",
			      units_count(telling_number(session, row, i, &noun)).text);
}

/** "+50,000 app.Session 3.8 MiB". */
static void add_part(const struct growth_part *part, const char *type, struct paragraph *paragraph)
{
	struct clean_text name = screen_clean(paragraph->screen, type);
	int64_t bytes = part->delta.bytes;

	if (part->delta.objects)
		paragraph_add(paragraph, ", ", "%s %s %s",
			      change_of_count(part->delta.objects).text, name.text,
			      units_bytes((uint64_t)(bytes < 0 ? -bytes : bytes)).text);
	else
		paragraph_add(paragraph, ", ", "%s itself %s", name.text,
			      units_bytes((uint64_t)(bytes < 0 ? -bytes : bytes)).text);
}

/** What is in a row, by type. */
static void print_parts(const struct session *session, const struct growth_row *row,
			struct screen *screen)
{
	const struct names *names = &session->history.holders.names;
	uint64_t limit = command_inner_limit(session, PARTS_IN_LINE);
	struct paragraph paragraph = paragraph_begin(screen, 6);
	size_t shown = 0, more = 0;

	for (size_t i = 0; i < row->part_count; i++) {
		const struct growth_part *part = &row->parts[i];

		if ((part->delta.bytes > 0) != (row->delta.bytes > 0))
			continue;
		if (shown >= limit) {
			more++;
			continue;
		}
		add_part(part, names->texts[part->type], &paragraph);
		shown++;
	}
	if (more)
		paragraph_add(&paragraph, ", ", "%s", units_plural(more, "more type").text);
	paragraph_end(&paragraph);
}

static void print_row(const struct session *session, size_t index, struct screen *screen)
{
	const struct growth_row *row = &session->growth.rows[index];
	const struct holders *holders = &session->history.holders;
	size_t last = session->history.count - 1;
	struct series_count self = series_at(&session->history.series, last, row->node);
	struct paragraph paragraph = paragraph_begin(screen, 2);
	const char *noun;
	uint64_t before = telling_number(session, row, 0, &noun);
	uint64_t now = telling_number(session, row, last, &noun);

	paragraph_add(&paragraph, "", "%-3zu", index + 1);
	paragraph.indent = 6;
	add_path(session, row->node, " ", &paragraph);
	if (before != now)
		paragraph_add(&paragraph, "   ", "%s -> %s %s,", units_count(before).text,
			      units_count(now).text, noun);
	paragraph_add(&paragraph, before != now ? " " : "   ", "%s",
		      change_of_bytes(row->delta.bytes).text);
	if (row->mostly != HOLDER_NONE && !strcmp(noun, "items")) {
		char kind[256];

		holders_kind(holders, row->mostly, kind, sizeof(kind));
		paragraph_add(&paragraph, ", ", "mostly %s", screen_clean(screen, kind).text);
	}
	if (!strcmp(noun, "items") && self.objects > 1)
		paragraph_add(&paragraph, ", ", "in %s of them", units_count(self.objects).text);
	add_steps(session, row, &paragraph);
	if (row->counts[last].example)
		paragraph_add(&paragraph, "   ", "e.g. 0x%" PRIx64, row->counts[last].example);
	paragraph_end(&paragraph);
	print_parts(session, row, screen);
}

static void print_rows(const struct session *session, struct screen *screen)
{
	const struct growth *growth = &session->growth;
	uint64_t limit = command_limit(session, ROWS_USUALLY);

	if (!growth->row_count)
		return;
	screen_heading(screen, "Who holds what grew");
	for (size_t i = 0; i < growth->row_count && i < limit; i++)
		print_row(session, i, screen);
	report_more(screen, 2, limit, growth->row_count, "holder");
	if (growth->smaller.bytes > 0)
		screen_print(screen, "  and %s below %s each\n",
			     change_of_bytes(growth->smaller.bytes).text,
			     units_bytes(growth->noise).text);
}

static void print_type(const struct session *session, const struct growth_type *type,
		       struct screen *screen)
{
	const struct growth *growth = &session->growth;
	const struct series_count *last = &type->counts[session->history.count - 1];
	struct paragraph paragraph;

	screen_print(screen, "%11s %11s %11s %9s  ", units_count(type->counts->objects).text,
		     units_count(last->objects).text, change_of_count(type->delta.objects).text,
		     change_of_bytes(type->delta.bytes).text);
	paragraph = paragraph_continue(screen, 16, 48);
	paragraph_add(&paragraph, "", "%s",
		      screen_clean(screen, session->history.holders.names.texts[type->type]).text);
	if (session->history.count > 2)
		paragraph_add(&paragraph, "   ", "up in %zu of %zu steps", type->trend.up,
			      session->history.count - 1);
	if (type->row < growth->row_count && type->held.objects == type->delta.objects)
		paragraph_add(&paragraph, "   ", "in row %" PRIu32, type->row + 1);
	else if (type->row < growth->row_count)
		paragraph_add(&paragraph, "   ", "%s in row %" PRIu32,
			      change_of_count(type->held.objects).text, type->row + 1);
	paragraph_end(&paragraph);
}

static void print_types(const struct session *session, struct screen *screen)
{
	const struct growth *growth = &session->growth;
	uint64_t limit = command_limit(session, ROWS_USUALLY);

	if (!growth->type_count)
		return;
	screen_heading(screen, "By type");
	screen_styled(screen, STYLE_FAINT, "%11s %11s %11s %9s  %s", "before", "after", "grew",
		      "bytes", "type   where most of them are");
	screen_print(screen, "\n");
	for (size_t i = 0; i < growth->type_count && i < limit; i++)
		print_type(session, &growth->types[i], screen);
	report_more(screen, 2, limit, growth->type_count, "type");
}

/*
 * Groups
 */

static void print_group(const struct session *session, const struct history_groups *groups,
			const struct growth_group *grown, size_t index, bool is_leak,
			struct screen *screen)
{
	const struct history_group *group = &groups->items[grown->group];
	size_t last = session->history.count - 1;
	struct series_count now = series_at(&groups->series, last, grown->group);
	struct series_count before = series_at(&groups->series, 0, grown->group);
	struct paragraph paragraph = paragraph_begin(screen, 2);

	paragraph_add(&paragraph, "", "%-3zu", index + 1);
	paragraph.indent = 6;
	if (is_leak)
		paragraph_add(&paragraph, " ", "%s -> %s %s %s", units_count(before.objects).text,
			      units_count(now.objects).text, screen_times(screen),
			      screen_clean(screen, group->text).text);
	else
		paragraph_add(&paragraph, " ", "%s -> %s cycles", units_count(before.objects).text,
			      units_count(now.objects).text);
	paragraph_add(&paragraph, ", ", "%s", change_of_bytes(grown->delta.bytes).text);
	if (is_leak)
		paragraph_add(&paragraph, "   ", "%s each%s",
			      units_plural(group->excess, "leaked reference").text,
			      group->lost ? ", no holder" : "");
	else
		paragraph_add(&paragraph, "   ", "%s", screen_clean(screen, group->text).text);
	if (*group->modules)
		paragraph_add(&paragraph, "   ", "in %s",
			      screen_clean(screen, group->modules).text);
	if (session->history.count > 2)
		paragraph_add(&paragraph, "   ", "in %zu of %zu steps", grown->trend.up, last);
	paragraph_add(&paragraph, "   ", "e.g. 0x%" PRIx64, now.example);
	paragraph_end(&paragraph);
}

static void print_groups(const struct session *session, const char *heading,
			 const struct history_groups *groups, const struct growth_group *grown,
			 size_t count, bool is_leak, struct screen *screen)
{
	uint64_t limit = command_limit(session, ROWS_USUALLY);

	if (!count)
		return;
	screen_heading(screen, "%s", heading);
	for (size_t i = 0; i < count && i < limit; i++)
		print_group(session, groups, &grown[i], i, is_leak, screen);
	report_more(screen, 2, limit, count, "group");
}

static void print_shrunk(const struct session *session, struct screen *screen)
{
	const struct growth *growth = &session->growth;
	struct paragraph paragraph;

	if (!growth->shrunk_type_count)
		return;
	screen_print(screen, "\n");
	paragraph = paragraph_begin(screen, 0);
	paragraph_add(&paragraph, "", "Shrank:");
	paragraph.indent = 8;
	for (size_t i = 0; i < growth->shrunk_type_count && i < SHRUNK_IN_LINE; i++) {
		const struct growth_type *type = &growth->shrunk_types[i];
		const char *name = session->history.holders.names.texts[type->type];

		paragraph_add(&paragraph, i ? ", " : " ", "%s %s", screen_clean(screen, name).text,
			      change_of_bytes(type->delta.bytes).text);
	}
	if (growth->shrunk_type_count > SHRUNK_IN_LINE)
		paragraph_add(
			&paragraph, ", ", "%s",
			units_plural(growth->shrunk_type_count - SHRUNK_IN_LINE, "more type").text);
	paragraph_end(&paragraph);
}

static void print_next(const struct session *session, struct screen *screen)
{
	const struct growth *growth = &session->growth;
	size_t last = session->history.count - 1;
	uint64_t example = growth->row_count ? growth->rows[0].counts[last].example : 0;
	char retained[48], path[48];

	snprintf(retained, sizeof(retained), "retained 0x%" PRIx64, example);
	snprintf(path, sizeof(path), "path 0x%" PRIx64, example);
	report_next(session, screen,
		    (const char *[]){
			    example && command_by_name("retained") ? retained : NULL,
			    example && command_by_name("path") ? path : NULL,
			    growth->cycle_count ? "cycles" : NULL,
			    growth->leak_count ? "refcounts" : NULL,
			    "types",
		    },
		    5);
}

struct error *diff_text(struct session *session, struct screen *screen)
{
	const struct growth *growth = &session->growth;
	const struct history *history = &session->history;

	print_total(session, screen);
	print_snapshots(session, screen);
	print_rows(session, screen);
	print_types(session, screen);
	print_groups(session, "More unreachable cycles than before", &history->cycles,
		     growth->cycles, growth->cycle_count, false, screen);
	print_groups(session, "More leaked references than before", &history->leaks, growth->leaks,
		     growth->leak_count, true, screen);
	print_shrunk(session, screen);
	print_next(session, screen);
	return NULL;
}
