/*
 * One JSON object a line, with at least address, type, size and group.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/found.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 10 };

static int compare_addresses(const void *a, const void *b)
{
	const struct found_object *left = a, *right = b;

	return left->address < right->address ? -1 : left->address > right->address;
}

const struct found_object *found_find(const struct found *found, uint64_t address)
{
	const struct found_object key = {.address = address};

	return bsearch(&key, found->objects, found->count, sizeof(key), compare_addresses);
}

static void read_object(struct found_object *object, const char *line, size_t length)
{
	json_error_t error;
	json_t *json = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	const char *address = NULL, *type = NULL;
	json_int_t size = 0, group = 0;
	char *end;

	if (!json)
		fail_msg("no JSON: %s: %.*s", error.text, (int)length, line);
	if (json_unpack_ex(json, &error, 0, "{s:s, s:s, s:I, s:I}", "address", &address, "type",
			   &type, "size", &size, "group", &group))
		fail_msg("%s: %.*s", error.text, (int)length, line);
	*object = (struct found_object){strtoull(address, &end, 16), strdup(type), size, group};
	if (strncmp(address, "0x", 2) != 0 || *end)
		fail_msg("no address: %s", address);
	if (!type[0] || size <= 0 || group <= 0)
		fail_msg("no type, size or group: %.*s", (int)length, line);
	json_decref(json);
}

void found_read(struct found *found, const char *text)
{
	size_t lines = 0;

	for (const char *end = text; (end = strchr(end, '\n')); end++)
		lines++;
	*found = (struct found){calloc(lines + 1, sizeof(*found->objects)), 0};
	assert_non_null(found->objects);
	for (const char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			fail_msg("the last line does not end: %s", line);
		read_object(&found->objects[found->count++], line, (size_t)(end - line));
	}
	qsort(found->objects, found->count, sizeof(*found->objects), compare_addresses);
	for (size_t i = 1; i < found->count; i++)
		if (found->objects[i].address == found->objects[i - 1].address)
			fail_msg("twice: 0x%llx", (unsigned long long)found->objects[i].address);
}

void found_check(const struct found *found, const struct truth *truth)
{
	size_t missing = 0, invented = 0, wrong = 0;

	for (size_t i = 0; i < truth->count; i++) {
		const struct truth_object *real = &truth->objects[i];
		const struct found_object *object = found_find(found, real->address);

		if (!object && missing++ < SHOWN_MAX)
			print_error("missing: 0x%" PRIx64 " %s\n", real->address, real->type);
		if (object && strcmp(object->type, real->type) != 0 && wrong++ < SHOWN_MAX)
			print_error("0x%" PRIx64 ": type %s, not %s\n", real->address, object->type,
				    real->type);
	}
	for (size_t i = 0; i < found->count; i++)
		if (!truth_find(truth, found->objects[i].address) && invented++ < SHOWN_MAX)
			print_error("invented: 0x%" PRIx64 " %s\n", found->objects[i].address,
				    found->objects[i].type);
	if (missing || invented || wrong)
		fail_msg("of %zu objects %zu are missing, %zu invented, %zu of another type",
			 truth->count, missing, invented, wrong);
}

void found_clear(struct found *found)
{
	for (size_t i = 0; i < found->count; i++)
		free(found->objects[i].type);
	free(found->objects);
	*found = (struct found){0};
}
