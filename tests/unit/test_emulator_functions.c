/*
 * Compiled C functions in the emulator: built with several options, called natively by a child of
 * their program and interpreted in the program, they must visit the same. And functions that cannot
 * be interpreted: each must be given up for the right reason, and soon.
 */
#include "support/functions_program.h"
#include "support/temporary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void compare(struct functions_program *program, const struct functions_call *call)
{
	const struct reference *references;
	const char *at = call->visited;
	char text[128], *end;
	size_t count;

	if (emulator_traverse(program->emulator, call->node, call->function, &references, &count)) {
		const struct emulator_failure *failure = emulator_failure(program->emulator);

		emulator_failure_text(failure, text, sizeof(text));
		fail_msg("%s: %s, at %#lx", call->name, text, failure->instruction);
	}
	for (size_t i = 0; i < count; i++, at = end) {
		uint64_t target = strtoull(at, &end, 16);

		if (references[i].target != target)
			fail_msg("%s: visit %zu is %#lx, not %#lx", call->name, i,
				 (unsigned long)references[i].target, target);
	}
	if (*at != '\n')
		fail_msg("%s: %zu visits are not all", call->name, count);
}

static bool is_interpreted(const struct functions_call *call)
{
	return strcmp(call->fault, "-") == 0 || strcmp(call->fault, "other-thread") == 0;
}

// @return how many functions were bound lazily
static uint64_t compare_all(const char *options)
{
	static char line[FUNCTIONS_LINE];
	struct functions_program program;
	struct functions_call call;
	size_t calls = 0;

	functions_open(&program, options);
	while (functions_next(&program, &call, line)) {
		if (!is_interpreted(&call))
			continue;
		compare(&program, &call);
		calls++;
	}
	struct emulator_statistics statistics = emulator_statistics(program.emulator);
	functions_close(&program);
	assert_true(calls > 0);
	assert_true(statistics.pages_copied > 0);
	assert_true(statistics.library_calls > 0);
	return statistics.lazy_bindings;
}

static void functions_visit_the_same(void **state)
{
	static const char *const options[] = {
		"-O0 -g",
		"-O0 -fstack-protector-all -fcf-protection=full -fno-plt",
		"-O1 -fno-omit-frame-pointer",
		"-O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong",
		"-O2 -no-pie",
		"-O3 -fPIC -ftls-model=global-dynamic -mtls-dialect=gnu",
		"-Os -fPIC -ftls-model=global-dynamic -mtls-dialect=gnu2",
	};
	uint64_t lazy_bindings = 0;

	(void)state;
	__builtin_cpu_init();
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		lazy_bindings += compare_all(options[i]);
	assert_true(lazy_bindings > 0);
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
		compare_all("-O3 -march=x86-64-v3");
}

/*
 * Functions that are given up
 */

static enum emulator_fault fault_named(const char *name)
{
	static const struct {
		const char *name;
		enum emulator_fault fault;
	} faults[] = {
		{"budget", EMULATOR_BUDGET},   {"read", EMULATOR_READ},
		{"write", EMULATOR_WRITE},     {"fetch", EMULATOR_FETCH},
		{"syscall", EMULATOR_SYSCALL}, {"abort", EMULATOR_ABORT},
		{"divide", EMULATOR_DIVIDE},   {"unsupported", EMULATOR_UNSUPPORTED},
	};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (strcmp(faults[i].name, name) == 0)
			return faults[i].fault;
	return EMULATOR_OK;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void expect_fault(struct functions_program *program, const struct functions_call *call)
{
	const struct reference *references;
	size_t count;
	enum emulator_fault fault = emulator_traverse(program->emulator, call->node, call->function,
						      &references, &count);

	if (fault != fault_named(call->fault))
		fail_msg("%s: fault %d, not %s", call->name, fault, call->fault);
	assert_int_equal(count, 0);
	assert_true(fault == EMULATOR_BUDGET ||
		    emulator_failure(program->emulator)->instruction != 0);
}

// A function that does not end is called for many nodes here; only the first few take long.
static void functions_are_given_up(void **state)
{
	static char line[FUNCTIONS_LINE];
	struct functions_program program;
	struct functions_call call, endless = {0};
	size_t calls = 0;

	(void)state;
	functions_open(&program, "-O1");
	while (functions_next(&program, &call, line)) {
		if (is_interpreted(&call))
			continue;
		expect_fault(&program, &call);
		calls++;
		if (strcmp(call.fault, "budget") == 0)
			endless = call;
	}
	assert_true(calls > 0);
	double start = seconds();
	for (size_t i = 0; i < 100000; i++)
		expect_fault(&program, &endless);
	assert_true(seconds() - start < 1);
	functions_close(&program);
}

static void reasons_are_texts(void **state)
{
	struct emulator_failure failure = {.fault = EMULATOR_UNSUPPORTED, .name = "cpuid"};
	char text[64];

	(void)state;
	emulator_failure_text(&failure, text, sizeof(text));
	assert_string_equal(text, "unsupported instruction cpuid");
	failure = (struct emulator_failure){.fault = EMULATOR_READ, .address = 0x10};
	emulator_failure_text(&failure, text, sizeof(text));
	assert_string_equal(text, "reads memory that is not there");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_visit_the_same),
		cmocka_unit_test(functions_are_given_up),
		cmocka_unit_test(reasons_are_texts),
	};

	return cmocka_run_group_tests(tests, temporary_setup, temporary_teardown);
}
