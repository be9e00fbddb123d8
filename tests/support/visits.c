/*
 * Building the extension module, running the program, reading what it wrote.
 */
#include "support/visits.h"

#include "support/jobs.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int run_command(const char *format, ...)
{
	char command[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	return system(command);
}

/*
 * The extension module lives in a folder of its own, below the interpreter's root. It stays there
 * as long as the core is looked at, because the core has no code in it.
 */

static bool is_host(const struct interpreter_choice *choice)
{
	return strcmp(choice->root, "/") == 0;
}

// With the interpreter's own headers; for a foreign root with those of any 3.10 or later, for the
// stable ABI.
static bool build_extension(const struct interpreter_choice *choice, const char *folder)
{
	if (is_host(choice))
		return run_command("include=$(%s -c 'import sysconfig;"
				   " print(sysconfig.get_paths()[\"include\"])') && "
				   "test -f \"$include/Python.h\" && "
				   "gcc -shared -fPIC -O2 -I\"$include\" -o %s/traverse_truth.so "
				   "tests/programs/traverse_truth.c",
				   choice->python, folder) == 0;
	return run_command("for include in /usr/include/python3.1[1-9]; do "
			   "gcc -shared -fPIC -O2 -DPy_LIMITED_API=0x030a0000 -I$include -o "
			   "%s/traverse_truth.so tests/programs/traverse_truth.c && exit 0; done; "
			   "exit 1",
			   folder) == 0;
}

// Modules of Cython and pybind11, for Debian's interpreter where these are installed. The compiler
// takes its time for the latter.
static void build_modules(const struct interpreter_choice *choice, const char *folder)
{
	if (strcmp(choice->python, "/usr/bin/python3.11") || !is_host(choice))
		return;
	run_command("(cython3 -3 -o %s/cython_types.c tests/programs/cython_types.pyx && "
		    "gcc -shared -fPIC -O2 -I/usr/include/python3.11 -o %s/cython_types.so "
		    "%s/cython_types.c) >/dev/null 2>&1",
		    folder, folder, folder);
	if (getenv("PYMEM_TEST_FULL"))
		run_command("g++ -shared -fPIC -O2 -std=c++17 -I/usr/include/python3.11 -o "
			    "%s/pybind11_types.so tests/programs/pybind11_types.cpp "
			    ">/dev/null 2>&1",
			    folder);
}

// @return the folder as the interpreter sees it
static const char *build_all(const struct interpreter_choice *choice, struct visits_run *run)
{
	const char *root = is_host(choice) ? "" : choice->root;

	snprintf(run->extension, sizeof(run->extension), "%s/tmp/pymem-test-XXXXXX", root);
	assert_non_null(mkdtemp(run->extension));
	if (!build_extension(choice, run->extension)) {
		visits_end(run);
		jobs_skip("no headers of %s", choice->name);
	}
	build_modules(choice, run->extension);
	return run->extension + strlen(root);
}

/*
 * The file
 */

static void load_words(struct visits_run *run, size_t *words)
{
	char path[5000];
	struct stat info;
	FILE *file;

	snprintf(path, sizeof(path), "%s/visits", run->process->folder);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &info), 0);
	*words = (size_t)info.st_size / 8;
	run->words = malloc((size_t)info.st_size);
	assert_non_null(run->words);
	assert_int_equal(fread(run->words, 8, *words, file), *words);
	fclose(file);
}

static void load_visits(struct visits_run *run)
{
	size_t words, capacity = 0;

	load_words(run, &words);
	for (size_t i = 0; i + 4 <= words; i += 4 + run->words[i + 3]) {
		const uint64_t *record = run->words + i;

		if (run->count == capacity) {
			capacity = capacity ? 2 * capacity : 1 << 16;
			run->items = realloc(run->items, capacity * sizeof(*run->items));
			assert_non_null(run->items);
		}
		run->items[run->count++] = (struct visits){.object = record[0],
							   .type = record[1],
							   .traverse = record[2],
							   .count = record[3],
							   .targets = record + 4};
	}
}

struct visits_run *visits_start(const struct interpreter_choice *choice, unsigned each)
{
	struct visits_run *run = calloc(1, sizeof(*run));
	char program[700];
	const char *why;

	assert_non_null(run);
	snprintf(program, sizeof(program), "every_type.py visits %s %u", build_all(choice, run),
		 each);
	run->process = program_start(choice, program);
	run->core = program_core(run->process, &why);
	if (!run->core)
		run->core = program_gcore(run->process);
	load_visits(run);
	return run;
}

void visits_end(struct visits_run *run)
{
	if (!run)
		return;
	program_end(run->process);
	run_command("rm -rf '%s'", run->extension);
	free(run->core);
	free(run->items);
	free(run->words);
	free(run);
}
