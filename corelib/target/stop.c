/*
 * PTRACE_SEIZE and PTRACE_INTERRUPT stop a thread without a signal that the process could see. A
 * signal that arrives meanwhile is handed on when the thread is let go; a process that was stopped
 * before stays so.
 */
#include "target/stop.h"
#include "target/proc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

/** How long a thread may take to stop. One that waits in the kernel (state D) takes longer. */
enum {
	STOP_TIMEOUT_MS = 2000,
	RELEASE_TIMEOUT_MS = 500, /**< when we let go before it has stopped */
};

/** A thread that was seized. */
struct tracee {
	pid_t tid;
	bool stopped;
	bool gone;  /**< it ended meanwhile */
	int signal; /**< to hand on when it is let go; 0: none */
	struct user_regs_struct registers;
};

struct stop {
	pid_t pid;
	struct tracee *tracees;
	size_t count;
};

/** The name of a process, for messages. */
static void name_of(pid_t pid, char *name, size_t size)
{
	struct proc_status status;

	snprintf(name, size, "%s", proc_status(pid, &status) ? status.name : "?");
}

/** The value of /proc/sys/kernel/yama/ptrace_scope, 0 if there is none. */
static int ptrace_scope(void)
{
	__attribute__((cleanup(proc_close))) FILE *file =
		proc_open(0, "sys/kernel/yama/ptrace_scope");
	int scope = 0;

	return file && fscanf(file, "%d", &scope) == 1 ? scope : 0;
}

struct error *stop_refused(pid_t pid, int errno_value)
{
	struct proc_status status;
	char tracer[64];

	if (!proc_status(pid, &status) || errno_value == ESRCH)
		return error_create(ERROR_GENERAL, "pid %d: no such process", (int)pid);
	if (status.state == 'Z' || status.state == 'X')
		return error_create(ERROR_GENERAL, "pid %d (%s): has exited (zombie)", (int)pid,
				    status.name);
	if (!status.has_memory)
		return error_create(ERROR_GENERAL, "pid %d (%s): is a kernel thread", (int)pid,
				    status.name);
	if (errno_value != EPERM && errno_value != EACCES)
		return error_system(errno_value, "pid %d (%s)", (int)pid, status.name);
	if (status.tracer) {
		name_of(status.tracer, tracer, sizeof(tracer));
		return error_create(
			ERROR_GENERAL,
			"pid %d (%s): is traced by %s (pid %d) already: use --no-stop, or that one",
			(int)pid, status.name, tracer, (int)status.tracer);
	}
	if (ptrace_scope() > 0)
		return error_create(ERROR_GENERAL,
				    "pid %d (%s): not permitted: run as root, or set "
				    "/proc/sys/kernel/yama/ptrace_scope (now %d) to 0",
				    (int)pid, status.name, ptrace_scope());
	return error_create(ERROR_GENERAL,
			    "pid %d (%s): not permitted: run as root or as its user, "
			    "with CAP_SYS_PTRACE in a container",
			    (int)pid, status.name);
}

static struct tracee *find(const struct stop *stop, pid_t tid)
{
	for (size_t i = 0; i < stop->count; i++)
		if (stop->tracees[i].tid == tid)
			return &stop->tracees[i];
	return NULL;
}

/** Is the thread of the process over, though it still has a number? */
static bool has_ended(pid_t tid)
{
	struct proc_status status;

	return !proc_status(tid, &status) || status.state == 'Z' || status.state == 'X';
}

/** Seizes one thread and asks it to stop. One that ended meanwhile is passed over. */
static struct error *seize(struct stop *stop, pid_t tid)
{
	struct tracee *tracees =
		reallocarray(stop->tracees, stop->count + 1, sizeof(*stop->tracees));

	if (!tracees)
		return &error_no_memory;
	stop->tracees = tracees;
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL)) {
		int reason = errno;

		return has_ended(tid) ? NULL : stop_refused(stop->pid, reason);
	}
	tracees[stop->count++] = (struct tracee){.tid = tid};
	ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
	return NULL;
}

/** Seizes the threads that are not yet. @return how many there were, in *added */
static struct error *seize_new(struct stop *stop, size_t *added)
{
	size_t before = stop->count;
	struct error *err = NULL;
	DIR *tasks = proc_tasks(stop->pid);
	struct dirent *entry;

	if (!tasks)
		return stop_refused(stop->pid, errno == ENOENT ? ESRCH : errno);
	while (!err && (entry = readdir(tasks))) {
		pid_t tid = atoi(entry->d_name);

		if (tid > 0 && !find(stop, tid))
			err = seize(stop, tid);
	}
	closedir(tasks);
	*added = stop->count - before;
	return err;
}

/** Takes the news of a thread, if there are any. @return true if it needs no more waiting */
static bool poll_tracee(struct tracee *tracee)
{
	int status;
	pid_t got;

	if (tracee->stopped || tracee->gone)
		return true;
	got = waitpid(tracee->tid, &status, __WALL | WNOHANG);
	if (!got)
		return false;
	if (got < 0 || WIFEXITED(status) || WIFSIGNALED(status)) {
		tracee->gone = true;
		return true;
	}
	if (!WIFSTOPPED(status))
		return false;
	tracee->stopped = true;
	// Without an event it stopped to take a signal, which must not be lost.
	if (status >> 16 != PTRACE_EVENT_STOP)
		tracee->signal = WSTOPSIG(status);
	return true;
}

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/** Waits until all threads have stopped, or the time is over. */
static struct error *wait_all(struct stop *stop, const struct progress *progress, int timeout)
{
	int64_t deadline = milliseconds() + timeout;
	struct timespec pause = {.tv_nsec = 20000};
	struct error *err = NULL;

	for (size_t i = 0; i < stop->count && !err;) {
		if (poll_tracee(&stop->tracees[i])) {
			i++;
			continue;
		}
		if (milliseconds() > deadline) {
			i++;
			continue;
		}
		err = progress_step(progress, "stopping the process", i, stop->count);
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 2000000)
			pause.tv_nsec *= 2;
	}
	return err;
}

static void read_registers(struct stop *stop)
{
	for (size_t i = 0; i < stop->count; i++) {
		struct tracee *tracee = &stop->tracees[i];

		if (tracee->stopped &&
		    ptrace(PTRACE_GETREGS, tracee->tid, NULL, &tracee->registers))
			tracee->registers = (struct user_regs_struct){0};
	}
}

struct error *stop_process(pid_t pid, const struct progress *progress, struct stop **result)
{
	struct stop *stop = calloc(1, sizeof(*stop));
	struct error *err;
	size_t added = 0;

	if (!stop)
		return &error_no_memory;
	stop->pid = pid;
	// A thread that still runs may start others: until there are none left.
	do {
		err = seize_new(stop, &added);
		if (!err)
			err = wait_all(stop, progress, STOP_TIMEOUT_MS);
	} while (!err && added);
	if (!err && !stop->count)
		err = stop_refused(pid, EPERM);
	if (err) {
		stop_release(stop);
		return err;
	}
	read_registers(stop);
	*result = stop;
	return NULL;
}

struct target_thread *stop_threads(const struct stop *stop, size_t *count)
{
	struct target_thread *threads = calloc(stop->count, sizeof(*threads));

	*count = 0;
	for (size_t i = 0; threads && i < stop->count; i++)
		if (!stop->tracees[i].gone)
			threads[(*count)++] =
				(struct target_thread){.tid = stop->tracees[i].tid,
						       .registers = stop->tracees[i].registers};
	return threads;
}

size_t stop_unstopped(const struct stop *stop)
{
	size_t count = 0;

	for (size_t i = 0; i < stop->count; i++)
		count += !stop->tracees[i].stopped && !stop->tracees[i].gone;
	return count;
}

void stop_release(struct stop *stop)
{
	if (!stop)
		return;
	// Only a thread that has stopped can be let go. One that still waits in the kernel is let
	// go when this process ends.
	error_free(wait_all(stop, NULL, RELEASE_TIMEOUT_MS));
	for (size_t i = 0; i < stop->count; i++) {
		struct tracee *tracee = &stop->tracees[i];

		if (!tracee->stopped)
			continue;
		// One that was killed meanwhile is waited for, so that its parent learns of it.
		if (ptrace(PTRACE_DETACH, tracee->tid, NULL, (long)tracee->signal))
			waitpid(tracee->tid, NULL, __WALL | WNOHANG);
	}
	free(stop->tracees);
	free(stop);
}
