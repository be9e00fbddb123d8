/*
 * UTF-8 from the target. A name in a crashed process can hold an escape sequence that rewrites the
 * reader's terminal, so nothing of the target is printed before it went through utf8_clean().
 */
#include "command/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t utf8_decode(const char *text, uint32_t *character)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)*text;
	size_t length;
	uint32_t value;

	if (first < 0x80) {
		*character = first;
		return first ? 1 : 0;
	}
	if (first >= 0xf8 || first < 0xc0)
		return 0;
	length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	value = first & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		// A terminator is no continuation byte, so this stops at the end of the string.
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*character = value;
	return length;
}

size_t utf8_length(const char *text)
{
	size_t count = 0;

	while (*text) {
		uint32_t character;
		size_t length = utf8_decode(text, &character);

		text += length ? length : 1;
		count++;
	}
	return count;
}

/** Controls, and what reorders or hides the text around it. */
static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

enum { STEP_MAX = 16 };

/** Writes the safe form of the next character. @return bytes of the text it stands for */
static size_t clean_step(const char *text, bool utf8, char safe[STEP_MAX])
{
	uint32_t character;
	size_t length = utf8_decode(text, &character);

	if (!length) {
		snprintf(safe, STEP_MAX, "\\x%02x", (unsigned)(unsigned char)*text);
		return 1;
	}
	if (!is_unsafe(character) && (utf8 || character < 0x80)) {
		memcpy(safe, text, length);
		safe[length] = '\0';
	} else if (character == '\n') {
		strcpy(safe, "\\n");
	} else if (character < 0x80) {
		snprintf(safe, STEP_MAX, "\\x%02x", (unsigned)character);
	} else {
		snprintf(safe, STEP_MAX, character < 0x10000 ? "\\u%04x" : "\\U%08x",
			 (unsigned)character);
	}
	return length;
}

void utf8_clean(char *buffer, size_t size, const char *text, bool utf8)
{
	size_t used = 0;
	size_t cut = 0; // where "..." still fits

	while (*text) {
		char safe[STEP_MAX];
		size_t taken = clean_step(text, utf8, safe);
		size_t length = strlen(safe);

		if (used + length + 1 > size) {
			strcpy(buffer + cut, "...");
			return;
		}
		memcpy(buffer + used, safe, length);
		used += length;
		text += taken;
		if (used + sizeof("...") <= size)
			cut = used;
	}
	buffer[used] = '\0';
}

char *utf8_clean_copy(const char *text, bool utf8)
{
	// No byte becomes longer than "\x1b", no character longer than six for its two bytes.
	size_t size = strlen(text) * 4 + 8;
	char *buffer = malloc(size);

	if (buffer)
		utf8_clean(buffer, size, text, utf8);
	return buffer;
}
