/*
 * The list of what an answer lacks. It is bounded: a hostile target can be damaged in a million
 * places, and nobody reads more than the first ones.
 */
#include "target/coverage.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROBLEM_MAX = 1000 };

/** For all lists: problems are few, and lists come as zeroed memory. */
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;

/** Texts that stand in where memory ran out or the list is full; never freed. */
static char no_memory_kind[] = "out-of-memory";
static char no_memory_detail[] = "out of memory while noting a problem";
static char more_kind[] = "more-problems";
static char more_detail[] = "further problems are not listed";

/** The whole list when there was no memory for a list; the next entry replaces it. */
static const struct problem no_memory_problem = {PROBLEM_PARTIAL, no_memory_kind, no_memory_detail};

static bool is_fallback(const struct coverage *coverage)
{
	return coverage->problems == &no_memory_problem;
}

/** The entry of the same kind and detail, or NULL. */
static struct problem *find(const struct coverage *coverage, const char *kind, const char *detail)
{
	for (size_t i = 0; i < coverage->count; i++) {
		struct problem *problem = &coverage->problems[i];

		if (!strcmp(problem->kind, kind) && !strcmp(problem->detail, detail))
			return problem;
	}
	return NULL;
}

/** Room for one more entry, not filled in. @return NULL when out of memory */
static struct problem *append(struct coverage *coverage)
{
	size_t count = is_fallback(coverage) ? 0 : coverage->count;
	struct problem *old = is_fallback(coverage) ? NULL : coverage->problems;
	struct problem *problems = reallocarray(old, count + 1, sizeof(*problems));

	if (!problems)
		return NULL;
	coverage->problems = problems;
	coverage->count = count + 1;
	return &problems[count];
}

/** Keeps the level when the text cannot be kept. */
static void add_without_memory(struct coverage *coverage, enum problem_level level)
{
	if (level != PROBLEM_PARTIAL)
		return;
	if (coverage->count) {
		if (!is_fallback(coverage))
			coverage->problems[coverage->count - 1].level = level;
		return;
	}
	coverage->problems = (struct problem *)&no_memory_problem;
	coverage->count = 1;
}

/** Adds an entry; takes over `kind` and `detail`, which may be the static texts above. */
static void add(struct coverage *coverage, enum problem_level level, char *kind, char *detail)
{
	struct problem *problem = find(coverage, kind, detail);

	if (problem) {
		if (level > problem->level)
			problem->level = level;
	} else {
		if (is_fallback(coverage))
			level = PROBLEM_PARTIAL;
		problem = append(coverage);
		if (problem) {
			*problem = (struct problem){level, kind, detail};
			return;
		}
		add_without_memory(coverage, level);
	}
	if (kind != more_kind) {
		free(kind);
		free(detail);
	}
}

/** Adds a problem; takes over `detail`, which is NULL when there was no memory for it. */
static void add_copy(struct coverage *coverage, enum problem_level level, const char *kind,
		     char *detail)
{
	char *kind_copy;

	if (!is_fallback(coverage) && coverage->count >= PROBLEM_MAX) {
		free(detail);
		add(coverage, level, more_kind, more_detail);
		return;
	}
	if (!detail) {
		add_without_memory(coverage, level);
		return;
	}
	kind_copy = strdup(kind);
	if (!kind_copy) {
		free(detail);
		add_without_memory(coverage, level);
		return;
	}
	add(coverage, level, kind_copy, error_one_line(detail));
}

void coverage_add(struct coverage *coverage, enum problem_level level, const char *kind,
		  const char *format, ...)
{
	va_list arguments;
	char *detail;

	va_start(arguments, format);
	if (vasprintf(&detail, format, arguments) < 0)
		detail = NULL;
	va_end(arguments);
	pthread_mutex_lock(&adding);
	add_copy(coverage, level, kind, detail);
	pthread_mutex_unlock(&adding);
}

static int compare_problems(const void *left, const void *right)
{
	const struct problem *a = left, *b = right;
	int order = strcmp(a->kind, b->kind);

	return order ? order : strcmp(a->detail, b->detail);
}

void coverage_sort(struct coverage *coverage, size_t from)
{
	if (!is_fallback(coverage) && from < coverage->count)
		qsort(coverage->problems + from, coverage->count - from,
		      sizeof(*coverage->problems), compare_problems);
}

bool coverage_complete(const struct coverage *coverage)
{
	for (size_t i = 0; i < coverage->count; i++)
		if (coverage->problems[i].level == PROBLEM_PARTIAL)
			return false;
	return true;
}

void coverage_clear(struct coverage *coverage)
{
	if (!is_fallback(coverage)) {
		for (size_t i = 0; i < coverage->count; i++) {
			if (coverage->problems[i].kind == more_kind)
				continue;
			free(coverage->problems[i].kind);
			free(coverage->problems[i].detail);
		}
		free(coverage->problems);
	}
	*coverage = (struct coverage){0};
}
