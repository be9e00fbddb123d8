/*
 * What an object refers to.
 */
#include "command/asked.h"
#include "command/command.h"
#include "command/link.h"
#include "command/report.h"

#include <inttypes.h>

static struct error *prepare(struct session *session)
{
	struct error *err = asked_open(session, "referents");
	struct asked asked;

	if (!err)
		err = asked_find(session, "referents", &asked);
	if (!err && !referents_read(session->objects, asked.object, asked.address, asked.type,
				    &session->referents))
		err = &error_no_memory;
	return err;
}

/** @param label room for the label */
static struct link link_of(const struct session *session, const struct asked *asked, size_t i,
			   struct edge_label *label)
{
	const struct referent *referent = &session->referents.items[i];

	edge_label(session->heap->traverser, asked->address, asked->type, &referent->reference,
		   label);
	return (struct link){
		.label = label,
		.slot = referent->reference.slot,
		.visited = referent->visited,
		.object = referent->reference.target,
	};
}

static struct error *text(struct session *session, struct screen *screen)
{
	size_t count = session->referents.count;
	uint64_t limit = link_limit(session);
	struct edge_label label;
	char next[3][48];
	struct asked asked;
	struct error *err = asked_find(session, "referents", &asked);

	if (err)
		return err;
	report_header(session, screen);
	report_coverage(session, screen);
	screen_print(screen, "\n");
	asked_text(session, &asked, screen);
	screen_print(screen, "%s to other objects\n", units_plural(count, "reference").text);
	for (size_t i = 0; i < count && i < limit; i++) {
		const struct link link = link_of(session, &asked, i, &label);

		link_text(session, &link, "referents", screen);
	}
	report_more(screen, 2, limit, count, "reference");
	snprintf(next[0], sizeof(next[0]), "referrers 0x%" PRIx64, asked.address);
	snprintf(next[1], sizeof(next[1]), "refcount 0x%" PRIx64, asked.address);
	report_next(session, screen, (const char *[]){next[0], next[1]}, 2);
	return NULL;
}

static struct error *json(struct session *session, struct document *document, json_t *result)
{
	uint64_t limit = link_limit(session);
	struct edge_label label;
	struct asked asked;
	struct error *err = asked_find(session, "referents", &asked);
	json_t *array;

	if (err)
		return err;
	asked_json(&asked, document, result);
	document_set_count(document, result, "total", session->referents.count);
	array = document_set_array(document, result, "referents");
	for (size_t i = 0; i < session->referents.count && i < limit; i++) {
		const struct link link = link_of(session, &asked, i, &label);

		link_json(session, &link, document, document_append_object(document, array));
	}
	return NULL;
}

static struct error *ndjson(struct session *session, const struct output *output)
{
	uint64_t limit = link_limit(session);
	struct edge_label label;
	struct asked asked;
	struct error *err = asked_find(session, "referents", &asked);

	for (size_t i = 0; !err && i < session->referents.count && i < limit; i++) {
		const struct link link = link_of(session, &asked, i, &label);

		err = link_ndjson(session, &link, output);
	}
	return err;
}

const struct command command_referents = {
	.description = "Every object that this one refers to, each with the attribute, key, index "
		       "or variable\n"
		       "that the reference is, what the object is, its size in bytes with the "
		       "storage that it\n"
		       "alone owns, and the command that goes on there. First those that "
		       "gc.get_referents()\n"
		       "gives, in its order (visited in JSON); then those that the type does not "
		       "tell the\n"
		       "collector, such as keys that are str. An address inside an object stands "
		       "for the object.\n"
		       "\n"
		       "With --ndjson, one line for each reference.\n",
	.takes = asked_takes,
	.prepare = prepare,
	.text = text,
	.json = json,
	.ndjson = ndjson,
};
