/*
 * Groups of cycles as text.
 */
#include "command/groups.h"

#include "command/collector.h"
#include "command/command.h"

#include <inttypes.h>
#include <string.h>

enum { EDGES_IN_LINE = 4, TYPES_IN_LINE = 3, MODULES_IN_LINE = 3 };

static const char *short_name(const struct type *type)
{
	return type ? type->short_name : "(damaged type)";
}

/**
 * Prints references in walking order: "Session.node -> Node.session -> Session". Where one does not
 * begin at the type at which the one before ended, a comma stands between them.
 */
static void add_edges(const struct cycle_group *group, size_t limit, struct paragraph *paragraph)
{
	struct screen *screen = paragraph->screen;
	size_t count = group->edge_count < limit ? group->edge_count : limit;
	const char *gap = "   ";

	for (size_t i = 0; i < count; i++) {
		const struct cycle_edge *edge = &group->edges[i];
		bool chained = i + 1 < count && edge[1].from == edge->to;

		paragraph_add(paragraph, gap, "%s%s ->",
			      screen_clean(screen, short_name(edge->from)).text,
			      screen_clean(screen, edge->label ? edge->label : "").text);
		gap = " ";
		if (chained)
			continue;
		paragraph_add(paragraph, " ", "%s%s",
			      screen_clean(screen, short_name(edge->to)).text,
			      i + 1 < count ? "," : "");
	}
	if (group->edges_cut || count < group->edge_count)
		paragraph_add(paragraph, " ", "%s", screen_ellipsis(screen));
}

/** The modules of the member types, each once, builtins left out. */
static void add_modules(const struct cycle_group *group, struct paragraph *paragraph)
{
	const char *modules[MODULES_IN_LINE];
	size_t count = 0;

	for (size_t i = 0; i < group->member_type_count && count < MODULES_IN_LINE; i++) {
		const struct type *type = group->member_types[i].type;
		bool seen = !type || !*type->module || !strcmp(type->module, "builtins");

		for (size_t j = 0; !seen && j < count; j++)
			seen = !strcmp(modules[j], type->module);
		if (!seen)
			modules[count++] = type->module;
	}
	for (size_t i = 0; i < count; i++)
		paragraph_add(paragraph, i ? ", " : "   ", "%s%s", i ? "" : "in ",
			      screen_clean(paragraph->screen, modules[i]).text);
}

/** "in 12 cycles", "in 1 cycle" */
static void add_cycle_count(uint64_t count, struct paragraph *paragraph)
{
	paragraph_add(paragraph, " ", "%s %s", units_count(count).text,
		      count == 1 ? "cycle" : "cycles");
}

static void add_objects(uint64_t count, struct paragraph *paragraph)
{
	paragraph_add(paragraph, "   ", "%s %s", units_count(count).text,
		      count == 1 ? "object" : "objects");
}

struct error *groups_summary(const struct session *session, struct screen *screen)
{
	const struct cycles *cycles = session->cycles;
	struct paragraph paragraph;

	screen_print(screen, "  Unreachable cycles   ");
	if (!cycles->objects) {
		screen_print(screen, "none\n");
		return NULL;
	}
	paragraph = paragraph_continue(screen, 23, 23);
	paragraph_add(&paragraph, "", "%s objects", units_count(cycles->objects).text);
	paragraph_add(&paragraph, " ", "in");
	add_cycle_count(cycles->cycle_count, &paragraph);
	paragraph_add(&paragraph, ", ", "%s", units_bytes(cycles->bytes).text);
	paragraph_end(&paragraph);
	return collector_explain(session, 23, screen);
}

void groups_line(const struct session *session, size_t index, struct screen *screen)
{
	const struct cycle_group *group = &session->cycles->groups[index];
	struct paragraph paragraph = paragraph_begin(screen, 2);

	paragraph_add(&paragraph, "", "%-3zu", index + 1);
	paragraph.indent += 4;
	add_cycle_count(group->cycles, &paragraph);
	paragraph_add(&paragraph, ", ", "%s", units_bytes(group->bytes).text);
	if (group->edge_count)
		add_edges(group, EDGES_IN_LINE, &paragraph);
	else if (group->member_type_count)
		paragraph_add(&paragraph, "   ", "%s",
			      screen_clean(screen, short_name(group->member_types[0].type)).text);
	add_modules(group, &paragraph);
	if (group->has_del)
		paragraph_add(&paragraph, "   ", "with __del__");
	paragraph_add(&paragraph, "   ", "e.g. 0x%" PRIx64, group->example);
	paragraph_end(&paragraph);
}

static void print_del(const struct cycle_group *group, struct screen *screen)
{
	struct paragraph paragraph = paragraph_begin(screen, 6);
	const char *gap = "";

	paragraph_add(&paragraph, gap, "with __del__:");
	gap = " ";
	for (size_t i = 0; i < group->member_type_count; i++) {
		const struct type *type = group->member_types[i].type;

		if (type && type->has_del) {
			paragraph_add(&paragraph, gap, "%s", screen_clean(screen, type->name).text);
			gap = ", ";
		}
	}
	for (size_t i = 0; i < group->attached_type_count; i++) {
		const struct type *type = group->attached_types[i].type;

		if (type && type->has_del) {
			paragraph_add(&paragraph, gap, "%s (attached)",
				      screen_clean(screen, type->name).text);
			gap = ", ";
		}
	}
	paragraph_end(&paragraph);
}

void groups_block(const struct session *session, size_t index, uint64_t limit,
		  struct screen *screen)
{
	const struct cycle_group *group = &session->cycles->groups[index];
	struct paragraph paragraph = paragraph_begin(screen, 2);

	paragraph_add(&paragraph, "", "%-3zu", index + 1);
	add_cycle_count(group->cycles, &paragraph);
	add_objects(group->members + group->attached, &paragraph);
	paragraph_add(&paragraph, "   ", "%s", units_bytes(group->bytes).text);
	paragraph_end(&paragraph);
	report_types(screen, 6, "", group->member_types, group->member_type_count, limit);
	if (group->edge_count) {
		paragraph = paragraph_begin(screen, 6);
		add_edges(group, limit < SIZE_MAX ? (size_t)limit : SIZE_MAX, &paragraph);
		paragraph_end(&paragraph);
	}
	if (group->attached)
		report_types(screen, 6, "attached: ", group->attached_types,
			     group->attached_type_count, limit);
	if (group->has_del)
		print_del(group, screen);
	screen_styled(screen, STYLE_FAINT, "      e.g. 0x%" PRIx64 "\n", group->example);
}
