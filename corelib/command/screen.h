/**
 * @file
 * Text for people: a stream with a width, colours or none, and the characters it can show.
 */
#ifndef PYMEM_COMMAND_SCREEN_H
#define PYMEM_COMMAND_SCREEN_H

#include "command/units.h"
#include "command/utf8.h"

#include <stdio.h>

/** How a piece of text is set off; nothing depends on it alone. */
enum style {
	STYLE_HEADING, /**< bold */
	STYLE_ALARM,   /**< bold red: what is wrong */
	STYLE_CAUTION, /**< yellow: what limits the answer */
	STYLE_FAINT,   /**< addresses, hints */
};

/** Where text goes. Not thread-safe. */
struct screen {
	FILE *out;
	unsigned columns; /**< to break lines at */
	bool color;
	bool utf8; /**< arrows and ellipses beyond ASCII */
};

/** A string of the target, made safe and cut to a length that fits a line. */
struct clean_text {
	char text[160];
};

/** utf8_clean() by value. */
struct clean_text screen_clean(const struct screen *screen, const char *text);

/** Prints as it stands: strings of the target must have been cleaned. */
void screen_print(struct screen *screen, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Prints a string of the target, made safe but not cut. */
void screen_text(struct screen *screen, const char *text);

/** Prints in a style. */
void screen_styled(struct screen *screen, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Prints a heading on a line of its own, with an empty line before it. */
void screen_heading(struct screen *screen, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** "×" or "x" */
const char *screen_times(const struct screen *screen);

/** "…" or "..." */
const char *screen_ellipsis(const struct screen *screen);

/**
 * Prints a bar as wide as `width` columns, filled as far as part in whole: block characters, or "#"
 * and "." without UTF-8. The number has to stand beside it.
 */
void screen_bar(struct screen *screen, uint64_t part, uint64_t whole, unsigned width);

/** A paragraph whose pieces are kept whole and whose further lines are indented. */
struct paragraph {
	struct screen *screen;
	unsigned indent;
	unsigned column; /**< where the next piece would begin */
	bool empty;	 /**< nothing stands on this line yet but the indent */
};

/** Starts a paragraph on a new line; `indent` spaces stand in front of each of its lines. */
struct paragraph paragraph_begin(struct screen *screen, unsigned indent);

/** Goes on with a line that is printed already up to `column`. */
struct paragraph paragraph_continue(struct screen *screen, unsigned indent, unsigned column);

/**
 * Adds a piece; breaks the line before it where it would not fit.
 * @param gap what separates it from the piece before on the same line; a gap's text stays on the
 * line before when the line is broken, its trailing spaces do not
 */
void paragraph_add(struct paragraph *paragraph, const char *gap, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Adds each word of a text as a piece. */
void paragraph_words(struct paragraph *paragraph, const char *text);

/** Ends the line. */
void paragraph_end(struct paragraph *paragraph);

#endif
