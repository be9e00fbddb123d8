/*
 * Building the extension module, running the program, taking the core.
 */
#include "support/visits.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	fprintf(stderr, "visits: %s\n", what);
	abort();
}

static int run_command(const char *format, ...)
{
	char command[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	return system(command);
}

static bool build_extension(const char *python, const char *folder)
{
	return run_command("include=$(%s -c 'import sysconfig;"
			   " print(sysconfig.get_paths()[\"include\"])') && "
			   "test -f \"$include/Python.h\" && "
			   "gcc -shared -fPIC -O2 -I\"$include\" -o %s/traverse_truth.so "
			   "tests/programs/traverse_truth.c",
			   python, folder) == 0;
}

/*
 * The process
 */

struct process {
	pid_t pid;
	int in, out;
};

static void exec_program(const char *python, const struct visits_run *run, unsigned each, int in,
			 int out)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	char program[4096], number[16];

	if (!realpath("tests/programs/every_type.py", program))
		fail("run the tests from the top of the tree");
	snprintf(number, sizeof(number), "%u", each);
	setrlimit(RLIMIT_CORE, &unlimited);
	setenv("PYTHONPATH", run->folder, 1);
	setenv("EVERY_TYPE_EACH", number, 1);
	dup2(in, 0);
	dup2(out, 1);
	if (!getenv("PYMEM_TEST_VERBOSE"))
		dup2(open("/dev/null", O_WRONLY), 2);
	if (chdir(run->folder) == 0)
		execl(python, python, program, "truth", NULL);
	_exit(127);
}

static struct process start(const char *python, const struct visits_run *run, unsigned each)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		fail("pipe");
	struct process process = {fork(), in[1], out[0]};
	if (process.pid == 0)
		exec_program(python, run, each, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	return process;
}

static void wait_until_ready(const struct process *process)
{
	char line[8] = "";
	size_t length = 0;
	ssize_t got;

	while (length < 6 && (got = read(process->out, line + length, 6 - length)) > 0)
		length += (size_t)got;
	if (strcmp(line, "ready\n"))
		fail("the program did not get ready");
}

// The kernel writes the core where core_pattern says; a name in the folder is the usual case.
static bool find_core(struct visits_run *run)
{
	char pattern[96];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/core*", run->folder);
	if (glob(pattern, 0, NULL, &found))
		return false;
	snprintf(run->core, sizeof(run->core), "%s", found.gl_pathv[0]);
	globfree(&found);
	return true;
}

static void take_core(struct visits_run *run, struct process *process)
{
	char pattern[256] = "";
	FILE *file = fopen("/proc/sys/kernel/core_pattern", "r");
	int status;

	if (file && !fgets(pattern, sizeof(pattern), file))
		pattern[0] = '\0';
	if (file)
		fclose(file);
	if (pattern[0] == '|' || strchr(pattern, '/'))
		run_command("gcore -o %s/core %d >/dev/null 2>&1", run->folder, process->pid);
	kill(process->pid, SIGABRT);
	waitpid(process->pid, &status, 0);
	close(process->in);
	close(process->out);
	if (!find_core(run))
		fail("no core file");
}

static void load_visits(struct visits_run *run)
{
	char path[96];
	struct stat info;

	snprintf(path, sizeof(path), "%s/truth", run->folder);
	FILE *file = fopen(path, "r");
	if (!file || fstat(fileno(file), &info))
		fail("no visits");
	size_t words = (size_t)info.st_size / 8, capacity = 1 << 16;
	run->words = malloc((size_t)info.st_size);
	run->items = malloc(capacity * sizeof(*run->items));
	if (!run->words || !run->items || fread(run->words, 8, words, file) != words)
		fail("the visits cannot be read");
	fclose(file);
	for (size_t i = 0; i + 4 <= words; i += 4 + run->words[i + 3]) {
		const uint64_t *record = run->words + i;

		if (run->count == capacity) {
			capacity *= 2;
			run->items = realloc(run->items, capacity * sizeof(*run->items));
			if (!run->items)
				fail("out of memory");
		}
		run->items[run->count++] = (struct visits){.object = record[0],
							   .type = record[1],
							   .traverse = record[2],
							   .count = record[3],
							   .targets = record + 4};
	}
}

struct visits_run *visits_start(const char *python, unsigned each)
{
	struct visits_run *run = calloc(1, sizeof(*run));

	if (!run)
		fail("out of memory");
	strcpy(run->folder, "/tmp/pymem-visits-XXXXXX");
	if (!mkdtemp(run->folder))
		fail("no temporary folder");
	if (!build_extension(python, run->folder)) {
		printf("no headers of %s\n", python);
		visits_end(run);
		return NULL;
	}
	struct process process = start(python, run, each);
	wait_until_ready(&process);
	take_core(run, &process);
	load_visits(run);
	return run;
}

void visits_end(struct visits_run *run)
{
	if (!run)
		return;
	run_command("rm -rf %s", run->folder);
	free(run->items);
	free(run->words);
	free(run);
}

static int minor_version(const char *path)
{
	const char *version = strstr(path, "versions/3.");

	return version ? atoi(version + strlen("versions/3.")) : 0;
}

static int compare_versions(const void *left, const void *right)
{
	return minor_version(*(char *const *)left) - minor_version(*(char *const *)right);
}

char **visits_interpreters(void)
{
	const char *root = getenv("PYENV_ROOT"), *home = getenv("HOME");
	char pattern[4096];
	glob_t found = {0};
	size_t count = 0;

	snprintf(pattern, sizeof(pattern), "%s%s/versions/3.*/bin/python3",
		 root	? root
		 : home ? home
			: "",
		 root ? "" : "/.pyenv");
	glob("/usr/bin/python3.11", 0, NULL, &found);
	glob(pattern, GLOB_APPEND, NULL, &found);
	char **paths = calloc(found.gl_pathc + 1, sizeof(*paths));
	if (!paths)
		fail("out of memory");
	for (size_t i = 0; i < found.gl_pathc; i++) {
		int minor = minor_version(found.gl_pathv[i]);

		if (!minor || minor >= 8)
			paths[count++] = strdup(found.gl_pathv[i]);
	}
	globfree(&found);
	qsort(paths, count, sizeof(*paths), compare_versions);
	return paths;
}
