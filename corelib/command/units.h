/**
 * @file
 * Numbers for people: counts with separators, bytes with a unit, shares. Independent of the locale.
 */
#ifndef PYMEM_COMMAND_UNITS_H
#define PYMEM_COMMAND_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/** A short text by value, to be used inside a printf argument list. */
struct unit_text {
	char text[32];
};

/** "1,204,331" */
struct unit_text units_count(uint64_t count);

/** A count with its noun, by value. */
struct plural_text {
	char text[64];
};

/** "1 object", "1,204 objects": of nouns that take an s. */
struct plural_text units_plural(uint64_t count, const char *noun);

/** "812 B", "1.5 KiB", "412 MiB": two digits below ten of a unit, whole numbers above. */
struct unit_text units_bytes(uint64_t bytes);

/** "99.98 %" of part in whole; "100 %" only when nothing is missing, "0 %" only for nothing. */
struct unit_text units_share(uint64_t part, uint64_t whole);

/**
 * Reads a whole decimal number: digits only, no sign, no space, nothing behind it.
 * @return false if it is none, or does not fit; *number is then unchanged
 */
bool units_parse(const char *text, uint64_t *number);

/** Reads an address: hexadecimal behind 0x, else decimal. Fails like units_parse(). */
bool units_parse_address(const char *text, uint64_t *address);

/** Reads bytes: "4096", "64K", "64KiB", "1.5M"; powers of 1024. Fails like units_parse(). */
bool units_parse_size(const char *text, uint64_t *bytes);

/** "500 ms", "1.5 s", "42 s", "3 min 20 s", "1 h 2 min", "2 d 5 h". */
struct unit_text units_duration(double seconds);

/** Reads a time into milliseconds: "500ms", "30s", "5m", "1h"; a plain number is of seconds. Fails
 * like units_parse(). */
bool units_parse_duration(const char *text, uint64_t *milliseconds);

#endif
