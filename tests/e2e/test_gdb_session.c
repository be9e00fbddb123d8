/*
 * pymem as a guest in a GDB session: what the user has set up stays as it was, words arrive as they
 * were typed, and what cannot work is refused.
 */
#include "support/answer.h"
#include "support/child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <linux/capability.h>

enum { CHANNEL_FD = 1000 }; // of plugin/gdb/channel.h

static struct python_process *python;
static char pid[16];

static int start_program(void **state)
{
	(void)state;
	python = gdb_python("sessions.py");
	snprintf(pid, sizeof(pid), "%d", (int)python->pid);
	return 0;
}

static int stop_program(void **state)
{
	(void)state;
	program_end(python);
	return 0;
}

// "BEFORE", and the name of a file in the folder of the program; freed by the caller.
static char *in_folder(const char *before, const char *name)
{
	char *text;

	assert_true(asprintf(&text, "%s%s/%s", before, python->folder, name) > 0);
	return text;
}

static void free_text(char **text)
{
	free(*text);
}

// For the `cleanup` attribute.
static void end_python(struct python_process **process)
{
	program_end(*process);
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		count++;
	return count;
}

static void keeps_thread_and_frame(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};

	gdb_batch(&output, gdb,
		  GDB_ARGUMENTS("-p", pid, "-ex", "thread 2", "-ex", "frame 2", "-ex",
				"echo before\\n", "-ex", "print $sp", "-ex", "pymem leaks", "-ex",
				"echo after\\n", "-ex", "print $sp", "-ex", "frame", "-ex",
				"print $_thread"));
	char *before = strstr(output.out, "before\n"), *after = strstr(output.out, "after\n");
	unsigned long sp_before, sp_after;

	assert_non_null(before);
	assert_non_null(after);
	assert_int_equal(sscanf(before, "before\n$1 = (void *) %lx", &sp_before), 1);
	assert_int_equal(sscanf(after, "after\n$2 = (void *) %lx", &sp_after), 1);
	assert_int_equal(sp_before, sp_after);
	assert_contains(after, "\n#2 ");
	assert_contains(after, "\n$3 = 2\n"); // and nothing went into the value history
}

static void works_in_every_language(void **state)
{
	static const char *const languages[] = {
		"ada",	 "asm",	    "auto",	"c",	       "c++",	 "d",	   "fortran", "go",
		"local", "minimal", "modula-2", "objective-c", "opencl", "pascal", "rust",
	};
	enum { LANGUAGES = sizeof(languages) / sizeof(languages[0]) };
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	const char *arguments[2 + 6 * LANGUAGES + 1] = {"-p", pid};
	char set[LANGUAGES][64];
	size_t count = 2;

	for (size_t i = 0; i < LANGUAGES; i++) {
		snprintf(set[i], sizeof(set[i]), "set language %s", languages[i]);
		arguments[count++] = "-ex";
		arguments[count++] = set[i];
		arguments[count++] = "-ex";
		arguments[count++] = "pymem leaks --limit 3";
		arguments[count++] = "-ex";
		arguments[count++] = "show language";
	}
	gdb_batch(&output, gdb, arguments);
	assert_null(strstr(output.err, "pymem"));
	assert_int_equal(count_of(output.out, "Unreachable cycles"), LANGUAGES);
	assert_int_equal(count_of(output.out, "The current source language is"), LANGUAGES);
	for (size_t i = 0; i < LANGUAGES; i++) {
		char expected[64];

		if (strcmp(languages[i], "local") == 0)
			continue; // another name of auto
		snprintf(expected, sizeof(expected), "language is \"%s", languages[i]);
		assert_contains(output.out, expected);
	}
}

static void passes_words_as_typed(void **state)
{
	static const struct {
		const char *typed, *word;
	} names[] = {
		{"plain", "plain"},
		{"'two words'", "two words"},
		{"\"it's\"", "it's"},
		{"it\\'s\\ \\\"so\\\"", "it's \"so\""},
		{"'back\\\\slash'", "back\\slash"},
		{"%d%s$argc$pc`id`$(id)", "%d%s$argc$pc`id`$(id)"},
		{"h\xc3\xa9\xe2\x82\xac\xff", "h\xc3\xa9\xe2\x82\xac\xff"},
		{"a;b|c>d&e#f", "a;b|c>d&e#f"},
		{"'tab\tend '", "tab\tend "},
	};
	enum { NAMES = sizeof(names) / sizeof(names[0]) };
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	const char *arguments[2 + 2 * NAMES + 1] = {"-p", pid};
	char *commands[NAMES];

	for (size_t i = 0; i < NAMES; i++) {
		commands[i] = in_folder("pymem info --output ", names[i].typed);
		arguments[2 + 2 * i] = "-ex";
		arguments[3 + 2 * i] = commands[i];
	}
	gdb_batch(&output, gdb, arguments);
	for (size_t i = 0; i < NAMES; i++) {
		char *path __attribute__((cleanup(free_text))) = in_folder("", names[i].word);

		free(commands[i]);
		if (access(path, R_OK) < 0)
			fail_msg("no file \"%s\"\n%s%s", path, output.out, output.err);
		unlink(path);
	}
}

static void says_that_there_is_no_process(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};

	gdb_batch(&output, gdb, GDB_ARGUMENTS("-ex", "pymem leaks", "-ex", "print $pymem_status"));
	assert_contains(output.out, "pymem: no process and no core file");
	assert_contains(output.out, "= 1");
}

static void finds_the_next_target(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char attach[32];

	snprintf(attach, sizeof(attach), "attach %s", pid);
	gdb_batch(&output, gdb,
		  GDB_ARGUMENTS("-ex", "starti", "-ex", "pymem info", "-ex", "print $pymem_status",
				"-ex", "kill", "-ex", "pymem info", "-ex", "print $pymem_status",
				"-ex", "file", "-ex", attach, "-ex", "pymem info", "-ex",
				"print $pymem_status", "/bin/true"));
	assert_contains(output.out, "$1 = 3\n");
	assert_contains(output.out, "$2 = 1\n");
	assert_contains(output.out, "$3 = 0\n");
}

static void works_after_the_plugin_was_unloaded(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};

	gdb_batch(&output, gdb,
		  GDB_ARGUMENTS("-p", pid, "-ex", "pymem info", "-ex", "jit-reader-unload", "-ex",
				"pymem leaks", "-ex", "print $pymem_status"));
	assert_contains(output.out, "Session");
	assert_contains(output.out, "$1 = 0\n");
	assert_null(strstr(output.err, "pymem"));
}

static void leaves_another_jit_reader_alone(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char *plugin = build_path("pymem-gdb.so"), command[1024];

	// Loaded by its user, the plugin itself will do for another one.
	snprintf(command, sizeof(command), "jit-reader-load %s", plugin);
	free(plugin);
	gdb_batch(&output, gdb, GDB_ARGUMENTS("-p", pid, "-ex", command, "-ex", "pymem info"));
	assert_contains(output.err, "JIT reader already loaded.  Run jit-reader-unload first.");
}

static void refuses_a_descriptor_that_is_taken(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	char *path __attribute__((cleanup(free_text))) = in_folder("", "taken"), text[8] = "";
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, "mine", 4), 4);
	assert_int_equal(dup2(fd, CHANNEL_FD), CHANNEL_FD);
	gdb_batch(&output, gdb,
		  GDB_ARGUMENTS("-p", pid, "-ex", "pymem info", "-ex", "print $pymem_status"));
	close(CHANNEL_FD);
	assert_contains(output.err, "descriptor 1000");
	assert_contains(output.err, path);
	assert_contains(output.out, "$1 = 1\n");
	assert_int_equal(pread(fd, text, sizeof(text), 0), 4);
	assert_string_equal(text, "mine");
	close(fd);
	unlink(path);
}

static void lives_with_a_low_soft_limit(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	struct rlimit saved, low;

	getrlimit(RLIMIT_NOFILE, &saved);
	low = saved;
	low.rlim_cur = 256;
	setrlimit(RLIMIT_NOFILE, &low);
	gdb_batch(
		&output, gdb,
		GDB_ARGUMENTS("-p", pid, "-ex", "pymem leaks", "-ex", "shell ulimit -n; echo end"));
	setrlimit(RLIMIT_NOFILE, &saved);
	assert_contains(output.out, "Session");
	assert_contains(output.out, "256\nend"); // and it is as low as before
}

static void told_apart_from_its_fork(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	struct python_process *parent __attribute__((cleanup(end_python))) = gdb_python("forks.py");
	char *path __attribute__((cleanup(free_text))), parent_pid[16], attach[32];
	int child = 0;
	FILE *file;

	assert_true(asprintf(&path, "%s/child", parent->folder) > 0);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &child), 1);
	fclose(file);
	snprintf(parent_pid, sizeof(parent_pid), "%d", (int)parent->pid);
	snprintf(attach, sizeof(attach), "attach %d", child);
	gdb_batch(&output, gdb,
		  GDB_ARGUMENTS("-p", parent_pid, "-ex", "add-inferior", "-ex", "inferior 2", "-ex",
				attach, "-ex", "echo child:\\n", "-ex", "pymem leaks", "-ex",
				"inferior 1", "-ex", "echo parent:\\n", "-ex", "pymem leaks"));
	kill(child, SIGKILL);
	char *of_child = strstr(output.out, "child:\n"), *of_parent;
	assert_non_null(of_child);
	of_parent = strstr(of_child, "parent:\n");
	assert_non_null(of_parent);
	assert_null(strstr(of_parent, "OnlyInTheChild"));
	*of_parent = 0;
	assert_contains(of_child, "OnlyInTheChild");
}

// A heap that takes long enough to be interrupted.
static void ctrl_c_ends_the_command_only(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	struct python_process *large __attribute__((cleanup(end_python))) =
		gdb_python("sessions.py 1000000");
	char large_pid[16];
	struct gdb_run run;

	snprintf(large_pid, sizeof(large_pid), "%d", (int)large->pid);
	gdb_start(&run, gdb,
		  GDB_ARGUMENTS("-p", large_pid, "-ex", "pymem info", "-ex", "echo started\\n",
				"-ex", "pymem leaks", "-ex", "print $pymem_status", "-ex",
				"pymem help", "-ex", "print $pymem_status"));
	assert_true(gdb_wait_for(&run, "started"));
	usleep(200000);
	kill(run.pid, SIGINT);
	gdb_finish(&run, &output);
	assert_contains(output.out, "pymem: interrupted");
	assert_contains(output.out, "$1 = 130\n");
	assert_contains(output.out, "Usage: pymem");
	assert_contains(output.out, "$2 = 0\n");
}

// gdbserver is what traces the process: GDB's child may be a shell that only waits for it.
static void kill_tracer(pid_t pid)
{
	pid_t tracer = child_tracer(pid);

	assert_true(tracer > 0);
	assert_int_equal(kill(tracer, SIGKILL), 0);
	for (int i = 0; child_tracer(pid); i++) {
		if (i == 1000)
			fail_msg("%d still traces %d", (int)child_tracer(pid), (int)pid);
		usleep(10000);
	}
}

// GDB throws an exception in the middle of a read; the library must come to its end all the same.
static void survives_a_lost_target(void **state)
{
	const struct gdb *gdb = gdb_of(state);
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	// Large enough not to be read before it is lost: gdbserver gives about a MiB a second.
	struct python_process *large __attribute__((cleanup(end_python))) =
		gdb_python("sessions.py 100000");
	struct gdb_run run;
	char connect[128];

	if (access("/usr/bin/gdbserver", X_OK) < 0) {
		printf("no gdbserver here: scripts/deps test installs it\n");
		skip();
	}
	snprintf(connect, sizeof(connect), "target remote | gdbserver --once --attach - %d",
		 (int)large->pid);
	gdb_start(&run, gdb,
		  GDB_ARGUMENTS("-iex", "set sysroot /", "-iex", "set remotetimeout 60", "-ex",
				connect, "-ex", "pymem help", "-ex", "echo started\\n", "-ex",
				"pymem leaks", "-ex", "print $pymem_status", "-ex", "pymem leaks",
				"-ex", "echo still here\\n"));
	assert_true(gdb_wait_for(&run, "started"));
	usleep(300000);
	kill_tracer(large->pid);
	gdb_finish(&run, &output);
	assert_lacks(output.out, "Session");
	assert_contains(output.out, "$1 = 1\n");
	assert_contains(output.out, "pymem: no process and no core file");
	assert_contains(output.out, "still here");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_thread_and_frame),
		cmocka_unit_test(works_in_every_language),
		cmocka_unit_test(passes_words_as_typed),
		cmocka_unit_test(says_that_there_is_no_process),
		cmocka_unit_test(finds_the_next_target),
		cmocka_unit_test(works_after_the_plugin_was_unloaded),
		cmocka_unit_test(leaves_another_jit_reader_alone),
		cmocka_unit_test(refuses_a_descriptor_that_is_taken),
		cmocka_unit_test(lives_with_a_low_soft_limit),
		cmocka_unit_test(told_apart_from_its_fork),
		cmocka_unit_test(ctrl_c_ends_the_command_only),
		cmocka_unit_test(survives_a_lost_target),
	};

	return gdb_run_tests("gdb session", tests, sizeof(tests) / sizeof(tests[0]), start_program,
			     stop_program);
}
