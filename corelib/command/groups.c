/*
 * Groups of cycles as text.
 */
#include "command/groups.h"

#include "command/collector.h"
#include "command/command.h"
#include "command/edge_chains.h"

#include <inttypes.h>
#include <string.h>

enum { EDGES_IN_LINE = 4, TYPES_IN_LINE = 3, MODULES_IN_LINE = 3 };

static const char *short_name(const struct type *type)
{
	return type ? type->short_name : "(damaged type)";
}

/** Adds one reference; the last of a chain says also where it leads. */
static void add_edge(const struct cycle_edge *edge, const char *gap, bool is_last, const char *end,
		     struct paragraph *paragraph)
{
	struct screen *screen = paragraph->screen;
	struct clean_text from = screen_clean(screen, short_name(edge->from));
	struct clean_text label = screen_clean(screen, edge->label ? edge->label : "");

	if (is_last)
		paragraph_add(paragraph, gap, "%s%s -> %s%s", from.text, label.text,
			      screen_clean(screen, short_name(edge->to)).text, end);
	else
		paragraph_add(paragraph, gap, "%s%s ->", from.text, label.text);
}

/** Are more references known, or were there more, than these? */
static bool is_cut(const struct cycle_group *group, size_t shown)
{
	return group->edges_cut || shown < group->edge_count;
}

/** Adds references round the cycle: "Session.node -> Node.session -> Session, Session.x -> X". */
static void add_edges(const struct cycle_group *group, size_t limit, struct paragraph *paragraph)
{
	struct edge_chains chains;
	size_t count;

	edge_chains_make(group, &chains);
	count = chains.count < limit ? chains.count : limit;
	for (size_t i = 0; i < count; i++)
		add_edge(chains.edges[i], i ? " " : "   ", chains.ends_chain[i] || i + 1 == count,
			 i + 1 == count ? "" : ",", paragraph);
	if (is_cut(group, count))
		paragraph_add(paragraph, " ", "%s", screen_ellipsis(paragraph->screen));
}

/** Prints the references, each way round the cycle on a line of its own. */
static void print_edges(const struct cycle_group *group, struct screen *screen)
{
	struct edge_chains chains;
	struct paragraph paragraph;
	bool begins = true;

	edge_chains_make(group, &chains);
	for (size_t i = 0; i < chains.count; i++) {
		if (begins)
			paragraph = paragraph_begin(screen, 6);
		add_edge(chains.edges[i], " ", chains.ends_chain[i], "", &paragraph);
		if (chains.ends_chain[i])
			paragraph_end(&paragraph);
		begins = chains.ends_chain[i];
	}
	if (is_cut(group, chains.count))
		screen_print(screen, "      %s and more references\n", screen_ellipsis(screen));
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

/** The type of the example, if the heap is there to ask. */
static const struct type *example_type(const struct session *session,
				       const struct cycle_group *group)
{
	uint32_t object = session->heap ? heap_find(session->heap, group->example) : HEAP_NONE;

	return object == HEAP_NONE ? NULL : heap_type(session->heap, object);
}

/** Prints "e.g. 0x7f3c12a4e0d0 app.Session"; where the type says little, also what it is called. */
static void print_example(const struct session *session, const struct cycle_group *group,
			  struct screen *screen)
{
	const struct type *type = example_type(session, group);

	screen_print(screen, "      e.g. 0x%" PRIx64, group->example);
	if (type)
		screen_print(screen, " %s",
			     report_object(session, group->example, type, screen).text);
	screen_print(screen, "\n");
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
	paragraph_add(&paragraph, "", "%s in %s", units_plural(cycles->objects, "object").text,
		      units_plural(cycles->cycle_count, "cycle").text);
	paragraph_add(&paragraph, ", ", "%s", units_bytes(cycles->bytes).text);
	paragraph_end(&paragraph);
	return collector_explain(session, 23, screen);
}

/** How the members refer to each other; where that is long, what the example is called instead. */
static void add_shape(const struct session *session, const struct cycle_group *group,
		      struct paragraph *paragraph)
{
	bool is_long = group->edge_count > EDGES_IN_LINE || group->edges_cut;
	const struct type *type = example_type(session, group);

	if (is_long && type && report_has_title(session, group->example, type))
		paragraph_add(paragraph, "   ", "%s",
			      report_object(session, group->example, type, paragraph->screen).text);
	else if (group->edge_count)
		add_edges(group, EDGES_IN_LINE, paragraph);
	else if (group->member_type_count)
		paragraph_add(
			paragraph, "   ", "%s",
			screen_clean(paragraph->screen, short_name(group->member_types[0].type))
				.text);
}

void groups_line(const struct session *session, size_t index, struct screen *screen)
{
	const struct cycle_group *group = &session->cycles->groups[index];
	struct paragraph paragraph = paragraph_begin(screen, 2);

	paragraph_add(&paragraph, "", "%-3zu", index + 1);
	paragraph.indent += 4;
	paragraph_add(&paragraph, " ", "%s", units_plural(group->cycles, "cycle").text);
	paragraph_add(&paragraph, ", ", "%s", units_bytes(group->bytes).text);
	add_shape(session, group, &paragraph);
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

	screen_print(screen, "  %-3zu ", index + 1);
	screen_styled(screen, STYLE_HEADING, "%s, %s, %s",
		      units_plural(group->cycles, "cycle").text,
		      units_plural(group->members + group->attached, "object").text,
		      units_bytes(group->bytes).text);
	screen_print(screen, "\n");
	report_types(screen, 6, "", group->member_types, group->member_type_count, limit);
	print_edges(group, screen);
	if (group->attached)
		report_types(screen, 6, "attached: ", group->attached_types,
			     group->attached_type_count, limit);
	if (group->has_del)
		print_del(group, screen);
	print_example(session, group, screen);
}
