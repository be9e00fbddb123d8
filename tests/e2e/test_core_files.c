/*
 * What can be wrong with the file of a core but its contents: holes where zeros were, and another
 * program that writes to it while it is read.
 */
#include "support/answer.h"
#include "support/inspection.h"
#include "support/run.h"
#include "support/specimen.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define AUTO_RUN struct run __attribute__((cleanup(run_clear)))

enum { SECONDS_MAX = 60, ROUNDS = 8 };

static void free_text(char **text)
{
	free(*text);
}

/* The document of a command without what depends on where the memory came from. */
static json_t *answer_of(const char *core, const char *command)
{
	AUTO_RUN run = {0};
	json_t *json;

	run_tool(&run, RUN_ARGUMENTS(core, command, "--json"));
	if (run.status != 0)
		fail_msg("%s: exit code %d: %s", core, run.status, run.err);
	json = inspect_parse(run.out);
	json_object_del(json, "target");
	return json;
}

static uint64_t bytes_on_disk(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return (uint64_t)status.st_blocks * 512;
}

/* Does a process have a file mapped? */
static bool has_mapped(const struct run *run, const char *name)
{
	char path[64], line[4096];
	bool found = false;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)run->pid);
	maps = fopen(path, "re");
	while (maps && !found && fgets(line, sizeof(line), maps))
		found = strstr(line, name);
	if (maps)
		fclose(maps);
	return found;
}

/* Starts the tool and stops it once it has opened the core: then it maps the executable. */
static void open_core(struct run *run, const char *core, const char *command)
{
	run_start(run, NULL, RUN_ARGUMENTS(run_tool_path(), core, command, "--json"));
	while (!run_ended(run) && !has_mapped(run, "/bin/python3"))
		;
	kill(run->pid, SIGSTOP);
}

/* Cuts a core once the tool has mapped it. @return exit code */
static int cut_while_read(const char *core, off_t size, struct run *run)
{
	open_core(run, core, "leaks");
	assert_int_equal(truncate(core, size), 0);
	kill(run->pid, SIGCONT);
	if (!run_finish(run, SECONDS_MAX))
		fail_msg("still running");
	return run->status;
}

/* The overview is computed by several threads, which take their time for a large core. */
static void cut_sparse(const char *core, const char *copy)
{
	for (int round = 0; round < ROUNDS / 2; round++) {
		AUTO_RUN cp = {0}, run = {0};

		run_program(&cp, RUN_ARGUMENTS("cp", "--sparse=always", core, copy));
		open_core(&run, copy, "triage");
		kill(run.pid, SIGCONT);
		usleep((useconds_t)round * 80000);
		assert_int_equal(truncate(copy, 4096), 0);
		assert_true(run_finish(&run, SECONDS_MAX));
		if (run.status != 0 && run.status != 1 && run.status != 4)
			fail_msg("exit code %d: %s", run.status, run.err);
	}
}

/* Zeros that the process wrote are zeros, also where the copy of a core keeps none. */
static void test_holes(void **state)
{
	static const char *const commands[] = {"leaks", "types"};
	struct python_process *process = program_start(specimen.python, "sparse.py");
	char *core __attribute__((cleanup(free_text))) = NULL;
	char *sparse __attribute__((cleanup(free_text))) = NULL;
	AUTO_RUN copy = {0};
	const char *why;

	(void)state;
	core = program_core(process, &why);
	if (!core)
		core = program_gcore(process);
	assert_true(asprintf(&sparse, "%s.sparse", core) > 0);
	run_program(&copy, RUN_ARGUMENTS("cp", "--sparse=always", core, sparse));
	assert_int_equal(copy.status, 0);
	if (bytes_on_disk(sparse) + (32 << 20) > bytes_on_disk(core))
		print_message("no holes in files here\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		json_t *plain = answer_of(core, commands[i]);
		json_t *holed = answer_of(sparse, commands[i]);

		if (!json_equal(plain, holed))
			fail_msg("%s is not the same with holes", commands[i]);
		json_decref(plain);
		json_decref(holed);
	}
	cut_sparse(core, sparse);
	program_end(process);
}

static void test_cut_while_read(void **state)
{
	char core[4200];
	int told = 0;

	(void)state;
	snprintf(core, sizeof(core), "%s", specimen_path("cut.core"));
	for (int round = 0; round < ROUNDS; round++) {
		AUTO_RUN copy = {0}, run = {0};
		int status;

		run_program(&copy, RUN_ARGUMENTS("cp", specimen.core, core));
		status = cut_while_read(core, round % 2 ? 4096 : 0, &run);
		// It may be done already.
		if (status != 0 && status != 1)
			fail_msg("exit code %d: %s", status, run.err);
		if (status == 0)
			continue;
		assert_string_equal(run.out, "");
		assert_contains(run.err, "cut.core");
		assert_contains(run.err, "got shorter while it was read");
		told++;
	}
	unlink(core);
	assert_true(told > 0);
}

/* Written to, but no shorter: what was read may be of two states. */
static void test_written_while_read(void **state)
{
	char core[4200];
	int told = 0;

	(void)state;
	snprintf(core, sizeof(core), "%s", specimen_path("cut.core"));
	for (int round = 0; round < ROUNDS && !told; round++) {
		AUTO_RUN copy = {0}, run = {0};
		int fd;

		run_program(&copy, RUN_ARGUMENTS("cp", specimen.core, core));
		fd = open(core, O_WRONLY | O_APPEND | O_CLOEXEC);
		open_core(&run, core, "leaks");
		assert_int_equal(write(fd, "", 1), 1);
		close(fd);
		kill(run.pid, SIGCONT);
		assert_true(run_finish(&run, SECONDS_MAX));
		if (run.status == 0)
			continue; // it was done already
		assert_int_equal(run.status, 4);
		assert_contains(run.out, "changed-core");
		told++;
	}
	unlink(core);
	assert_true(told > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_cut_while_read),
		cmocka_unit_test(test_written_while_read),
	};

	return cmocka_run_group_tests_name("core files", tests, specimen_setup, specimen_teardown);
}
