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

static bool is_host(const struct visits_python *python)
{
	return strcmp(python->root, "/") == 0;
}

// With the interpreter's own headers; for a foreign root with those of any 3.10 or later, for the
// stable ABI.
static bool build_extension(const struct visits_python *python, const char *folder)
{
	if (is_host(python))
		return run_command("include=$(%s -c 'import sysconfig;"
				   " print(sysconfig.get_paths()[\"include\"])') && "
				   "test -f \"$include/Python.h\" && "
				   "gcc -shared -fPIC -O2 -I\"$include\" -o %s/traverse_truth.so "
				   "tests/programs/traverse_truth.c",
				   python->path, folder) == 0;
	return run_command("for include in /usr/include/python3.1[1-9]; do "
			   "gcc -shared -fPIC -O2 -DPy_LIMITED_API=0x030a0000 -I$include -o "
			   "%s/traverse_truth.so tests/programs/traverse_truth.c && exit 0; done; "
			   "exit 1",
			   folder) == 0;
}

// Modules of Cython and pybind11, for Debian's interpreter where these are installed.
static void build_modules(const struct visits_python *python, const char *folder)
{
	if (strcmp(python->path, "/usr/bin/python3.11") || !is_host(python))
		return;
	run_command("cd %s && (cython3 -3 -o cython_types.c cython_types.pyx && "
		    "gcc -shared -fPIC -O2 -I/usr/include/python3.11 -o cython_types.so "
		    "cython_types.c) >/dev/null 2>&1",
		    folder);
	run_command("cd %s && g++ -shared -fPIC -O2 -std=c++17 -I/usr/include/python3.11 -o "
		    "pybind11_types.so pybind11_types.cpp >/dev/null 2>&1",
		    folder);
}

/*
 * The process
 */

struct process {
	pid_t pid;
	int in, out;
};

static void exec_program(const struct visits_python *python, const struct visits_run *run,
			 unsigned each, int in, int out)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	const char *folder = run->folder + (is_host(python) ? 0 : strlen(python->root));
	char number[16];

	snprintf(number, sizeof(number), "%u", each);
	setrlimit(RLIMIT_CORE, &unlimited);
	setenv("PYTHONPATH", folder, 1);
	setenv("EVERY_TYPE_EACH", number, 1);
	dup2(in, 0);
	dup2(out, 1);
	if (!getenv("PYMEM_TEST_VERBOSE"))
		dup2(open("/dev/null", O_WRONLY), 2);
	if ((is_host(python) || chroot(python->root) == 0) && chdir(folder) == 0)
		execl(python->path, python->path, "every_type.py", "truth", NULL);
	_exit(127);
}

static struct process start(const struct visits_python *python, const struct visits_run *run,
			    unsigned each)
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
	char pattern[400];
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
	char path[400];
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

struct visits_run *visits_start(const struct visits_python *python, unsigned each)
{
	struct visits_run *run = calloc(1, sizeof(*run));

	if (!run)
		fail("out of memory");
	if (!is_host(python) && getuid() != 0) {
		printf("%s: only root can start it\n", python->name);
		free(run);
		return NULL;
	}
	snprintf(run->folder, sizeof(run->folder), "%s/tmp/pymem-visits-XXXXXX",
		 is_host(python) ? "" : python->root);
	if (!mkdtemp(run->folder))
		fail("no temporary folder");
	if (run_command("cp -r tests/programs/. %s", run->folder))
		fail("run the tests from the top of the tree");
	if (!build_extension(python, run->folder)) {
		printf("%s: no headers\n", python->name);
		visits_end(run);
		return NULL;
	}
	build_modules(python, run->folder);
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

struct visits_python *visits_interpreters(size_t *count)
{
	struct visits_python *pythons = NULL, python;
	FILE *list = popen("scripts/interpreters list", "r");
	char line[1024];

	*count = 0;
	if (!list)
		fail("scripts/interpreters");
	while (fgets(line, sizeof(line), list)) {
		if (sscanf(line, "%63[^\t]\t%31[^\t]\t%255[^\t]\t%255[^\t]", python.name,
			   python.version, python.root, python.path) != 4)
			continue;
		pythons = reallocarray(pythons, *count + 1, sizeof(*pythons));
		if (!pythons)
			fail("out of memory");
		pythons[(*count)++] = python;
	}
	pclose(list);
	return pythons;
}
