/*
 * Whole command lines that need no Python: statuses, messages, help; each with nothing written to
 * the wrong stream.
 */
#include "command/front_end.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/** What a command line gave. */
struct answer {
	int status;
	char *out, *err;
};

static bool always(void *context)
{
	(void)context;
	return true;
}

/** Runs "a b c"; a NULL debugger means the tool. */
static struct answer run(const struct pymem_debugger *debugger, const char *line, bool interrupted)
{
	char *copy = strdup(line), *rest = copy, *word;
	char program[] = "pycore-inspect";
	char *words[16] = {program};
	int count = 1;
	struct answer answer = {0};
	size_t out_size, err_size;
	struct pymem_io io = {
		.out = open_memstream(&answer.out, &out_size),
		.err = open_memstream(&answer.err, &err_size),
		.interrupted = interrupted ? always : NULL,
	};

	while ((word = strsep(&rest, " ")))
		if (*word)
			words[count++] = word;
	answer.status = debugger ? pymem_run(debugger, count - 1, words + 1, &io)
				 : pymem_main(count, words, &io);
	fclose(io.out);
	fclose(io.err);
	free(copy);
	return answer;
}

static void free_answer(struct answer *answer)
{
	free(answer->out);
	free(answer->err);
}

static void assert_error(const char *line, int status, const char *message)
{
	struct answer answer = run(NULL, line, false);

	if (answer.status != status || !strstr(answer.err, message))
		fail_msg("'%s': status %d, '%s'", line, answer.status, answer.err);
	assert_string_equal(answer.out, "");
	assert_ptr_equal(strchr(answer.err, '\n'), answer.err + strlen(answer.err) - 1);
	free_answer(&answer);
}

static void test_errors_have_a_status_and_one_line(void **state)
{
	(void)state;
	assert_error("", PYMEM_USAGE, "name a core file");
	assert_error("leaks", PYMEM_USAGE, "name a core file");
	assert_error("--jsno core", PYMEM_USAGE, "did you mean --json?");
	assert_error("/nonexistent/core", PYMEM_ERROR, "/nonexistent/core: No such file");
	assert_error("-c /nonexistent/core", PYMEM_ERROR, "/nonexistent/core");
	assert_error("-c /etc/passwd", PYMEM_ERROR, "/etc/passwd");
	assert_error("-c /dev/null", PYMEM_ERROR, "/dev/null");
	assert_error("-c /", PYMEM_ERROR, "/");
	assert_error("-p 2147483647", PYMEM_ERROR, "2147483647");
	assert_error("-p 1 info --ndjson", PYMEM_USAGE, "info has no --ndjson");
	assert_error("-p 1 -o /nonexistent/file", PYMEM_ERROR, "/nonexistent/file");
}

static void test_an_error_after_ctrl_c_is_the_interruption(void **state)
{
	struct answer answer = run(NULL, "/nonexistent/core", true);

	(void)state;
	assert_int_equal(answer.status, PYMEM_INTERRUPTED);
	assert_string_equal(answer.out, "");
	assert_string_equal(answer.err, "");
	free_answer(&answer);
}

/** Waits until a child no longer runs this program. */
static void wait_for_exec(pid_t child)
{
	char link[64], here[4096], there[4096];
	ssize_t here_length = readlink("/proc/self/exe", here, sizeof(here));

	snprintf(link, sizeof(link), "/proc/%ld/exe", (long)child);
	for (;;) {
		ssize_t length = readlink(link, there, sizeof(there));

		assert_true(length > 0);
		if (length != here_length || memcmp(here, there, (size_t)length))
			return;
		usleep(1000);
	}
}

/** A child of this test is no Python, and it goes on afterwards. */
static void test_another_program_is_not_python(void **state)
{
	pid_t child = fork();
	char line[64];
	struct answer answer;
	int status = 0;

	(void)state;
	if (!child) {
		execlp("sleep", "sleep", "100", NULL);
		_exit(127);
	}
	wait_for_exec(child);
	snprintf(line, sizeof(line), "-p %ld", (long)child);
	answer = run(NULL, line, false);
	kill(child, SIGTERM);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	assert_int_equal(answer.status, PYMEM_NOT_PYTHON);
	assert_string_equal(answer.out, "");
	assert_non_null(strstr(answer.err, "not a CPython process"));
	free_answer(&answer);
}

static void test_names_are_cleaned_in_messages(void **state)
{
	struct answer answer = run(NULL, "./\033]0;x\007", false);

	(void)state;
	assert_int_equal(answer.status, PYMEM_ERROR);
	assert_non_null(strstr(answer.err, "]0;x"));
	assert_null(strchr(answer.err, '\033'));
	assert_null(strchr(answer.err, '\007'));
	free_answer(&answer);
}

static void assert_help(const struct pymem_debugger *debugger, const char *line, const char *part)
{
	struct answer answer = run(debugger, line, false);

	assert_int_equal(answer.status, PYMEM_OK);
	assert_string_equal(answer.err, "");
	if (!strstr(answer.out, part))
		fail_msg("'%s' does not show '%s' but:\n%s", line, part, answer.out);
	free_answer(&answer);
}

static bool read_nothing(void *context, uint64_t address, void *buffer, size_t length)
{
	(void)context;
	(void)address;
	(void)buffer;
	(void)length;
	return false;
}

static void test_help_needs_no_target(void **state)
{
	const struct pymem_debugger debugger = {.read = read_nothing};

	(void)state;
	assert_help(NULL, "--help", "--sysroot");
	assert_help(NULL, "--help", "Exit codes");
	assert_help(NULL, "help", "Examples");
	assert_help(NULL, "help cycles", "--ndjson");
	assert_help(NULL, "cycles --help", "[N]");
	assert_help(NULL, "--version", "pycore-inspect " PYMEM_VERSION);
	assert_help(&debugger, "help", "pymem [COMMAND]");
	assert_help(&debugger, "help", "--sysroot=DIR");
	assert_help(&debugger, "help leaks", "pymem leaks");
	for (const struct pymem_command *command = pymem_commands(); command->name; command++) {
		char line[64];

		snprintf(line, sizeof(line), "help %s", command->name);
		assert_help(NULL, line, command->summary);
		assert_help(NULL, "help", command->summary);
	}
}

static void test_a_debugger_without_memory_is_an_error(void **state)
{
	const struct pymem_debugger debugger = {.read = read_nothing};
	struct answer answer = run(&debugger, "leaks", false);

	(void)state;
	assert_true(answer.status == PYMEM_ERROR || answer.status == PYMEM_NOT_PYTHON);
	assert_string_equal(answer.out, "");
	assert_non_null(strstr(answer.err, "pymem: "));
	free_answer(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_have_a_status_and_one_line),
		cmocka_unit_test(test_an_error_after_ctrl_c_is_the_interruption),
		cmocka_unit_test(test_another_program_is_not_python),
		cmocka_unit_test(test_names_are_cleaned_in_messages),
		cmocka_unit_test(test_help_needs_no_target),
		cmocka_unit_test(test_a_debugger_without_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
