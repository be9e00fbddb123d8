/*
 * pycore-inspect on what it cannot answer for: files that are no cores, cores of other programs and
 * machines, cores cut anywhere, processes that are gone, not permitted or no Python. One clear
 * line, the right exit code, nothing on stdout, no crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/run.h"
#include "support/specimen.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define AUTO_RUN struct run __attribute__((cleanup(run_clear)))

enum { NOBODY = 65534, PATH_SIZE = 8192 };

static void assert_one_line(const struct run *run, const char *part)
{
	const char *end = strchr(run->err, '\n');

	assert_string_equal(run->out, "");
	if (!end || end[1] || strncmp(run->err, "pycore-inspect: ", 16) != 0)
		fail_msg("not one line: %s", run->err);
	if (part && !strstr(run->err, part))
		fail_msg("no \"%s\" in: %s", part, run->err);
}

// The exit code, and one line that names the thing.
static void assert_refused(const struct run *run, int status, const char *part)
{
	if (run->status != status)
		fail_msg("exit code %d, not %d: %s", run->status, status, run->err);
	assert_one_line(run, part);
}

// A file of the specimen's folder; its path is never freed.
static const char *write_file(const char *name, const void *bytes, size_t size)
{
	const char *path = strdup(specimen_path(name));
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	return path;
}

static void copy_file(const char *from, const char *to)
{
	AUTO_RUN run = {0};

	run_program(&run, RUN_ARGUMENTS("cp", from, to));
	assert_int_equal(run.status, 0);
}

/*
 * Files
 */

static void test_no_core(void **state)
{
	static const char zeros[100000];
	const struct {
		const char *path, *told;
	} files[] = {
		{"no-such-file", "no-such-file"},
		{"/no/such/folder/core", "No such file"},
		{"/etc", "irectory"},
		{"/dev/null", ""},
		{write_file("empty", "", 0), "empty"},
		{write_file("text", "some text\n", 10), "text"},
		{write_file("zeros", zeros, sizeof(zeros)), "zeros"},
		{write_file("name\nwith\033[31m", "x", 1), "with"},
		{"/bin/true", "/bin/true"},
	};
	const char *const options[] = {"-c", NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		for (size_t o = 0; o < 2; o++) {
			AUTO_RUN run = {0};

			if (options[o])
				run_tool(&run, RUN_ARGUMENTS(options[o], files[i].path));
			else
				run_tool(&run, RUN_ARGUMENTS(files[i].path));
			if (run.status != 1 && run.status != 2)
				fail_msg("%s: exit code %d: %s", files[i].path, run.status,
					 run.err);
			assert_string_equal(run.out, "");
			assert_null(strchr(run.err, '\033'));
			if (!strstr(run.err, files[i].told))
				fail_msg("no \"%s\" in: %s", files[i].told, run.err);
		}
	}
}

// Fields of the ELF header, and what they make of a core.
static void test_other_machines(void **state)
{
	static const struct {
		size_t offset, size;
		uint16_t value;
		const char *told;
	} changes[] = {
		{EI_CLASS, 1, ELFCLASS32, ""},
		{EI_DATA, 1, ELFDATA2MSB, ""},
		{offsetof(Elf64_Ehdr, e_machine), 2, EM_AARCH64, "another architecture"},
		{offsetof(Elf64_Ehdr, e_machine), 2, EM_S390, "another architecture"},
		{offsetof(Elf64_Ehdr, e_type), 2, ET_REL, ""},
		{offsetof(Elf64_Ehdr, e_type), 2, ET_DYN, ""},
		{offsetof(Elf64_Ehdr, e_phentsize), 2, 1, ""},
		{offsetof(Elf64_Ehdr, e_phnum), 2, 0, ""},
	};
	char path[PATH_SIZE];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s", specimen_path("changed"));
	copy_file(specimen.core, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		AUTO_RUN run = {0};
		uint16_t before;

		assert_int_equal(pread(fd, &before, 2, (off_t)changes[i].offset), 2);
		assert_int_equal(
			pwrite(fd, &changes[i].value, changes[i].size, (off_t)changes[i].offset),
			changes[i].size);
		run_tool(&run, RUN_ARGUMENTS("-c", path));
		if (run.status != 1)
			print_error("offset %zu, value %d\n", changes[i].offset, changes[i].value);
		assert_refused(&run, 1, changes[i].told);
		assert_int_equal(pwrite(fd, &before, 2, (off_t)changes[i].offset), 2);
	}
	close(fd);
	unlink(path);
}

// Cut at every header's end, in the notes, between segments and anywhere in them.
static void test_truncated(void **state)
{
	static const long early[] = {1000, 500, 200, 121, 120, 100, 65, 64, 63, 40, 16, 4, 1, 0};
	enum { PARTS = 24, CUTS = PARTS + sizeof(early) / sizeof(*early) + 3 };
	char path[PATH_SIZE];
	struct stat whole;
	long cuts[CUTS];
	size_t count = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s", specimen_path("cut"));
	copy_file(specimen.core, path);
	assert_int_equal(stat(path, &whole), 0);
	cuts[count++] = whole.st_size - 1;
	cuts[count++] = whole.st_size - 4096;
	for (long part = PARTS; part > 0; part--)
		cuts[count++] = whole.st_size / (PARTS + 1) * part + part;
	cuts[count++] = 5000;
	for (size_t i = 0; i < sizeof(early) / sizeof(*early); i++)
		cuts[count++] = early[i];
	assert_int_equal(count, CUTS);
	for (size_t i = 0; i < count; i++) { // ever shorter
		AUTO_RUN run = {0};

		assert_int_equal(truncate(path, cuts[i]), 0);
		run_tool(&run, RUN_ARGUMENTS("-c", path, "cycles"));
		if (run.status == 4)
			assert_non_null(strstr(run.out, "truncated"));
		else if (run.status == 1 || run.status == 3)
			assert_string_equal(run.out, "");
		else
			fail_msg("cut at %ld of %ld: exit code %d: %s", cuts[i],
				 (long)whole.st_size, run.status, run.err);
		if (run.status != 4 && !strstr(run.err, path))
			fail_msg("cut at %ld: the file is not named: %s", cuts[i], run.err);
		// Within the ELF header it is no core at all; with nearly all it is an answer.
		if (cuts[i] < 64)
			assert_int_equal(run.status, 1);
		if (i == 0)
			assert_int_equal(run.status, 4);
	}
	unlink(path);
}

static char *core_of_sleep(void)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	char *path = NULL;
	AUTO_RUN gcore = {0};
	pid_t pid = fork();
	char number[16];

	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &unlimited);
		execlp("sleep", "sleep", "100", NULL);
		_exit(127);
	}
	usleep(200000);
	snprintf(number, sizeof(number), "%d", (int)pid);
	run_program(&gcore, RUN_ARGUMENTS("gcore", "-o", specimen_path("sleep"), number));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(gcore.status, 0);
	assert_true(asprintf(&path, "%s.%d", specimen_path("sleep"), (int)pid) > 0);
	return path;
}

static void test_core_of_another_program(void **state)
{
	static const char *const commands[] = {"triage", "leaks", "cycles", "info"};
	char *core = core_of_sleep();

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		AUTO_RUN run = {0};

		run_tool(&run, RUN_ARGUMENTS("-c", core, commands[i], "--json"));
		assert_refused(&run, 3, core);
	}
	unlink(core);
	free(core);
}

static void test_wrong_executable(void **state)
{
	AUTO_RUN run = {0}, missing = {0}, other = {0};

	(void)state;
	run_tool(&run, RUN_ARGUMENTS("-e", "/no/such/python", "-c", specimen.core));
	assert_refused(&run, 1, "/no/such/python");
	run_tool(&missing, RUN_ARGUMENTS("-e", "/etc/hostname", "-c", specimen.core));
	assert_refused(&missing, 1, "/etc/hostname");
	// Another program's file: told, and not used. Python itself is at its own place.
	run_tool(&other, RUN_ARGUMENTS("-e", "/bin/true", "-c", specimen.core, "info", "--json"));
	assert_int_equal(other.status, 0);
	assert_non_null(strstr(other.out, "/bin/true is another build"));
}

static void test_two_cores(void **state)
{
	AUTO_RUN run = {0};

	(void)state;
	run_tool(&run, RUN_ARGUMENTS(specimen.core, specimen.core));
	assert_int_equal(run.status, 2);
	assert_string_equal(run.out, "");
}

/*
 * Processes
 */

static void test_processes(void **state)
{
	char number[16];
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	snprintf(number, sizeof(number), "%d", (int)pid);
	usleep(50000);
	{
		AUTO_RUN zombie = {0};

		run_tool(&zombie, RUN_ARGUMENTS("-p", number));
		assert_refused(&zombie, 1, number);
	}
	waitpid(pid, NULL, 0);
	{
		AUTO_RUN gone = {0};

		run_tool(&gone, RUN_ARGUMENTS("-p", number));
		assert_refused(&gone, 1, number);
	}
	pid = fork();
	if (pid == 0) {
		execlp("sleep", "sleep", "100", NULL);
		_exit(127);
	}
	snprintf(number, sizeof(number), "%d", (int)pid);
	usleep(200000);
	{
		AUTO_RUN other = {0};

		run_tool(&other, RUN_ARGUMENTS("-p", number, "--json"));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		assert_refused(&other, 3, number);
	}
}

static void test_not_permitted(void **state)
{
	struct run_options options = {.user = NOBODY, .folder = "/"};
	char tool[PATH_SIZE];
	AUTO_RUN process = {0}, core = {0};

	(void)state;
	if (geteuid() != 0) {
		printf("only root can become another user\n");
		skip();
	}
	// The build folder may be closed to others.
	snprintf(tool, sizeof(tool), "%s", specimen_path("tool"));
	copy_file(run_tool_path(), tool);
	chmod(tool, 0755);
	chmod(specimen.dumped->folder, 0755);
	chmod(specimen.core, 0600);
	run_start(&process, &options, RUN_ARGUMENTS(tool, "-p", specimen.pid));
	assert_true(run_finish(&process, 60));
	assert_refused(&process, 1, specimen.pid);
	assert_non_null(strstr(process.err, "permitted"));
	run_start(&core, &options, RUN_ARGUMENTS(tool, "-c", specimen.core));
	assert_true(run_finish(&core, 60));
	assert_refused(&core, 1, "Permission denied");
	unlink(tool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_core),
		cmocka_unit_test(test_other_machines),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_core_of_another_program),
		cmocka_unit_test(test_wrong_executable),
		cmocka_unit_test(test_two_cores),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_not_permitted),
	};

	return cmocka_run_group_tests_name("bad input", tests, specimen_setup, specimen_teardown);
}
