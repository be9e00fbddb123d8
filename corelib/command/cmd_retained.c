/*
 * What keeps most of the heap, and what one object keeps.
 */
#include "command/asked.h"
#include "command/command.h"
#include "command/link.h"
#include "command/report.h"
#include "command/retained_view.h"
#include "traverse/title.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { INDENT = 35 };

/* In the list of holders stands what keeps at least such a part of all. */
enum { SMALL_PART = 10000 };

static struct error *check_options(struct session *session)
{
	const struct option_value *top = &session->options.values[OPTION_TOP];
	const struct option_value *by = &session->options.values[OPTION_BY];

	if (!retained_view_of(session))
		return error_create(ERROR_USAGE, "--by is holder, global, module or type, not '%s'",
				    by->text);
	if (by->given && retained_is_under(session))
		return error_create(ERROR_USAGE, "--by does not go with an address");
	if (session->argument && session->options.values[OPTION_UNDER].given)
		return error_create(ERROR_USAGE, "one address, please: %s or that of --under",
				    session->argument);
	if (top->given) {
		session->options.limit_given = true;
		session->options.limit = top->number;
	}
	return NULL;
}

/* The object whose children are asked for. */
static struct error *find_asked(const struct session *session, struct asked *asked)
{
	struct error *err = NULL;

	asked->typed = session->options.values[OPTION_UNDER].number;
	if (session->argument)
		err = asked_parse(session, "retained", &asked->typed);
	if (!err)
		err = asked_find_typed(session, asked);
	if (!err && asked->object == HEAP_NONE)
		err = error_create_at(ERROR_GENERAL, asked->address,
				      "what a static object retains is not known");
	return err;
}

static struct error *prepare_under(struct session *session)
{
	struct retainers *retainers = &session->retainers;
	struct asked asked;
	struct error *err = find_asked(session, &asked);
	uint32_t node;

	if (err)
		return err;
	retainers->items = calloc(1, sizeof(*retainers->items));
	if (!retainers->items)
		return &error_no_memory;
	retainers->count = retainers->total = 1;
	node = session->dominators->node_of[asked.object];
	retainers->items[0].suspect = (struct suspect){
		.object = asked.object,
		.retained = session->dominators->retained[node],
		.own = session->sizes[asked.object],
		.type = HEAP_NONE,
		.example = asked.object,
	};
	err = retainers_describe(session, retainers->items);
	return err ? err : retained_below(session, node, &session->rows);
}

static struct error *prepare(struct session *session)
{
	struct error *err = check_options(session);

	if (!err)
		err = session_retained(session, ROOTS_ALL);
	if (!err && session->no_census)
		err = error_create(ERROR_GENERAL, "what objects retain cannot be found: %s",
				   session->no_census);
	if (err || (session->options.format == FORMAT_NDJSON && !retained_is_under(session)))
		return err;
	if (retained_is_under(session))
		return prepare_under(session);
	if (retained_view_of(session)->rows)
		return retained_view_of(session)->rows(session, &session->rows);
	return retainers_find(session, retainers_heap_bytes(session) / SMALL_PART,
			      retained_limit(session), &session->retainers);
}

/*
 * Text
 */

static void print_heading(const char *what, struct screen *screen)
{
	screen_styled(screen, STYLE_HEADING, "%10s %11s %10s  %s", "retained", "share", "own",
		      what);
	screen_print(screen, "\n");
}

/* The numbers of a row; what stands behind them is the caller's. */
static struct paragraph begin_row(const struct session *session, uint64_t retained, uint64_t own,
				  struct screen *screen)
{
	screen_print(screen, "%10s %11s %10s  ", units_bytes(retained).text,
		     units_share(retained, retainers_heap_bytes(session)).text,
		     units_bytes(own).text);
	return paragraph_continue(screen, INDENT, INDENT);
}

static void print_holders(const struct session *session, struct screen *screen)
{
	const struct retainers *retainers = &session->retainers;

	print_heading("what keeps it", screen);
	for (size_t i = 0; i < retainers->count; i++) {
		const struct retainer *retainer = &retainers->items[i];
		const struct suspect *suspect = &retainer->suspect;
		struct paragraph paragraph =
			begin_row(session, suspect->retained, suspect->own, screen);

		if (suspect->group) {
			retainers_add_group(session, retainer, &paragraph);
		} else {
			retainers_add_name(session, retainer, "", &paragraph);
			retainers_add_content(session, retainer, "  ", &paragraph);
		}
		paragraph_add(&paragraph, "  ", "0x%" PRIx64,
			      retained_address(session, suspect->example));
		paragraph_end(&paragraph);
	}
	report_more(screen, 2, retainers->count, retainers->total, "holder");
}

/* What an object is: its type, and its length, name or value, if it has one. */
static void add_object(const struct session *session, uint32_t object, const char *gap,
		       struct paragraph *paragraph)
{
	const struct type *type = objects_type(session->objects, object);
	uint64_t length;
	char text[48];

	paragraph_add(paragraph, gap, "%s",
		      screen_clean(paragraph->screen, report_type_name(type)).text);
	if (type && object_length(session->heap->traverser, retained_address(session, object), type,
				  &length)) {
		paragraph_add(paragraph, ", ", "%s", units_plural(length, "item").text);
		return;
	}
	if (type && report_title(session, retained_address(session, object), type, paragraph))
		return;
	object_repr(session->heap->traverser, retained_address(session, object), text,
		    sizeof(text));
	if (*text != '<')
		paragraph_add(paragraph, " ", "%s", screen_clean(paragraph->screen, text).text);
}

static void add_row_name(const struct session *session, const struct retained_row *row,
			 struct paragraph *paragraph)
{
	const struct retained_view *view = retained_view_of(session);
	const struct screen *screen = paragraph->screen;
	char name[300] = "";

	if (view->rows == retained_by_type) {
		paragraph_add(paragraph, "", "%s %s %s", units_count(row->objects).text,
			      screen_times(screen),
			      screen_clean(screen,
					   report_type_name(
						   row->type == HEAP_NONE
							   ? NULL
							   : type_by_index(session->runtime->types,
									   row->type)))
				      .text);
		return;
	}
	retained_row_name(session, row, name, sizeof(name));
	paragraph_add(paragraph, "", "%s", screen_clean(screen, name).text);
	if (view->rows == retained_by_module)
		paragraph_add(paragraph, "  ", "%s", units_plural(row->objects, "global").text);
	else
		add_object(session, row->object, "  ", paragraph);
}

static void print_rows(const struct session *session, struct screen *screen)
{
	const struct retained_rows *rows = &session->rows;
	uint64_t limit = retained_limit(session);
	char noun[32];

	snprintf(noun, sizeof(noun), "%s", retained_view_of(session)->noun);
	print_heading(noun, screen);
	for (size_t i = 0; i < rows->count && i < limit; i++) {
		const struct retained_row *row = &rows->items[i];
		struct paragraph paragraph = begin_row(session, row->retained, row->own, screen);

		add_row_name(session, row, &paragraph);
		paragraph_add(&paragraph, "  ", "0x%" PRIx64,
			      retained_address(session, row->object));
		paragraph_end(&paragraph);
	}
	report_more(screen, 2, limit, rows->count, noun);
}

static void print_dominator(const struct session *session, uint32_t object, struct screen *screen)
{
	const struct dominators *tree = session->dominators;
	uint32_t parent = tree->parent[tree->node_of[object]];
	const struct root *root = anchors_root(session->anchors, object);
	struct paragraph paragraph = paragraph_begin(screen, 2);
	char text[400];

	if (parent != NODE_OUTSIDE) {
		paragraph_add(&paragraph, "", "goes with");
		add_object(session, tree->object_of[parent], " ", &paragraph);
		paragraph_add(&paragraph, "  ", "0x%" PRIx64,
			      retained_address(session, tree->object_of[parent]));
	} else if (root) {
		root_describe(session->roots, root, text, sizeof(text));
		paragraph_add(&paragraph, "", "held by %s", screen_clean(screen, text).text);
	} else {
		paragraph_add(&paragraph, "", "held by several objects, none of which alone");
		paragraph_add(&paragraph, " ", "would take it along");
	}
	paragraph_end(&paragraph);
}

static void print_children(const struct session *session, const struct retained_edges *edges,
			   struct screen *screen)
{
	const struct retained_rows *rows = &session->rows;
	uint64_t limit = retained_limit(session);

	print_heading("below it", screen);
	for (size_t i = 0; i < rows->count && i < limit; i++) {
		const struct retained_row *row = &rows->items[i];
		struct paragraph paragraph = begin_row(session, row->retained, row->own, screen);
		struct edge_label label;

		if (retained_edge(session, edges, row->object, &label))
			report_edge(&label, "", &paragraph);
		else
			paragraph_add(&paragraph, "", "(indirectly)");
		add_object(session, row->object, "  ", &paragraph);
		paragraph_add(&paragraph, "  ", "0x%" PRIx64,
			      retained_address(session, row->object));
		paragraph_end(&paragraph);
	}
	report_more(screen, 2, limit, rows->count, "object");
}

static struct error *print_under(struct session *session, struct screen *screen)
{
	const struct retainer *retainer = session->retainers.items;
	struct retained_edges edges = {0};
	struct error *err;
	char next[3][48];

	screen_text(screen, "");
	retainers_sentence(session, retainer, 2, 0, screen);
	print_dominator(session, retainer->suspect.object, screen);
	if (session->rows.count) {
		err = retained_edges_read(session, retainer->suspect.object, &edges);
		if (err)
			return err;
		screen_print(screen, "\n");
		print_children(session, &edges, screen);
		retained_edges_clear(&edges);
		snprintf(next[0], sizeof(next[0]), "retained --under 0x%" PRIx64,
			 retained_address(session, session->rows.items[0].object));
	}
	snprintf(next[1], sizeof(next[1]), "referrers 0x%" PRIx64,
		 retained_address(session, retainer->suspect.object));
	report_next(session, screen,
		    (const char *[]){session->rows.count ? next[0] : NULL, next[1], "retained"}, 3);
	return NULL;
}

static void print_next(const struct session *session, struct screen *screen)
{
	const struct retained_view *view = retained_view_of(session);
	uint32_t object = HEAP_NONE;
	char under[48];

	if (session->retainers.count)
		object = session->retainers.items[0].suspect.object;
	else if (session->rows.count)
		object = session->rows.items[0].object;
	if (object != HEAP_NONE)
		snprintf(under, sizeof(under), "retained --under 0x%" PRIx64,
			 retained_address(session, object));
	report_next(session, screen,
		    (const char *[]){
			    object == HEAP_NONE ? NULL : under,
			    view->rows ? "retained" : NULL,
			    view->rows == retained_by_global ? NULL : "retained --by global",
			    view->rows == retained_by_module ? NULL : "retained --by module",
			    view->rows == retained_by_type ? NULL : "retained --by type",
		    },
		    5);
}

static struct error *text(struct session *session, struct screen *screen)
{
	report_header(session, screen);
	report_coverage(session, screen);
	screen_print(screen, "\n");
	if (retained_is_under(session))
		return print_under(session, screen);
	screen_print(screen, "%s, %s of Python heap\n\n",
		     units_plural(session->objects->count, "object").text,
		     units_bytes(retainers_heap_bytes(session)).text);
	if (retained_view_of(session)->rows)
		print_rows(session, screen);
	else
		print_holders(session, screen);
	print_next(session, screen);
	return NULL;
}

const struct command command_retained = {
	.description =
		"Which objects keep most of the heap: what would be freed with each, and what that "
		"is. An\n"
		"object retains what nothing else would hold if it went. Modules and running "
		"functions are\n"
		"looked through to their globals and variables, and so is an object of which one "
		"reference\n"
		"keeps nearly all. Where several objects together hold many small ones, these are "
		"one row.\n"
		"'Own' is what the object takes by itself.\n"
		"\n"
		"With an address, or --under: what that object keeps, in the order of bytes; to go "
		"down from\n"
		"there name one of those. --by global has a row for each global of each module, "
		"--by "
		"module\n"
		"for each module (all that goes with its namespace), --by type for each type (what "
		"would go\n"
		"with all objects of it).\n"
		"\n"
		"With --ndjson, one line for each object of the dominator tree: address, type, "
		"bytes,\n"
		"retained_bytes, dominator (null: `root` says what kind of place holds it).\n",
	.options = OPTION_BIT(BY) | OPTION_BIT(UNDER) | OPTION_BIT(TOP),
	.takes = asked_takes,
	.prepare = prepare,
	.text = text,
	.json = retained_json,
	.ndjson = retained_ndjson,
};
