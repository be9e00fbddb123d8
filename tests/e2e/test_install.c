/*
 * What `make install` gives to programs of others: the library under its names, its header in C and
 * C++, pymem.pc, and the example, which is compiled against it and run on a real process.
 */
#include "support/jobs.h"
#include "support/python_process.h"
#include "support/run.h"
#include "support/temporary.h"

#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Not where compilers look by themselves; the library is where Debian has it. */
#define PREFIX	  "/opt/pymem"
#define LIBRARIES PREFIX "/lib/x86_64-linux-gnu"

/* Runs a shell command that must succeed. @return what it printed, to be freed */
static char *shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *shell(const char *format, ...)
{
	struct run run = {0};
	va_list arguments;
	char *command, *out;

	va_start(arguments, format);
	assert_true(vasprintf(&command, format, arguments) > 0);
	va_end(arguments);
	run_program(&run, RUN_ARGUMENTS("sh", "-c", command));
	if (run.status)
		fail_msg("%s\nexit code %d\n%s%s", command, run.status, run.out, run.err);
	free(command);
	out = strdup(run.out);
	run_clear(&run);
	return out;
}

/* DESTDIR, filled once for all tests. */
static const char *root(void)
{
	return temporary_path("root");
}

static const char *make_arguments(void)
{
	static char text[PATH_MAX + 200];

	snprintf(text, sizeof(text), "DESTDIR='%s' PREFIX=%s LIBDIR=%s GDBINIT_DIR=/etc/gdb",
		 root(), PREFIX, LIBRARIES);
	return text;
}

static int install(void **state)
{
	int result = temporary_setup(state);

	// Jobs of a make that runs this test are not those of the make that it runs.
	unsetenv("MAKEFLAGS");
	unsetenv("MAKELEVEL");
	if (!result)
		free(shell("make -s install %s", make_arguments()));
	return result;
}

/* pkg-config on the installed tree alone. */
static char *package(const char *options)
{
	return shell("PKG_CONFIG_SYSROOT_DIR='%s' PKG_CONFIG_PATH='%s" LIBRARIES "/pkgconfig' "
		     "pkg-config %s pymem | tr -d '\\n'",
		     root(), root(), options);
}

/*
 * Names
 */

/* The functions that the library exports, one a line. */
static char *exported(void)
{
	return shell("nm -D --defined-only '%s" LIBRARIES "/libpymem.so' | "
		     "awk '$2 != \"A\" { sub(/@.*/, \"\", $3); print $3 }' | sort",
		     root());
}

static void test_what_is_exported_is_the_header_and_the_map(void **state)
{
	char *is = exported();
	char *header = shell("sed -n '/^PYMEM_API/s/.*[ *]\\(pymem_[a-z_]*\\)(.*/\\1/p' '%s" PREFIX
			     "/include/pymem.h' | sort",
			     root());
	char *map = shell("sed -n 's/^\t\\(pymem_[a-z_]*\\);$/\\1/p' corelib/libpymem.map | sort");

	(void)state;
	assert_non_null(strstr(is, "pymem_open_core\n"));
	assert_string_equal(is, header);
	assert_string_equal(is, map);
	free(is);
	free(header);
	free(map);
}

/* Every function of the header, whether it is marked or not. */
static void test_all_declared_functions_are_exported(void **state)
{
	char *is = exported();
	char *declared = shell("echo '#include <pymem.h>' | cc -E -xc -I'%s" PREFIX "/include' - | "
			       "tr '\\n' ' ' | grep -o 'pymem_[a-z_]*(' | tr -d '(' | sort -u",
			       root());

	(void)state;
	assert_string_equal(is, declared);
	free(is);
	free(declared);
}

static void test_the_static_library_has_no_other_names(void **state)
{
	char *shared = exported();
	char *is = shell("nm -g --defined-only '%s" LIBRARIES "/libpymem.a' | "
			 "awk '$2 == \"T\" { print $3 }' | sort",
			 root());

	(void)state;
	assert_string_equal(is, shared);
	free(is);
	free(shared);
}

static void test_names_of_the_library(void **state)
{
	char *soname = shell("readelf -d '%s" LIBRARIES "/libpymem.so' | "
			     "sed -n 's/.*SONAME.*\\[\\(.*\\)\\]/\\1/p' | tr -d '\\n'",
			     root());
	char *version = package("--modversion");
	char *file = shell("basename \"$(readlink -f '%s" LIBRARIES "/libpymem.so.0')\" | "
			   "tr -d '\\n'",
			   root());
	char *tool = shell("'%s" PREFIX "/bin/pycore-inspect' --version | tr -d '\\n'", root());
	char expected[64];

	(void)state;
	assert_string_equal(soname, "libpymem.so.0");
	snprintf(expected, sizeof(expected), "libpymem.so.%s", version);
	assert_string_equal(file, expected);
	snprintf(expected, sizeof(expected), "pycore-inspect %s", version);
	assert_string_equal(tool, expected);
	free(soname);
	free(version);
	free(file);
	free(tool);
}

/*
 * Programs
 */

static void test_the_header_compiles_in_c_and_cxx(void **state)
{
	static const char *const compilers[] = {
		"cc -xc -std=c99 -D_POSIX_C_SOURCE=200809L -pedantic",
		"cc -xc -std=gnu17 -pedantic",
		"c++ -xc++ -std=c++11 -pedantic",
		"c++ -xc++ -std=c++20 -pedantic",
	};
	char *flags = package("--cflags");

	(void)state;
	for (size_t i = 0; i < sizeof(compilers) / sizeof(compilers[0]); i++)
		free(shell("printf '%%s\\n' '#include <pymem.h>' '#include <pymem.h>' "
			   "'int main(void) { return pymem_version() && pymem_command_at(0) ? 0 "
			   ": 1; }' >'%s/h' && %s -Wall -Wextra -Werror %s -o '%s/o' '%s/h' "
			   "-L'%s" LIBRARIES "' -lpymem && LD_LIBRARY_PATH='%s" LIBRARIES
			   "' '%s/o'",
			   root(), compilers[i], flags, root(), root(), root(), root(), root()));
	free(flags);
}

/* How many Node objects the program says it has, and the example says it has. */
static void run_example(const char *program, const struct interpreter_choice *choice)
{
	struct python_process *process = program_start(choice, "library.py 321");
	struct run run __attribute__((cleanup(run_clear))) = {0};
	char command[2 * PATH_MAX];
	json_t *document;

	snprintf(command, sizeof(command),
		 "LD_LIBRARY_PATH='%s" LIBRARIES "' exec '%s' %d '__main__.Kept'", root(), program,
		 (int)process->pid);
	run_program(&run, RUN_ARGUMENTS("sh", "-c", command));
	if (run.status)
		fail_msg("exit code %d\n%s", run.status, run.err);
	assert_non_null(strstr(run.err, "__main__.Kept: 321 objects, "));
	document = json_loads(run.out, 0, NULL);
	assert_non_null(document);
	assert_string_equal(json_string_value(json_object_get(document, "command")), "leaks");
	json_decref(document);
	program_end(process);
}

static void build_and_run_example(const char *flags, const char *libraries)
{
	struct interpreter_choice *choices;
	char program[PATH_MAX];
	size_t count;

	snprintf(program, sizeof(program), "%s/leaks", root());
	free(shell("cc -Wall -Wextra -Werror -o '%s' docs/examples/leaks.c %s %s", program, flags,
		   libraries));
	choices = interpreters_list(&count);
	for (size_t i = 0; i < count; i++) {
		// Without --sysroot: the files of a chroot are not where the process says.
		if (strcmp(choices[i].root, "/") != 0)
			continue;
		run_example(program, &choices[i]);
		break;
	}
	interpreters_free(choices, count);
}

static void test_the_example_runs_with_the_shared_library(void **state)
{
	char *flags = package("--cflags"), *libraries = package("--libs");

	(void)state;
	build_and_run_example(flags, libraries);
	free(flags);
	free(libraries);
}

/* The archive, and what pymem.pc says it needs: as shared libraries, which is how most link it. */
static void test_the_example_runs_with_the_static_library(void **state)
{
	char *flags = package("--cflags");
	char *needed = shell("pc='%s" LIBRARIES "/pkgconfig/pymem.pc' && "
			     "echo \"'%s" LIBRARIES "/libpymem.a' \" "
			     "$(pkg-config --libs $(sed -n 's/^Requires.private: //p' \"$pc\")) "
			     "$(sed -n 's/^Libs.private: //p' \"$pc\") | tr -d '\\n'",
			     root(), root());

	(void)state;
	build_and_run_example(flags, needed);
	free(shell("! readelf -d '%s/leaks' | grep libpymem", root()));
	free(flags);
	free(needed);
}

/*
 * Taking it away; the last test.
 */

static void test_nothing_is_left_by_uninstall(void **state)
{
	char *left;

	(void)state;
	free(shell("cd '%s' && rm -f h o leaks", root()));
	free(shell("make -s uninstall %s", make_arguments()));
	left = shell("find '%s' ! -type d", root());
	assert_string_equal(left, "");
	free(left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_the_library),
		cmocka_unit_test(test_what_is_exported_is_the_header_and_the_map),
		cmocka_unit_test(test_all_declared_functions_are_exported),
		cmocka_unit_test(test_the_static_library_has_no_other_names),
		cmocka_unit_test(test_the_header_compiles_in_c_and_cxx),
		cmocka_unit_test(test_the_example_runs_with_the_shared_library),
		cmocka_unit_test(test_the_example_runs_with_the_static_library),
		cmocka_unit_test(test_nothing_is_left_by_uninstall),
	};

	return cmocka_run_group_tests_name("install", tests, install, temporary_teardown);
}
