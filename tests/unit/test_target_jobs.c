/* Two jobs at once or one after the other, and loops in pieces: who is reported, what stops whom,
 * whose error counts, in which order pieces are taken over. */
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

/*
 * Loops
 */

enum { ITEMS = 1000, STEP = 7, NOWHERE = ITEMS };

/* What all workers share. */
struct loop {
	atomic_int seen[ITEMS];
	size_t joined; /* items, in order */
	bool out_of_order;
	size_t fails_at;	   /* the piece with this item does not work out */
	size_t slow_at;		   /* the one with this takes long */
	atomic_int together, most; /* workers at work at once */
};

struct loop_worker {
	struct loop *loop;
	size_t start, end;
};

static struct error *run_items(void *context, size_t start, size_t end)
{
	struct loop_worker *worker = context;
	struct loop *loop = worker->loop;
	int together = ++loop->together;

	if (together > loop->most)
		loop->most = together;
	worker->start = start;
	worker->end = end;
	for (size_t i = start; i < end; i++)
		loop->seen[i]++;
	usleep(start <= loop->slow_at && loop->slow_at < end ? 20000 : 50);
	loop->together--;
	return start <= loop->fails_at && loop->fails_at < end
		       ? error_create(ERROR_GENERAL, "item %zu", loop->fails_at)
		       : NULL;
}

static struct error *join_items(void *context, size_t start, size_t end)
{
	const struct loop_worker *worker = context;
	struct loop *loop = worker->loop;

	loop->out_of_order |= loop->joined != start || worker->start != start || worker->end != end;
	loop->joined = end;
	return NULL;
}

static struct error *run_loop(struct loop *loop, size_t count, size_t workers, bool joins,
			      struct user *user)
{
	const struct progress progress = {report, interrupted, user};
	struct loop_worker states[JOBS_WORKERS_MAX];
	void *contexts[JOBS_WORKERS_MAX];

	user->thread = pthread_self();
	for (size_t i = 0; i < workers; i++) {
		states[i] = (struct loop_worker){.loop = loop};
		contexts[i] = &states[i];
	}
	return jobs_loop(&(struct jobs_loop){.count = count,
					     .step = STEP,
					     .run = run_items,
					     .join = joins ? join_items : NULL,
					     .workers = contexts,
					     .worker_count = workers,
					     .phase = "working"},
			 &progress);
}

/* Each item once, each piece in its turn, also where one takes long. */
static void test_loop(void **state)
{
	(void)state;
	for (size_t workers = 1; workers <= JOBS_WORKERS_MAX; workers++) {
		struct loop loop = {.fails_at = NOWHERE, .slow_at = ITEMS / 3};
		struct user user = {0};

		assert_null(run_loop(&loop, ITEMS, workers, true, &user));
		assert_int_equal(loop.joined, ITEMS);
		assert_false(loop.out_of_order);
		assert_true(user.reports);
		assert_false(user.from_elsewhere);
		assert_int_equal(loop.most > 1, workers > 1);
		for (size_t i = 0; i < ITEMS; i++)
			assert_int_equal(loop.seen[i], 1);
	}
}

static void test_loop_without_join(void **state)
{
	struct loop loop = {.fails_at = NOWHERE, .slow_at = NOWHERE};
	struct user user = {0};

	(void)state;
	assert_null(run_loop(&loop, ITEMS, 3, false, &user));
	for (size_t i = 0; i < ITEMS; i++)
		assert_int_equal(loop.seen[i], 1);
	assert_null(run_loop(&loop, 0, 3, false, &user));
}

/* The first piece that fails ends it; what is before has been taken over, and nothing behind. */
static void test_loop_errors(void **state)
{
	(void)state;
	for (size_t workers = 1; workers <= JOBS_WORKERS_MAX; workers++) {
		struct loop loop = {.fails_at = ITEMS / 2, .slow_at = ITEMS / 2};
		struct user user = {0};

		assert_error(run_loop(&loop, ITEMS, workers, true, &user), ERROR_GENERAL,
			     "item 500");
		assert_int_equal(loop.joined, ITEMS / 2 / STEP * STEP);
		assert_false(loop.out_of_order);
	}
}

static void test_loop_interrupted(void **state)
{
	struct loop loop = {.fails_at = NOWHERE, .slow_at = NOWHERE};
	struct user user = {.stops = true};

	(void)state;
	assert_error(run_loop(&loop, ITEMS, 4, true, &user), ERROR_INTERRUPTED, NULL);
	assert_true(loop.joined < ITEMS);
}

static void test_workers(void **state)
{
	(void)state;
	assert_in_range(jobs_workers(true), 1, JOBS_WORKERS_MAX);
	assert_int_equal(jobs_workers(false), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_once),	    cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_errors),	    cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_loop),	    cmocka_unit_test(test_loop_without_join),
		cmocka_unit_test(test_loop_errors), cmocka_unit_test(test_loop_interrupted),
		cmocka_unit_test(test_workers),
	};

	return cmocka_run_group_tests_name("jobs", tests, NULL, NULL);
}
