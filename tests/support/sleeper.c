/*
 * The process that the tests of targets look at.
 */
#include "support/sleeper.h"
#include "support/temporary.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

const char sleeper[] =
	"import json, ctypes, threading, time\n"
	"for i in range(3):\n"
	"    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n"
	"text = ['x%d' % i for i in range(100000)]\n"
	"print('ready', flush=True)\n"
	"time.sleep(1000)\n";

struct interpreter_file *interpreters;
size_t interpreter_count;

int sleeper_setup(void **state)
{
	interpreters = interpreter_files(&interpreter_count);
	return temporary_setup(state);
}

int sleeper_teardown(void **state)
{
	free(interpreters);
	return temporary_teardown(state);
}

void check(struct error *err)
{
	if (err)
		fail_msg("%s", err->message);
}

struct child start_any(const char *program)
{
	if (!interpreter_count) {
		print_message("no Python interpreter is on this machine\n");
		skip();
	}
	return child_start(&interpreters[0], program, temporary_path(""));
}

void check_python(struct target *target)
{
	struct symbol runtime, list, code;
	struct reader reader;
	uint64_t name;
	uint8_t byte;
	char text[16];

	/* gcore may leave stacks out, see core.c; the kernel, which tells the signal, does not. */
	for (size_t i = 0; i < target->coverage.count; i++)
		if (target->signal || strcmp(target->coverage.problems[i].kind, "missing-stacks"))
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

bool kernel_core(struct child *child, char *path, size_t size)
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

bool gdb_core(const struct child *child, char *path, size_t size)
{
	const char *base = temporary_path("gcore");
	char command[1200];

	snprintf(command, sizeof(command), "gcore -o %s %d >/dev/null 2>&1", base, (int)child->pid);
	snprintf(path, size, "%s.%d", base, (int)child->pid);
	return system(command) == 0 && !access(path, R_OK);
}
