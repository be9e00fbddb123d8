/* Real processes: stopping them and letting them go, what their cores hold, a debugger's view. */
#include "support/child.h"
#include "support/temporary.h"
#include "target/target.h"

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
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/** Pages that change while a process of four threads sleeps: select() counts its timeout down on
 * each stack, and the kernel writes beside each thread's TLS on which processor it runs (rseq). */
enum { CHANGED_PAGES = 12 };

static const char sleeper[] =
	"import json, ctypes, threading, time\n"
	"for i in range(3):\n"
	"    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n"
	"text = ['x%d' % i for i in range(100000)]\n"
	"print('ready', flush=True)\n"
	"time.sleep(1000)\n";

static struct interpreter_file *interpreters;
static size_t interpreter_count;

static void check(struct error *err)
{
	if (err)
		fail_msg("%s", err->message);
}

/** Any interpreter, for tests that are not about Python. */
static struct child start_any(const char *program)
{
	if (!interpreter_count) {
		print_message("no Python interpreter is on this machine\n");
		skip();
	}
	return child_start(&interpreters[0], program, temporary_path(""));
}

/** Is there a Python here, and can its parts be read? */
static void check_python(struct target *target)
{
	struct symbol runtime, list, code;
	struct reader reader;
	uint64_t name;
	uint8_t byte;
	char text[16];

	for (size_t i = 0; i < target->coverage.count; i++)
		fail_msg("%s: %s", target->name, target->coverage.problems[i].detail);
	reader_init(&reader, target->image);
	assert_true(modules_symbol(target->modules, "_PyRuntime", &runtime));
	assert_true(runtime.size > 600);
	assert_true(reader_u8(&reader, runtime.address, &byte));
	assert_int_equal(runtime.module->status, MODULE_FILE_MATCHES);
	/* The name of a static type is a constant, which a core omits. */
	assert_true(modules_symbol(target->modules, "PyList_Type", &list));
	assert_true(reader_u64(&reader, list.address + 24, &name));
	assert_true(reader_string(&reader, name, text, sizeof(text)));
	assert_string_equal(text, "list");
	assert_true(modules_symbol(target->modules, "PyList_New", &code));
	assert_true(reader_u8(&reader, code.address, &byte));
	/* Unchanged code comes from the file; gcore dumps it if it does not find the file. */
	assert_int_not_equal(image_segment(target->image, code.address)->source, SEGMENT_LIVE);
	assert_true(modules_symbol_at(target->modules, list.address + 8, &code));
	assert_string_equal(code.name, "PyList_Type");
	assert_int_equal(target->thread_count, 4);
}

/** How many pages of the writable segments differ. */
static size_t compare_memory(struct target *left, struct target *right)
{
	struct reader readers[2];
	size_t differ = 0;

	reader_init(&readers[0], left->image);
	reader_init(&readers[1], right->image);
	for (size_t i = 0; i < left->image->segment_count; i++) {
		const struct segment *segment = &left->image->segments[i];

		if (!(segment->flags & 2))
			continue;
		for (uint64_t page = segment->start; page < segment->end; page += 4096) {
			const void *a = reader_at(&readers[0], page, 4096);
			const void *b = reader_at(&readers[1], page, 4096);

			if (a && (!b || memcmp(a, b, 4096)))
				differ++;
		}
	}
	return differ;
}

/** Opens the core that the kernel or gcore wrote. */
static struct target *open_core(const struct interpreter_file *python, const char *path)
{
	struct target_options options = {.sysroot =
						 strcmp(python->root, "/") ? python->root : NULL};
	struct target *target;

	check(target_open_core(path, &options, &target));
	return target;
}

/** Makes the kernel dump it. @return false if cores do not land where they are expected */
static bool dump(struct child *child, char *path, size_t size)
{
	const char *directory = temporary_path("");
	struct stat status;

	child_kill(child, SIGABRT);
	snprintf(path, size, "%score", directory);
	if (stat(path, &status)) {
		snprintf(path, size, "%score.%d", directory, (int)child->pid);
		return !stat(path, &status);
	}
	return true;
}

static bool gcore(const struct child *child, char *path, size_t size)
{
	const char *base = temporary_path("gcore");
	char command[1200];

	snprintf(command, sizeof(command), "gcore -o %s %d >/dev/null 2>&1", base, (int)child->pid);
	snprintf(path, size, "%s.%d", base, (int)child->pid);
	return system(command) == 0 && !access(path, R_OK);
}

/** One process three ways: live, gcore, kernel core; all show the same memory. */
static void test_live_and_cores_agree(void **state)
{
	(void)state;
	if (!interpreter_count) {
		print_message("no Python interpreter is on this machine\n");
		skip();
	}
	for (size_t i = 0; i < interpreter_count; i++) {
		const struct interpreter_file *python = &interpreters[i];
		struct child child = child_start(python, sleeper, temporary_path(""));
		struct target *live, *core;
		char path[1024];

		child_wait_state(child.pid, "S");
		check(target_open_pid(child.pid, NULL, &live));
		assert_int_equal(child_state(child.pid), 't');
		assert_int_equal(live->pid, child.pid);
		assert_non_null(strstr(live->command, " -c import json, ctypes"));
		assert_int_not_equal(live->threads[0].registers.rsp, 0);
		assert_int_not_equal(live->threads[0].registers.fs_base, 0);
		check(target_release(live));
		check(target_release(live));
		assert_true(child_wait_state(child.pid, "S"));
		check_python(live);
		if (gcore(&child, path, sizeof(path))) {
			core = open_core(python, path);
			check_python(core);
			assert_int_equal(core->signal, 0);
			assert_in_range(compare_memory(core, live), 0, CHANGED_PAGES);
			target_close(core);
			unlink(path);
		} else {
			print_message("%s: no gcore\n", python->name);
		}
		if (dump(&child, path, sizeof(path))) {
			core = open_core(python, path);
			check_python(core);
			assert_int_equal(core->signal, SIGABRT);
			assert_int_equal(core->pid, child.pid);
			assert_in_range(compare_memory(core, live), 0, CHANGED_PAGES);
			target_close(core);
			unlink(path);
		} else {
			print_message("%s: the kernel writes cores elsewhere\n", python->name);
		}
		target_close(live);
	}
}

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
	if (!gcore(&child, path, sizeof(path))) {
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

/** Can the DWARF of the module be read, and does it tell of functions that are not exported? */
static void check_dwarf(struct target *target, const struct module *module)
{
	struct symbol traverse;
	uint64_t bias;
	Dwarf_Off offset = 0, next;
	size_t header;
	Dwarf *dwarf = modules_dwarf(target->modules, module, &bias);

	assert_non_null(dwarf);
	assert_true(bias == module->bias);
	assert_int_equal(dwarf_nextcu(dwarf, offset, &next, &header, NULL, NULL, NULL), 0);
	assert_true(modules_symbol(target->modules, "dict_traverse", &traverse));
	assert_ptr_equal(traverse.module, module);
	assert_ptr_equal(modules_at(target->modules, traverse.address), module);
}

/** Debug files of stripped interpreters: found below the sysroot, below a named directory, and for
 * a file that is gone. */
static void test_separate_debug_files(void **state)
{
	size_t tested = 0;

	(void)state;
	for (size_t i = 0; i < interpreter_count; i++) {
		const struct interpreter_file *python = &interpreters[i];
		struct target_options options = {.sysroot = python->root};
		char debug[1024], path[1024];
		struct symbol runtime;
		struct target *target;
		struct child child;

		snprintf(debug, sizeof(debug), "%s/usr/lib/debug/.build-id", python->root);
		if (!strcmp(python->root, "/") || access(debug, F_OK))
			continue;
		snprintf(debug, sizeof(debug), "/nowhere:%s/usr/lib/debug", python->root);
		child = child_start(python, sleeper, temporary_path(""));
		check(target_open_pid(child.pid, NULL, &target));
		assert_true(modules_symbol(target->modules, "_PyRuntime", &runtime));
		check_dwarf(target, runtime.module);
		target_close(target);
		if (!dump(&child, path, sizeof(path)))
			continue;
		check(target_open_core(path, &options, &target));
		assert_true(modules_symbol(target->modules, "_PyRuntime", &runtime));
		check_dwarf(target, runtime.module);
		target_close(target);

		options = (struct target_options){.sysroot = "/nowhere", .debuginfo_path = debug};
		check(target_open_core(path, &options, &target));
		assert_false(coverage_complete(&target->coverage));
		check_dwarf(target, modules_at(target->modules, runtime.address));
		target_close(target);
		unlink(path);
		tested++;
	}
	if (!tested) {
		print_message(
			"no interpreter has separate debug files: scripts/interpreters dbg\n");
		skip();
	}
}

static int setup(void **state)
{
	interpreters = interpreter_files(&interpreter_count);
	return temporary_setup(state);
}

static int teardown(void **state)
{
	free(interpreters);
	return temporary_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live_and_cores_agree),
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
		cmocka_unit_test(test_debugger),
		cmocka_unit_test(test_debugger_with_core),
		cmocka_unit_test(test_separate_debug_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
