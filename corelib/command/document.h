/**
 * @file
 * One bounded JSON document, built as a tree. Strings of the target are made valid UTF-8, addresses
 * are "0x…" strings, and running out of memory is noted once and asked for at the end.
 */
#ifndef PYMEM_COMMAND_DOCUMENT_H
#define PYMEM_COMMAND_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** Version of the documents' shape; raised when a field changes its meaning or goes away. */
enum { DOCUMENT_SCHEMA_VERSION = 1 };

/** A document being built. */
struct document {
	json_t *root;
	bool failed; /**< memory ran out: something is missing in it */
};

/** Makes an empty document. */
void document_init(struct document *document);

/** Frees it. */
void document_clear(struct document *document);

/** Sets a member; takes `value`. @return value, borrowed; NULL when out of memory */
json_t *document_set(struct document *document, json_t *object, const char *key, json_t *value);

/** Appends to an array; takes `value`. @return value, borrowed; NULL when out of memory */
json_t *document_append(struct document *document, json_t *array, json_t *value);

/** Sets a string member; NULL becomes null, bytes that are no UTF-8 become U+FFFD. */
void document_set_string(struct document *document, json_t *object, const char *key,
			 const char *text);

/** Sets a number. */
void document_set_count(struct document *document, json_t *object, const char *key, uint64_t count);

/** Sets true or false. */
void document_set_bool(struct document *document, json_t *object, const char *key, bool value);

/** Sets an address as "0x7f3c12a4e0d0". */
void document_set_address(struct document *document, json_t *object, const char *key,
			  uint64_t address);

/** Sets an empty object. @return it, borrowed */
json_t *document_set_object(struct document *document, json_t *object, const char *key);

/** Sets an empty array. @return it, borrowed */
json_t *document_set_array(struct document *document, json_t *object, const char *key);

/** Appends an empty object. @return it, borrowed */
json_t *document_append_object(struct document *document, json_t *array);

/** A JSON string of target bytes. @return new; NULL when out of memory */
json_t *document_string(const char *text);

/** A JSON string of an address. @return new; NULL when out of memory */
json_t *document_address(uint64_t address);

/** Writes it as one line, in ASCII. @return false if a write failed */
bool document_write_line(const struct document *document, FILE *out);

/** Writes it, indented, in ASCII. @return false if a write failed */
bool document_write(const struct document *document, FILE *out);

#endif
