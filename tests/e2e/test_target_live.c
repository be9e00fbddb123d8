/* Stopping a live process, reading it and letting it go; why one cannot be looked at. */
#include "support/sleeper.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void test_goes_on_when_we_are_killed(void **state)
{
	struct child child = start_any(sleeper);
	pid_t inspector = fork();

	(void)state;
	if (!inspector) {
		struct target *target;

		if (!target_open_pid(child.pid, NULL, &target))
			pause();
		_exit(1);
	}
	assert_true(child_wait_state(child.pid, "t"));
	kill(inspector, SIGKILL);
	waitpid(inspector, NULL, 0);
	assert_true(child_wait_state(child.pid, "S"));
	child_kill(&child, SIGKILL);
}

static void test_goes_on_after_close(void **state)
{
	struct child child = start_any(sleeper);
	struct target *target;

	(void)state;
	check(target_open_pid(child.pid, NULL, &target));
	assert_int_equal(child_state(child.pid), 't');
	target_close(target);
	assert_true(child_wait_state(child.pid, "S"));
	child_kill(&child, SIGKILL);
}

static void test_stopped_process_stays_stopped(void **state)
{
	struct child child = start_any(sleeper);
	struct target *target;

	(void)state;
	kill(child.pid, SIGSTOP);
	assert_true(child_wait_state(child.pid, "T"));
	check(target_open_pid(child.pid, NULL, &target));
	check(target_release(target));
	assert_true(child_wait_state(child.pid, "T"));
	target_close(target);
	assert_int_equal(child_state(child.pid), 'T');
	kill(child.pid, SIGCONT);
	assert_true(child_wait_state(child.pid, "S"));
	child_kill(&child, SIGKILL);
}

static void test_signals_are_not_lost(void **state)
{
	struct child child =
		start_any("import signal, time\n"
			  "signal.signal(signal.SIGUSR1, lambda *_: print('got', flush=True))\n"
			  "print('ready', flush=True)\n"
			  "for i in range(200): time.sleep(5)\n");
	char line[16];

	(void)state;
	for (int round = 0; round < 50; round++) {
		struct target *target;

		/* Before and while it is stopped: one of the two orders meets every path. */
		if (round % 2)
			kill(child.pid, SIGUSR1);
		check(target_open_pid(child.pid, NULL, &target));
		if (!(round % 2))
			kill(child.pid, SIGUSR1);
		target_close(target);
		assert_true(child_line(&child, line, sizeof(line)));
		assert_string_equal(line, "got");
	}
	child_kill(&child, SIGKILL);
}

static void test_threads_that_come_and_go(void **state)
{
	struct child child =
		start_any("import threading, time\n"
			  "def spawn():\n"
			  "    while True:\n"
			  "        t = [threading.Thread(target=int) for i in range(5)]\n"
			  "        for x in t: x.start()\n"
			  "        for x in t: x.join()\n"
			  "for i in range(4): threading.Thread(target=spawn).start()\n"
			  "print('ready', flush=True)\n");

	(void)state;
	for (int round = 0; round < 30; round++) {
		struct target *target;
		char path[64];
		struct stat status;

		check(target_open_pid(child.pid, NULL, &target));
		assert_true(target->thread_count >= 5);
		for (size_t i = 0; i < target->thread_count; i++)
			assert_int_not_equal(target->threads[i].registers.rip, 0);
		snprintf(path, sizeof(path), "/proc/%d/task", (int)child.pid);
		assert_int_equal(stat(path, &status), 0);
		/* No thread was missed: two links belong to the directory itself. */
		assert_in_range(target->thread_count, 5, status.st_nlink - 2);
		for (size_t i = 0; i < target->thread_count; i++)
			assert_int_equal(child_state(target->threads[i].tid), 't');
		target_close(target);
		assert_int_not_equal(child_state(child.pid), 't');
	}
	child_kill(&child, SIGKILL);
}

static void test_without_stopping(void **state)
{
	struct child child = start_any(sleeper);
	struct target_options options = {.no_stop = true};
	struct target *target;

	(void)state;
	assert_true(child_wait_state(child.pid, "S"));
	check(target_open_pid(child.pid, &options, &target));
	assert_int_equal(child_state(child.pid), 'S');
	assert_int_equal(target->threads[0].registers.rsp, 0);
	check(target_release(target));
	check_python(target);
	child_kill(&child, SIGKILL);
	/* All of it was copied. */
	check_python(target);
	target_close(target);
}

static void test_exits_while_it_is_read(void **state)
{
	struct child child = start_any(sleeper);
	struct target *target;
	struct error *err;

	(void)state;
	check(target_open_pid(child.pid, NULL, &target));
	kill(child.pid, SIGKILL);
	assert_true(child_wait_state(child.pid, "Z"));
	err = target_release(target);
	assert_non_null(err);
	assert_non_null(strstr(err->message, "exited while its memory was read"));
	error_free(err);
	target_close(target);
	child_kill(&child, SIGKILL);
}

static bool stop_now(void *context)
{
	return *(bool *)context;
}

static void test_interrupted(void **state)
{
	struct child child = start_any(sleeper);
	bool stop = false;
	struct progress progress = {.interrupted = stop_now, .context = &stop};
	struct target_options options = {.progress = &progress};
	struct target *target;
	struct error *err;

	(void)state;
	check(target_open_pid(child.pid, &options, &target));
	stop = true;
	err = target_release(target);
	assert_non_null(err);
	assert_int_equal(err->code, ERROR_INTERRUPTED);
	error_free(err);
	assert_true(child_wait_state(child.pid, "S"));
	target_close(target);
	child_kill(&child, SIGKILL);
}

/** Opening fails with a message that holds the text. */
static void assert_refused(pid_t pid, const char *text)
{
	struct target *target = NULL;
	struct error *err = target_open_pid(pid, NULL, &target);

	assert_null(target);
	assert_non_null(err);
	assert_int_equal(err->code, ERROR_GENERAL);
	if (!strstr(err->message, text))
		fail_msg("\"%s\" does not say \"%s\"", err->message, text);
	assert_null(strchr(err->message, '\n'));
	error_free(err);
}

static void say_ready_and_wait(void *context)
{
	(void)context;
	if (write(1, "ready\n", 6) == 6)
		pause();
}

static void trace_and_wait(void *context)
{
	if (!ptrace(PTRACE_SEIZE, *(pid_t *)context, NULL, NULL))
		say_ready_and_wait(NULL);
}

static void test_refused(void **state)
{
	struct child child = child_run(say_ready_and_wait, NULL), tracer;
	struct target_options options = {.no_stop = true};
	struct target *target;
	pid_t zombie = fork();

	(void)state;
	if (!zombie)
		_exit(0);
	assert_true(child_wait_state(zombie, "Z"));
	assert_refused(zombie, "has exited (zombie)");
	waitpid(zombie, NULL, 0);
	assert_refused(zombie, "no such process");
	assert_refused(0, "no such process");
	assert_refused(-1, "no such process");
	assert_refused(getpid(), "cannot look at itself");

	tracer = child_run(trace_and_wait, &child.pid);
	assert_refused(child.pid, "is traced by");
	check(target_open_pid(child.pid, &options, &target));
	target_close(target);
	child_kill(&tracer, SIGKILL);
	check(target_open_pid(child.pid, NULL, &target));
	target_close(target);
	child_kill(&child, SIGKILL);
}

/** Forbids itself process_vm_readv(), as containers do, then reads a process. */
static void read_without_call(void *context)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};
	struct target *target;
	struct error *err;
	struct symbol symbol;
	struct reader reader;
	uint64_t word;
	bool found = false;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(1);
	err = target_open_pid(*(pid_t *)context, NULL, &target);
	if (!err)
		err = target_release(target);
	if (!err) {
		reader_init(&reader, target->image);
		found = modules_symbol(target->modules, "_PyRuntime", &symbol) &&
			reader_u64(&reader, symbol.address + 32, &word);
		target_close(target);
	}
	printf("ready\n%s\n", err ? err->message : found ? "read" : "not read");
	fflush(stdout);
}

static void test_system_call_forbidden(void **state)
{
	struct child child = start_any(sleeper), other = child_run(read_without_call, &child.pid);
	char line[256];

	(void)state;
	assert_true(child_line(&other, line, sizeof(line)));
	assert_string_equal(line, "read");
	child_kill(&other, SIGKILL);
	child_kill(&child, SIGKILL);
}

static void test_first_thread_has_ended(void **state)
{
	struct child child =
		start_any("import ctypes, os, threading, time\n"
			  "def f():\n"
			  "    while 'Z' not in open('/proc/%d/stat' % os.getpid()).read(): "
			  "time.sleep(0.01)\n"
			  "    print('ready', flush=True)\n"
			  "    time.sleep(1000)\n"
			  "threading.Thread(target=f).start()\n"
			  "ctypes.CDLL(None).pthread_exit(None)\n");
	struct target *target;
	struct symbol symbol;
	struct reader reader;
	uint64_t word;

	(void)state;
	check(target_open_pid(child.pid, NULL, &target));
	assert_int_equal(target->thread_count, 1);
	assert_int_not_equal(target->threads[0].tid, child.pid);
	check(target_release(target));
	reader_init(&reader, target->image);
	assert_true(modules_symbol(target->modules, "_PyRuntime", &symbol));
	assert_true(reader_u64(&reader, symbol.address + 32, &word));
	target_close(target);
	kill(child.pid, SIGKILL);
	child_kill(&child, SIGKILL);
}

/** Becomes nobody, then looks at a process of somebody else. */
static void look_as_nobody(void *context)
{
	struct target *target;
	struct error *err;

	if (setgid(65534) || setuid(65534))
		_exit(1);
	err = target_open_pid(*(pid_t *)context, NULL, &target);
	printf("ready\n%s\n", err ? err->message : "opened");
	fflush(stdout);
}

static void test_not_permitted(void **state)
{
	struct child child = child_run(say_ready_and_wait, NULL), other;
	char line[256];

	(void)state;
	if (geteuid()) {
		child_kill(&child, SIGKILL);
		print_message("only root can become somebody else\n");
		skip();
	}
	other = child_run(look_as_nobody, &child.pid);
	assert_true(child_line(&other, line, sizeof(line)));
	assert_non_null(strstr(line, "not permitted"));
	child_kill(&other, SIGKILL);
	child_kill(&child, SIGKILL);
}

static void test_kernel_thread(void **state)
{
	(void)state;
	if (access("/proc/2/status", R_OK) || !access("/proc/2/exe", F_OK)) {
		print_message("process 2 is no kernel thread here\n");
		skip();
	}
	assert_refused(2, "is a kernel thread");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on_when_we_are_killed),
		cmocka_unit_test(test_goes_on_after_close),
		cmocka_unit_test(test_stopped_process_stays_stopped),
		cmocka_unit_test(test_signals_are_not_lost),
		cmocka_unit_test(test_threads_that_come_and_go),
		cmocka_unit_test(test_without_stopping),
		cmocka_unit_test(test_exits_while_it_is_read),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_not_permitted),
		cmocka_unit_test(test_kernel_thread),
		cmocka_unit_test(test_system_call_forbidden),
		cmocka_unit_test(test_first_thread_has_ended),
	};

	return cmocka_run_group_tests(tests, sleeper_setup, sleeper_teardown);
}
