/*
 * The library's API where no Python is needed: what it says of wrong calls.
 */
#include "pymem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* A handle that could not be opened says why, and answers nothing. */
static void assert_closed(struct pymem *process, int status, int expected, const char *message)
{
	char *text = NULL;

	assert_non_null(process);
	if (status != expected || !strstr(pymem_error(process), message))
		fail_msg("status %d, '%s'", status, pymem_error(process));
	assert_int_equal(pymem_ask(process, NULL, &text, NULL), PYMEM_USAGE);
	assert_null(text);
	assert_string_not_equal(pymem_error(process), "");
	assert_int_equal(pymem_each_object(process, NULL, NULL, NULL), PYMEM_USAGE);
	pymem_close(process);
}

static void test_opening_fails_with_a_reason(void **state)
{
	struct pymem *process;
	int status = pymem_open_core("/nonexistent/core", NULL, &process);

	(void)state;
	assert_closed(process, status, PYMEM_ERROR, "/nonexistent/core: No such file");
	status = pymem_open_core("/etc/passwd", NULL, &process);
	assert_closed(process, status, PYMEM_ERROR, "/etc/passwd");
	status = pymem_open_core(NULL, NULL, &process);
	assert_closed(process, status, PYMEM_USAGE, "no core file");
	status = pymem_open_pid(0, NULL, &process);
	assert_closed(process, status, PYMEM_USAGE, "no process");
	status = pymem_open_pid(2147483647, NULL, &process);
	assert_closed(process, status, PYMEM_ERROR, "2147483647");
}

static void test_another_program_is_not_python(void **state)
{
	struct pymem *process;
	pid_t child = fork();
	int status;

	(void)state;
	if (!child) {
		pause();
		_exit(0);
	}
	status = pymem_open_pid(child, NULL, &process);
	// It still waits; and what a failed test leaves must not go on.
	assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_closed(process, status, PYMEM_NOT_PYTHON, "not a CPython process");
}

static void test_options_of_another_version(void **state)
{
	struct {
		struct pymem_options options;
		void *later;
	} newer = {.options = {.size = sizeof(newer)}};
	struct pymem_options none = {0};
	struct pymem *process;
	int status = pymem_open_core("/nonexistent", &none, &process);

	(void)state;
	assert_closed(process, status, PYMEM_USAGE, "size is 0");
	status = pymem_open_core("/nonexistent", &newer.options, &process);
	assert_closed(process, status, PYMEM_ERROR, "No such file");
	newer.later = &newer;
	status = pymem_open_core("/nonexistent", &newer.options, &process);
	assert_closed(process, status, PYMEM_USAGE, "does not know");
}

static void test_files_of_options_are_looked_at(void **state)
{
	struct pymem_options options = {.size = sizeof(options), .sysroot = "/nonexistent/root"};
	struct pymem *process;
	int status = pymem_open_pid(getpid(), &options, &process);

	(void)state;
	assert_closed(process, status, PYMEM_ERROR, "/nonexistent/root");
}

static void test_what_needs_no_handle(void **state)
{
	size_t count = 0;

	(void)state;
	pymem_close(NULL);
	assert_string_equal(pymem_error(NULL), "out of memory");
	assert_null(pymem_problem_at(NULL, 0));
	assert_string_equal(pymem_version(), PYMEM_VERSION);
	for (const struct pymem_command *command; (command = pymem_command_at(count)); count++)
		assert_true(*command->name && *command->summary && command->usage);
	assert_true(count > 10);
	assert_null(pymem_command_at(SIZE_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opening_fails_with_a_reason),
		cmocka_unit_test(test_another_program_is_not_python),
		cmocka_unit_test(test_options_of_another_version),
		cmocka_unit_test(test_files_of_options_are_looked_at),
		cmocka_unit_test(test_what_needs_no_handle),
	};

	return cmocka_run_group_tests_name("command library", tests, NULL, NULL);
}
