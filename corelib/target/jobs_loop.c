/*
 * Workers take pieces in order and hand them over in order: one that is ahead waits for the piece
 * before its own. Pieces are small, so that this takes no time.
 */
#include "target/jobs.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* A loop at work. */
struct run {
	const struct jobs_loop *loop;
	pthread_mutex_t lock;
	pthread_cond_t joined;
	size_t next;	/* item that the next piece begins with */
	size_t to_join; /* item that the next piece to be joined begins with */
	bool stop;
	struct error *err;
};

/* A worker's thread. */
struct runner {
	struct run *run;
	void *worker;
	pthread_t thread;
};

size_t jobs_workers(bool concurrent)
{
	cpu_set_t processors;
	int count = 1;

	if (concurrent && !sched_getaffinity(0, sizeof(processors), &processors))
		count = CPU_COUNT(&processors);
	return count < 1 ? 1 : count > JOBS_WORKERS_MAX ? JOBS_WORKERS_MAX : (size_t)count;
}

void *jobs_memory(size_t size)
{
	size_t room = (size + JOBS_LINE - 1) / JOBS_LINE * JOBS_LINE;
	void *memory = aligned_alloc(JOBS_LINE, room);

	return memory ? memset(memory, 0, room) : NULL;
}

/* The first error counts; it ends the loop. */
static void fail(struct run *run, struct error *err)
{
	pthread_mutex_lock(&run->lock);
	if (run->err)
		error_free(err);
	else
		run->err = err;
	run->stop = true;
	pthread_cond_broadcast(&run->joined);
	pthread_mutex_unlock(&run->lock);
}

/* @return false: there is none left, or the loop has ended */
static bool take_piece(struct run *run, size_t *start, size_t *end)
{
	const struct jobs_loop *loop = run->loop;
	bool taken;

	pthread_mutex_lock(&run->lock);
	taken = !run->stop && run->next < loop->count;
	*start = run->next;
	*end = loop->count - *start > loop->step ? *start + loop->step : loop->count;
	if (taken)
		run->next = *end;
	pthread_mutex_unlock(&run->lock);
	return taken;
}

/* Waits for its turn. @return false: the loop has ended */
static bool wait_turn(struct run *run, size_t start)
{
	bool stop;

	pthread_mutex_lock(&run->lock);
	while (!run->stop && run->to_join != start)
		pthread_cond_wait(&run->joined, &run->lock);
	stop = run->stop;
	pthread_mutex_unlock(&run->lock);
	return !stop;
}

static void end_turn(struct run *run, size_t end)
{
	pthread_mutex_lock(&run->lock);
	run->to_join = end;
	pthread_cond_broadcast(&run->joined);
	pthread_mutex_unlock(&run->lock);
}

/* An error before it is this piece's turn would hide that of a piece before. */
static bool work_on(struct run *run, void *worker, size_t start, size_t end)
{
	const struct jobs_loop *loop = run->loop;
	struct error *err = loop->run(worker, start, end);

	if (loop->join && !wait_turn(run, start)) {
		error_free(err);
		return false;
	}
	if (!err && loop->join)
		err = loop->join(worker, start, end);
	if (err)
		fail(run, err);
	else if (loop->join)
		end_turn(run, end);
	return !err;
}

static void *run_worker(void *context)
{
	const struct runner *runner = context;
	size_t start, end;

	while (take_piece(runner->run, &start, &end) &&
	       work_on(runner->run, runner->worker, start, end))
		continue;
	return NULL;
}

/* The caller's own: it speaks with the user. */
static void run_first(const struct runner *runner, const struct progress *progress)
{
	struct run *run = runner->run;
	size_t start, end;

	while (take_piece(run, &start, &end)) {
		struct error *err =
			progress_step(progress, run->loop->phase, start, run->loop->count);

		if (err) {
			fail(run, err);
			return;
		}
		if (!work_on(run, runner->worker, start, end))
			return;
	}
}

struct error *jobs_loop(const struct jobs_loop *loop, const struct progress *progress)
{
	struct run run = {.loop = loop,
			  .lock = PTHREAD_MUTEX_INITIALIZER,
			  .joined = PTHREAD_COND_INITIALIZER};
	struct runner runners[JOBS_WORKERS_MAX];
	size_t pieces = (loop->count + loop->step - 1) / loop->step, count = 1;

	runners[0] = (struct runner){.run = &run, .worker = loop->workers[0]};
	for (; count < loop->worker_count && count < JOBS_WORKERS_MAX && count < pieces; count++) {
		runners[count] = (struct runner){.run = &run, .worker = loop->workers[count]};
		if (jobs_start_thread(&runners[count].thread, run_worker, &runners[count]))
			break;
	}
	run_first(&runners[0], progress);
	while (--count)
		pthread_join(runners[count].thread, NULL);
	pthread_mutex_destroy(&run.lock);
	pthread_cond_destroy(&run.joined);
	return run.err;
}
