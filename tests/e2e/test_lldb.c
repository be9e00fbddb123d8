/*
 * pymem in real LLDBs, on a real Python: the same answers as the tool's, and what LLDB does with
 * them. LLDB starts slowly, so one session serves for much.
 */
#include "support/answer.h"
#include "support/lldb.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct python_process *python;
static char *core, pid[16];

static int start_program(void **state)
{
	(void)state;
	python = gdb_python("sessions.py");
	snprintf(pid, sizeof(pid), "%d", (int)python->pid);
	core = program_gcore(python);
	return core ? 0 : -1;
}

static int stop_program(void **state)
{
	(void)state;
	program_end(python);
	free(core);
	return 0;
}

static void free_text(char **text)
{
	free(*text);
}

// A line of input, or several, with a name in it.
static char *format(const char *text, ...) __attribute__((format(printf, 1, 2)));

static char *format(const char *text, ...)
{
	va_list arguments;
	char *result;

	va_start(arguments, text);
	assert_true(vasprintf(&result, text, arguments) > 0);
	va_end(arguments);
	return result;
}

// Of an answer in text what does not name the front end: from "Leaks" to "Next:".
static char *findings(const char *text)
{
	const char *begin = strstr(text, "\nLeaks\n"), *end = strstr(text, "\nNext:");

	if (!begin || !end)
		fail_msg("no answer: %s", text);
	return strndup(begin, end - begin);
}

// The tool's answers to "leaks" on the same target.
static void assert_findings_of_tool(const char *text, const char *const *arguments)
{
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char *tool __attribute__((cleanup(free_text))) = build_path("pycore-inspect");
	const char *argv[8] = {tool};

	for (size_t i = 0; arguments[i]; i++)
		argv[i + 1] = arguments[i];
	program_run(&output, "", argv);
	char *one __attribute__((cleanup(free_text))) = findings(text);
	char *other __attribute__((cleanup(free_text))) = findings(output.out);
	assert_string_equal(one, other);
}

static char process_state(pid_t process)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)process);
	file = fopen(path, "r");
	if (file) {
		assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
		fclose(file);
	}
	return state;
}

static void live_process(void **state)
{
	const struct gdb *lldb = lldb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char *plugin __attribute__((cleanup(free_text))) = build_path("pymem-lldb.so");
	char *path __attribute__((cleanup(free_text))) = format("%s/my leaks.json", python->folder);
	char *input __attribute__((cleanup(free_text))) =
		format("plugin load %s\nprocess attach -p %s\npymem leaks\npymem leaks --json\n"
		       "pymem leaks --json -o '%s'\ndetach\n",
		       plugin, pid, path);

	lldb_session(&output, lldb, input);
	char *text __attribute__((cleanup(free_text))) = lldb_answer_to(&output, "pymem leaks");
	char *json __attribute__((cleanup(free_text))) =
		lldb_answer_to(&output, "pymem leaks --json");
	char *written __attribute__((cleanup(free_text))) = answer_of_file(path);
	assert_findings_of_tool(text, GDB_ARGUMENTS("-p", pid, "leaks"));
	assert_lacks(output.out, "\033"); // no colours: this is no terminal
	assert_lacks(output.err, "pymem");
	assert_same_answer(strdup(written),
			   answer_of_tool(GDB_ARGUMENTS("-p", pid, "leaks", "--json")));
	unlink(path);
	// What is printed is what is written, and the memory was not read through LLDB.
	assert_contains(json, "\"schema_version\": ");
	assert_contains(json, "Session");
	assert_lacks(json, "slow-memory");
	assert_lacks(json, "registers-unknown");
	assert_non_null(strchr("SR", process_state(python->pid)));
}

static void core_file(void **state)
{
	const struct gdb *lldb = lldb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char *path __attribute__((cleanup(free_text))) = format("%s/core.json", python->folder);
	char *command __attribute__((cleanup(free_text))) =
		format("pymem leaks --json --output %s", path);

	lldb_batch(&output, lldb, GDB_ARGUMENTS("--core", core),
		   GDB_ARGUMENTS(command, "pymem triage", "pymem leaks --nonsense", "version"));
	assert_same_answer(answer_of_file(path),
			   answer_of_tool(GDB_ARGUMENTS(core, "leaks", "--json")));
	unlink(path);
	assert_findings_of_tool(output.out, GDB_ARGUMENTS(core, "triage"));
	// A command that fails ends the batch.
	assert_contains(output.err, "error: pymem: no option --nonsense");
	assert_contains(output.err, "pymem: exit status 2");
	assert_lacks(output.out, "(lldb) version");
	assert_int_equal(output.status, 1);
}

static void help_and_errors(void **state)
{
	const struct gdb *lldb = lldb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};

	lldb_session(&output, lldb,
		     "help pymem\nhelp pymem cycles\npymem help cycles\npymem leaks\n"
		     "target create /bin/true\nprocess launch -s\npymem info\nprocess kill\n");
	char *all __attribute__((cleanup(free_text))) = lldb_answer_to(&output, "help pymem");
	char *one __attribute__((cleanup(free_text))) =
		lldb_answer_to(&output, "help pymem cycles");
	char *own __attribute__((cleanup(free_text))) =
		lldb_answer_to(&output, "pymem help cycles");
	assert_contains(all, "leaks");
	assert_contains(all, "pymem triage");
	assert_contains(one, "[N] [--limit N]");
	assert_contains(own, "Usage: pymem cycles");
	assert_contains(output.err, "error: pymem: no process and no core file");
	assert_contains(output.err, "pymem: exit status 1");
	assert_contains(output.err, "pymem: exit status 3");
}

// What a terminal shows once the second text stands behind the first, or after some time.
static char *terminal_text(int terminal, const char *first, const char *second)
{
	enum { SECONDS = 30 };
	static char text[16384];
	struct pollfd poller = {.fd = terminal, .events = POLLIN};
	time_t end = time(NULL) + SECONDS;
	size_t size = 0;

	text[0] = 0;
	while (time(NULL) < end) {
		const char *found = strstr(text, first);
		ssize_t length = 0;

		if (found && strstr(found, second))
			break;
		if (poll(&poller, 1, 1000) > 0)
			length = read(terminal, text + size, sizeof(text) - size - 1);
		if (length < 0)
			break;
		size += (size_t)length;
		text[size] = 0;
	}
	return text;
}

static void completes_names(void **state)
{
	const struct gdb *lldb = lldb_of(state);
	char *plugin __attribute__((cleanup(free_text))) = build_path("pymem-lldb.so");
	char *load __attribute__((cleanup(free_text))) = format("plugin load %s", plugin);
	struct winsize size = {.ws_row = 50, .ws_col = 120};
	int terminal, status;
	pid_t child = forkpty(&terminal, NULL, NULL, &size);

	assert_true(child >= 0);
	if (!child) {
		// A terminal on which LLDB draws nothing but text.
		setenv("TERM", "dumb", 1);
		execl(lldb->path, "lldb", "--no-lldbinit", "-o", load, (char *)NULL);
		_exit(127);
	}
	// The prompt behind the command that loads the plugin.
	terminal_text(terminal, "pymem-lldb.so\r\n", "(lldb) ");
	assert_int_equal(write(terminal, "pymem cyc\t --limit 1\n", 21), 21);
	char *shown = terminal_text(terminal, "exit status 1", "");
	bool completed = strstr(shown, "les ") && strstr(shown, "no process and no core file");
	if (!completed)
		print_error("%s\n", shown);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	close(terminal);
	assert_true(completed);
}

// For the `cleanup` attribute.
static void end_python(struct python_process **process)
{
	program_end(*process);
}

// A heap that takes long enough to be interrupted.
static void ctrl_c_ends_the_command_only(void **state)
{
	const struct gdb *lldb = lldb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	struct python_process *large __attribute__((cleanup(end_python))) =
		gdb_python("sessions.py 1000000");
	char *input __attribute__((cleanup(free_text))) = format(
		"process attach -p %d\npymem leaks\npymem help info\ndetach\n", (int)large->pid);
	struct gdb_run run;

	lldb_start(&run, lldb, input);
	assert_true(gdb_wait_for(&run, "pymem leaks\n"));
	usleep(300000);
	kill(run.pid, SIGINT);
	gdb_finish(&run, &output);
	char *text __attribute__((cleanup(free_text))) = lldb_answer_to(&output, "pymem leaks");
	// LLDB itself says this; the command's own message is shown by newer versions only.
	assert_contains(output.err, "... Interrupted.");
	assert_lacks(text, "Session");
	assert_contains(output.out, "Usage: pymem info");
	assert_int_equal(output.status, 0);
	assert_non_null(strchr("SR", process_state(large->pid)));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(live_process),
		cmocka_unit_test(core_file),
		cmocka_unit_test(help_and_errors),
		cmocka_unit_test(completes_names),
		cmocka_unit_test(ctrl_c_ends_the_command_only),
	};

	return lldb_run_tests("lldb", tests, sizeof(tests) / sizeof(tests[0]), start_program,
			      stop_program);
}
