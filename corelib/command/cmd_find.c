/*
 * Objects by what they are.
 */
#include "analysis/sizes.h"
#include "command/command.h"
#include "command/records.h"
#include "command/report.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FOUND_USUALLY = 40, JSON_USUALLY = 1000, COLUMN = 40 };

/** Reads "0x7f00-0x7fff", also without the 0x, as /proc/PID/maps has it. */
static bool parse_range(const char *text, uint64_t *start, uint64_t *end)
{
	char *rest;

	if (!isxdigit((unsigned char)*text))
		return false;
	*start = strtoull(text, &rest, 16);
	if (*rest++ != '-' || !isxdigit((unsigned char)*rest))
		return false;
	*end = strtoull(rest, &rest, 16);
	return !*rest && *start < *end;
}

/** Which objects are wanted. The roots of --unreachable are still to be found. */
static struct error *make_filter(const struct session *session, struct search_filter *filter)
{
	const struct option_value *min_size = command_option(session, OPTION_MIN_SIZE);
	const struct option_value *max_size = command_option(session, OPTION_MAX_SIZE);
	const struct option_value *range = command_option(session, OPTION_RANGE);

	*filter = (struct search_filter){
		.type = command_option(session, OPTION_TYPE)->text,
		.text = command_option(session, OPTION_STR)->text,
		.min_size = min_size->number,
		.max_size = max_size->given ? max_size->number : UINT64_MAX,
		.end = UINT64_MAX,
		.generation = command_generation(session),
	};
	if (!filter->type && !filter->text && !min_size->given && !max_size->given &&
	    !range->given && filter->generation < 0 &&
	    !command_option(session, OPTION_UNREACHABLE)->given)
		return error_create(ERROR_USAGE,
				    "find what? Give --type GLOB, --str GLOB, --min-size SIZE, "
				    "--max-size SIZE, --range START-END, --generation N or "
				    "--unreachable, such as: find --type '*Session'");
	if (range->given && !parse_range(range->text, &filter->start, &filter->end))
		return error_create(
			ERROR_USAGE,
			"--range needs START-END, such as 0x7f0000000000-0x7f0000100000, "
			"not '%s'",
			range->text);
	if (filter->min_size > filter->max_size)
		return error_create(ERROR_USAGE, "--min-size %s is above --max-size %s",
				    min_size->text, max_size->text);
	return command_check_generation(session);
}

static struct error *prepare(struct session *session)
{
	bool unreachable = command_option(session, OPTION_UNREACHABLE)->given;
	struct search_filter filter;
	struct error *err = make_filter(session, &filter);

	if (!err)
		err = session_unreachable(session);
	if (!err)
		err = unreachable ? session_roots(session, ROOTS_ALL) : session_objects(session);
	if (!err && session->no_census)
		err = error_create(ERROR_GENERAL, "objects cannot be listed: %s",
				   session->no_census);
	if (err)
		return err;
	filter.roots = unreachable ? session->roots : NULL;
	return search_run(session->objects, &filter, &session->progress.progress, &session->search);
}

static void print_object(const struct session *session, uint32_t object, struct screen *screen)
{
	const struct type *type = objects_type(session->objects, object);
	uint64_t address = session->objects->addresses[object];
	struct object_header header = {0};
	struct paragraph paragraph;
	char text[200];

	object_header(session->runtime, &session->heap->reader, address, &header);
	screen_print(screen, "  ");
	screen_styled(screen, STYLE_FAINT, "0x%012" PRIx64, address);
	screen_print(
		screen, " %9s %10s  ", units_bytes(object_bytes(session->objects, object)).text,
		header.immortal
			? "immortal"
			: units_count((uint64_t)(header.refcount > 0 ? header.refcount : 0)).text);
	paragraph = paragraph_continue(screen, COLUMN, COLUMN);
	paragraph_add(&paragraph, "", "%s", screen_clean(screen, report_type_name(type)).text);
	report_describe(session, address, type, NULL, text, sizeof(text));
	report_fit(&paragraph, text);
	paragraph_end(&paragraph);
}

static struct error *text(struct session *session, struct screen *screen)
{
	const struct search *search = &session->search;
	uint64_t limit = command_limit(session, FOUND_USUALLY);
	char next[2][48];

	report_header(session, screen);
	report_coverage(session, screen);
	screen_print(screen, "\n%s of %s %s", units_plural(search->count, "object").text,
		     units_count(session->objects->count).text,
		     search->count == 1 ? "matches" : "match");
	screen_print(screen, search->count ? ", %s in all\n\n" : "\n",
		     units_bytes(search->bytes).text);
	if (!search->count)
		return NULL;
	screen_styled(screen, STYLE_HEADING, "  %-14s %9s %10s  %s", "address", "bytes", "refcount",
		      "type and value");
	screen_print(screen, "\n");
	for (uint32_t i = 0; i < search->count && i < limit; i++)
		print_object(session, search->objects[i], screen);
	report_more(screen, 2, limit, search->count, "object");
	snprintf(next[0], sizeof(next[0]), "show 0x%" PRIx64,
		 session->objects->addresses[search->objects[0]]);
	snprintf(next[1], sizeof(next[1]), "referrers 0x%" PRIx64,
		 session->objects->addresses[search->objects[0]]);
	report_next(session, screen, (const char *[]){next[0], next[1]}, 2);
	return NULL;
}

static struct error *json(struct session *session, struct document *document, json_t *result)
{
	const struct search *search = &session->search;
	uint64_t limit = command_limit(session, JSON_USUALLY);
	json_t *array;

	document_set_count(document, result, "objects", search->count);
	document_set_count(document, result, "bytes", search->bytes);
	array = document_set_array(document, result, "found");
	for (uint32_t i = 0; i < search->count && i < limit; i++) {
		uint32_t number = search->objects[i];
		const struct type *type = objects_type(session->objects, number);
		uint64_t address = session->objects->addresses[number];
		json_t *object = document_append_object(document, array);
		struct object_header header = {0};
		char repr[256];

		object_header(session->runtime, &session->heap->reader, address, &header);
		repr_object(session->heap->traverser, address, &REPR_LINE, repr, sizeof(repr));
		document_set_address(document, object, "address", address);
		document_set_string(document, object, "type", type ? type->name : NULL);
		document_set_count(document, object, "size",
				   object_bytes(session->objects, number));
		document_set(document, object, "refcount",
			     header.immortal ? json_null() : json_integer(header.refcount));
		document_set_string(document, object, "repr", repr);
	}
	return NULL;
}

static struct error *ndjson(struct session *session, const struct output *output)
{
	return records_search(session, output);
}

const struct command command_find = {
	.description =
		"Lists the objects for which all that is given holds, in order of address, whether "
		"the\n"
		"collector tracks them or not. Patterns are those of the shell; they match the "
		"whole\n"
		"name or text, so write '*token*' for a part. --str looks into str, bytes and "
		"their\n"
		"subclasses. Bytes are those of the object, its header and the storage that it "
		"alone\n"
		"owns. Constants in the static data of libraries are no objects of the heap and "
		"are "
		"not\n"
		"listed.\n"
		"\n"
		"With --ndjson, one line for each object: address, type, size, refcount (null: "
		"immortal),\n"
		"repr.\n"
		"\n"
		"  find --type 'app.*Session'\n"
		"  find --str '*password*' --min-size 1K\n"
		"  find --type dict --generation 2 --ndjson\n",
	.options = OPTION_BIT(TYPE) | OPTION_BIT(STR) | OPTION_BIT(MIN_SIZE) |
		   OPTION_BIT(MAX_SIZE) | OPTION_BIT(RANGE) | OPTION_BIT(GENERATION) |
		   OPTION_BIT(UNREACHABLE),
	.prepare = prepare,
	.text = text,
	.json = json,
	.ndjson = ndjson,
};
