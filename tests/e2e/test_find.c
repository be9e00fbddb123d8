/*
 * `find` must list exactly the objects that the process itself finds, on every interpreter.
 */
#include "support/jobs.h"
#include "support/python_process.h"
#include "support/run.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 24 };

static int compare_texts(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The addresses of the lines, sorted, with a space between them: as the program writes them. */
static char *found_addresses(const char *lines)
{
	size_t count = 0, size = 1;
	char **addresses = NULL, *copy = strdup(lines), *rest = copy, *line, *text;

	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *record = json_loads(line, 0, NULL);
		const char *address = json_string_value(json_object_get(record, "address"));

		assert_non_null(address);
		addresses = realloc(addresses, (count + 1) * sizeof(*addresses));
		assert_non_null(addresses);
		addresses[count++] = strdup(address + 2);
		size += strlen(address);
		json_decref(record);
	}
	if (count)
		qsort(addresses, count, sizeof(*addresses), compare_texts);
	text = calloc(1, size);
	for (size_t i = 0; i < count; i++) {
		strcat(strcat(text, i ? " " : ""), addresses[i]);
		free(addresses[i]);
	}
	free(addresses);
	free(copy);
	return text;
}

static void check_search(const struct interpreter_choice *choice,
			 const struct python_process *process, char *words, const char *expected)
{
	struct run run __attribute__((cleanup(run_clear))) = {0};
	char pid[16], shown[256], *found, *word;
	const char *arguments[WORDS_MAX + 1];
	size_t count = 0;

	snprintf(pid, sizeof(pid), "%d", (int)process->pid);
	snprintf(shown, sizeof(shown), "%s", words);
	for (word = strsep(&words, " "); word && count < 8; word = strsep(&words, " "))
		arguments[count++] = word;
	memcpy(arguments + count,
	       (const char *const[]){"find", "--ndjson", "-p", pid, "--sysroot", choice->root,
				     NULL},
	       7 * sizeof(*arguments));
	run_tool(&run, arguments);
	if (run.status)
		fail_msg("find %s: exit code %d: %s", shown, run.status, run.err);
	found = found_addresses(run.out);
	if (strcmp(found, expected) != 0)
		fail_msg("find %s\n  lists %s\n  not   %s", shown, found, expected);
	free(found);
}

static void what_the_process_finds_is_found(void **state)
{
	const struct interpreter_choice *choice = *state;
	struct python_process *process = program_start(choice, "findable.py");
	char *line = NULL, *expected;
	size_t size = 0, count = 0;
	FILE *file;

	file = program_file(process, "searches");
	for (; getline(&line, &size, file) > 0; count++) {
		line[strcspn(line, "\n")] = '\0';
		expected = strchr(line, '\t');
		assert_non_null(expected);
		*expected++ = '\0';
		check_search(choice, process, line, expected);
	}
	fclose(file);
	free(line);
	print_message("%s: %zu searches\n", choice->name, count);
	assert_true(count >= 20);
	program_end(process);
}

int main(int argc, char **argv)
{
	return jobs_run_on_interpreters("find", what_the_process_finds_is_found, argc, argv);
}
