/**
 * @file
 * What every answer begins with: which process it is about, and how far it can be trusted.
 */
#ifndef PYMEM_COMMAND_REPORT_H
#define PYMEM_COMMAND_REPORT_H

#include "command/document.h"
#include "command/screen.h"
#include "command/session.h"
#include "traverse/repr.h"

/** Prints the version, the process and the core: one paragraph. */
void report_header(const struct session *session, struct screen *screen);

/** Prints how much could be decoded and what is missing; notes too with --verbose. The session has
 * been taken to session_unreachable(). */
void report_coverage(const struct session *session, struct screen *screen);

/** Prints one line for each problem of a level. */
void report_problems(const struct session *session, enum problem_level level,
		     struct screen *screen);

/** Prints a line of types with their counts, "602,000 x app.Session, 12 x list". */
void report_types(struct screen *screen, unsigned indent, const char *lead,
		  const struct type_tally *types, size_t count, uint64_t limit);

/** Prints "... and 12 more groups; --limit 0 shows all" if anything is left out. The noun is in
 * the singular. */
void report_more(struct screen *screen, unsigned indent, uint64_t shown, uint64_t total,
		 const char *noun);

/**
 * What to call an object, safe for the screen: "app.Session", "class app.Session", "function
 * Session.load (app/web.py:41)".
 */
struct clean_text report_object(const struct session *session, uint64_t address,
				const struct type *type, const struct screen *screen);

/**
 * Adds what an object of this type is called beside its type: which class, which function.
 * @return false, and nothing is added, for objects whose type says it all
 */
bool report_title(const struct session *session, uint64_t address, const struct type *type,
		  struct paragraph *paragraph);

/** Has the object a name beside its type's: a class, a function? */
bool report_has_title(const struct session *session, uint64_t address, const struct type *type);

/**
 * Writes what there is to say of an object beside its type: what it is called, else its value, else
 * its attributes; "" if there is nothing. Not safe for a terminal yet.
 * @param options of the value; NULL: a short one
 */
void report_describe(const struct session *session, uint64_t address, const struct type *type,
		     const struct repr_options *options, char *text, size_t size);

/** Adds such a text as far as the line has room; nothing where that is next to nothing. */
void report_fit(struct paragraph *paragraph, const char *text);

/** Prints what to type next: commands, NULLs left out, as this front end wants them. */
void report_next(const struct session *session, struct screen *screen, const char *const *commands,
		 size_t count);

/**
 * May a word of the target that should be an address be shown? With --redact only if it is one:
 * where memory was overwritten, the word is part of the text or number that did it.
 */
bool report_may_show(const struct session *session, uint64_t word);

/** Such a word for people: "0x7f3c12a4e0d0", or "a hidden value". */
struct unit_text report_word(const struct session *session, uint64_t word);

/** The name of a type for people; "(damaged type)" for NULL. Not safe for a terminal yet. */
const char *report_type_name(const struct type *type);

/** Fills "target": all that depends on where the memory comes from and on this machine. */
void report_target_json(const struct session *session, struct document *document, json_t *target);

/** Fills "coverage". */
void report_coverage_json(const struct session *session, struct document *document,
			  json_t *coverage);

/** Appends {"type", "objects", "bytes"} for each type, `limit` at most. */
void report_types_json(struct document *document, json_t *array, const struct type_tally *types,
		       size_t count, uint64_t limit);

/** Prints how many objects the census was taken of, and how much memory. Nothing without one. */
void report_enumerated(const struct session *session, struct screen *screen);

/** Fills "census": objects by where they were found, bytes. */
void report_enumerated_json(const struct session *session, struct document *document,
			    json_t *result);

/** Adds an edge as people write it: ".name", "['key']", "[3]". Nothing if it has no name. */
void report_edge(const struct edge_label *label, const char *gap, struct paragraph *paragraph);

#endif
