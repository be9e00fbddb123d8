/*
 * The command line of pycore-inspect on a real process and its core: words and their order,
 * formats, output files, exit codes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/found.h"
#include "support/run.h"
#include "support/specimen.h"

#include <ctype.h>
#include <dirent.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AUTO_RUN struct run __attribute__((cleanup(run_clear)))

static const char *const commands[] = {"triage", "leaks", "cycles", "info"};

// Runs the tool with arguments that end in NULL; the exit code must be as said.
#define RUN(run, expected, ...) run_expecting(run, expected, RUN_ARGUMENTS(__VA_ARGS__))

static void run_expecting(struct run *run, int expected, const char *const *arguments)
{
	run_tool(run, arguments);
	if (run->status == expected)
		return;
	for (; *arguments; arguments++)
		print_error("%s ", *arguments);
	fail_msg("exit code %d, not %d\n%s%s", run->status, expected, run->out, run->err);
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; (text = strchr(text, '\n')); text++)
		lines++;
	return lines;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in: %s", part, text);
}

// An error: nothing on stdout, one line on stderr that has a text in it.
static void assert_error(const struct run *run, const char *part)
{
	assert_string_equal(run->out, "");
	assert_int_equal(count_lines(run->err), 1);
	assert_has(run->err, "pycore-inspect: ");
	assert_has(run->err, part);
}

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!json)
		fail_msg("no JSON: %s\n%s", error.text, text);
	return json;
}

/*
 * Words
 */

static void test_help_and_version(void **state)
{
	static const char *const words[] = {"--help", "-h", "help"};
	AUTO_RUN version = {0};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		AUTO_RUN run = {0};

		RUN(&run, 0, words[i]);
		assert_has(run.out, "Usage: pycore-inspect");
		assert_string_equal(run.err, "");
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		AUTO_RUN run = {0};

		RUN(&run, 0, "help", commands[i]);
		assert_has(run.out, commands[i]);
	}
	RUN(&version, 0, "--version");
	assert_int_equal(count_lines(version.out), 1);
}

static void test_usage_errors(void **state)
{
	static const struct {
		const char *words[8];
		const char *told;
	} wrong[] = {
		{{NULL}, ""},
		{{"--no-such-option", "core"}, "--no-such-option"},
		{{"-p"}, ""},
		{{"-p", "abc"}, "abc"},
		{{"-p", "-5"}, "-5"},
		{{"-p", "0"}, "0"},
		{{"-p", "99999999999999999999"}, "99999999999999999999"},
		{{"-p", "1", "-c", "core"}, ""},
		{{"cycles"}, ""},
		{{"-p", "1", "cycels"}, "cycels"},
		{{"-p", "1", "--limit", "many"}, "many"},
		{{"-p", "1", "--limit=-1"}, "-1"},
		{{"-p", "1", "--color=mauve"}, "mauve"},
		{{"-p", "1", "--json", "--ndjson"}, "--ndjson"},
		{{"-p", "1", "info", "--ndjson"}, "--ndjson"},
		{{"-p", "1", "info", "more"}, "more"},
		{{"-p", "1", "cycles", "x"}, "x"},
		{{"-p", "1", "--output="}, "--output"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		AUTO_RUN run = {0};

		run_expecting(&run, 2, wrong[i].words);
		assert_string_equal(run.out, "");
		assert_in_range(count_lines(run.err), 1, 2);
		assert_has(run.err, wrong[i].told);
	}
}

static void test_orders(void **state)
{
	const char *core = specimen.core, *python = specimen.python->python;
	const char *const orders[][7] = {
		{core, "cycles", "--json"},
		{"--json", "cycles", core},
		{"cycles", core, "--json"},
		{"-c", core, "cycles", "--json"},
		{python, core, "cycles", "--json"},
		{core, python, "cycles", "--json"},
		{python, "-c", core, "cycles", "--json"},
		{"-c", core, "-e", python, "cycles", "--json"},
		{"cycles", python, core, "--json"},
		{"--json", "--core", core, "--executable", python, "cycles"},
		{"--json", "cycles", "--", core, python},
	};
	AUTO_RUN first = {0};

	(void)state;
	run_expecting(&first, 0, orders[0]);
	assert_has(first.out, "\"command\": \"cycles\"");
	for (size_t i = 1; i < sizeof(orders) / sizeof(*orders); i++) {
		AUTO_RUN run = {0};

		run_expecting(&run, 0, orders[i]);
		assert_string_equal(run.out, first.out);
		assert_string_equal(run.err, "");
	}
}

static void test_no_command_is_triage(void **state)
{
	AUTO_RUN none = {0}, triage = {0};

	(void)state;
	RUN(&none, 0, specimen.core);
	RUN(&triage, 0, specimen.core, "triage");
	assert_string_equal(none.out, triage.out);
}

/*
 * Formats
 */

static void test_same_bytes_again(void **state)
{
	static const char *const formats[] = {"--color=never", "--json", "--ndjson"};

	(void)state;
	for (size_t c = 0; c < sizeof(commands) / sizeof(*commands); c++) {
		for (size_t f = 0; f < 3; f++) {
			AUTO_RUN first = {0}, second = {0};

			if (f == 2 && strcmp(commands[c], "cycles") && strcmp(commands[c], "leaks"))
				continue;
			RUN(&first, 0, specimen.core, commands[c], formats[f]);
			RUN(&second, 0, specimen.core, commands[c], formats[f]);
			assert_true(first.out_size > 0);
			assert_string_equal(first.out, second.out);
			assert_string_equal(first.err, "");
		}
	}
}

static void test_json_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		for (int live = 0; live < 2; live++) {
			AUTO_RUN run = {0};
			json_t *json;

			RUN(&run, 0, live ? "-p" : "-c", live ? specimen.pid : specimen.core,
			    "--json", commands[i]);
			json = parse(run.out);
			assert_int_equal(
				json_integer_value(json_object_get(json, "schema_version")), 1);
			assert_string_equal(json_string_value(json_object_get(json, "command")),
					    commands[i]);
			assert_true(json_is_object(json_object_get(json, "target")));
			assert_true(json_is_true(
				json_object_get(json_object_get(json, "coverage"), "complete")));
			assert_non_null(json_object_get(json, "result"));
			json_decref(json);
		}
	}
}

static void test_lines_of_leaks(void **state)
{
	AUTO_RUN run = {0};
	size_t count = 0;

	(void)state;
	RUN(&run, 0, specimen.core, "leaks", "--ndjson");
	for (char *line = strtok(run.out, "\n"); line; line = strtok(NULL, "\n"), count++) {
		json_t *json = parse(line);

		assert_true(json_is_object(json));
		json_decref(json);
	}
	assert_true(count > 0);
}

static void test_limit(void **state)
{
	AUTO_RUN one = {0}, all = {0};
	json_t *limited, *whole, *groups;

	(void)state;
	RUN(&one, 0, specimen.core, "cycles", "--json", "--limit=1");
	RUN(&all, 0, specimen.core, "cycles", "--json", "--limit", "0");
	limited = parse(one.out);
	whole = parse(all.out);
	groups = json_object_get(json_object_get(whole, "result"), "groups");
	assert_true(json_array_size(groups) > 1);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(limited, "result"),
							    "groups_total")),
			 json_array_size(groups));
	groups = json_object_get(json_object_get(limited, "result"), "groups");
	assert_int_equal(json_array_size(groups), 1);
	json_decref(limited);
	json_decref(whole);
}

static void test_color(void **state)
{
	AUTO_RUN plain = {0}, always = {0}, never = {0};

	(void)state;
	RUN(&plain, 0, specimen.core);
	RUN(&always, 0, specimen.core, "--color=always");
	RUN(&never, 0, specimen.core, "--color=never");
	assert_null(strchr(plain.out, '\033')); // no terminal
	assert_non_null(strchr(always.out, '\033'));
	assert_string_equal(plain.out, never.out);
}

/*
 * Where it goes
 */

static char *file_content(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &size, '\0', file) < 0)
		text[0] = '\0';
	fclose(file);
	return text;
}

static size_t count_files(const char *folder)
{
	DIR *directory = opendir(folder);
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void test_output_file(void **state)
{
	char path[8192], *text;
	AUTO_RUN shown = {0}, written = {0}, again = {0};

	(void)state;
	snprintf(path, sizeof(path), "%s", specimen_path("out.json"));
	RUN(&shown, 0, specimen.core, "cycles", "--ndjson");
	RUN(&written, 0, specimen.core, "cycles", "--ndjson", "--output", path);
	assert_string_equal(written.out, "");
	assert_string_equal(written.err, "");
	text = file_content(path);
	assert_string_equal(text, shown.out);
	free(text);
	RUN(&again, 0, specimen.core, "info", "-o", path);
	text = file_content(path);
	assert_has(text, "CPython");
	free(text);
	unlink(path);
}

static void test_output_that_fails(void **state)
{
	char path[8192], *text;
	size_t files = count_files(specimen.dumped->folder);
	AUTO_RUN no_folder = {0}, folder = {0}, bad_core = {0}, full = {0};
	FILE *file;

	(void)state;
	RUN(&no_folder, 1, specimen.core, "--output", "/no/such/folder/file");
	assert_error(&no_folder, "/no/such/folder/file");
	RUN(&folder, 1, specimen.core, "--output", specimen.dumped->folder);
	assert_error(&folder, specimen.dumped->folder);
	RUN(&full, 1, specimen.core, "--output", "/dev/full");
	assert_error(&full, "/dev/full");

	// What is there stays if the command fails.
	snprintf(path, sizeof(path), "%s", specimen_path("there"));
	file = fopen(path, "we");
	assert_non_null(file);
	fputs("old\n", file);
	fclose(file);
	RUN(&bad_core, 1, "/etc/hostname", "-o", path);
	text = file_content(path);
	assert_string_equal(text, "old\n");
	free(text);
	unlink(path);
	assert_int_equal(count_files(specimen.dumped->folder), files);
}

static void test_reader_that_goes(void **state)
{
	AUTO_RUN run = {0};
	char command[16384];

	(void)state;
	snprintf(command, sizeof(command),
		 "'%s' '%s' cycles --ndjson --limit 0 | head -n 1; echo ${PIPESTATUS[0]}",
		 run_tool_path(), specimen.core);
	run_program(&run, RUN_ARGUMENTS("bash", "-c", command));
	assert_string_equal(run.err, "");
	assert_int_equal(count_lines(run.out), 2);
}

static void test_full_device(void **state)
{
	AUTO_RUN run = {0};
	char command[16384];

	(void)state;
	snprintf(command, sizeof(command), "'%s' '%s' info >/dev/full", run_tool_path(),
		 specimen.core);
	run_program(&run, RUN_ARGUMENTS("bash", "-c", command));
	assert_int_equal(run.status, 1);
	assert_error(&run, "No space left");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_help_and_version),
		cmocka_unit_test(test_usage_errors),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_no_command_is_triage),
		cmocka_unit_test(test_same_bytes_again),
		cmocka_unit_test(test_json_documents),
		cmocka_unit_test(test_lines_of_leaks),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_color),
		cmocka_unit_test(test_output_file),
		cmocka_unit_test(test_output_that_fails),
		cmocka_unit_test(test_reader_that_goes),
		cmocka_unit_test(test_full_device),
	};

	return cmocka_run_group_tests_name("command line", tests, specimen_setup,
					   specimen_teardown);
}
