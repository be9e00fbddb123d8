/*
 * Every command answers the same in GDB and in LLDB as in pycore-inspect, of a process, of its core
 * and of the core of a crash; and these answers, too, fit the schema.
 */
#include "support/answer.h"
#include "support/lldb.h"
#include "support/questions.h"
#include "support/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AUTO_TEXT char *__attribute__((cleanup(free_text)))

/* What depends most on the debugger: registers, memory that changes, files. */
static const struct question of_process[] = {
	{false, "threads", {"--locals"}}, {false, "memory", {NULL}},
	{false, "triage", {NULL}},	  {false, "path", {"@session", "--paths=3"}},
	{false, "diff", {"@before"}},	  {false, NULL, {NULL}},
};
static const struct question of_growth[] = {
	{false, "diff", {"@before"}},
	{false, NULL, {NULL}},
};
static const struct question of_threads[] = {
	{false, "threads", {"--locals"}},
	{false, "memory", {NULL}},
	{false, NULL, {NULL}},
};
static const struct question of_crash[] = {
	{false, "threads", {NULL}},
	{false, "triage", {NULL}},
	{false, NULL, {NULL}},
};

/** What is asked of a target, and what the tool answers. */
struct inquiry {
	const char *name;
	struct subject *subject;
	const char *core; /**< NULL: the process */
	const struct question *questions;
	unsigned int parts;
	struct answers tool;
};

static struct subject growing, threads, crashed;
static char *grown_core, *crash_core;

static void free_text(char **text)
{
	free(*text);
}

/** A later core of gcore has the same name. */
static void take_core_before(struct subject *subject)
{
	AUTO_TEXT core = program_gcore(subject->process);

	assert_true(asprintf(&subject->before, "%s/before", subject->process->folder) > 0);
	assert_int_equal(rename(core, subject->before), 0);
}

static int start_programs(void **state)
{
	const char *why = NULL;

	(void)state;
	subject_start(&growing, gdb_python("contract.py"));
	take_core_before(&growing);
	program_request(growing.process, "g");
	program_wait_idle(growing.process);
	grown_core = program_gcore(growing.process);
	subject_start(&threads, gdb_python("memory.py threads"));
	program_wait_idle(threads.process);
	subject_start(&crashed, gdb_python("crash.py null"));
	assert_int_equal(write(crashed.process->input, "\n", 1), 1);
	crash_core = program_crash(crashed.process, &why);
	if (!crash_core)
		print_message("%s\n", why);
	return 0;
}

static int stop_programs(void **state)
{
	(void)state;
	subject_end(&growing);
	subject_end(&threads);
	subject_end(&crashed);
	free(grown_core);
	free(crash_core);
	return 0;
}

/** This machine's own debuggers are asked every command of a process, too, and for lines. */
static bool is_of_machine(const struct gdb *debugger)
{
	return !strncmp(debugger->name, "host", 4);
}

/** Has one session of the debugger do what a script says. */
static void run_script(const struct gdb *debugger, const struct inquiry *inquiry,
		       const char *script)
{
	struct gdb_output output __attribute__((cleanup(gdb_output_clear))) = {0};
	const char *pid = inquiry->subject->pid, *core = inquiry->core;

	if (is_lldb(debugger)) {
		AUTO_TEXT source = NULL;

		assert_true(asprintf(&source, "command source -e 1 %s", script) > 0);
		lldb_batch(&output, debugger,
			   core ? GDB_ARGUMENTS("--core", core) : GDB_ARGUMENTS("-p", pid),
			   GDB_ARGUMENTS(source));
	} else if (core) {
		AUTO_TEXT executable = gdb_executable(growing.process);

		gdb_batch(&output, debugger, GDB_ARGUMENTS(executable, core, "-x", script));
	} else {
		gdb_batch(&output, debugger, GDB_ARGUMENTS("-p", pid, "-x", script));
	}
	if (output.status)
		fail_msg("%s%s", output.out, output.err);
}

/** The tool is asked once. */
static void ask_of_tool(struct inquiry *inquiry)
{
	const struct subject *subject = inquiry->subject;

	if (inquiry->tool.count)
		return;
	answers_start(&inquiry->tool, subject, inquiry->name);
	ask_tool(subject,
		 inquiry->core ? RUN_ARGUMENTS(inquiry->core) : RUN_ARGUMENTS("-p", subject->pid),
		 inquiry->questions, inquiry->parts, &inquiry->tool);
}

static void check(const struct gdb *debugger, struct inquiry *inquiry)
{
	AUTO_TEXT name = NULL;
	struct answers answers;

	ask_of_tool(inquiry);
	assert_true(asprintf(&name, "%s-%s", inquiry->name, debugger->name) > 0);
	answers_start(&answers, inquiry->subject, name);
	run_script(debugger, inquiry,
		   ask_script(inquiry->subject, inquiry->questions, inquiry->parts, &answers));
	answers_compare(&inquiry->tool, &answers);
	answers_validate(&answers, NULL);
}

static void processes(void **state)
{
	static struct inquiry every = {.name = "every",
				       .subject = &growing,
				       .questions = questions_all,
				       .parts = ASK_DOCUMENTS};
	static struct inquiry growth = {.name = "growth",
					.subject = &growing,
					.questions = of_growth,
					.parts = ASK_DOCUMENTS | ASK_LINES};
	static struct inquiry some = {.name = "some",
				      .subject = &growing,
				      .questions = of_process,
				      .parts = ASK_DOCUMENTS};
	static struct inquiry waiting = {.name = "waiting",
					 .subject = &threads,
					 .questions = of_threads,
					 .parts = ASK_DOCUMENTS};
	const struct gdb *debugger = any_of(state);

	if (!is_of_machine(debugger)) {
		check(debugger, &some);
		return;
	}
	check(debugger, &every);
	check(debugger, &growth);
	check(debugger, &waiting);
}

static void cores(void **state)
{
	static struct inquiry core = {.name = "core",
				      .subject = &growing,
				      .questions = questions_all,
				      .parts = ASK_DOCUMENTS};
	static struct inquiry lines = {.name = "lines",
				       .subject = &growing,
				       .questions = questions_all,
				       .parts = ASK_LINES};
	static struct inquiry crash = {.name = "ended",
				       .subject = &crashed,
				       .questions = of_crash,
				       .parts = ASK_DOCUMENTS};
	const struct gdb *debugger = any_of(state);

	core.core = lines.core = grown_core;
	check(debugger, &core);
	if (is_of_machine(debugger))
		check(debugger, &lines);
	if (!crash_core)
		skip();
	crash.core = crash_core;
	check(debugger, &crash);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes),
		cmocka_unit_test(cores),
	};

	return any_run_tests("debugger commands", tests, sizeof(tests) / sizeof(tests[0]),
			     start_programs, stop_programs);
}
