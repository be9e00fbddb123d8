/*
 * Who refers to an object.
 */
#include "command/asked.h"
#include "command/command.h"
#include "command/link.h"
#include "command/report.h"

#include <inttypes.h>

static struct error *prepare(struct session *session)
{
	struct error *err = asked_open(session, "referrers");
	struct asked asked = {0};

	if (!err)
		err = asked_find(session, "referrers", &asked);
	if (!err)
		err = referrers_find(session->objects, &session->progress.progress, asked.address,
				     link_limit(session), &session->referrers);
	return err;
}

static struct link link_of(const struct session *session, const struct referrer *referrer)
{
	return (struct link){
		.label = &referrer->label,
		.slot = referrer->slot,
		.visited = referrer->visited,
		.object = referrer->object == HEAP_NONE
				  ? 0
				  : session->objects->addresses[referrer->object],
		.function = referrer->function,
		.tid = referrer->tid,
	};
}

/** The refcount knows of C code too; says so where it is higher. */
static void print_counts(const struct session *session, const struct asked *asked,
			 struct screen *screen)
{
	const struct referrers *referrers = &session->referrers;
	uint64_t frames = 0;
	struct paragraph paragraph = paragraph_begin(screen, 0);

	for (size_t i = 0; i < referrers->count; i++)
		frames += referrers->items[i].object == HEAP_NONE;
	paragraph_add(&paragraph, "", "%s", units_plural(referrers->total, "reference").text);
	paragraph_add(&paragraph, " ", "from %s", units_plural(referrers->objects, "object").text);
	if (frames)
		paragraph_add(&paragraph, " ", "and running functions");
	if (asked->header.immortal)
		paragraph_add(&paragraph, ", ", "immortal");
	else
		paragraph_add(&paragraph, ", ", "refcount %" PRId64, asked->header.refcount);
	if (!asked->header.immortal && asked->header.refcount > 0 &&
	    (uint64_t)asked->header.refcount > referrers->total)
		paragraph_add(&paragraph, ": ",
			      "C code holds the rest; %srefcount 0x%" PRIx64 " says where",
			      session->front_end == FRONT_END_DEBUGGER ? "pymem " : "",
			      asked->address);
	paragraph_end(&paragraph);
}

static struct error *text(struct session *session, struct screen *screen)
{
	const struct referrers *referrers = &session->referrers;
	char next[2][48];
	struct asked asked = {0};
	struct error *err = asked_find(session, "referrers", &asked);

	if (err)
		return err;
	report_header(session, screen);
	report_coverage(session, screen);
	screen_print(screen, "\n");
	asked_text(session, &asked, screen);
	print_counts(session, &asked, screen);
	for (size_t i = 0; i < referrers->count; i++) {
		const struct link link = link_of(session, &referrers->items[i]);

		link_text(session, &link, "referrers", screen);
	}
	report_more(screen, 2, referrers->count, referrers->total, "reference");
	snprintf(next[0], sizeof(next[0]), "referents 0x%" PRIx64, asked.address);
	snprintf(next[1], sizeof(next[1]), "refcount 0x%" PRIx64, asked.address);
	report_next(session, screen, (const char *[]){next[0], next[1]}, 2);
	return NULL;
}

static struct error *json(struct session *session, struct document *document, json_t *result)
{
	const struct referrers *referrers = &session->referrers;
	struct asked asked;
	struct error *err = asked_find(session, "referrers", &asked);
	json_t *array;

	if (err)
		return err;
	asked_json(&asked, document, result);
	document_set_count(document, result, "total", referrers->total);
	document_set_count(document, result, "objects", referrers->objects);
	array = document_set_array(document, result, "referrers");
	for (size_t i = 0; i < referrers->count; i++) {
		const struct link link = link_of(session, &referrers->items[i]);

		link_json(session, &link, document, document_append_object(document, array));
	}
	return NULL;
}

static struct error *ndjson(struct session *session, const struct output *output)
{
	const struct referrers *referrers = &session->referrers;
	struct error *err = NULL;

	for (size_t i = 0; !err && i < referrers->count; i++) {
		const struct link link = link_of(session, &referrers->items[i]);

		err = link_ndjson(session, &link, output);
	}
	return err;
}

const struct command command_referrers = {
	.description = "Every object that refers to this one, each with the attribute, key, index "
		       "or variable\n"
		       "that the reference is, what the object is, its size in bytes with the "
		       "storage that it\n"
		       "alone owns, and the command that goes on there; then the variables of "
		       "running functions.\n"
		       "Objects that the collector does not track are asked too. What C code "
		       "holds, in static\n"
		       "data, on stacks or in memory of its own, is shown by `refcount`.\n"
		       "In JSON, `visited` and `tracked` together say that gc.get_referrers() "
		       "gives the object.\n"
		       "\n"
		       "With --ndjson, one line for each reference.\n",
	.takes = asked_takes,
	.prepare = prepare,
	.text = text,
	.json = json,
	.ndjson = ndjson,
};
