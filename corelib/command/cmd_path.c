/*
 * What keeps an object alive: the way from a root to it.
 */
#include "command/command.h"
#include "command/path_report.h"
#include "command/report.h"

#include <inttypes.h>
#include <stdlib.h>

enum { PATHS_USUALLY = 1, PATHS_MAX = 1000, NEIGHBOURS_MAX = 64 };

static struct error *paths_wanted(const struct session *session, size_t *wanted)
{
	const struct option_value *paths = &session->options.values[OPTION_PATHS];

	*wanted = paths->given ? paths->number : PATHS_USUALLY;
	if (paths->given && (!paths->number || paths->number > PATHS_MAX))
		return error_create(ERROR_USAGE, "--paths is 1 to %d, not '%s'", PATHS_MAX,
				    paths->text);
	return NULL;
}

static struct error *read_addresses(const struct session *session, struct path_answers *answers)
{
	const struct options *options = &session->options;

	answers->items = calloc(options->argument_count + 1, sizeof(*answers->items));
	if (!answers->items)
		return &error_no_memory;
	for (size_t i = 0; i < options->argument_count; i++)
		if (!units_parse_address(options->arguments[i], &answers->items[i].typed))
			return error_create(ERROR_USAGE, "%s is no address", options->arguments[i]);
	answers->count = options->argument_count;
	return NULL;
}

/* The group of an object that the collector would free, or of one that holds it. */
static size_t find_group(const struct session *session, uint32_t object)
{
	const struct unreachable *unreachable = session->unreachable;
	const struct graph *graph = session->graph;

	for (int i = 0; i < NEIGHBOURS_MAX; i++) {
		uint32_t tracked = heap_find(session->heap, session->objects->addresses[object]);
		uint64_t e = graph->source_first[object];
		size_t low = 0, high = unreachable->count;

		while (low < high) {
			size_t middle = low + (high - low) / 2;

			if (unreachable->objects[middle] < tracked)
				low = middle + 1;
			else
				high = middle;
		}
		if (low < unreachable->count && unreachable->objects[low] == tracked)
			return session->cycles->group_of[low] + 1;
		for (; e < graph->source_first[object + 1]; e++)
			if (session->roots->reached[graph->sources[e]] == ROOT_GARBAGE)
				break;
		if (e == graph->source_first[object + 1])
			break;
		object = graph->sources[e];
	}
	return 0;
}

static struct error *judge(struct session *session, struct path_answer *answer)
{
	struct error *err = NULL;

	if (answer->asked.object == HEAP_NONE) {
		answer->verdict = PATH_STATIC;
		return NULL;
	}
	if (answer->paths.count) {
		answer->verdict = PATH_HELD;
		return NULL;
	}
	if (session->roots->reached[answer->asked.object] == ROOT_GARBAGE) {
		answer->verdict = PATH_GARBAGE;
		err = session_cycles(session);
		if (!err)
			answer->group = find_group(session, answer->asked.object);
		return err;
	}
	answer->verdict = PATH_LOST;
	answer->found = session->census->found[answer->asked.object];
	return NULL;
}

static struct error *answer_one(struct session *session, struct path_search *search, size_t wanted,
				struct path_answer *answer)
{
	struct error *err = NULL;

	answer->asked.typed = answer->typed;
	answer->error = asked_find_typed(session, &answer->asked);
	if (answer->error) {
		answer->verdict = PATH_ERROR;
		return NULL;
	}
	if (answer->asked.object != HEAP_NONE)
		err = paths_find(search, answer->asked.object, wanted, &answer->paths);
	return err ? err : judge(session, answer);
}

/* An address alone that is none of an object is an error; among several it is one of the answers.
 */
static struct error *only_error(struct path_answers *answers)
{
	struct error *err = answers->count == 1 ? answers->items[0].error : NULL;

	if (err)
		answers->items[0].error = NULL;
	return err;
}

static struct error *prepare(struct session *session)
{
	struct error *err = asked_open(session, "path");
	struct path_search *search = NULL;
	size_t wanted;

	if (err)
		return err;
	session->paths = calloc(1, sizeof(*session->paths));
	if (!session->paths)
		return &error_no_memory;
	err = paths_wanted(session, &wanted);
	if (!err)
		err = read_addresses(session, session->paths);
	if (!err)
		err = session_roots(session, ROOTS_ALL);
	if (!err)
		err = session_census(session);
	if (!err && session->no_census)
		err = error_create(ERROR_GENERAL, "paths cannot be found: %s", session->no_census);
	if (!err)
		err = path_search_open(session->graph, session->roots, &session->progress.progress,
				       &search);
	for (size_t i = 0; !err && i < session->paths->count; i++) {
		err = progress_step(&session->progress.progress, "looking for paths", i,
				    session->paths->count);
		if (!err)
			err = answer_one(session, search, wanted, &session->paths->items[i]);
	}
	path_search_close(search);
	return err ? err : only_error(session->paths);
}

static struct error *text(struct session *session, struct screen *screen)
{
	const struct path_answers *answers = session->paths;
	const struct path_answer *first = &answers->items[0];
	char next[4][64] = {""};

	report_header(session, screen);
	report_coverage(session, screen);
	for (size_t i = 0; i < answers->count; i++) {
		screen_print(screen, "\n");
		path_text(session, &answers->items[i], screen);
	}
	if (first->verdict == PATH_GARBAGE && first->group)
		snprintf(next[0], sizeof(next[0]), "cycles %zu", first->group);
	snprintf(next[1], sizeof(next[1]), "referrers 0x%" PRIx64, first->asked.address);
	if (first->verdict == PATH_HELD && !session->options.values[OPTION_PATHS].given)
		snprintf(next[2], sizeof(next[2]), "path 0x%" PRIx64 " --paths 5",
			 first->asked.address);
	snprintf(next[3], sizeof(next[3]), "refcount 0x%" PRIx64, first->asked.address);
	report_next(session, screen,
		    (const char *[]){*next[0] ? next[0] : NULL, *next[2] ? next[2] : NULL, next[1],
				     next[3]},
		    first->verdict == PATH_ERROR ? 0 : 4);
	return NULL;
}

static struct error *json(struct session *session, struct document *document, json_t *result)
{
	const struct path_answers *answers = session->paths;
	json_t *array;

	if (answers->count == 1) {
		path_json(session, &answers->items[0], document, result);
		return NULL;
	}
	array = document_set_array(document, result, "objects");
	for (size_t i = 0; i < answers->count; i++)
		path_json(session, &answers->items[i], document,
			  document_append_object(document, array));
	return NULL;
}

static struct error *ndjson(struct session *session, const struct output *output)
{
	struct error *err = NULL;

	for (size_t i = 0; !err && i < session->paths->count; i++) {
		struct document document;

		document_init(&document);
		path_json(session, &session->paths->items[i], &document, document.root);
		if (document.failed)
			err = &error_no_memory;
		else if (!document_write_line(&document, output->file))
			err = output_status(output);
		document_clear(&document);
	}
	return err;
}

const struct command command_path = {
	.description =
		"The shortest way to the object from a module, a variable of a running "
		"function, or what\n"
		"else holds it from outside, as a Python expression, and each step of it: the "
		"reference,\n"
		"what the object is, its size in bytes with the storage that it alone owns, "
		"its address.\n"
		"Typed into the process, with the modules sys, gc and collections imported, "
		"the expression\n"
		"gives this very object; what Python has no syntax for is said in words.\n"
		"\n"
		"Others that share nothing with the first but modules: --paths 5. If the "
		"collector would\n"
		"free the object, or nothing at all holds it, that is said, and what to type "
		"next.\n"
		"\n"
		"Several addresses are answered in one go. With --ndjson, one line for each.\n",
	.options = OPTION_BIT(PATHS),
	.takes = asked_takes,
	.takes_several = true,
	.prepare = prepare,
	.text = text,
	.json = json,
	.ndjson = ndjson,
};
