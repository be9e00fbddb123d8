/*
 * Programs as people run them, with what other people wrote: a site on Flask, one on Django, a
 * service on aiohttp, a job with pandas. Each grows by a mistake that is made in such programs, and
 * the first screen must name it, of the process and of a core; `diff` must name it, and `path` lead
 * there.
 */
#include "support/answer.h"
#include "support/inspection.h"
#include "support/jobs.h"
#include "support/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AUTO_RUN struct run __attribute__((cleanup(run_clear)))

enum { SCREEN_LINES = 36 };

/** A program, and what is wrong with it. */
static const struct service {
	const char *module;   /**< Debian's package is python3-MODULE */
	int count;	      /**< what it piles up at each step */
	const char *name;     /**< who holds it, as it ends */
	const char *type;     /**< that is a dict, list or the like */
	const char *mostly;   /**< type of what is in there; it keeps most */
	const char *items_of; /**< a type of which there are as many, to look for a path of one */
	const char *path;     /**< a part of the expression */
	const char *waiting;  /**< function in which as many tasks wait; NULL: none */
} services[] = {
	{"flask", 600, "__main__.page_cache", "dict", "__main__.Page", "__main__.Page",
	 "sys.modules['__main__'].page_cache[(", NULL},
	{"django", 800, "__main__.AuditMiddleware.recent", "list", "__main__.Visit",
	 "__main__.Visit", "sys.modules['__main__'].AuditMiddleware.recent[", NULL},
	{"aiohttp", 1200, "__main__.upstream.connected._waiters", "collections.deque", NULL,
	 "_asyncio.Task", "sys.modules['__main__'].upstream.connected._waiters[", "notify"},
	{"pandas", 40, ": reports", "dict", "__main__.Report", "__main__.Report", "'reports'",
	 NULL},
};

/** One that runs. */
struct subject {
	const struct service *service;
	struct interpreter_choice *python;
	struct python_process *process;
	char pid[16];
};

static struct interpreter_choice *choices, *debian;

static void start(struct subject *subject, const struct service *service)
{
	AUTO_RUN run = {0};
	char import[64], program[64];

	if (!debian)
		jobs_skip("no /usr/bin/python3 of Debian");
	snprintf(import, sizeof(import), "import %s", service->module);
	run_program(&run, RUN_ARGUMENTS(debian->python, "-c", import));
	if (run.status)
		jobs_skip("python3-%s is not installed", service->module);
	snprintf(program, sizeof(program), "service_%s.py %d", service->module, service->count);
	*subject = (struct subject){service, debian, program_start(debian, program), ""};
	snprintf(subject->pid, sizeof(subject->pid), "%d", (int)subject->process->pid);
}

/** The result of the tool; words end in NULL. */
static json_t *ask(const char *const *words)
{
	AUTO_RUN run = {0};
	json_t *document, *result;

	run_tool(&run, words);
	if (run.status)
		fail_msg("exit code %d: %s", run.status, run.err);
	document = inspect_parse(run.out);
	result = json_incref(json_object_get(document, "result"));
	json_decref(document);
	return result;
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void assert_ends(const char *whole, const char *end)
{
	if (strlen(whole) < strlen(end) || strcmp(whole + strlen(whole) - strlen(end), end) != 0)
		fail_msg("\"%s\" does not end in \"%s\"", whole, end);
}

/** The first of what holds much is the mistake; nothing healthy is called a leak that grows. */
static void check_first_suspect(const struct service *service, const char *const *words, int count)
{
	json_t *result = ask(words);
	const json_t *suspect = json_array_get(json_object_get(result, "suspects"), 0);
	const json_t *waiting = json_object_get(result, "threads");

	assert_ends(text(suspect, "name"), service->name);
	assert_string_equal(text(suspect, "type"), service->type);
	assert_int_equal(number(suspect, "items"), count);
	if (service->waiting) {
		const json_t *group = json_array_get(json_object_get(waiting, "groups"), 0);
		const json_t *frame = json_array_get(json_object_get(group, "frames"), 0);

		assert_int_equal(number(group, "count"), count);
		assert_string_equal(text(frame, "function"), service->waiting);
	}
	json_decref(result);
}

/** The sentence stands on the first screen, which is one. */
static void check_screen(const struct service *service, const char *target, const char *argument)
{
	AUTO_RUN run = {0};
	char sentence[128], *holds;
	size_t lines = 0;

	run_tool(&run, RUN_ARGUMENTS(target, argument));
	assert_int_equal(run.status, 0);
	for (const char *at = run.out; *at; at++)
		lines += *at == '\n';
	assert_in_range(lines, 10, SCREEN_LINES);
	holds = strstr(run.out, "What holds the rest\n  1  ");
	assert_non_null(holds);
	snprintf(sentence, sizeof(sentence), "%s (%s, ", service->name, service->type);
	assert_contains(holds, sentence);
	assert_contains(holds, "of the Python heap");
	if (service->mostly)
		assert_contains(holds, service->mostly);
	if (service->waiting)
		assert_contains(holds, service->waiting);
}

/** What grew most since a core is the same. */
static void check_growth(const struct subject *subject, const char *core)
{
	const struct service *service = subject->service;
	json_t *result =
		ask(RUN_ARGUMENTS("-p", subject->pid, "diff", core, "--json", "--limit=3"));
	const json_t *row = json_array_get(json_object_get(result, "holders"), 0);

	assert_ends(text(row, "path"), service->name);
	assert_string_equal(text(row, "type"), service->type);
	assert_int_equal(number(row, "items_before"), service->count);
	assert_int_equal(number(row, "items"), 2 * service->count);
	json_decref(result);
}

/** From one of the objects that pile up there is a way to the mistake. */
static void check_path(const struct subject *subject)
{
	AUTO_RUN found = {0}, path = {0};
	char type[64], address[32];
	const char *at;

	snprintf(type, sizeof(type), "--type=%s", subject->service->items_of);
	run_tool(&found, RUN_ARGUMENTS("-p", subject->pid, "find", type, "--ndjson", "--limit=1"));
	at = strstr(found.out, "\"address\":\"");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "\"address\":\"%31[0-9a-fx]", address), 1);
	run_tool(&path, RUN_ARGUMENTS("-p", subject->pid, "path", address));
	assert_int_equal(path.status, 0);
	assert_contains(path.out, subject->service->path);
}

static void the_mistake_is_named(void **state)
{
	const struct service *service = *state;
	struct subject subject;
	char *core;

	start(&subject, service);
	core = program_gcore(subject.process);
	check_first_suspect(service, RUN_ARGUMENTS(core, "--json"), service->count);
	check_screen(service, core, "--no-progress");
	program_request(subject.process, "\n"); // as much again
	check_first_suspect(service, RUN_ARGUMENTS("-p", subject.pid, "--json"),
			    2 * service->count);
	check_growth(&subject, core);
	check_path(&subject);
	free(core);
	program_end(subject.process);
}

int main(int argc, char **argv)
{
	enum { SERVICES = sizeof(services) / sizeof(services[0]) };
	struct CMUnitTest tests[SERVICES];
	size_t count;
	int failed;

	choices = interpreters_all(&count);
	for (size_t i = 0; i < count; i++)
		if (!strncmp(choices[i].name, "debian", 6))
			debian = &choices[i];
	for (size_t i = 0; i < SERVICES; i++)
		tests[i] = (struct CMUnitTest){services[i].module, the_mistake_is_named, NULL, NULL,
					       (void *)&services[i]};
	failed = jobs_run_tests("services", tests, SERVICES, 2, argc, argv);
	interpreters_free(choices, count);
	return failed;
}
