/*
 * `referrers` gives what gc.get_referrers() gives, and `types` counts and measures what
 * gc.get_objects() and sys.getsizeof() do, on every interpreter.
 */
#include "support/inspection.h"
#include "support/jobs.h"
#include "support/python_process.h"
#include "support/run.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lists are long where everything refers to a class. */
enum { REFERRERS_MAX = 4096 };

static char *run_command(const struct interpreter_choice *choice,
			 const struct python_process *process, const char *const *words)
{
	struct run run = {0};
	char pid[16], *text;
	const char *arguments[16] = {"-p", pid, "--sysroot", choice->root, "--limit", "0"};
	size_t count = 6;

	snprintf(pid, sizeof(pid), "%d", (int)process->pid);
	while (*words && count < 15)
		arguments[count++] = *words++;
	run_tool(&run, arguments);
	if (run.status)
		fail_msg("%s: exit code %d: %s", arguments[6], run.status, run.err);
	text = run.out;
	run.out = NULL;
	run_clear(&run);
	return text;
}

static int compare_addresses(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* Sorts, drops duplicates. @return how many are left */
static size_t make_set(uint64_t *items, size_t count)
{
	size_t kept = 0;

	qsort(items, count, sizeof(*items), compare_addresses);
	for (size_t i = 0; i < count; i++)
		if (!kept || items[kept - 1] != items[i])
			items[kept++] = items[i];
	return kept;
}

/* The objects of the lines that the collector knows of as referrers. */
static size_t read_found(char *lines, uint64_t *found)
{
	size_t count = 0;

	for (char *line; (line = strsep(&lines, "\n")) && *line;) {
		json_t *record = json_loads(line, 0, NULL);
		const char *object = json_string_value(json_object_get(record, "object"));

		assert_non_null(record);
		if (object && json_is_true(json_object_get(record, "visited")) &&
		    json_is_true(json_object_get(record, "tracked"))) {
			assert_true(count < REFERRERS_MAX);
			found[count++] = strtoull(object, NULL, 16);
		}
		json_decref(record);
	}
	return make_set(found, count);
}

static void check_referrers(const struct interpreter_choice *choice,
			    const struct python_process *process, char *line)
{
	static uint64_t expected[REFERRERS_MAX], found[REFERRERS_MAX];
	char address[32], *word, *lines;
	size_t count = 0, found_count;

	snprintf(address, sizeof(address), "0x%s", strsep(&line, " \n"));
	while ((word = strsep(&line, " \n")) && *word) {
		assert_true(count < REFERRERS_MAX);
		expected[count++] = strtoull(word, NULL, 16);
	}
	count = make_set(expected, count);
	lines = run_command(choice, process,
			    (const char *const[]){"referrers", address, "--ndjson", NULL});
	found_count = read_found(lines, found);
	for (size_t i = 0; i < count; i++)
		if (!bsearch(&expected[i], found, found_count, 8, compare_addresses))
			fail_msg("0x%" PRIx64 " refers to %s", expected[i], address);
	for (size_t i = 0; i < found_count; i++)
		if (!bsearch(&found[i], expected, count, 8, compare_addresses))
			fail_msg("0x%" PRIx64 " does not refer to %s", found[i], address);
	free(lines);
}

/* The row of a type. */
static const json_t *find_row(const json_t *rows, const char *type)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *name = json_string_value(json_object_get(row, "type"));

		if (name && !strcmp(name, type))
			return row;
	}
	return NULL;
}

static void check_type(const json_t *rows, char *line)
{
	const char *type = strsep(&line, "\t");
	long long objects = strtoll(strsep(&line, "\t"), NULL, 10);
	long long bytes = strtoll(line, NULL, 10);
	const json_t *row = find_row(rows, type);
	long long found = json_integer_value(json_object_get(row, "objects"));
	long long measured = json_integer_value(json_object_get(row, "bytes"));

	if (found != objects)
		fail_msg("%lld objects of %s, not %lld", found, type, objects);
	if (bytes && measured != bytes)
		fail_msg("%s: %lld bytes, not %lld", type, measured, bytes);
}

static void check_types(const struct interpreter_choice *choice,
			const struct python_process *process)
{
	char *text =
		run_command(choice, process,
			    (const char *const[]){"types", "--generation", "2", "--json", NULL});
	json_t *document = inspect_parse(text);
	const json_t *rows = json_object_get(json_object_get(document, "result"), "types");
	FILE *file = program_file(process, "types");
	char *line = NULL;
	size_t size = 0, count = 0;

	for (; getline(&line, &size, file) > 0; count++)
		check_type(rows, line);
	assert_true(count > 20);
	assert_int_equal(count, json_array_size(rows));
	free(line);
	fclose(file);
	json_decref(document);
	free(text);
}

static void the_collector_says_the_same(void **state)
{
	const struct interpreter_choice *choice = *state;
	struct python_process *process = program_start(choice, "counted.py");
	FILE *file = program_file(process, "referrers");
	char *line = NULL;
	size_t size = 0, count = 0;

	for (; getline(&line, &size, file) > 0; count++)
		check_referrers(choice, process, line);
	assert_true(count > 10);
	free(line);
	fclose(file);
	check_types(choice, process);
	program_end(process);
}

int main(int argc, char **argv)
{
	return jobs_run_on_interpreters("counts", the_collector_says_the_same, argc, argv);
}
