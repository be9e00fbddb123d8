/*
 * pycore-inspect on a running process: it goes on as it was, whatever becomes of the tool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/child.h"
#include "support/run.h"
#include "support/specimen.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define AUTO_RUN struct run __attribute__((cleanup(run_clear)))

enum { ROUNDS = 8, INTERRUPTED = 130 };

// A process with so many objects that the tool takes a while.
static struct python_process *large;
static char large_pid[16];

static int setup(void **state)
{
	if (specimen_setup(state))
		return -1;
	large = program_start(specimen.python, "sessions.py 300000");
	snprintf(large_pid, sizeof(large_pid), "%d", (int)large->pid);
	return 0;
}

static int teardown(void **state)
{
	program_end(large);
	return specimen_teardown(state);
}

// It may take the kernel a moment to resume the threads of a tracer that was killed.
static void assert_free(pid_t pid)
{
	char value[64] = "";

	for (int i = 0; i < 200; i++) {
		child_status(pid, "State:", value);
		if (!child_tracer(pid) && !strchr("tT", value[0]))
			return;
		usleep(10000);
	}
	fail_msg("traced: %d, state %s", child_tracer(pid), value);
}

static void wait_until_traced(const struct run *run, pid_t pid)
{
	while (!child_tracer(pid) && !run_ended(run))
		usleep(500);
}

static void test_goes_on(void **state)
{
	static const char *const commands[] = {"triage", "leaks", "cycles", "info"};

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		AUTO_RUN run = {0};

		run_tool(&run, RUN_ARGUMENTS("-p", specimen.pid, commands[i]));
		assert_int_equal(run.status, 0);
		assert_free(specimen.process->pid);
	}
}

static void test_same_answer_without_stopping(void **state)
{
	AUTO_RUN stopped = {0}, running = {0};

	(void)state;
	run_tool(&stopped, RUN_ARGUMENTS("-p", specimen.pid, "cycles", "--ndjson"));
	run_tool(&running, RUN_ARGUMENTS("-p", specimen.pid, "cycles", "--ndjson", "--no-stop"));
	assert_int_equal(stopped.status, 0);
	assert_int_equal(running.status, 0);
	assert_string_equal(stopped.out, running.out);
}

// Stopped by a signal, at whatever moment: the target goes on.
static void stop_tool(int signal_number, int expected)
{
	int stopped = 0;

	for (int i = 0; i < ROUNDS; i++) {
		AUTO_RUN run = {0};

		run_start(&run, NULL,
			  RUN_ARGUMENTS(run_tool_path(), "-p", large_pid, "cycles", "--json"));
		wait_until_traced(&run, large->pid);
		usleep((useconds_t)(i * i * 5000));
		kill(run.pid, signal_number);
		assert_true(run_finish(&run, 60));
		if (run.status != 0 && run.status != expected)
			fail_msg("exit code %d: %s", run.status, run.err);
		if (run.status == expected) {
			stopped++;
			assert_string_equal(run.out, "");
		}
		assert_free(large->pid);
	}
	assert_true(stopped > 0);
}

static void test_interrupted(void **state)
{
	(void)state;
	stop_tool(SIGINT, INTERRUPTED);
}

static void test_terminated(void **state)
{
	(void)state;
	stop_tool(SIGTERM, INTERRUPTED);
}

static void test_killed(void **state)
{
	(void)state;
	stop_tool(SIGKILL, 128 + SIGKILL);
}

static void test_interrupted_output_file(void **state)
{
	const char *path = specimen_path("interrupted.json");
	AUTO_RUN run = {0};

	(void)state;
	run_start(&run, NULL,
		  RUN_ARGUMENTS(run_tool_path(), "-p", large_pid, "cycles", "--json", "-o", path));
	wait_until_traced(&run, large->pid);
	kill(run.pid, SIGINT);
	assert_true(run_finish(&run, 60));
	assert_int_equal(run.status, INTERRUPTED);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_two_at_once(void **state)
{
	AUTO_RUN first = {0}, second = {0};

	(void)state;
	run_start(&first, NULL, RUN_ARGUMENTS(run_tool_path(), "-p", large_pid, "info"));
	run_start(&second, NULL, RUN_ARGUMENTS(run_tool_path(), "-p", large_pid, "info"));
	assert_true(run_finish(&first, 60));
	assert_true(run_finish(&second, 60));
	// One may find the process traced by the other, and says so.
	assert_true(first.status == 0 || second.status == 0);
	for (int i = 0; i < 2; i++) {
		const struct run *run = i ? &second : &first;

		if (run->status && (run->status != 1 || !strstr(run->err, large_pid)))
			fail_msg("exit code %d: %s", run->status, run->err);
	}
	assert_free(large->pid);
}

static void test_target_dies(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct python_process *victim =
			program_start(specimen.python, "sessions.py 100000");
		char pid[16];
		AUTO_RUN run = {0};

		snprintf(pid, sizeof(pid), "%d", (int)victim->pid);
		run_start(&run, NULL, RUN_ARGUMENTS(run_tool_path(), "-p", pid, "cycles"));
		wait_until_traced(&run, victim->pid);
		usleep((useconds_t)(i * 10000));
		kill(victim->pid, SIGKILL);
		assert_true(run_finish(&run, 60));
		program_end(victim);
		// All was read already, or the answer is partial, or there is none.
		if (run.status != 0 && run.status != 1 && run.status != 4)
			fail_msg("exit code %d: %s", run.status, run.err);
		if (run.status == 1)
			assert_string_equal(run.out, "");
	}
}

// The program still does what it does: it ends when its input ends.
static void test_ends_by_itself(void **state)
{
	struct python_process *process = program_start(specimen.python, "revive.py");
	char pid[16];
	int status;
	AUTO_RUN run = {0};

	(void)state;
	snprintf(pid, sizeof(pid), "%d", (int)process->pid);
	run_tool(&run, RUN_ARGUMENTS("-p", pid));
	assert_int_equal(run.status, 0);
	close(process->input);
	assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	process->pid = 0;
	process->input = -1;
	program_end(process);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_same_answer_without_stopping),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_terminated),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_interrupted_output_file),
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_target_dies),
		cmocka_unit_test(test_ends_by_itself),
	};

	return cmocka_run_group_tests_name("running process", tests, setup, teardown);
}
