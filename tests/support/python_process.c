/* Listing interpreters, starting programs in them, cleaning up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/python_process.h"

#include "support/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Interpreters
 */

static bool same_minor(const char *a, const char *b)
{
	const char *a_end = strrchr(a, '.'), *b_end = strrchr(b, '.');

	return a_end && b_end && a_end - a == b_end - b && !strncmp(a, b, (size_t)(a_end - a));
}

static bool wanted(const struct interpreter_choice *choices, size_t count, const char *version,
		   bool all)
{
	if (all)
		return true;
	for (size_t i = 0; i < count; i++)
		if (same_minor(choices[i].version, version))
			return false;
	return true;
}

static char *copy(const char *text)
{
	char *copied = strdup(text);

	assert_non_null(copied);
	return copied;
}

static struct interpreter_choice *list_interpreters(size_t *count, bool all)
{
	FILE *list = popen("scripts/interpreters list", "r");
	struct interpreter_choice *choices = NULL;
	char *line = NULL;
	size_t size = 0;

	assert_non_null(list);
	*count = 0;
	while (getline(&line, &size, list) > 0) {
		char *rest = line, *name = strsep(&rest, "\t"), *version = strsep(&rest, "\t");
		char *root = strsep(&rest, "\t"), *python = strsep(&rest, "\t\n");

		if (!python || !wanted(choices, *count, version, all))
			continue;
		choices = realloc(choices, (*count + 1) * sizeof(*choices));
		assert_non_null(choices);
		choices[(*count)++] = (struct interpreter_choice){copy(name), copy(version),
								  copy(root), copy(python)};
	}
	free(line);
	assert_int_equal(pclose(list), 0);
	return choices;
}

struct interpreter_choice *interpreters_list(size_t *count)
{
	return list_interpreters(count, getenv("PYMEM_TEST_FULL") != NULL);
}

struct interpreter_choice *interpreters_all(size_t *count)
{
	return list_interpreters(count, true);
}

void interpreters_free(struct interpreter_choice *choices, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(choices[i].name);
		free(choices[i].version);
		free(choices[i].root);
		free(choices[i].python);
	}
	free(choices);
}

/*
 * Programs
 */

static void run_command(const char *format, ...)
{
	char command[16384];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	if (system(command))
		fail_msg("failed: %s", command);
}

/* In the child: becomes the program. `inside` is its folder below the root. */
static void become(const struct interpreter_choice *choice, const char *inside, const char *program,
		   int in, int out)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	char path[256], *arguments[16] = {choice->python, "-B", path};
	char *words = copy(program), *word = strtok(words, " ");
	size_t count = 3;

	for (; word && strchr(word, '='); word = strtok(NULL, " "))
		putenv(word);
	snprintf(path, sizeof(path), "programs/%s", word);
	while (count < 15 && (word = strtok(NULL, " ")))
		arguments[count++] = word;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); // the tool is not its parent
	setrlimit(RLIMIT_CORE, &unlimited);
	setenv("PYTHONHASHSEED", "0", 1); // the same heap each time
	dup2(in, 0);
	dup2(out, 1);
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	if ((!strcmp(choice->root, "/") || chroot(choice->root) == 0) && chdir(inside) == 0)
		execv(choice->python, arguments);
	perror(choice->python);
	_exit(127);
}

static void wait_until_ready(struct python_process *process, int out)
{
	char text[4096];
	size_t used = 0;
	ssize_t got;

	while (used < sizeof(text) - 1 &&
	       (got = read(out, text + used, sizeof(text) - 1 - used)) > 0) {
		used += (size_t)got;
		text[used] = '\0';
		if (strstr(text, "ready\n"))
			return;
	}
	text[used] = '\0';
	program_end(process);
	fail_msg("the program ended before it was ready: %s", text);
}

/*
 * A test that fails jumps over its cleanup: what it started is ended when this process ends.
 */

static struct python_process *running;

static void end_all(void)
{
	while (running)
		program_end(running);
}

static void remember(struct python_process *process)
{
	static bool registered;

	process->next = running;
	running = process;
	if (!registered)
		registered = atexit(end_all) == 0;
}

static void forget(const struct python_process *process)
{
	struct python_process **link = &running;

	while (*link && *link != process)
		link = &(*link)->next;
	if (*link)
		*link = process->next;
}

struct python_process *program_start(const struct interpreter_choice *choice, const char *program)
{
	const char *root = strcmp(choice->root, "/") ? choice->root : "";
	struct python_process *process = calloc(1, sizeof(*process));
	int in[2], out[2];

	assert_non_null(process);
	snprintf(process->folder, sizeof(process->folder), "%s/tmp/pymem-test-XXXXXX", root);
	assert_non_null(mkdtemp(process->folder));
	run_command("cp -r tests/programs '%s/programs'", process->folder);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	remember(process);
	process->pid = fork();
	assert_true(process->pid >= 0);
	if (process->pid == 0)
		become(choice, process->folder + strlen(root), program, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	process->input = in[1];
	wait_until_ready(process, out[0]);
	close(out[0]);
	return process;
}

/* What its threads have done up to a moment. */
struct activity {
	unsigned long long run; /* nanoseconds on a processor */
	bool waits;		/* none runs or wants to: one may wait long for a busy processor */
};

static void look_at_thread(pid_t pid, const char *thread, struct activity *activity)
{
	unsigned long long run = 0;
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid, thread);
	file = fopen(path, "re");
	if (file && fscanf(file, "%llu", &run) == 1)
		activity->run += run;
	if (file)
		fclose(file);
	if (child_state(atoi(thread)) == 'R')
		activity->waits = false;
}

static struct activity look_at_threads(pid_t pid)
{
	struct activity activity = {.waits = true};
	struct dirent *entry;
	char path[64];
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	threads = opendir(path);
	while (threads && (entry = readdir(threads)))
		if (entry->d_name[0] != '.')
			look_at_thread(pid, entry->d_name, &activity);
	if (threads)
		closedir(threads);
	return activity;
}

void program_wait_idle(const struct python_process *process)
{
	enum { STEP = 10000, STEPS = 1000, IDLE_STEPS = 8 };
	unsigned long long before = 0;

	for (int step = 0, idle = 0; step < STEPS && idle < IDLE_STEPS; step++) {
		struct activity now = look_at_threads(process->pid);

		idle = now.waits && now.run == before ? idle + 1 : 0;
		before = now.run;
		usleep(STEP);
	}
}

void program_request(const struct python_process *process, const char *requests)
{
	enum { STEP = 10000, STEPS = 6000 };
	size_t count = strlen(requests);
	struct stat status = {0};
	char path[sizeof(process->folder) + 8];
	off_t wanted;

	snprintf(path, sizeof(path), "%s/done", process->folder);
	wanted = (stat(path, &status) ? 0 : status.st_size) + (off_t)count;
	assert_int_equal(write(process->input, requests, count), count);
	for (int i = 0; i < STEPS && (stat(path, &status) || status.st_size < wanted); i++)
		usleep(STEP);
	assert_int_equal(status.st_size, wanted);
}

static bool kernel_writes_here(const char **why)
{
	static char reason[320];
	char pattern[256] = "";
	FILE *file = fopen("/proc/sys/kernel/core_pattern", "re");
	struct rlimit limit;

	if (file && !fgets(pattern, sizeof(pattern), file))
		pattern[0] = '\0';
	if (file)
		fclose(file);
	pattern[strcspn(pattern, "\n")] = '\0';
	*why = reason;
	snprintf(reason, sizeof(reason), "no core of the kernel: core_pattern is \"%s\"", pattern);
	if (!pattern[0] || strpbrk(pattern, "|/"))
		return false;
	snprintf(reason, sizeof(reason), "no core of the kernel: the limit is fixed (ulimit -Hc)");
	return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == RLIM_INFINITY;
}

FILE *program_file(const struct python_process *process, const char *name)
{
	char path[sizeof(process->folder) + 64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", process->folder, name);
	file = fopen(path, "r");
	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	return file;
}

char *program_core(struct python_process *process, const char **why)
{
	if (!kernel_writes_here(why))
		return NULL;
	kill(process->pid, SIGABRT);
	return program_crash(process, why);
}

char *program_crash(struct python_process *process, const char **why)
{
	char pattern[sizeof(process->folder) + 8], *path = NULL;
	glob_t found = {0};
	int status;

	if (!kernel_writes_here(why))
		return NULL;
	assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
	process->pid = 0;
	assert_true(WIFSIGNALED(status) && WCOREDUMP(status));
	snprintf(pattern, sizeof(pattern), "%s/core*", process->folder);
	if (glob(pattern, 0, NULL, &found) == 0)
		path = copy(found.gl_pathv[0]);
	globfree(&found);
	assert_non_null(path);
	return path;
}

char *program_gcore(const struct python_process *process)
{
	char *path;

	run_command(
		"cd '%s' && { gcore -o gcore %d >gcore.log 2>&1 || { cat gcore.log; exit 1; }; }",
		process->folder, process->pid);
	assert_true(asprintf(&path, "%s/gcore.%d", process->folder, process->pid) > 0);
	return path;
}

void program_end(struct python_process *process)
{
	if (!process)
		return;
	forget(process);
	close(process->input);
	if (process->pid) {
		kill(process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
	}
	if (getenv("PYMEM_TEST_KEEP"))
		fprintf(stderr, "kept: %s\n", process->folder);
	else
		run_command("rm -rf '%s'", process->folder);
	free(process);
}
