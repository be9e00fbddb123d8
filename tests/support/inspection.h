/**
 * @file
 * Asks pycore-inspect about a program that runs, or about a core of it.
 */
#ifndef PYMEM_TESTS_INSPECTION_H
#define PYMEM_TESTS_INSPECTION_H

#include "support/python_process.h"

#include <jansson.h>
#include <stdbool.h>

/** What is looked at. */
struct view {
	const struct interpreter_choice *python;
	const struct python_process *process;
	const char *core; /**< NULL: the process */
};

/**
 * Runs one command.
 * @param format "--json" or "--ndjson"; all entries are shown
 * @param partial set to whether the answer was partial (exit code 4); NULL: that fails the test, as
 * does any other exit code and any message
 * @return what was written, to be freed
 */
char *inspect(const struct view *view, const char *command, const char *format, bool *partial);

/** Parses a document; one that is none fails the test. */
json_t *inspect_parse(const char *text);

#endif
