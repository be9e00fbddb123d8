/*
 * JSON by hand. Jansson's tree would take a kilobyte for each line; a core has millions of lines.
 */
#include "command/json_text.h"

#include "command/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_text_clear(struct json_text *text)
{
	free(text->bytes);
	*text = (struct json_text){0};
}

/** Makes room. @return where to write; NULL when out of memory */
static char *reserve(struct json_text *text, size_t length)
{
	size_t size = text->size ? text->size : 512;
	char *bytes;

	if (text->failed)
		return NULL;
	if (length <= text->size - text->length)
		return text->bytes + text->length;
	while (size - text->length < length)
		size *= 2;
	bytes = realloc(text->bytes, size);
	if (!bytes) {
		text->failed = true;
		return NULL;
	}
	text->bytes = bytes;
	text->size = size;
	return bytes + text->length;
}

void json_text_bytes(struct json_text *text, const char *characters, size_t length)
{
	char *to = reserve(text, length);

	if (!to)
		return;
	memcpy(to, characters, length);
	text->length += length;
}

void json_text_raw(struct json_text *text, const char *characters)
{
	json_text_bytes(text, characters, strlen(characters));
}

void json_text_count(struct json_text *text, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	json_text_bytes(text, digits + at, sizeof(digits) - at);
}

void json_text_integer(struct json_text *text, int64_t number)
{
	if (number < 0)
		json_text_bytes(text, "-", 1);
	json_text_count(text, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

void json_text_address(struct json_text *text, uint64_t address)
{
	char digits[20];
	size_t at = sizeof(digits);

	digits[--at] = '"';
	do {
		digits[--at] = "0123456789abcdef"[address & 15];
		address >>= 4;
	} while (address);
	digits[--at] = 'x';
	digits[--at] = '0';
	json_text_bytes(text, "\"", 1);
	json_text_bytes(text, digits + at, sizeof(digits) - at);
}

static void append_escaped(struct json_text *text, uint32_t character)
{
	char escape[16];
	int length;

	if (character >= 0x10000)
		length = snprintf(escape, sizeof(escape), "\\u%04X\\u%04X",
				  (unsigned)(0xd7c0 + (character >> 10)),
				  (unsigned)(0xdc00 | (character & 0x3ff)));
	else if (character == '"' || character == '\\')
		length = snprintf(escape, sizeof(escape), "\\%c", (int)character);
	else
		length = snprintf(escape, sizeof(escape), "\\u%04X", (unsigned)character);
	json_text_bytes(text, escape, (size_t)length);
}

void json_text_string(struct json_text *text, const char *string)
{
	if (!string) {
		json_text_bytes(text, "null", 4);
		return;
	}
	json_text_bytes(text, "\"", 1);
	while (*string) {
		uint32_t character;
		size_t taken = utf8_decode(string, &character);

		if (!taken)
			append_escaped(text, 0xfffd);
		else if (character < 0x20 || character >= 0x7f || character == '"' ||
			 character == '\\')
			append_escaped(text, character);
		else
			json_text_bytes(text, string, 1);
		string += taken ? taken : 1;
	}
	json_text_bytes(text, "\"", 1);
}
