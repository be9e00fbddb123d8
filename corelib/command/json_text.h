/**
 * @file
 * Lines of JSON written by hand, for lists too long for a tree in memory.
 */
#ifndef PYMEM_COMMAND_JSON_TEXT_H
#define PYMEM_COMMAND_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A line being built; it grows as needed. Zero-initialised is empty. */
struct json_text {
	char *bytes;
	size_t length, size;
	bool failed; /**< memory ran out: the line is not whole */
};

/** Frees it. */
void json_text_clear(struct json_text *text);

/** Appends a string as it is. */
void json_text_raw(struct json_text *text, const char *characters);

/** Appends characters as they are. */
void json_text_bytes(struct json_text *text, const char *characters, size_t length);

/** Appends a number. */
void json_text_count(struct json_text *text, uint64_t number);

/** Appends a number that may be negative. */
void json_text_integer(struct json_text *text, int64_t number);

/** Appends an address as a string, "0x7f3c12a4e0d0" with its quotes. */
void json_text_address(struct json_text *text, uint64_t address);

/**
 * Appends a string with its quotes, all ASCII: what is not becomes \uXXXX, bytes that are no UTF-8
 * become \uFFFD. NULL becomes null.
 */
void json_text_string(struct json_text *text, const char *string);

#endif
