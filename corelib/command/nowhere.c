/*
 * Free memory and memory that is not there are looked up first; all else is a place as a reference
 * can stand in, so place.h knows.
 */
#include "command/nowhere.h"

#include "command/report.h"

#include <inttypes.h>

enum { WORD = sizeof(uint64_t) };

struct error *nowhere_find(struct session *session, uint64_t address)
{
	/* The word that the byte is of. */
	const struct holder word = {.address = address & ~(uint64_t)(WORD - 1)};
	struct error *err = session_census(session);

	if (!err && session->no_census)
		err = error_create_at(ERROR_GENERAL, address, "no object; what else is there: %s",
				      session->no_census);
	if (!err)
		err = places_find(session->census, &session->progress.progress, &word, 1,
				  &session->place);
	session->place.address = address;
	/* The word may begin in the symbol before. */
	if (!err && session->place.kind == PLACE_STATIC &&
	    !modules_symbol_at(session->target->modules, address, &session->place.symbol))
		session->place.symbol.name = NULL;
	return err;
}

/** Why nothing can be read at the address; NULL: it can. */
static const char *missing(const struct session *session)
{
	const struct image *image = session->target->image;
	const struct hole *hole = image_hole(image, session->place.address);

	if (image_segment(image, session->place.address))
		return NULL;
	return hole ? hole->reason : "nothing is mapped there";
}

static bool is_free(const struct session *session, struct block *block)
{
	*block = block_at(session->objects, session->place.address);
	return block->is_free;
}

/** What to type next, where an object owns the memory or points at it. */
static void print_next(const struct session *session, struct screen *screen)
{
	char next[48];

	if (session->place.object == HEAP_NONE)
		return;
	snprintf(next, sizeof(next), "show 0x%" PRIx64,
		 session->objects->addresses[session->place.object]);
	report_next(session, screen, (const char *[]){next}, 1);
}

void nowhere_text(const struct session *session, struct screen *screen)
{
	uint64_t address = session->place.address;
	const char *why = missing(session);
	struct block block;

	if (why) {
		screen_print(screen, "0x%" PRIx64 " is no memory: %s\n", address, why);
	} else if (!is_free(session, &block)) {
		screen_print(screen, "0x%" PRIx64 " is in no object, but %s\n", address,
			     session->place.kind == PLACE_OBJECT ? "in storage that one owns:"
								 : "here:");
		places_line(session, &session->place, "", 2, screen);
		print_next(session, screen);
	} else {
		screen_print(screen, "0x%" PRIx64 " is in no object, but in free memory", address);
		if (block.start)
			screen_print(screen, ": a block of %s at 0x%" PRIx64,
				     units_bytes(block.end - block.start).text, block.start);
		screen_print(screen, "\n");
	}
}

void nowhere_json(const struct session *session, struct document *document, json_t *result)
{
	const char *why = missing(session);
	struct block block;
	json_t *object;

	document_set(document, result, "address", json_null());
	object = document_set_object(document, result, "place");
	if (why) {
		document_set_string(document, object, "in", "nothing");
		document_set_string(document, object, "reason", why);
	} else if (is_free(session, &block)) {
		document_set_string(document, object, "in", "free");
		if (block.start) {
			document_set_address(document, object, "start", block.start);
			document_set_count(document, object, "size", block.end - block.start);
		}
	} else {
		places_fill_json(session, &session->place, document, object);
	}
}
