/*
 * JSON answers, made comparable. See answer.h.
 */
#include "support/answer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void assert_contains(const char *text, const char *part)
{
	if (strstr(text, part))
		return;
	print_error("no \"%s\" in:\n%s\n", part, text);
	fail();
}

void assert_lacks(const char *text, const char *part)
{
	if (!strstr(text, part))
		return;
	print_error("\"%s\" in:\n%s\n", part, text);
	fail();
}

static char *comparable(json_t *document)
{
	char *text;

	assert_non_null(json_object_get(document, "target"));
	json_object_del(document, "target");
	/* What `diff` says of its targets. */
	json_object_del(json_object_get(document, "result"), "snapshots");
	json_object_del(json_object_get(document, "result"), "seconds");
	text = json_dumps(document, JSON_INDENT(1));
	json_decref(document);
	return text;
}

char *answer_of_file(const char *path)
{
	json_error_t error;
	json_t *document = json_load_file(path, 0, &error);

	if (!document)
		print_error("%s: %s\n", path, error.text);
	assert_non_null(document);
	return comparable(document);
}

char *answer_of_tool(const char *const *arguments)
{
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char *tool = build_path("pycore-inspect");
	const char *argv[16] = {tool};
	json_t *document;

	for (size_t i = 0; arguments[i]; i++)
		argv[i + 1] = arguments[i];
	program_run(&output, "", argv);
	free(tool);
	document = json_loads(output.out, 0, NULL);
	if (!document)
		print_error("%s%s", output.out, output.err);
	assert_non_null(document);
	return comparable(document);
}

char *answer_of_gdb(const struct gdb *gdb, const char *folder, const char *command,
		    const char *const *target)
{
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	const char *arguments[16];
	char *path, *whole_command, *answer;
	size_t count = 0;

	assert_true(asprintf(&path, "%s/answer.json", folder) > 0);
	assert_true(asprintf(&whole_command, "%s --output %s", command, path) > 0);
	for (; target[count]; count++)
		arguments[count] = target[count];
	arguments[count++] = "-ex";
	arguments[count++] = whole_command;
	arguments[count] = NULL;
	gdb_batch(&output, gdb, arguments);
	if (access(path, R_OK) < 0)
		print_error("%s%s", output.out, output.err);
	answer = answer_of_file(path);
	unlink(path);
	free(whole_command);
	free(path);
	return answer;
}

char *answer_result(char *answer)
{
	json_t *root = json_loads(answer, 0, NULL);
	char *text = json_dumps(json_object_get(root, "result"), JSON_INDENT(1));

	assert_non_null(text);
	json_decref(root);
	free(answer);
	return text;
}

void assert_same_answer(char *one, char *other)
{
	assert_string_equal(one, other);
	free(one);
	free(other);
}
