/*
 * JSON documents on top of Jansson, which keeps members in the order they were set in: the same
 * input gives the same bytes.
 */
#include "command/document.h"

#include "command/utf8.h"
#include "cpython/object.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void document_init(struct document *document)
{
	document->root = json_object();
	document->failed = !document->root;
}

void document_clear(struct document *document)
{
	json_decref(document->root);
	*document = (struct document){0};
}

json_t *document_set(struct document *document, json_t *object, const char *key, json_t *value)
{
	if (!json_object_set_new(object, key, value))
		return value;
	document->failed = true;
	return NULL;
}

json_t *document_append(struct document *document, json_t *array, json_t *value)
{
	if (!json_array_append_new(array, value))
		return value;
	document->failed = true;
	return NULL;
}

json_t *document_string(const char *text)
{
	size_t length = strlen(text);
	char *valid = malloc(length * 3 + 1); // U+FFFD takes three bytes
	size_t used = 0;
	json_t *string;

	if (!valid)
		return NULL;
	while (*text) {
		uint32_t character;
		size_t taken = utf8_decode(text, &character);

		if (taken) {
			memcpy(valid + used, text, taken);
			used += taken;
			text += taken;
		} else {
			used += utf8_encode(0xfffd, valid + used);
			text++;
		}
	}
	string = json_stringn(valid, used);
	free(valid);
	return string;
}

json_t *document_address(uint64_t address)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	return json_string(text);
}

void document_set_string(struct document *document, json_t *object, const char *key,
			 const char *text)
{
	document_set(document, object, key, text ? document_string(text) : json_null());
}

void document_set_count(struct document *document, json_t *object, const char *key, uint64_t count)
{
	document_set(document, object, key, json_integer((json_int_t)count));
}

void document_set_bool(struct document *document, json_t *object, const char *key, bool value)
{
	document_set(document, object, key, json_boolean(value));
}

void document_set_address(struct document *document, json_t *object, const char *key,
			  uint64_t address)
{
	document_set(document, object, key, document_address(address));
}

json_t *document_set_object(struct document *document, json_t *object, const char *key)
{
	return document_set(document, object, key, json_object());
}

json_t *document_set_array(struct document *document, json_t *object, const char *key)
{
	return document_set(document, object, key, json_array());
}

json_t *document_append_object(struct document *document, json_t *array)
{
	return document_append(document, array, json_object());
}

bool document_write_line(const struct document *document, FILE *out)
{
	return json_dumpf(document->root, out, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 &&
	       fputc('\n', out) != EOF;
}

bool document_write(const struct document *document, FILE *out)
{
	return !json_dumpf(document->root, out, JSON_INDENT(2) | JSON_ENSURE_ASCII) &&
	       fputc('\n', out) != EOF;
}
