/*
 * Python in a container: namespaces of its own for processes, mounts and perhaps users. The answer
 * is complete, from outside, from a core, and from the kernel's handler of cores.
 */
#include "support/answer.h"
#include "support/container.h"
#include "support/inspection.h"
#include "support/run.h"

#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define AUTO_RUN       struct run __attribute__((cleanup(run_clear)))
#define AUTO_CONTAINER struct container *__attribute__((cleanup(end_container)))

enum { PATH_SIZE = 1024, LEAKED = 2000, GCORE_SECONDS = 60, INNER_MAX = 20 };

static struct interpreter_choice *pythons;
static const struct interpreter_choice *python; /* one with a root of its own */

static void end_container(struct container **container)
{
	container_end(*container);
}

static struct container *start(bool user)
{
	const char *why;
	struct container *container =
		python && !geteuid() ? container_start(python, "sessions.py", user, &why) : NULL;

	if (!container) {
		print_message("%s\n", python && !geteuid() ? why : "not root, or no interpreter");
		skip();
	}
	return container;
}

static json_t *parse(const struct run *run)
{
	if (run->status != 0)
		fail_msg("exit code %d: %s", run->status, run->err);
	return inspect_parse(run->out);
}

static const char *pid_text(const struct container *container)
{
	static char text[16];

	snprintf(text, sizeof(text), "%d", (int)container->pid);
	return text;
}

/* All that leaks is found, and nothing is missing. */
static void check_leak(json_t *answer)
{
	json_int_t objects = 0;
	int complete = 0;

	assert_int_equal(json_unpack(answer, "{s:{s:I}, s:{s:b}}", "result", "objects", &objects,
				     "coverage", "complete", &complete),
			 0);
	assert_int_equal(objects, LEAKED);
	assert_true(complete);
}

static json_int_t target_number(json_t *answer, const char *name)
{
	return json_integer_value(json_object_get(json_object_get(answer, "target"), name));
}

/* From outside: the pid is ours, the inner one is told. */
static void check_live(bool user)
{
	AUTO_CONTAINER container = start(user);
	AUTO_RUN cycles = {0}, threads = {0};
	json_t *answer;

	run_tool(&cycles, RUN_ARGUMENTS("-p", pid_text(container), "cycles", "--json"));
	answer = parse(&cycles);
	check_leak(answer);
	assert_int_equal(target_number(answer, "pid"), container->pid);
	assert_true(target_number(answer, "inner_pid") > 1);
	assert_true(target_number(answer, "inner_pid") < INNER_MAX);
	json_decref(answer);
	run_tool(&threads, RUN_ARGUMENTS("-p", pid_text(container), "threads"));
	assert_int_equal(threads.status, 0);
	assert_contains(threads.out, "in its container)");
	assert_contains(threads.out, "sessions.py");
}

static void test_live(void **state)
{
	(void)state;
	check_live(false);
}

static void test_live_in_user_namespace(void **state)
{
	(void)state;
	check_live(true);
}

/* The path of the core in the shared folder; empty: there is none. */
static void find_core(const struct container *container, char core[PATH_SIZE])
{
	char pattern[PATH_SIZE];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/core*", container->shared);
	core[0] = '\0';
	if (!glob(pattern, 0, NULL, &found))
		snprintf(core, PATH_SIZE, "%s", found.gl_pathv[0]);
	globfree(&found);
}

static void wait_for_end(pid_t pid)
{
	for (int i = 0; i < 1000 && !kill(pid, 0); i++)
		usleep(10000);
}

/* A core of the kernel names files and pids as the process saw them. */
static void test_core_with_sysroot(void **state)
{
	AUTO_CONTAINER container = start(false);
	AUTO_RUN lost = {0}, found = {0};
	char core[PATH_SIZE];
	json_t *answer;

	(void)state;
	kill(container->pid, SIGABRT);
	wait_for_end(container->pid);
	find_core(container, core);
	if (!core[0]) {
		print_message("the kernel of this machine puts cores elsewhere\n");
		skip();
	}
	run_tool(&lost, RUN_ARGUMENTS(core, "cycles"));
	assert_int_equal(lost.status, 4);
	assert_contains(lost.out, "more files; --sysroot=DIR says where they are");
	run_tool(&found, RUN_ARGUMENTS(core, "--sysroot", "/proc", "cycles", "--json"));
	assert_int_equal(found.status, 4);
	run_clear(&found);
	run_tool(&found, RUN_ARGUMENTS(core, "--sysroot", container->root, "cycles", "--json"));
	answer = parse(&found);
	check_leak(answer);
	assert_true(target_number(answer, "pid") < INNER_MAX);
	json_decref(answer);
}

/* In the child: what the kernel starts has a core as its input and nothing else. */
static void become_handler(int core, const char *const *arguments)
{
	static char *const nothing[] = {NULL};
	const char *tool = realpath(run_tool_path(), NULL);
	const char *argv[16] = {tool};

	for (size_t i = 0; arguments[i] && i < 14; i++)
		argv[i + 1] = arguments[i];
	dup2(core, STDIN_FILENO);
	for (int fd = 1; fd < 64; fd++)
		close(fd);
	if (tool && chdir("/") == 0)
		execve(tool, (char *const *)argv, nothing);
	_exit(127);
}

/* Writes a file into a pipe. */
static void feed(int pipe, const char *path)
{
	char buffer[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	assert_true(fd >= 0);
	while ((length = read(fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t done = 0, part; done < length; done += part) {
			part = write(pipe, buffer + done, (size_t)(length - done));
			assert_true(part > 0);
		}
	close(fd);
}

/*
 * Runs the tool as the kernel does with core_pipe_limit 0: the process is gone as soon as its core
 * was read. @return exit code
 */
static int handle(struct container *container, const char *core, const char *const *arguments)
{
	int ends[2], status;
	pid_t tool;

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	tool = fork();
	assert_true(tool >= 0);
	if (!tool)
		become_handler(ends[0], arguments);
	close(ends[0]);
	feed(ends[1], core);
	kill(container->pid, SIGKILL);
	wait_for_end(container->pid);
	close(ends[1]);
	assert_int_equal(waitpid(tool, &status, 0), tool);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static char *take_core(const struct container *container)
{
	char *prefix, *core;
	AUTO_RUN gcore = {0};

	assert_true(asprintf(&prefix, "%s/gcore", container->shared) > 0);
	run_start(&gcore, NULL, RUN_ARGUMENTS("gcore", "-o", prefix, pid_text(container)));
	assert_true(run_finish(&gcore, GCORE_SECONDS));
	assert_true(asprintf(&core, "%s.%d", prefix, (int)container->pid) > 0);
	free(prefix);
	return core;
}

static void assert_mode(const char *path)
{
	struct stat status;

	if (lstat(path, &status))
		fail_msg("%s is not there", path);
	assert_true(S_ISREG(status.st_mode));
	assert_int_equal(status.st_mode & 0777, 0600);
}

static bool same_content(const char *left, const char *right)
{
	AUTO_RUN run = {0};

	run_program(&run, RUN_ARGUMENTS("cmp", "-s", left, right));
	return run.status == 0;
}

static void test_handler(void **state)
{
	AUTO_CONTAINER container = start(false);
	char *core = take_core(container), option[64];
	char answer_path[PATH_SIZE], keep[2 * PATH_SIZE], kept[PATH_SIZE];
	char *text;
	json_t *answer;

	(void)state;
	snprintf(option, sizeof(option), "--handle-core=%d", (int)container->pid);
	snprintf(answer_path, sizeof(answer_path), "%s/answer", container->shared);
	snprintf(kept, sizeof(kept), "%s/kept", container->shared);
	snprintf(keep, sizeof(keep), "--keep-core=%s", kept);
	// What others have put there is replaced, not followed.
	assert_int_equal(symlink("elsewhere", answer_path), 0);
	assert_int_equal(symlink("elsewhere", kept), 0);
	assert_int_equal(handle(container, core,
				RUN_ARGUMENTS(option, "cycles", "--json", "-o", answer_path, keep)),
			 0);
	assert_mode(answer_path);
	assert_mode(kept);
	assert_true(same_content(core, kept));
	text = answer_of_file(answer_path);
	answer = inspect_parse(text);
	check_leak(answer);
	free(text);
	json_decref(answer);
	free(core);
}

/* The core is kept also when nothing can be said of it, or no answer be written. */
static void test_handler_keeps_core(void **state)
{
	AUTO_CONTAINER container = start(false);
	char *core = take_core(container), option[64];
	char keep[2 * PATH_SIZE], kept[PATH_SIZE], part[PATH_SIZE];
	AUTO_RUN cut = {0};

	(void)state;
	snprintf(option, sizeof(option), "--handle-core=%d", (int)container->pid);
	snprintf(kept, sizeof(kept), "%s/kept", container->shared);
	snprintf(keep, sizeof(keep), "--keep-core=%s", kept);
	assert_int_equal(handle(container, core,
				RUN_ARGUMENTS(option, "-o", "/no/such/folder/answer", keep)),
			 1);
	assert_mode(kept);
	assert_true(same_content(core, kept));
	unlink(kept);
	assert_int_equal(handle(container, core, RUN_ARGUMENTS(option, "--time-limit=1ms", keep)),
			 1);
	assert_true(same_content(core, kept));
	unlink(kept);
	snprintf(part, sizeof(part), "%s/part", container->shared);
	run_program(&cut, RUN_ARGUMENTS("cp", core, part));
	assert_int_equal(truncate(part, 10000), 0);
	assert_int_not_equal(handle(container, part, RUN_ARGUMENTS(option, keep)), 0);
	assert_true(same_content(part, kept));
	free(core);
}

static int setup(void **state)
{
	size_t count;

	(void)state;
	pythons = interpreters_all(&count);
	for (size_t i = 0; i < count && !python; i++)
		if (strcmp(pythons[i].root, "/") != 0 && !strncmp(pythons[i].version, "3.13", 4))
			python = &pythons[i];
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_live_in_user_namespace),
		cmocka_unit_test(test_core_with_sysroot),
		cmocka_unit_test(test_handler),
		cmocka_unit_test(test_handler_keeps_core),
	};

	return cmocka_run_group_tests_name("containers", tests, setup, NULL);
}
