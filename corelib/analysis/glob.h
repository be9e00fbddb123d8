/**
 * @file
 * Shell patterns over text of the target: `*`, `?`, `[a-z]`, `[!a-z]`, `\*`. The text is read piece
 * by piece, may hold NULs, and is never copied as a whole.
 */
#ifndef PYMEM_ANALYSIS_GLOB_H
#define PYMEM_ANALYSIS_GLOB_H

#include "cpython/object.h"

/** A pattern. Zero-initialised is empty, which matches the empty text alone. */
struct glob {
	struct glob_item *items;
	size_t count;
	struct glob_range *ranges; /**< of all sets */
	size_t range_count;
};

/**
 * Reads a pattern. A bracket that is not closed stands for itself.
 * @param pattern UTF-8
 * @param as_bytes for text of bytes: each byte of the pattern is a character of its own
 * @return false when out of memory; clear it in any case
 */
bool glob_compile(struct glob *glob, const char *pattern, bool as_bytes);

/**
 * Does the whole text match? In time that is linear in its length for each part of the pattern.
 * @param budget characters that may still be looked at, which is lowered; at 0 nothing matches
 * @return false, too, for text that is not readable
 */
bool glob_match(const struct glob *glob, struct reader *reader, const struct str_view *text,
		uint64_t *budget);

/** Frees it. */
void glob_clear(struct glob *glob);

#endif
