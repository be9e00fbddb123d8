/*
 * The list of mappings, sorted by address.
 */
#include "target/mapping.h"

#include <stdlib.h>
#include <string.h>

bool mappings_add(struct mappings *mappings, struct mapping mapping, const char *path)
{
	static const char deleted[] = " (deleted)";

	if (mappings->count == mappings->capacity) {
		size_t capacity = mappings->capacity ? mappings->capacity * 2 : 64;
		struct mapping *items = reallocarray(mappings->items, capacity, sizeof(*items));

		if (!items)
			return false;
		mappings->items = items;
		mappings->capacity = capacity;
	}
	mapping.path = NULL;
	if (path) {
		size_t length = strlen(path);

		if (length > strlen(deleted) && !strcmp(path + length - strlen(deleted), deleted)) {
			length -= strlen(deleted);
			mapping.deleted = true;
		}
		mapping.path = strndup(path, length);
		if (!mapping.path)
			return false;
	}
	mappings->items[mappings->count++] = mapping;
	return true;
}

bool mappings_copy(struct mappings *mappings, const struct mappings *from)
{
	for (size_t i = 0; i < from->count; i++)
		if (!mappings_add(mappings, from->items[i], from->items[i].path))
			return false;
	return true;
}

static int compare(const void *left, const void *right)
{
	const struct mapping *a = left, *b = right;

	return (a->start > b->start) - (a->start < b->start);
}

void mappings_sort(struct mappings *mappings)
{
	if (mappings->count)
		qsort(mappings->items, mappings->count, sizeof(*mappings->items), compare);
}

void mappings_enter(struct mappings *mappings, const char *root)
{
	size_t length = strlen(root);

	while (length && root[length - 1] == '/')
		length--;
	for (size_t i = 0; length && i < mappings->count; i++) {
		char *path = mappings->items[i].path;

		if (path && !strncmp(path, root, length) && path[length] == '/')
			memmove(path, path + length, strlen(path + length) + 1);
	}
}

const struct mapping *mappings_at(const struct mappings *mappings, uint64_t address)
{
	size_t low = 0, count = mappings->count;

	while (count) {
		size_t half = count / 2;

		if (mappings->items[low + half].start <= address) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return low && address < mappings->items[low - 1].end ? &mappings->items[low - 1] : NULL;
}

void mappings_clear(struct mappings *mappings)
{
	for (size_t i = 0; i < mappings->count; i++)
		free(mappings->items[i].path);
	free(mappings->items);
	*mappings = (struct mappings){0};
}

bool mapping_path_is_file(const char *path)
{
	static const char *const others[] = {"/dev/", "/memfd:", "/SYSV", "/anon_hugepage"};

	if (path[0] != '/')
		return false;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (!strncmp(path, others[i], strlen(others[i])))
			return false;
	return true;
}
