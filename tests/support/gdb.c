/*
 * Real debuggers and the program that they look at. See gdb.h.
 */
#include "support/gdb.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIME_LIMIT_MS = 120000, STEP_MS = 10, ARGUMENTS_MAX = 128, DEBUGGERS_MAX = 8 };

// The n-th parent of this program's path: BUILD/tests/e2e/test_x.
static char *above_program(int levels, const char *name)
{
	char path[PATH_MAX], *result;
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	assert_true(length > 0);
	path[length] = 0;
	for (; levels; levels--)
		*strrchr(path, '/') = 0;
	assert_true(asprintf(&result, "%s/%s", path, name) > 0);
	return result;
}

char *build_path(const char *name)
{
	return above_program(3, name);
}

char *source_path(const char *name)
{
	return above_program(4, name);
}

static int output_file(void)
{
	int fd = memfd_create("output", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static char *content(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, size + 1);

	assert_true(pread(fd, text, size, 0) == size);
	return text;
}

static void run_child(const char *const *argv, int in, int out, int err)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	// A test runner may ignore it; GDB's default is what is tested.
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], (char *const *)argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

void program_begin(struct gdb_run *run, const char *input, const char *const *argv)
{
	int in = output_file();

	assert_true(write(in, input, strlen(input)) == (ssize_t)strlen(input));
	lseek(in, 0, SEEK_SET);
	run->out = output_file();
	run->err = output_file();
	run->pid = fork();
	assert_true(run->pid >= 0);
	if (run->pid == 0)
		run_child(argv, in, run->out, run->err);
	close(in);
}

bool gdb_wait_for(struct gdb_run *run, const char *text)
{
	for (int waited = 0; waited < TIME_LIMIT_MS; waited += STEP_MS) {
		siginfo_t info = {0};
		char *so_far = content(run->out);
		bool found = strstr(so_far, text) != NULL;

		free(so_far);
		if (found)
			return true;
		if (waitid(P_PID, run->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid)
			return false;
		usleep(STEP_MS * 1000);
	}
	return false;
}

static int wait_for_end(pid_t pid)
{
	int status;

	for (int waited = 0; waited < TIME_LIMIT_MS; waited += STEP_MS) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		usleep(STEP_MS * 1000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	print_error("stopped after %d s\n", TIME_LIMIT_MS / 1000);
	return 128 + SIGKILL;
}

void gdb_finish(struct gdb_run *run, struct gdb_output *output)
{
	output->status = wait_for_end(run->pid);
	output->out = content(run->out);
	output->err = content(run->err);
	close(run->out);
	close(run->err);
}

void gdb_start(struct gdb_run *run, const struct gdb *gdb, const char *const *arguments)
{
	char *commands = build_path("pymem.gdb");
	const char *argv[ARGUMENTS_MAX] = {
		gdb->path, "-nx",
		"-q",	   "-batch",
		"-iex",	   "set auto-load off",
		"-iex",	   "set debuginfod enabled off",
		"-ix",	   commands,
	};
	size_t count = 0;

	while (argv[count])
		count++;
	for (; *arguments; arguments++) {
		assert_true(count < ARGUMENTS_MAX - 1);
		argv[count++] = *arguments;
	}
	program_begin(run, "", argv);
	free(commands);
}

void gdb_batch(struct gdb_output *output, const struct gdb *gdb, const char *const *arguments)
{
	struct gdb_run run;

	gdb_start(&run, gdb, arguments);
	gdb_finish(&run, output);
}

void program_run(struct gdb_output *output, const char *input, const char *const *argv)
{
	struct gdb_run run;

	program_begin(&run, input, argv);
	gdb_finish(&run, output);
}

void gdb_output_clear(struct gdb_output *output)
{
	free(output->out);
	free(output->err);
	*output = (struct gdb_output){0};
}

void gdb_find(struct gdb *gdb, const char *name)
{
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char *script = source_path("scripts/debuggers"), *rest, *line;

	*gdb = (struct gdb){.name = name};
	program_run(&output, "", GDB_ARGUMENTS(script, "list"));
	free(script);
	for (line = strtok_r(output.out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char found[64], version[32], root[512], path[512];

		if (sscanf(line, "%63[^\t]\t%31[^\t]\t%511[^\t]\t%511s", found, version, root,
			   path) == 4 &&
		    strcmp(found, name) == 0) {
			strcpy(gdb->version, version);
			strcpy(gdb->path, path);
		}
	}
}

struct python_process *gdb_python(const char *program)
{
	const struct interpreter_choice *best = NULL;
	struct python_process *process;
	size_t count;
	struct interpreter_choice *choices = interpreters_list(&count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(choices[i].root, "/") == 0 &&
		    (!best || strncmp(choices[i].name, "debian", 6) == 0))
			best = &choices[i];
	assert_non_null(best);
	process = program_start(best, program);
	interpreters_free(choices, count);
	return process;
}

char *gdb_executable(const struct python_process *process)
{
	char link[64], path[PATH_MAX];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)process->pid);
	length = readlink(link, path, sizeof(path) - 1);
	assert_true(length > 0);
	path[length] = 0;
	return strdup(path);
}

const struct gdb *gdb_of(void **state)
{
	const struct gdb *gdb = *state;

	if (!gdb->path[0]) {
		printf("no debugger %s here; scripts/debuggers fetch gets it\n", gdb->name);
		skip();
	}
	return gdb;
}

int debuggers_run_tests(const char *const *names, size_t usually, const char *group,
			const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
			CMFixtureFunction teardown)
{
	size_t limit = getenv("PYMEM_TEST_FULL") ? DEBUGGERS_MAX : usually, debugger_count = 0;
	struct CMUnitTest *all = calloc(count * DEBUGGERS_MAX, sizeof(*all));
	struct gdb debuggers[DEBUGGERS_MAX];
	int result;

	while (debugger_count < limit && names[debugger_count])
		debugger_count++;
	for (size_t g = 0; g < debugger_count; g++) {
		gdb_find(&debuggers[g], names[g]);
		for (size_t i = 0; i < count; i++) {
			struct CMUnitTest *test = &all[g * count + i];
			char *name;

			assert_true(asprintf(&name, "%s [%s]", tests[i].name, names[g]) > 0);
			*test = tests[i];
			test->name = name;
			test->initial_state = &debuggers[g];
		}
	}
	result = _cmocka_run_group_tests(group, all, count * debugger_count, setup, teardown);
	for (size_t i = 0; i < count * debugger_count; i++)
		free((char *)all[i].name);
	free(all);
	return result;
}

int gdb_run_tests(const char *group, const struct CMUnitTest *tests, size_t count,
		  CMFixtureFunction setup, CMFixtureFunction teardown)
{
	static const char *const names[] = {"host", "gdb-minimal-bookworm", "gdb-trixie", "gdb-sid",
					    NULL};

	return debuggers_run_tests(names, 2, group, tests, count, setup, teardown);
}
