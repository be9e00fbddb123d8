/*
 * Errors as values: made with a formatted sentence, freed by whoever ends up with them. Running out
 * of memory while making one gives the static instance, so that every failure can be returned.
 */
#include "target/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct error error_no_memory = {.code = ERROR_GENERAL, .message = "out of memory"};

char *error_one_line(char *text)
{
	for (char *at = text; at && *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	return text;
}

/** Takes over `message`; NULL means that formatting it ran out of memory. */
static struct error *wrap(enum error_code code, char *message)
{
	struct error *err = message ? calloc(1, sizeof(*err)) : NULL;

	if (!err) {
		free(message);
		return &error_no_memory;
	}
	err->code = code;
	err->message = error_one_line(message);
	return err;
}

/** A formatted string, or NULL when out of memory. */
static char *format_message(const char *format, va_list arguments)
{
	char *message;

	return vasprintf(&message, format, arguments) < 0 ? NULL : message;
}

struct error *error_create(enum error_code code, const char *format, ...)
{
	va_list arguments;
	char *message;

	va_start(arguments, format);
	message = format_message(format, arguments);
	va_end(arguments);
	return wrap(code, message);
}

struct error *error_create_at(enum error_code code, uint64_t address, const char *format, ...)
{
	va_list arguments;
	struct error *err;
	char *message, *whole = NULL;

	va_start(arguments, format);
	message = format_message(format, arguments);
	va_end(arguments);
	if (message && asprintf(&whole, "%s at 0x%llx", message, (unsigned long long)address) < 0)
		whole = NULL;
	free(message);
	err = wrap(code, whole);
	if (err != &error_no_memory) {
		err->has_address = true;
		err->address = address;
	}
	return err;
}

struct error *error_system(int errno_value, const char *format, ...)
{
	char reason[128];
	va_list arguments;
	char *message, *whole = NULL;

	va_start(arguments, format);
	message = format_message(format, arguments);
	va_end(arguments);
	// The GNU strerror_r: it may return a string that is not in the buffer.
	if (message && asprintf(&whole, "%s: %s", message,
				strerror_r(errno_value, reason, sizeof(reason))) < 0)
		whole = NULL;
	free(message);
	return wrap(ERROR_GENERAL, whole);
}

void error_free(struct error *err)
{
	if (!err || err == &error_no_memory)
		return;
	free(err->message);
	free(err);
}

void error_cleanup(struct error **err)
{
	error_free(*err);
	*err = NULL;
}
