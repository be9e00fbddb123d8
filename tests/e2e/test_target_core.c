/* One process seen live and in its cores; its separate debug files. */
#include "support/sleeper.h"
#include "support/temporary.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/** Pages that change while a process of four threads sleeps: select() counts its timeout down on
 * each stack, and the kernel writes beside each thread's TLS on which processor it runs (rseq). */
enum { CHANGED_PAGES = 12 };

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
		if (gdb_core(&child, path, sizeof(path))) {
			core = open_core(python, path);
			check_python(core);
			assert_int_equal(core->signal, 0);
			assert_in_range(compare_memory(core, live), 0, CHANGED_PAGES);
			target_close(core);
			unlink(path);
		} else {
			print_message("%s: no gcore\n", python->name);
		}
		if (kernel_core(&child, path, sizeof(path))) {
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
		if (!kernel_core(&child, path, sizeof(path)))
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live_and_cores_agree),
		cmocka_unit_test(test_separate_debug_files),
	};

	return cmocka_run_group_tests(tests, sleeper_setup, sleeper_teardown);
}
