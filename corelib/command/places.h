/**
 * @file
 * The words that point at one object, and what each is part of: found, and shown.
 */
#ifndef PYMEM_COMMAND_PLACES_H
#define PYMEM_COMMAND_PLACES_H

#include "analysis/place.h"
#include "command/document.h"
#include "command/screen.h"

struct session;

/** The places of the words that point at one address. Zero-initialised is empty. */
struct places {
	struct place *items;
	size_t count;
	uint64_t total; /**< words; more than `count` if not all were wanted */
};

/** Finds them. @param limit how many places are described at most */
struct error *places_read(const struct census *census, const struct progress *progress,
			  uint64_t address, uint64_t limit, struct places *places)
	__attribute__((warn_unused_result));

/**
 * Finds the places of the words that point at several addresses, in one go.
 * @param addresses ascending
 * @param limit how many places are described for each at most
 * @param places one for each address, zeroed by the caller
 */
struct error *places_read_many(const struct census *census, const struct progress *progress,
			       const uint64_t *addresses, size_t count, uint64_t limit,
			       struct places *places) __attribute__((warn_unused_result));

/** Prints one place: what the word is part of. */
void places_line(const struct session *session, const struct place *place, const char *lead,
		 unsigned indent, struct screen *screen);

/** Appends one place to an array. */
void places_append_json(const struct session *session, const struct place *place,
			struct document *document, json_t *array);

/** Sets "reference" (attribute, key, index, local, internal, type) and "name" or "index"; nothing
 * for an unknown edge. */
void label_json(const struct edge_label *label, struct document *document, json_t *object);

/** Frees the list. */
void places_clear(struct places *places);

/** Prints a line for each, and how many more there are. */
void places_text(const struct session *session, const struct places *places, unsigned indent,
		 struct screen *screen);

/** Fills "holders". */
void places_json(const struct session *session, const struct places *places,
		 struct document *document, json_t *result);

/** Fills an object of JSON with one place. */
void places_fill_json(const struct session *session, const struct place *place,
		      struct document *document, json_t *object);

#endif
