/*
 * The output goes to memory files, so that nothing blocks however much is written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/run.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS_MAX = 120, ARGUMENTS_MAX = 64 };

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int output_file(void)
{
	int fd = memfd_create("output", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static char *content(int fd, size_t *size)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)end + 1);

	assert_non_null(text);
	for (off_t done = 0; done < end;) {
		ssize_t got = pread(fd, text + done, (size_t)(end - done), done);

		assert_true(got > 0);
		done += got;
	}
	close(fd);
	if (size)
		*size = (size_t)end;
	return text;
}

// In the child.
static void become(const struct run *run, const struct run_options *options,
		   const char *const *argv)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(null, STDIN_FILENO) >= 0 && dup2(run->out_file, STDOUT_FILENO) >= 0 &&
	    dup2(run->err_file, STDERR_FILENO) >= 0 &&
	    (!options->folder || chdir(options->folder) == 0) &&
	    (!options->user ||
	     (setgroups(0, NULL) == 0 && setgid(options->user) == 0 && setuid(options->user) == 0)))
		execvp(argv[0], (char *const *)argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

void run_start(struct run *run, const struct run_options *options, const char *const *argv)
{
	static const struct run_options none;

	*run = (struct run){.out_file = output_file(), .err_file = output_file(), .started = now()};
	run->pid = fork();
	assert_true(run->pid >= 0);
	if (run->pid == 0)
		become(run, options ? options : &none, argv);
}

bool run_ended(const struct run *run)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid;
}

double run_seconds(const struct run *run)
{
	return now() - run->started;
}

bool run_finish(struct run *run, int seconds)
{
	struct rusage usage;
	int status = 0;
	bool in_time = true;

	while (wait4(run->pid, &status, in_time ? WNOHANG : 0, &usage) != run->pid) {
		if (in_time && run_seconds(run) > seconds) {
			in_time = false;
			kill(run->pid, SIGKILL);
		}
		usleep(2000);
	}
	run->seconds = run_seconds(run);
	run->kilobytes = (double)usage.ru_maxrss;
	run->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	run->out = content(run->out_file, &run->out_size);
	run->err = content(run->err_file, NULL);
	return in_time;
}

void run_program(struct run *run, const char *const *argv)
{
	run_start(run, NULL, argv);
	if (!run_finish(run, SECONDS_MAX))
		fail_msg("%s: stopped after %d s\n%s%s", argv[0], SECONDS_MAX, run->out, run->err);
}

// The built tool: this program is BUILD/tests/e2e/test_x.
const char *run_tool_path(void)
{
	static char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	assert_true(length > 0);
	path[length] = '\0';
	for (int level = 0; level < 3; level++)
		*strrchr(path, '/') = '\0';
	assert_true(strlen(path) + sizeof("/pycore-inspect") <= sizeof(path));
	return strcat(path, "/pycore-inspect");
}

void run_tool(struct run *run, const char *const *arguments)
{
	const char *argv[ARGUMENTS_MAX] = {run_tool_path()};
	size_t count = 1;

	for (; *arguments; arguments++) {
		assert_true(count < ARGUMENTS_MAX - 1);
		argv[count++] = *arguments;
	}
	run_program(run, argv);
}

void run_clear(struct run *run)
{
	free(run->out);
	free(run->err);
	run->out = run->err = NULL;
}
