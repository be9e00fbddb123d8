/*
 * Where threads, tasks and generators are: what pycore-inspect says must be what the process says
 * of itself, frame for frame, live and in a core.
 */
#include "support/inspection.h"
#include "support/jobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
	const char *what; /**< "forky-3.15.0 core" */
	size_t frames, values, differences;
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void differ(struct check *check, const char *whose, const char *what, const char *found,
		   const char *expected)
{
	if (check->differences++ < 20)
		print_error("%s: %s: %s\n  is  %s\n  not %s\n", check->what, whose, what, found,
			    expected);
}

static void compare_text(struct check *check, const char *whose, const char *what,
			 const char *found, const char *expected)
{
	if (strcmp(found, expected) != 0)
		differ(check, whose, what, found, expected);
}

/** The variables of a frame: the same names, and the same values where the process says them. */
static void compare_locals(struct check *check, const char *whose, const json_t *found,
			   json_t *expected)
{
	size_t count = json_array_size(found);
	const char *name;
	json_t *value, *local;
	size_t i;

	if (count != json_object_size(expected)) {
		char *names = json_dumps(found, 0), *wanted = json_dumps(expected, 0);

		differ(check, whose, "variables", names, wanted);
		free(names);
		free(wanted);
	}
	json_object_foreach(expected, name, value)
	{
		const char *repr = NULL;

		json_array_foreach(found, i, local) if (!strcmp(text_of(local, "name"), name))
			repr = text_of(local, "repr");
		if (!repr)
			differ(check, whose, "no variable", "", name);
		else if (json_is_string(value))
			compare_text(check, whose, name, repr, json_string_value(value));
		check->values++;
	}
}

static void frame_text(const char *file, const json_t *line, const char *function, char *text,
		       size_t size)
{
	snprintf(text, size, "%s:%" JSON_INTEGER_FORMAT " %s", file,
		 json_is_integer(line) ? json_integer_value(line) : -1, function);
}

static void compare_stack(struct check *check, const char *whose, const json_t *object,
			  const json_t *expected)
{
	const json_t *frames = json_object_get(object, "frames");
	char found[600], wanted[600];

	if (json_array_size(frames) != json_array_size(expected)) {
		snprintf(found, sizeof(found), "%zu", json_array_size(frames));
		snprintf(wanted, sizeof(wanted), "%zu", json_array_size(expected));
		differ(check, whose, "frames", found, wanted);
	}
	for (size_t i = 0; i < json_array_size(frames) && i < json_array_size(expected); i++) {
		const json_t *frame = json_array_get(frames, i);
		const json_t *truth = json_array_get(expected, i);

		frame_text(text_of(frame, "file"), json_object_get(frame, "line"),
			   text_of(frame, "function"), found, sizeof(found));
		frame_text(json_string_value(json_array_get(truth, 0)), json_array_get(truth, 1),
			   json_string_value(json_array_get(truth, 2)), wanted, sizeof(wanted));
		compare_text(check, whose, "frame", found, wanted);
		compare_locals(check, whose, json_object_get(frame, "locals"),
			       json_array_get(truth, 3));
		check->frames++;
	}
}

/** The one object of an array with this value of a member. */
static json_t *find(json_t *array, const char *key, const char *value)
{
	json_t *item;
	size_t i;

	json_array_foreach(array, i, item) if (!strcmp(text_of(item, key), value)) return item;
	return NULL;
}

static void compare_threads(struct check *check, json_t *result, const json_t *truth)
{
	json_t *threads = json_object_get(result, "threads"), *expected, *found;
	const json_t *array = json_object_get(truth, "threads");
	size_t i;

	/* One more is the judge. */
	assert_int_equal(json_array_size(threads), json_array_size(array) + 1);
	assert_int_equal(json_integer_value(json_object_get(result, "threads_without_python")), 0);
	assert_true(json_is_true(json_object_get(result, "gil_known")));
	json_array_foreach(array, i, expected)
	{
		const char *name = text_of(expected, "name");

		found = find(threads, "ident", text_of(expected, "ident"));
		if (!found) {
			differ(check, name, "thread", "none", text_of(expected, "ident"));
			continue;
		}
		compare_text(check, name, "name", text_of(found, "name"), name);
		if (!json_equal(json_object_get(found, "tid"), json_object_get(expected, "tid")))
			differ(check, name, "tid", "another", "");
		compare_text(check, name, "gil", text_of(found, "gil"), "none");
		compare_text(check, name, "exception",
			     text_of(json_object_get(found, "exception"), "address"),
			     text_of(expected, "exception"));
		compare_stack(check, name, found, json_object_get(expected, "frames"));
	}
}

static void compare_waiting(struct check *check, json_t *lines, const json_t *truth)
{
	const json_t *array = json_object_get(truth, "waiting");
	json_t *expected, *found;
	size_t i;

	json_array_foreach(lines, i, found) if (!find(json_object_get(truth, "waiting"), "address",
						      text_of(found, "address")))
		differ(check, text_of(found, "record"), "one too many", text_of(found, "address"),
		       "there");
	json_array_foreach(array, i, expected)
	{
		const char *address = text_of(expected, "address");
		char whose[128];

		snprintf(whose, sizeof(whose), "%s %s %s", text_of(expected, "record"), address,
			 text_of(expected, "name"));
		found = find(lines, "address", address);
		if (!found) {
			differ(check, whose, "it", "not found", "");
			continue;
		}
		compare_text(check, whose, "kind", text_of(found, "record"),
			     text_of(expected, "record"));
		compare_text(check, whose, "name", text_of(found, "name"),
			     text_of(expected, "name"));
		compare_text(check, whose, "awaits",
			     text_of(json_object_get(found, "awaits"), "address"),
			     text_of(expected, "awaits"));
		compare_stack(check, whose, found, json_object_get(expected, "frames"));
	}
}

/** The lines of --ndjson that are of no threads. */
static json_t *waiting_lines(const struct view *view)
{
	char *text = inspect(view, "threads", "--ndjson", NULL), *rest = text, *line;
	json_t *lines = json_array();

	while ((line = strsep(&rest, "\n")))
		if (*line) {
			json_t *object = inspect_parse(line);

			if (strcmp(text_of(object, "record"), "thread") != 0)
				json_array_append_new(lines, object);
			else
				json_decref(object);
		}
	free(text);
	return lines;
}

/** Every group must have as many members as the lines say, and all of them the same frames. */
static void check_groups(const json_t *result, json_t *lines)
{
	const json_t *groups = json_object_get(result, "groups");
	json_t *group, *line;
	size_t i, j;

	json_array_foreach(groups, i, group)
	{
		json_int_t count = 0;

		json_array_foreach(lines, j, line)
		{
			if (json_integer_value(json_object_get(line, "group")) != (json_int_t)i + 1)
				continue;
			count++;
			assert_string_equal(text_of(line, "record"), text_of(group, "record"));
			assert_int_equal(json_array_size(json_object_get(line, "frames")),
					 json_array_size(json_object_get(group, "frames")));
		}
		assert_int_equal(count, json_integer_value(json_object_get(group, "count")));
	}
}

static void compare(const struct view *view, const char *how, const json_t *truth)
{
	char *answer = inspect(view, "threads", "--json", NULL), what[128];
	json_t *document = inspect_parse(answer), *lines = waiting_lines(view);
	json_t *result = json_object_get(document, "result");
	struct check check = {.what = what};

	snprintf(what, sizeof(what), "%s %s", view->python->name, how);
	compare_threads(&check, result, truth);
	compare_waiting(&check, lines, truth);
	check_groups(result, lines);
	print_message("%s: %zu frames, %zu variables\n", what, check.frames, check.values);
	assert_true(check.frames > 1200);
	assert_int_equal(check.differences, 0);
	json_decref(lines);
	json_decref(document);
	free(answer);
}

static void all_stand_where_the_process_says(void **state)
{
	const struct interpreter_choice *choice = *state;
	struct python_process *process = program_start(choice, "stacks.py");
	struct view view = {.python = choice, .process = process};
	const char *why = NULL;
	char path[5000], *core;
	json_error_t error;
	json_t *truth;

	snprintf(path, sizeof(path), "%s/stacks", process->folder);
	truth = json_load_file(path, 0, &error);
	if (!truth)
		fail_msg("%s: %s", path, error.text);
	compare(&view, "live", truth);
	core = program_core(process, &why);
	if (core) {
		view.core = core;
		compare(&view, "core", truth);
	} else {
		print_message("no core: %s\n", why);
	}
	free(core);
	json_decref(truth);
	program_end(process);
}

/** Each busy thread must be in its loop, and hold the GIL or wait for it, one at a time. */
static size_t check_busy(const json_t *result, const int loop[2], size_t *holders)
{
	const json_t *threads = json_object_get(result, "threads");
	size_t i, count = 0;
	json_t *thread;

	*holders = 0;
	json_array_foreach(threads, i, thread)
	{
		const json_t *frames = json_object_get(thread, "frames");
		const json_t *newest = json_array_get(frames, json_array_size(frames) - 1);
		json_int_t line = json_integer_value(json_object_get(newest, "line"));

		if (strcmp(text_of(thread, "name"), "busy") != 0)
			continue;
		count++;
		assert_string_equal(text_of(newest, "function"), "busy");
		if (line < loop[0] || line > loop[1])
			fail_msg("line %d is not in the loop, lines %d to %d", (int)line, loop[0],
				 loop[1]);
		*holders += !strcmp(text_of(thread, "gil"), "holds");
	}
	return count;
}

static void running_threads_are_in_their_loop(void **state)
{
	enum { LOOKS = 5 };
	const struct interpreter_choice *choice = *state;
	struct python_process *process = program_start(choice, "busy.py");
	const struct view view = {.python = choice, .process = process};
	size_t holders, held = 0;
	int loop[2], count;
	FILE *file;

	file = program_file(process, "busy");
	assert_int_equal(fscanf(file, "%d %d %d", &loop[0], &loop[1], &count), 3);
	fclose(file);
	for (int i = 0; i < LOOKS; i++) {
		char *answer = inspect(&view, "threads", "--json", NULL);
		json_t *document = inspect_parse(answer);
		json_t *result = json_object_get(document, "result");

		assert_int_equal(check_busy(result, loop, &holders), count);
		assert_true(holders <= 1);
		held += holders;
		assert_int_equal(
			json_integer_value(json_object_get(result, "threads_without_python")), 1);
		json_decref(document);
		free(answer);
	}
	/* In between two threads nobody may hold it for a moment. */
	assert_true(held > 0);
	program_end(process);
}

int main(int argc, char **argv)
{
	size_t count;
	struct interpreter_choice *choices = interpreters_list(&count);
	struct CMUnitTest *tests = calloc(2 * count + 1, sizeof(*tests));
	char(*names)[64] = calloc(count + 1, sizeof(*names));
	int failed;

	for (size_t i = 0; tests && names && i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "%s, running", choices[i].name);
		tests[2 * i] = (struct CMUnitTest){
			choices[i].name, all_stand_where_the_process_says, NULL, NULL, &choices[i]};
		tests[2 * i + 1] = (struct CMUnitTest){names[i], running_threads_are_in_their_loop,
						       NULL, NULL, &choices[i]};
	}
	failed = jobs_run_tests("threads", tests, 2 * count, 2, argc, argv);
	free(names);
	free(tests);
	interpreters_free(choices, count);
	return failed;
}
