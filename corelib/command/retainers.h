/**
 * @file
 * The objects that keep most of the heap, as people want to hear of them: what each is called, how
 * much it holds, and what of.
 */
#ifndef PYMEM_COMMAND_RETAINERS_H
#define PYMEM_COMMAND_RETAINERS_H

#include "analysis/histogram.h"
#include "analysis/suspects.h"
#include "command/document.h"
#include "command/screen.h"

struct session;

/** How many types are kept of what an object holds. */
enum { RETAINER_FILLS = 3 };

/** One of them. */
struct retainer {
	struct suspect suspect;
	char *name; /**< "app.cache._entries"; NULL: not found */
	bool has_length;
	uint64_t length; /**< items, of a container */
	/** What it keeps by type, the types that keep most first: of a group none. */
	struct histogram_row fills[RETAINER_FILLS];
	size_t fill_count;
	size_t mostly; /**< which of them it is best described by; RETAINER_FILLS: none */
};

/** A list of them. Zero-initialised is empty. */
struct retainers {
	struct retainer *items;
	size_t count;
	uint64_t total; /**< more than `count` if not all were wanted */
};

/** An object that keeps less is nothing that stands out. @return bytes */
uint64_t retainers_threshold(const struct session *session);

/**
 * Finds and describes those that keep `least` bytes or more. Needs session_retained().
 * @param limit how many are described
 * @param retainers replaced
 */
struct error *retainers_find(const struct session *session, uint64_t least, uint64_t limit,
			     struct retainers *retainers) __attribute__((warn_unused_result));

/** Describes one node's object as if it had been found. */
struct error *retainers_describe(const struct session *session, struct retainer *retainer)
	__attribute__((warn_unused_result));

/** Bytes of all objects. */
uint64_t retainers_heap_bytes(const struct session *session);

/** Prints a sentence: "app.cache._entries (dict, 1,204 items) keeps 812 MiB, …". */
void retainers_sentence(const struct session *session, const struct retainer *retainer,
			unsigned indent, unsigned column, struct screen *screen);

/** Adds what it is called, or its type and address. */
void retainers_add_name(const struct session *session, const struct retainer *retainer,
			const char *gap, struct paragraph *paragraph);

/** Adds what it is and what fills it: "dict, 1,204 items, mostly 1,204 × app.Session". */
void retainers_add_content(const struct session *session, const struct retainer *retainer,
			   const char *gap, struct paragraph *paragraph);

/** Adds what a group is and who refers to it: "1,204 × app.Session, held by several, …". */
void retainers_add_group(const struct session *session, const struct retainer *retainer,
			 struct paragraph *paragraph);

/** Fills an object of JSON. */
void retainers_json(const struct session *session, const struct retainer *retainer,
		    struct document *document, json_t *object);

/** Frees the list. */
void retainers_clear(struct retainers *retainers);

/** Frees what one owns. */
void retainer_clear(struct retainer *retainer);

#endif
