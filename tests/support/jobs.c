/*
 * A job is `PROGRAM --job I`, which runs test I alone: it ends with 0, or 1 if the test fails, or
 * JOB_SKIPPED with the reason as its last line. A CMocka test waits for its job.
 */
#include "support/jobs.h"

#include "support/python_process.h"

#include "support/run.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOB_SKIPPED = 77, JOB_SECONDS = 600 };

struct job {
	struct run run;
	bool started, finished;
};

struct pool {
	struct job *jobs;
	size_t count, next;
	unsigned int workers;
};

// Why the test of this process was skipped; empty: it was not.
static char skip_reason[1024];

/* What a test of the group gets as its state. */
struct ticket {
	struct pool *pool;
	size_t number;
};

static void start_next(struct pool *pool)
{
	struct job *job = &pool->jobs[pool->next];
	char number[24];

	snprintf(number, sizeof(number), "%zu", pool->next++);
	run_start(&job->run, NULL, RUN_ARGUMENTS("/proc/self/exe", "--job", number));
	job->started = true;
}

// Starts as many jobs as there are workers, beginning with those that are waited for first.
static void fill(struct pool *pool)
{
	unsigned int running = 0;

	for (size_t i = 0; i < pool->next; i++)
		running += pool->jobs[i].started && !run_ended(&pool->jobs[i].run);
	for (; running < pool->workers && pool->next < pool->count; running++)
		start_next(pool);
}

static void wait_for(struct pool *pool, size_t number)
{
	struct job *job = &pool->jobs[number];

	do {
		fill(pool);
		usleep(5000);
	} while (!job->started || !(run_ended(&job->run) || run_seconds(&job->run) > JOB_SECONDS));
	run_finish(&job->run, JOB_SECONDS);
	job->finished = true;
}

static const char *last_line(char *text)
{
	size_t length = strlen(text);
	char *line;

	if (length && text[length - 1] == '\n')
		text[length - 1] = '\0';
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

static void report(void **state)
{
	struct ticket *ticket = *state;
	struct job *job = &ticket->pool->jobs[ticket->number];

	wait_for(ticket->pool, ticket->number);
	if (job->run.status == JOB_SKIPPED) {
		printf("%s\n", last_line(job->run.out));
		fflush(stdout);
		skip();
	}
	if (job->run.status) {
		printf("%s%s", job->run.out, job->run.err);
		fflush(stdout);
		fail_msg("exit code %d after %.1f s", job->run.status, job->run.seconds);
	}
}

void jobs_skip(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(skip_reason, sizeof(skip_reason), format, arguments);
	va_end(arguments);
	skip();
	abort(); // skip() does not come back
}

static int run_one(const struct CMUnitTest *test)
{
	int failed;

	setenv("CMOCKA_MESSAGE_OUTPUT", "STDOUT", 1);
	skip_reason[0] = '\0';
	failed = _cmocka_run_group_tests(test->name, test, 1, NULL, NULL);
	if (failed || !skip_reason[0])
		return failed ? 1 : 0;
	printf("%s\n", skip_reason);
	return JOB_SKIPPED;
}

static int run_matching(const struct CMUnitTest *tests, size_t count, const char *text)
{
	int failed = 0;

	for (size_t i = 0; i < count; i++)
		if (strstr(tests[i].name, text))
			failed += run_one(&tests[i]) == 1;
	return failed;
}

static int run_all(const char *group, const struct CMUnitTest *tests, size_t count,
		   unsigned int workers)
{
	struct pool pool = {calloc(count, sizeof(*pool.jobs)), count, 0, workers};
	struct ticket *tickets = calloc(count, sizeof(*tickets));
	struct CMUnitTest *all = calloc(count, sizeof(*all));
	int failed;

	for (size_t i = 0; i < count; i++) {
		tickets[i] = (struct ticket){&pool, i};
		all[i] = (struct CMUnitTest){tests[i].name, report, NULL, NULL, &tickets[i]};
	}
	failed = _cmocka_run_group_tests(group, all, count, NULL, NULL);
	for (size_t i = 0; i < count; i++)
		if (pool.jobs[i].finished)
			run_clear(&pool.jobs[i].run);
	free(pool.jobs);
	free(tickets);
	free(all);
	return failed;
}

int jobs_run_tests(const char *group, const struct CMUnitTest *tests, size_t count,
		   unsigned int workers, int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--job") && strtoul(argv[2], NULL, 10) < count)
		return run_one(&tests[strtoul(argv[2], NULL, 10)]);
	if (argc == 3 && !strcmp(argv[1], "--only"))
		return run_matching(tests, count, argv[2]);
	return run_all(group, tests, count, workers);
}

int jobs_run_on_interpreters(const char *group, CMUnitTestFunction test, int argc, char **argv)
{
	size_t count;
	struct interpreter_choice *choices = interpreters_list(&count);
	struct CMUnitTest *tests = calloc(count + 1, sizeof(*tests));
	int failed;

	for (size_t i = 0; tests && i < count; i++)
		tests[i] = (struct CMUnitTest){choices[i].name, test, NULL, NULL, &choices[i]};
	failed = jobs_run_tests(group, tests, count, 2, argc, argv);
	free(tests);
	interpreters_free(choices, count);
	return failed;
}
