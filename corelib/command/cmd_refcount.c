/*
 * All about the references to one object: every word that points at it and what it is part of.
 */
#include "analysis/place.h"
#include "command/command.h"
#include "command/leaked_report.h"
#include "command/places.h"
#include "traverse/title.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES_USUALLY = 30, PLACES_MAX = 1 << 16 };

/** The object that was asked for. */
struct asked {
	uint64_t typed;	  /**< the address as it was typed */
	uint64_t address; /**< of the object */
	uint32_t object;  /**< HEAP_NONE: static, in no allocator */
	const struct type *type;
	struct object_header header;
};

bool refcount_takes(const char *word)
{
	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X'))
		return word[2] && word[2 + strspn(word + 2, "0123456789abcdefABCDEF")] == '\0';
	return *word && word[strspn(word, "0123456789")] == '\0';
}

static struct error *parse_address(const char *text, uint64_t *address)
{
	if (!text)
		return error_create(ERROR_USAGE,
				    "refcount takes an address: refcount 0x7f3c12a4e0d0");
	errno = 0;
	*address = strtoull(text, NULL, text[1] == 'x' || text[1] == 'X' ? 16 : 10);
	if (errno)
		return error_create(ERROR_USAGE, "%s is no address: too large", text);
	return NULL;
}

/** Not in an allocator: a static object, if it has a header. */
static struct error *find_static(const struct session *session, struct asked *asked)
{
	const struct block block = block_at(session->objects, asked->typed);

	asked->address = asked->typed;
	asked->object = HEAP_NONE;
	if (block.is_free)
		return error_create_at(ERROR_GENERAL, asked->typed,
				       "no object: the memory is free");
	if (block.owner != BLOCK_NONE)
		return error_create_at(ERROR_GENERAL, asked->typed,
				       "no object: a block of %" PRIu64 " bytes that holds none",
				       block.end - block.start);
	if (object_header(session->runtime, &session->heap->reader, asked->address, &asked->header))
		asked->type = type_get(session->runtime->types, &session->heap->reader,
				       asked->header.type);
	if (!asked->type)
		return error_create_at(ERROR_GENERAL, asked->typed, "no object");
	return NULL;
}

static struct error *find_asked(const struct session *session, struct asked *asked)
{
	struct error *err = parse_address(session->argument, &asked->typed);
	struct block block;

	asked->type = NULL;
	if (err)
		return err;
	asked->object = objects_find(session->objects, asked->typed);
	if (asked->object == HEAP_NONE) {
		block = block_at(session->objects, asked->typed);
		asked->object = block.object;
	}
	if (asked->object == HEAP_NONE)
		return find_static(session, asked);
	asked->address = session->objects->addresses[asked->object];
	if (session->objects->types[asked->object] != HEAP_NONE)
		asked->type = type_by_index(session->runtime->types,
					    session->objects->types[asked->object]);
	if (!object_header(session->runtime, &session->heap->reader, asked->address,
			   &asked->header))
		return error_create_at(ERROR_GENERAL, asked->address, "the object is unreadable");
	return NULL;
}

struct error *refcount_prepare(struct session *session)
{
	const struct progress *progress = &session->progress.progress;
	struct asked asked;
	uint64_t typed;
	struct error *err = parse_address(session->argument, &typed);

	if (!err)
		err = session_unreachable(session);
	if (!err)
		err = session_census(session);
	if (!err && session->no_census)
		err = error_create(ERROR_GENERAL, "references cannot be counted: %s",
				   session->no_census);
	if (!err)
		err = find_asked(session, &asked);
	if (err)
		return err;
	return places_read(session->census, progress, asked.address,
			   command_limit(session, PLACES_USUALLY) < PLACES_MAX
				   ? command_limit(session, PLACES_USUALLY)
				   : PLACES_MAX,
			   &session->places);
}

static void print_object(const struct session *session, const struct asked *asked,
			 struct screen *screen)
{
	struct paragraph paragraph = paragraph_begin(screen, 0);
	char text[96];

	if (asked->typed != asked->address)
		paragraph_add(&paragraph, "", "0x%" PRIx64 " is inside", asked->typed);
	paragraph_add(&paragraph, asked->typed != asked->address ? " " : "", "0x%" PRIx64 " %s",
		      asked->address, screen_clean(screen, report_type_name(asked->type)).text);
	if (!report_title(session, asked->address, asked->type, &paragraph)) {
		object_repr(session->heap->traverser, asked->address, text, sizeof(text));
		if (*text != '<')
			paragraph_add(&paragraph, " ", "%s", screen_clean(screen, text).text);
	}
	paragraph_end(&paragraph);
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

struct error *refcount_text(struct session *session, struct screen *screen)
{
	struct asked asked;
	struct error *err = find_asked(session, &asked);

	if (err)
		return err;
	report_header(session, screen);
	report_coverage(session, screen);
	screen_print(screen, "\n");
	print_object(session, &asked, screen);
	print_counts(session, &asked, screen);
	places_text(session, &session->places, 2, screen);
	return NULL;
}

struct error *refcount_json(struct session *session, struct document *document, json_t *result)
{
	struct asked asked;
	struct error *err = find_asked(session, &asked);

	if (err)
		return err;
	document_set_address(document, result, "address", asked.address);
	document_set_string(document, result, "type", asked.type ? asked.type->name : NULL);
	document_set(document, result, "refcount",
		     asked.header.immortal ? json_null() : json_integer(asked.header.refcount));
	document_set_bool(document, result, "immortal", asked.header.immortal);
	document_set_count(document, result, "found", session->places.total);
	document_set_count(document, result, "unexplained", unexplained(session, &asked));
	places_json(session, &session->places, document, result);
	return NULL;
}
