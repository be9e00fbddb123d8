/* One thread, made for the job and joined. */
#include "target/jobs.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

/* The stack is that of a main thread, whatever limit the program was started with. */
enum { STACK_SIZE = 8 << 20, WAIT_STEP_NS = 50 * 1000 * 1000 };

/* A job in its thread. */
struct job_thread {
	const struct job *job;
	struct error *err;
	atomic_bool stop; /* the other one failed, or the user asked for it */
};

static bool is_stopped(void *context)
{
	struct job_thread *thread = context;

	return atomic_load_explicit(&thread->stop, memory_order_relaxed);
}

static void *run_thread(void *context)
{
	struct job_thread *thread = context;
	const struct progress progress = {.interrupted = is_stopped, .context = thread};

	thread->err = thread->job->run(thread->job->context, &progress);
	return NULL;
}

int jobs_start_thread(pthread_t *id, void *(*run)(void *context), void *context)
{
	pthread_attr_t attributes;
	sigset_t all, previous;
	int error;

	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_sigmask(SIG_BLOCK, &all, &previous);
	error = pthread_create(id, &attributes, run, context);
	pthread_sigmask(SIG_SETMASK, &previous, NULL);
	pthread_attr_destroy(&attributes);
	return error;
}

/* Waits for the thread; the user may still ask to stop. */
static struct error *wait_for(struct job_thread *thread, pthread_t id,
			      const struct progress *progress)
{
	const struct progress quiet = {
		.interrupted = progress ? progress->interrupted : NULL,
		.context = progress ? progress->context : NULL,
	};
	struct error *err = NULL;
	struct timespec until;

	for (;;) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += WAIT_STEP_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (pthread_timedjoin_np(id, NULL, &until) != ETIMEDOUT)
			return err;
		if (!err)
			err = progress_step(&quiet, "waiting", 0, 0);
		if (err)
			atomic_store(&thread->stop, true);
	}
}

struct error *jobs_run(const struct job *first, const struct job *second, bool concurrent,
		       const struct progress *progress)
{
	struct job_thread thread = {.job = second};
	struct error *err, *stopped;
	pthread_t id;

	if (!concurrent || jobs_start_thread(&id, run_thread, &thread)) {
		err = first->run(first->context, progress);
		return err ? err : second->run(second->context, progress);
	}
	err = first->run(first->context, progress);
	if (err)
		atomic_store(&thread.stop, true);
	stopped = wait_for(&thread, id, progress);
	if (!err)
		err = stopped;
	else
		error_free(stopped);
	if (err)
		error_free(thread.err);
	return err ? err : thread.err;
}
