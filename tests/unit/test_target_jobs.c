/* Two jobs at once or one after the other: who is reported, what stops whom, whose error counts. */
#include "target/jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* What a job does and what it has seen. */
struct work {
	pthread_t thread;
	atomic_int steps, *other; /* of the other job: waited for */
	int wanted;		  /* steps, if nobody stops it */
	const char *failure;
	bool was_stopped;
};

static struct error *work_run(void *context, const struct progress *progress)
{
	struct work *work = context;

	work->thread = pthread_self();
	// Both are at work at the same time, or this waits for ever.
	for (work->steps = 1; work->other && !*work->other;)
		usleep(100);
	for (int i = 0; i < work->wanted; i++) {
		struct error *err = progress_step(progress, "working", (uint64_t)i, 0);

		if (err) {
			work->was_stopped = true;
			return err;
		}
		if (i)
			usleep(100);
	}
	return work->failure ? error_create(ERROR_GENERAL, "%s", work->failure) : NULL;
}

/* The user's end. */
struct user {
	pthread_t thread;
	int reports;
	bool stops;
	bool from_elsewhere;
};

static void report(void *context, const char *phase, uint64_t done, uint64_t total)
{
	struct user *user = context;

	(void)phase, (void)done, (void)total;
	user->reports++;
	user->from_elsewhere |= !pthread_equal(user->thread, pthread_self());
}

static bool interrupted(void *context)
{
	struct user *user = context;

	user->from_elsewhere |= !pthread_equal(user->thread, pthread_self());
	return user->stops;
}

static struct error *run(struct work *first, struct work *second, bool concurrent,
			 struct user *user)
{
	const struct progress progress = {report, interrupted, user};

	user->thread = pthread_self();
	return jobs_run(&(struct job){work_run, first}, &(struct job){work_run, second}, concurrent,
			&progress);
}

static void test_at_once(void **state)
{
	struct work first = {.wanted = 3}, second = {.wanted = 3};
	struct user user = {0};

	(void)state;
	first.other = &second.steps;
	second.other = &first.steps;
	assert_null(run(&first, &second, true, &user));
	assert_true(pthread_equal(first.thread, pthread_self()));
	assert_false(pthread_equal(second.thread, pthread_self()));
	assert_int_equal(user.reports, 3);
	assert_false(user.from_elsewhere);
}

static void test_one_after_the_other(void **state)
{
	struct work first = {.wanted = 3}, second = {.wanted = 3};
	struct user user = {0};

	(void)state;
	assert_null(run(&first, &second, false, &user));
	assert_true(pthread_equal(second.thread, pthread_self()));
	assert_int_equal(user.reports, 6);
}

static void assert_error(struct error *err, enum error_code code, const char *message)
{
	assert_non_null(err);
	assert_int_equal(err->code, code);
	if (message)
		assert_string_equal(err->message, message);
	error_free(err);
}

/* The error of the first stops the second, which would take minutes. */
static void test_errors(void **state)
{
	enum { LONG = 1000000 };

	(void)state;
	for (int concurrent = 0; concurrent < 2; concurrent++) {
		struct work first = {.wanted = 1, .failure = "first"};
		struct work second = {.wanted = concurrent ? LONG : 1};
		struct user user = {0};

		assert_error(run(&first, &second, concurrent, &user), ERROR_GENERAL, "first");
		assert_int_equal(second.was_stopped, concurrent);
		second = (struct work){.wanted = 1, .failure = "second"};
		first = (struct work){.wanted = 1};
		assert_error(run(&first, &second, concurrent, &user), ERROR_GENERAL, "second");
	}
}

/* The user may stop both while the first works, and the second when it alone is left. */
static void test_interrupted(void **state)
{
	enum { LONG = 1000000 };
	struct work first = {.wanted = LONG}, second = {.wanted = LONG};
	struct user user = {.stops = true};

	(void)state;
	assert_error(run(&first, &second, true, &user), ERROR_INTERRUPTED, NULL);
	assert_true(first.was_stopped && second.was_stopped);
	first = (struct work){.wanted = 0};
	second = (struct work){.wanted = LONG};
	assert_error(run(&first, &second, true, &user), ERROR_INTERRUPTED, NULL);
	assert_true(second.was_stopped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_interrupted),
	};

	return cmocka_run_group_tests_name("jobs", tests, NULL, NULL);
}
