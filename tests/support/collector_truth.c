/*
 * The files are lines of fields separated by tabs; truth.py tells which.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/collector_truth.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 6 };

typedef void line_reader(struct truth *truth, char **fields, size_t count);

static void read_lines(struct truth *truth, const char *folder, const char *name,
		       line_reader *read_line)
{
	char path[PATH_MAX], *line = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	if (!file)
		fail_msg("the program left no %s", path);
	while (getline(&line, &size, file) > 0) {
		char *fields[FIELDS_MAX] = {0}, *rest = line;
		size_t count = 0;

		line[strcspn(line, "\n")] = '\0';
		while (rest && count < FIELDS_MAX)
			fields[count++] = strsep(&rest, "\t");
		read_line(truth, fields, count);
	}
	free(line);
	fclose(file);
}

static int compare_addresses(const void *a, const void *b)
{
	const struct truth_object *left = a, *right = b;

	return left->address < right->address ? -1 : left->address > right->address;
}

const struct truth_object *truth_find(const struct truth *truth, uint64_t address)
{
	const struct truth_object key = {.address = address};

	return bsearch(&key, truth->objects, truth->count, sizeof(key), compare_addresses);
}

// First round: the set. The name here is only tp_name.
static void read_unreachable(struct truth *truth, char **fields, size_t count)
{
	if (count < 3 || strcmp(fields[0], "unreachable") != 0)
		return;
	if ((truth->count & (truth->count - 1)) == 0) {
		truth->objects = realloc(truth->objects, (truth->count ? 2 * truth->count : 1) *
								 sizeof(*truth->objects));
		assert_non_null(truth->objects);
	}
	truth->objects[truth->count++] =
		(struct truth_object){strtoull(fields[1], NULL, 16), NULL, -1, false};
}

// Second round: what is known of its members.
static void read_details(struct truth *truth, char **fields, size_t count)
{
	bool saved = strcmp(fields[0], "saved") == 0, gone = strcmp(fields[0], "gone") == 0;
	struct truth_object *object;

	if (strcmp(fields[0], "problem") == 0)
		fail_msg("the program is wrong: %s", count > 1 ? fields[1] : "");
	truth->valid |= strcmp(fields[0], "valid") == 0;
	if ((!saved && !gone) || count < 4)
		return;
	object = (struct truth_object *)truth_find(truth, strtoull(fields[1], NULL, 16));
	assert_non_null(object);
	free(object->type);
	object->type = strdup(fields[2]);
	object->gone = gone;
	if (saved)
		object->size = atoll(fields[3]);
}

static void read_count(struct truth *truth, char **fields, size_t count)
{
	struct truth_counts *counts = &truth->counts;

	if (count == 6 && strcmp(fields[0], "generation") == 0) {
		int generation = atoi(fields[1]);

		assert_in_range(generation, 0, 2);
		counts->generations[generation].objects = atoll(fields[2]);
		counts->generations[generation].threshold = atoll(fields[3]);
		counts->generations[generation].count = atoll(fields[4]);
		counts->generations[generation].collections = atoll(fields[5]);
	} else if (count == 2 && strcmp(fields[0], "frozen") == 0) {
		counts->frozen = atoll(fields[1]);
	} else if (count == 2 && strcmp(fields[0], "garbage") == 0) {
		counts->garbage = atoll(fields[1]);
	} else if (count == 2 && strcmp(fields[0], "enabled") == 0) {
		counts->enabled = atoll(fields[1]);
	}
}

void truth_read(struct truth *truth, const char *folder, bool with_counts)
{
	*truth = (struct truth){0};
	read_lines(truth, folder, "truth", read_unreachable);
	qsort(truth->objects, truth->count, sizeof(*truth->objects), compare_addresses);
	read_lines(truth, folder, "truth", read_details);
	assert_true(truth->valid);
	if (with_counts)
		read_lines(truth, folder, "counts", read_count);
	for (size_t i = 0; i < truth->count; i++)
		if (!truth->objects[i].type)
			fail_msg("neither saved nor gone: 0x%llx",
				 (unsigned long long)truth->objects[i].address);
}

void truth_clear(struct truth *truth)
{
	for (size_t i = 0; i < truth->count; i++)
		free(truth->objects[i].type);
	free(truth->objects);
	*truth = (struct truth){0};
}
