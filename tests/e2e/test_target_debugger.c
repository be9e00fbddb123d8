/* What a debugger has: a process, a core, or nothing but its own way to memory. */
#include "support/sleeper.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/** The memory of a debugger: a process behind process_vm_readv(). */
static bool read_process(void *context, uint64_t address, void *buffer, size_t length)
{
	struct iovec local = {buffer, length}, remote = {(void *)address, length};

	return process_vm_readv(*(pid_t *)context, &local, 1, &remote, 1, 0) == (ssize_t)length;
}

static void test_debugger(void **state)
{
	struct child child = start_any(sleeper), other = start_any(sleeper);
	struct target_callbacks callbacks = {.read = read_process, .context = &child.pid};
	struct symbol runtime;
	struct target *target;
	struct reader reader;
	uint64_t expected, word;

	(void)state;
	assert_true(child_wait_state(child.pid, "S") && child_wait_state(other.pid, "S"));
	check(target_open_pid(child.pid, NULL, &target));
	callbacks.stack_pointer = target->threads[0].registers.rsp;
	assert_true(modules_symbol(target->modules, "_PyRuntime", &runtime));
	reader_init(&reader, target->image);
	assert_true(reader_u64(&reader, runtime.address + 8, &expected));
	target_close(target);
	assert_true(child_wait_state(child.pid, "S")); // it goes on, and sleeps again

	/* The right process; nothing is stopped, nothing is let go. */
	callbacks.pid = child.pid;
	check(target_open_debugger(&callbacks, NULL, &target));
	assert_int_equal(target->kind, TARGET_DEBUGGER);
	assert_int_equal(target->pid, child.pid);
	assert_int_equal(target->threads[0].registers.rsp, 0);
	assert_int_equal(child_state(child.pid), 'S');
	check(target_release(target));
	check_python(target);
	target_close(target);

	/* The registers of a thread that we trace ourselves. */
	assert_int_equal(ptrace(PTRACE_SEIZE, child.pid, NULL, NULL), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, child.pid, NULL, NULL), 0);
	waitpid(child.pid, NULL, 0);
	check(target_open_debugger(&callbacks, NULL, &target));
	assert_int_equal(target->pid, child.pid);
	assert_true(target->threads[0].registers.rsp == callbacks.stack_pointer);
	assert_int_equal(target->threads[1].registers.rsp, 0);
	target_close(target);
	assert_int_equal(child_state(child.pid), 't');
	ptrace(PTRACE_DETACH, child.pid, NULL, NULL);

	/* Another one, that is not believed: all comes through the callback. */
	callbacks.pid = other.pid;
	check(target_open_debugger(&callbacks, NULL, &target));
	assert_int_equal(target->pid, 0);
	assert_false(image_is_concurrent(target->image));
	assert_int_equal(target->modules->count, 0);
	reader_init(&reader, target->image);
	assert_true(reader_u64(&reader, runtime.address + 8, &word));
	assert_true(word == expected);
	assert_false(reader_u64(&reader, 0x123456789000, &word));
	target_close(target);

	/* A stack pointer that shows nothing proves nothing. */
	callbacks.pid = child.pid;
	callbacks.stack_pointer = 0;
	check(target_open_debugger(&callbacks, NULL, &target));
	assert_int_equal(target->pid, 0);
	target_close(target);
	child_kill(&other, SIGKILL);

	child_kill(&child, SIGKILL);
}

/** The memory of a debugger that has a core. */
static bool read_core(void *context, uint64_t address, void *buffer, size_t length)
{
	return reader_copy(context, address, buffer, length) == length;
}

static void test_debugger_with_core(void **state)
{
	struct child child = start_any(sleeper);
	struct target *core, *target;
	struct reader reader;
	struct target_callbacks callbacks = {.read = read_core, .context = &reader};
	char path[1024];

	(void)state;
	if (!gdb_core(&child, path, sizeof(path))) {
		child_kill(&child, SIGKILL);
		print_message("no gcore\n");
		skip();
	}
	child_kill(&child, SIGKILL);
	check(target_open_core(path, NULL, &core));
	reader_init(&reader, core->image);
	callbacks.stack_pointer = core->threads[0].registers.rsp;
	callbacks.core = path;
	check(target_open_debugger(&callbacks, NULL, &target));
	assert_int_equal(target->kind, TARGET_DEBUGGER);
	assert_int_equal(target->pid, child.pid);
	check_python(target);
	target_close(target);

	callbacks.core = "/nowhere/core";
	check(target_open_debugger(&callbacks, NULL, &target));
	assert_int_equal(target->pid, 0);
	assert_int_equal(target->coverage.count, 2);
	assert_string_equal(target->coverage.problems[1].detail,
			    "/nowhere/core: No such file or directory");
	assert_true(coverage_complete(&target->coverage));
	target_close(target);
	target_close(core);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_debugger),
		cmocka_unit_test(test_debugger_with_core),
	};

	return cmocka_run_group_tests(tests, sleeper_setup, sleeper_teardown);
}
