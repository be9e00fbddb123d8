/*
 * Children of the test program. The kernel kills them when it ends.
 */
#include "support/child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

struct interpreter_file *interpreter_files(size_t *count)
{
	FILE *list = popen("scripts/interpreters list", "re");
	struct interpreter_file *files = NULL;
	char line[2048];

	*count = 0;
	while (list && fgets(line, sizeof(line), list)) {
		struct interpreter_file file;

		if (sscanf(line, "%63[^\t]\t%31[^\t]\t%511[^\t]\t%511[^\t\n]", file.name,
			   file.version, file.root, file.python) != 4)
			continue;
		if (strcmp(file.root, "/") && geteuid())
			continue;
		files = realloc(files, (*count + 1) * sizeof(*files));
		assert_non_null(files);
		files[(*count)++] = file;
	}
	if (list)
		pclose(list);
	return files;
}

/** Forks with a pipe for standard output. @return 0 in the child */
static pid_t fork_child(struct child *child)
{
	pid_t parent = getpid();
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	child->pid = fork();
	assert_true(child->pid >= 0);
	if (child->pid) {
		close(ends[1]);
		child->output = ends[0];
		return child->pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	dup2(ends[1], 1);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void await_ready(struct child *child)
{
	char line[256];

	if (!child_line(child, line, sizeof(line)) || strcmp(line, "ready"))
		fail_msg("the child did not get ready");
}

struct child child_start(const struct interpreter_file *python, const char *program,
			 const char *directory)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct child child;

	if (!fork_child(&child)) {
		setrlimit(RLIMIT_CORE, &unlimited);
		if (chdir(directory) || (strcmp(python->root, "/") && chroot(python->root)))
			_exit(1);
		execl(python->python, python->python, "-c", program, NULL);
		_exit(1);
	}
	await_ready(&child);
	return child;
}

struct child child_run(void (*function)(void *context), void *context)
{
	struct child child;

	if (!fork_child(&child)) {
		function(context);
		_exit(0);
	}
	await_ready(&child);
	return child;
}

char child_state(pid_t pid)
{
	char path[64], state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file && fscanf(file, "%*d %*[^)]) %c", &state) != 1)
		state = '?';
	if (file)
		fclose(file);
	return state;
}

void child_status(pid_t pid, const char *name, char value[64])
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	value[0] = '\0';
	while (!value[0] && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			snprintf(value, 64, "%s", line + strlen(name) + 1);
	fclose(file);
	assert_true(value[0]);
}

pid_t child_tracer(pid_t pid)
{
	char value[64];

	child_status(pid, "TracerPid:", value);
	return atoi(value);
}

bool child_wait_state(pid_t pid, const char *letters)
{
	struct timespec pause = {.tv_nsec = 5000000};

	for (int i = 0; i < 2000; i++) {
		if (strchr(letters, child_state(pid)))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

bool child_line(const struct child *child, char *line, size_t size)
{
	size_t length = 0;
	char byte;

	while (read(child->output, &byte, 1) == 1 && byte != '\n')
		if (length + 1 < size)
			line[length++] = byte;
	line[length] = '\0';
	return length > 0;
}

int child_kill(struct child *child, int signal)
{
	int status = 0;

	kill(child->pid, signal);
	waitpid(child->pid, &status, 0);
	close(child->output);
	return status;
}
