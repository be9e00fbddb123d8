/**
 * @file
 * UTF-8 from the target, which may hold anything: what is valid, and what may go to a terminal.
 */
#ifndef PYMEM_COMMAND_UTF8_H
#define PYMEM_COMMAND_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Decodes the first character of a NUL-terminated string.
 * @param character set to its code point
 * @return its length in bytes; 0 if the bytes are no UTF-8 (overlong, surrogate, cut, too large) or
 * the string is at its end
 */
size_t utf8_decode(const char *text, uint32_t *character);

/** How many characters a string has; every invalid byte counts as one. */
size_t utf8_length(const char *text);

/**
 * Makes a string of the target fit for a terminal: control characters, those that change the
 * direction of writing, and invalid bytes become "\n", "\x1b" or "\u202e"; without `utf8` so does
 * all that is not ASCII. A text that does not fit is cut at a character and ends in "...".
 * @param size of the buffer, at least 8; the result is always terminated
 */
void utf8_clean(char *buffer, size_t size, const char *text, bool utf8);

/** The same, uncut. @return to be freed; NULL when out of memory */
char *utf8_clean_copy(const char *text, bool utf8);

#endif
