/*
 * Snapshots of cores and of a process that runs. Only one target is open at a time but for the one
 * that the session came with, whose memory is not read before the other is closed.
 */
#include "command/diff.h"

#include "command/command.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { EVERY_USUALLY = 10000, TIMES_USUALLY = 2, TIMES_MAX = 1000, POLL_MS = 100 };

static double now_seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/** When a target was dumped: its file's time; a process: now. */
static double time_of(const struct target *target)
{
	struct stat status;

	if (target->kind == TARGET_LIVE)
		return now_seconds(CLOCK_REALTIME);
	if (target->size && !stat(target->name, &status))
		return (double)status.st_mtim.tv_sec + (double)status.st_mtim.tv_nsec / 1e9;
	if (target->kind == TARGET_DEBUGGER && target->pid)
		return now_seconds(CLOCK_REALTIME);
	return 0;
}

struct error *diff_snapshot(struct session *session, struct session *target, double seconds)
{
	struct error *err = session_roots(target, ROOTS_ALL);

	if (!err)
		err = session_findings(target);
	if (!err && target->no_census)
		err = error_create(ERROR_GENERAL, "objects cannot be listed: %s",
				   target->no_census);
	if (err)
		return err;
	return history_add(&session->history,
			   &(struct history_parts){
				   .roots = target->roots,
				   .sizes = target->sizes,
				   .cycles = target->cycles,
				   .leaked = target->leaked,
				   .seconds = seconds,
			   },
			   &session->progress.progress);
}

/** What another target lacks, the answer lacks too. */
static void take_problems(struct coverage *coverage, const char *name, const struct coverage *other)
{
	for (size_t i = 0; i < other->count; i++)
		coverage_add(coverage, other->problems[i].level, other->problems[i].kind, "%s: %s",
			     name, other->problems[i].detail);
}

/*
 * Cores
 */

/** A snapshot of the core of the argument, with a session of its own. */
static struct error *snapshot_other(struct session *session)
{
	struct session *other = calloc(1, sizeof(*other));
	struct error *err = &error_no_memory;

	if (!other)
		return err;
	other->front_end = session->front_end;
	other->io = session->io;
	other->options = session->options;
	other->options.words = NULL;
	other->options.word_count = 0;
	other->options.arguments = NULL;
	other->options.argument_count = 0;
	other->options.pid = 0;
	other->options.core = session->argument;
	if (!session->options.core)
		other->options.executable = NULL;
	progress_line_begin(&other->progress, session->io, session->progress.enabled);
	err = session_open(other, NULL);
	if (!err)
		err = diff_snapshot(session, other, time_of(other->target));
	progress_line_erase(&other->progress);
	if (!err)
		take_problems(&session->target->coverage, session->argument,
			      &other->target->coverage);
	session_close(other);
	free(other);
	return err;
}

/** The target first, then the core of the argument, which becomes the target. */
static struct error *snapshot_target_first(struct session *session)
{
	struct error *err = diff_snapshot(session, session, time_of(session->target));
	struct coverage problems = {0};

	if (err)
		return err;
	take_problems(&problems, session->options.core, &session->target->coverage);
	session_reset(session);
	session->options.core = session->argument;
	err = session_open(session, NULL);
	if (!err)
		err = diff_snapshot(session, session, time_of(session->target));
	for (size_t i = 0; !err && i < problems.count; i++)
		coverage_add(&session->target->coverage, problems.problems[i].level,
			     problems.problems[i].kind, "%s", problems.problems[i].detail);
	coverage_clear(&problems);
	return err;
}

struct error *diff_cores(struct session *session)
{
	bool target_first = session->options.core && !session->argument_first;
	struct error *err;

	if (target_first) {
		err = snapshot_target_first(session);
	} else {
		err = snapshot_other(session);
		if (!err)
			err = diff_snapshot(session, session, time_of(session->target));
	}
	if (!err && history_is_reversed(&session->history))
		history_rotate(&session->history);
	return err;
}

/*
 * A process that runs
 */

/** A descriptor that tells when the process ends; -1 where the kernel has none (before 5.3). */
static int watch(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static bool is_interrupted(const struct session *session)
{
	const struct progress *progress = &session->progress.progress;

	return progress->interrupted && progress->interrupted(progress->context);
}

static struct error *ended(const struct session *session)
{
	return error_create(ERROR_GENERAL, "pid %d: ended after %zu of the snapshots",
			    (int)session->options.pid, session->history.count);
}

/** Sleeps until a time. @return that it was interrupted, or that the process has ended */
static struct error *wait_until(struct session *session, int process, double until, double every)
{
	const struct progress *progress = &session->progress.progress;
	char phase[40];

	snprintf(phase, sizeof(phase), "waiting for snapshot %zu", session->history.count + 1);
	for (;;) {
		double left = until - now_seconds(CLOCK_MONOTONIC);
		struct pollfd poll_process = {.fd = process, .events = POLLIN};

		if (is_interrupted(session))
			return error_create(ERROR_INTERRUPTED, "interrupted");
		if (left <= 0)
			return NULL;
		if (progress->report)
			progress->report(progress->context, phase,
					 (uint64_t)((every - left) * 1000) + 1,
					 (uint64_t)(every * 1000) + 1);
		if (poll(&poll_process, 1,
			 left * 1000 < POLL_MS ? (int)(left * 1000) + 1 : POLL_MS) > 0)
			return ended(session);
	}
}

/** What report_header() and report_coverage() show. */
static void move_target(struct session *from, struct session *to)
{
	to->target = from->target;
	to->runtime = from->runtime;
	to->heap = from->heap;
	to->unreachable = from->unreachable;
	to->inexact = from->inexact;
	from->target = NULL;
	from->runtime = NULL;
	from->heap = NULL;
	from->unreachable = NULL;
	from->inexact = (struct tally){0};
}

/** The next snapshot. The session stays what it was if that fails. */
static struct error *snapshot_again(struct session *session)
{
	struct session *before = calloc(1, sizeof(*before));
	struct error *err;

	if (!before)
		return &error_no_memory;
	move_target(session, before);
	err = session_open(session, NULL);
	if (!err)
		err = diff_snapshot(session, session, now_seconds(CLOCK_REALTIME));
	if (!err && !history_one_process(&session->history)) {
		session->history.count--;
		err = error_create(ERROR_GENERAL, "pid %d: is another program now",
				   (int)session->options.pid);
	}
	if (err) {
		session_reset(session);
		move_target(before, session);
	} else {
		take_problems(&session->target->coverage, "an earlier snapshot",
			      &before->target->coverage);
	}
	session_reset(before);
	free(before);
	return err;
}

/** Enough was seen to answer; says why it is not all that was asked for. */
static struct error *end_early(struct session *session, struct error *err, uint64_t times)
{
	if (session->history.count < 2)
		return err;
	coverage_add(&session->target->coverage, PROBLEM_PARTIAL, "fewer-snapshots",
		     "%zu of %llu snapshots: %s", session->history.count, (unsigned long long)times,
		     err->message);
	error_free(err);
	return NULL;
}

static struct error *take_all(struct session *session, int process, double every, uint64_t times)
{
	double start = now_seconds(CLOCK_MONOTONIC);
	struct error *err = diff_snapshot(session, session, time_of(session->target));

	for (uint64_t i = 1; i < times && !err; i++) {
		session_forget(session);
		target_forget(session->target);
		err = wait_until(session, process, start + every * (double)i, every);
		if (!err)
			err = snapshot_again(session);
		if (err)
			return end_early(session, err, times);
	}
	return err;
}

struct error *diff_live(struct session *session)
{
	const struct option_value *every = &session->options.values[OPTION_EVERY];
	const struct option_value *times = &session->options.values[OPTION_TIMES];
	uint64_t count = times->given ? times->number : TIMES_USUALLY;
	struct error *err;
	int process;

	if (count < 2 || count > TIMES_MAX)
		return error_create(ERROR_USAGE, "--times is 2 to %d, not '%s'", TIMES_MAX,
				    times->text);
	process = watch(session->options.pid);
	err = take_all(session, process,
		       (double)(every->given ? every->number : EVERY_USUALLY) / 1000, count);
	if (process >= 0)
		close(process);
	return err;
}
