/*
 * All objects by type or module.
 */
#include "analysis/histogram.h"
#include "command/command.h"
#include "command/json_text.h"
#include "command/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_USUALLY = 30, JSON_USUALLY = 1000 };

static bool by_module(const struct session *session)
{
	const struct option_value *by = command_option(session, OPTION_BY);

	return by->given && !strcmp(by->text, "module");
}

static const char *row_name(const struct session *session, const struct histogram_row *row)
{
	const struct type *type =
		row->type == HEAP_NONE ? NULL : type_by_index(session->runtime->types, row->type);

	if (!type || !by_module(session))
		return report_type_name(type);
	return *type->module ? type->module : "(no module)";
}

/*
 * Order
 */

static int compare_number(uint64_t a, uint64_t b)
{
	return a > b ? -1 : a < b;
}

static int by_bytes(const void *left, const void *right, void *session)
{
	const struct histogram_row *a = left, *b = right;

	(void)session;
	return compare_number(a->bytes, b->bytes);
}

static int by_objects(const void *left, const void *right, void *session)
{
	const struct histogram_row *a = left, *b = right;
	int order = compare_number(a->objects, b->objects);

	return order ? order : by_bytes(left, right, session);
}

static int by_retained(const void *left, const void *right, void *session)
{
	const struct histogram_row *a = left, *b = right;
	int order = compare_number(a->retained, b->retained);

	return order ? order : by_bytes(left, right, session);
}

static int by_name(const void *left, const void *right, void *session)
{
	return strcmp(row_name(session, left), row_name(session, right));
}

/** The orders of --sort. */
static const struct {
	const char *key;
	int (*compare)(const void *left, const void *right, void *session);
} orders[] = {
	{"bytes", by_bytes},
	{"objects", by_objects},
	{"retained", by_retained},
	{"name", by_name},
};

static struct error *check_options(const struct session *session)
{
	const struct option_value *by = command_option(session, OPTION_BY);
	const struct option_value *sort = command_option(session, OPTION_SORT);
	bool known = !sort->given;

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		known = known || !strcmp(sort->text, orders[i].key);
	if (!known)
		return error_create(ERROR_USAGE,
				    "--sort is bytes, objects, retained or name, not '%s'",
				    sort->text);
	if (by->given && strcmp(by->text, "type") && strcmp(by->text, "module"))
		return error_create(ERROR_USAGE, "--by is type or module, not '%s'", by->text);
	return command_check_generation(session);
}

static void sort_rows(struct session *session)
{
	const struct option_value *sort = command_option(session, OPTION_SORT);
	struct histogram *histogram = &session->histogram;

	for (size_t i = 0; sort->given && i < sizeof(orders) / sizeof(orders[0]); i++)
		if (!strcmp(sort->text, orders[i].key) && histogram->count)
			qsort_r(histogram->rows, histogram->count, sizeof(*histogram->rows),
				orders[i].compare, session);
}

static struct error *prepare(struct session *session)
{
	const struct histogram_filter filter = {
		.type = command_option(session, OPTION_TYPE)->text,
		.min_size = command_option(session, OPTION_MIN_SIZE)->number,
		.generation = command_generation(session),
		.unreachable = command_option(session, OPTION_UNREACHABLE)->given,
	};
	struct error *err = check_options(session);

	if (!err)
		err = session_retained(session, ROOTS_ALL);
	if (!err && session->no_census)
		err = error_create(ERROR_GENERAL, "objects cannot be listed: %s",
				   session->no_census);
	if (!err)
		err = histogram_make(session->dominators, &filter, by_module(session),
				     &session->progress.progress, &session->histogram);
	if (!err)
		sort_rows(session);
	return err;
}

static void print_row(const struct session *session, const struct histogram_row *row,
		      struct screen *screen)
{
	struct paragraph paragraph;

	screen_print(screen, "%13s %9s %8s %9s  ", units_count(row->objects).text,
		     units_bytes(row->bytes).text,
		     units_share(row->bytes, session->histogram.bytes).text,
		     units_bytes(row->retained).text);
	screen_styled(screen, STYLE_FAINT, "0x%012" PRIx64,
		      session->objects->addresses[row->example]);
	screen_print(screen, "  ");
	paragraph = paragraph_continue(screen, 16, 60);
	paragraph_add(&paragraph, "", "%s", screen_clean(screen, row_name(session, row)).text);
	paragraph_end(&paragraph);
}

static struct error *text(struct session *session, struct screen *screen)
{
	const struct histogram *histogram = &session->histogram;
	uint64_t limit = command_limit(session, ROWS_USUALLY);
	char retained[48];

	report_header(session, screen);
	report_coverage(session, screen);
	screen_print(screen, "\n%s of %s, %s in all\n\n",
		     units_plural(histogram->objects, "object").text,
		     units_plural(histogram->count, by_module(session) ? "module" : "type").text,
		     units_bytes(histogram->bytes).text);
	if (!histogram->count)
		return NULL;
	screen_styled(screen, STYLE_HEADING, "%13s %9s %8s %9s  %-14s  %s", "objects", "bytes",
		      "share", "retained", "largest", by_module(session) ? "module" : "type");
	screen_print(screen, "\n");
	for (size_t i = 0; i < histogram->count && i < limit; i++)
		print_row(session, &histogram->rows[i], screen);
	report_more(screen, 2, limit, histogram->count, by_module(session) ? "module" : "type");
	snprintf(retained, sizeof(retained), "retained 0x%" PRIx64,
		 session->objects->addresses[histogram->rows[0].example]);
	report_next(session, screen,
		    (const char *[]){retained, "types --sort retained", "retained"}, 3);
	return NULL;
}

static struct error *json(struct session *session, struct document *document, json_t *result)
{
	const struct histogram *histogram = &session->histogram;
	uint64_t limit = command_limit(session, JSON_USUALLY);
	const char *key = by_module(session) ? "module" : "type";
	json_t *array;

	document_set_count(document, result, "objects", histogram->objects);
	document_set_count(document, result, "bytes", histogram->bytes);
	document_set_count(document, result, "total", histogram->count);
	array = document_set_array(document, result, by_module(session) ? "modules" : "types");
	for (size_t i = 0; i < histogram->count && i < limit; i++) {
		const struct histogram_row *row = &histogram->rows[i];
		json_t *object = document_append_object(document, array);

		document_set_string(document, object, key, row_name(session, row));
		document_set_count(document, object, "objects", row->objects);
		document_set_count(document, object, "bytes", row->bytes);
		document_set_count(document, object, "retained_bytes", row->retained);
		document_set_address(document, object, "example",
				     session->objects->addresses[row->example]);
	}
	return NULL;
}

static struct error *ndjson(struct session *session, const struct output *output)
{
	const struct histogram *histogram = &session->histogram;
	uint64_t limit = command_limit(session, UINT64_MAX);
	struct json_text line = {0};
	struct error *err = NULL;

	for (size_t i = 0; !err && i < histogram->count && i < limit; i++) {
		const struct histogram_row *row = &histogram->rows[i];

		line.length = 0;
		json_text_raw(&line, by_module(session) ? "{\"module\":" : "{\"type\":");
		json_text_string(&line, row_name(session, row));
		json_text_raw(&line, ",\"objects\":");
		json_text_count(&line, row->objects);
		json_text_raw(&line, ",\"bytes\":");
		json_text_count(&line, row->bytes);
		json_text_raw(&line, ",\"retained_bytes\":");
		json_text_count(&line, row->retained);
		json_text_raw(&line, ",\"example\":");
		json_text_address(&line, session->objects->addresses[row->example]);
		json_text_raw(&line, "}\n");
		if (line.failed)
			err = &error_no_memory;
		else if (fwrite(line.bytes, 1, line.length, output->file) != line.length)
			err = output_status(output);
	}
	json_text_clear(&line);
	return err;
}

const struct command command_types = {
	.description =
		"How many objects of each type there are, tracked by the collector or not, and "
		"their bytes:\n"
		"object, header and the storage that it alone owns. 'Retained' is what would be "
		"freed if\n"
		"all objects of the row went: theirs and what only they hold. 'Largest' is the one "
		"that\n"
		"retains most. --by module puts the types of a module together.\n"
		"\n"
		"With --ndjson, one line for each row: type or module, objects, bytes, "
		"retained_bytes,\n"
		"example.\n",
	.options = OPTION_BIT(TYPE) | OPTION_BIT(BY) | OPTION_BIT(SORT) | OPTION_BIT(MIN_SIZE) |
		   OPTION_BIT(GENERATION) | OPTION_BIT(UNREACHABLE),
	.prepare = prepare,
	.text = text,
	.json = json,
	.ndjson = ndjson,
};
