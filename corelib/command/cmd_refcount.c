/*
 * All about the references to one object: every word that points at it and what it is part of.
 */
#include "analysis/place.h"
#include "command/asked.h"
#include "command/command.h"
#include "command/leaked_report.h"
#include "command/places.h"

#include <inttypes.h>

enum { PLACES_USUALLY = 30, PLACES_MAX = 1 << 16 };

static struct error *prepare(struct session *session)
{
	const struct progress *progress = &session->progress.progress;
	struct asked asked;
	struct error *err = asked_open(session, "refcount");

	if (!err)
		err = session_census(session);
	if (!err)
		err = asked_find(session, "refcount", &asked);
	if (err)
		return err;
	return places_read(session->census, progress, asked.address,
			   command_limit(session, PLACES_USUALLY) < PLACES_MAX
				   ? command_limit(session, PLACES_USUALLY)
				   : PLACES_MAX,
			   &session->places);
}

/** References that no word explains; 0 also where words and refcount cannot be compared. */
static uint64_t unexplained(const struct session *session, const struct asked *asked)
{
	const struct places *places = &session->places;

	if (asked->header.immortal || asked->header.refcount <= 0 ||
	    (uint64_t)asked->header.refcount <= places->total)
		return 0;
	return (uint64_t)asked->header.refcount - places->total;
}

static void print_counts(const struct session *session, const struct asked *asked,
			 struct screen *screen)
{
	const struct places *places = &session->places;
	uint64_t leaked = unexplained(session, asked);
	struct paragraph paragraph = paragraph_begin(screen, 0);

	if (asked->header.immortal)
		paragraph_add(&paragraph, "", "immortal: its refcount does not count");
	else
		paragraph_add(&paragraph, "", "refcount %" PRId64, asked->header.refcount);
	paragraph_add(&paragraph, ", ", "%s", units_plural(places->total, "holder").text);
	paragraph_add(&paragraph, " ", "found");
	if (leaked)
		paragraph_add(&paragraph, ": ", "%s that nobody holds",
			      units_plural(leaked, "reference").text);
	else if (!asked->header.immortal && asked->header.refcount > 0 &&
		 places->total > (uint64_t)asked->header.refcount)
		paragraph_add(&paragraph, "; ",
			      "those above the refcount are borrowed, unless it was released too "
			      "often");
	paragraph_end(&paragraph);
	if (leaked && session->census->suspicion)
		screen_print(screen, "A suspicion: not all memory or registers are known.\n");
}

static struct error *text(struct session *session, struct screen *screen)
{
	struct asked asked;
	struct error *err = asked_find(session, "refcount", &asked);

	if (err)
		return err;
	report_header(session, screen);
	report_coverage(session, screen);
	screen_print(screen, "\n");
	asked_text(session, &asked, screen);
	print_counts(session, &asked, screen);
	places_text(session, &session->places, 2, screen);
	return NULL;
}

static struct error *json(struct session *session, struct document *document, json_t *result)
{
	struct asked asked;
	struct error *err = asked_find(session, "refcount", &asked);

	if (err)
		return err;
	asked_json(&asked, document, result);
	document_set_count(document, result, "found", session->places.total);
	document_set_count(document, result, "unexplained", unexplained(session, &asked));
	places_json(session, &session->places, document, result);
	return NULL;
}

const struct command command_refcount = {
	.description = "The refcount of an object, and every word in memory and registers that "
		       "points at it,\n"
		       "each with what it is part of: which object and which attribute, key or "
		       "index of it,\n"
		       "which variable of which running function, which thread's C stack or "
		       "register, which\n"
		       "symbol of which module, which raw block. What remains of the refcount was "
		       "leaked.\n"
		       "An address inside an object stands for the object.\n",
	.takes = asked_takes,
	.prepare = prepare,
	.text = text,
	.json = json,
};
