/*
 * Command lines, right and wrong: options, and which word is the command, its argument or a file.
 */
#include "command/request.h"

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { WORDS_MAX = 32 };

/** A command line read. */
struct line {
	char *argv[WORDS_MAX + 1];
	int argc;
	struct options options;
	struct request request;
	struct error *error;
};

/** Reads "a b c", split at spaces; argv[0] is added. */
static void read_line(struct line *line, enum front_end front_end, const char *words)
{
	char *copy = strdup(words), *rest = copy, *word;

	*line = (struct line){.argv = {strdup("program")}, .argc = 1};
	while ((word = strsep(&rest, " "))) {
		assert_true(line->argc < WORDS_MAX);
		if (*word)
			line->argv[line->argc++] = strdup(word);
	}
	free(copy);
	line->error = options_parse(front_end, line->argc, line->argv, &line->options);
	if (!line->error)
		line->error = request_resolve(front_end, &line->options, &line->request);
}

static void free_line(struct line *line)
{
	error_free(line->error);
	error_free(line->request.left_out);
	options_clear(&line->options);
	for (int i = 0; i < line->argc; i++)
		free(line->argv[i]);
}

/** The words must be refused with this code and a message that holds all of `part`. */
static void assert_refused(enum front_end front_end, const char *words, enum error_code code,
			   const char *part)
{
	struct line line;

	read_line(&line, front_end, words);
	if (!line.error)
		fail_msg("'%s' was taken", words);
	if (line.error->code != code || !strstr(line.error->message, part))
		fail_msg("'%s': code %d, '%s'; expected %d, '%s'", words, (int)line.error->code,
			 line.error->message, (int)code, part);
	free_line(&line);
}

static void test_options_are_read(void **state)
{
	struct line line;

	(void)state;
	read_line(&line, FRONT_END_TOOL,
		  "-p 12 --json --limit=5 -o out -v --color=never --sysroot /s "
		  "--debuginfo-path a:b --no-stop --no-progress --time-limit=2m -e exe -c core");
	assert_int_equal(line.options.time_limit, 120000);
	assert_null(line.error);
	assert_int_equal(line.options.pid, 12);
	assert_int_equal(line.options.format, FORMAT_JSON);
	assert_true(line.options.limit_given);
	assert_int_equal(line.options.limit, 5);
	assert_string_equal(line.options.output, "out");
	assert_true(line.options.verbose && line.options.no_stop && line.options.no_progress);
	assert_int_equal(line.options.color, COLOR_NEVER);
	assert_string_equal(line.options.sysroot, "/s");
	assert_string_equal(line.options.debuginfo_path, "a:b");
	assert_string_equal(line.options.executable, "exe");
	assert_string_equal(line.options.core, "core");
	assert_string_equal(command_names(line.request.command)->name, "triage");
	assert_false(line.request.command_named);
	free_line(&line);
}

static void test_a_debugger_takes_where_files_are(void **state)
{
	struct line line;

	(void)state;
	read_line(&line, FRONT_END_DEBUGGER, "leaks --sysroot /s -e exe --debuginfo-path=a:b");
	assert_null(line.error);
	assert_string_equal(line.options.sysroot, "/s");
	assert_string_equal(line.options.executable, "exe");
	assert_string_equal(line.options.debuginfo_path, "a:b");
	free_line(&line);
}

static void test_long_options_may_be_shortened(void **state)
{
	struct line line;

	(void)state;
	read_line(&line, FRONT_END_TOOL, "--lim 3 --color --nd");
	assert_null(line.error);
	assert_int_equal(line.options.limit, 3);
	assert_int_equal(line.options.color, COLOR_ALWAYS);
	assert_int_equal(line.options.format, FORMAT_NDJSON);
	free_line(&line);
}

static void test_wrong_options_are_named(void **state)
{
	static const struct {
		const char *words, *part;
	} wrong[] = {
		{"--jsn", "no option --jsn; did you mean --json?"},
		{"leaks --frobnicate --json", "no option --frobnicate"},
		{"--json=1", "--json takes no value"},
		{"--limit", "--limit needs a value: N"},
		{"leaks -o", "-o needs a value: FILE"},
		{"--no", "--no is short for"},
		{"-x", "no option -x"},
		{"-vx", "no option -x"},
		{"-xv leaks", "no option -x"},
		{"--limit -1", "--limit needs a number, not '-1'"},
		{"--limit 1k", "--limit needs a number, not '1k'"},
		{"--limit 99999999999999999999", "--limit needs a number"},
		{"-p 0", "-p needs a process id, not '0'"},
		{"-p abc", "-p needs a process id, not 'abc'"},
		{"-p 2147483648", "-p needs a process id"},
		{"--color=blue", "not 'blue'"},
		{"--json --ndjson", "exclude each other"},
		{"--output=", "--output needs a value"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_refused(FRONT_END_TOOL, wrong[i].words, ERROR_USAGE, wrong[i].part);
}

static void test_a_debugger_has_no_target_options(void **state)
{
	(void)state;
	assert_refused(FRONT_END_DEBUGGER, "leaks -p 12", ERROR_USAGE, "no option -p");
	assert_refused(FRONT_END_DEBUGGER, "leaks --no-stop", ERROR_USAGE, "no option --no-stop");
	assert_refused(FRONT_END_LIBRARY, "--sysroot /", ERROR_USAGE, "no option --sysroot");
	assert_refused(FRONT_END_DEBUGGER, "leeks", ERROR_USAGE, "did you mean leaks?");
	assert_refused(FRONT_END_DEBUGGER, "leaks core", ERROR_USAGE, "leaks does not take 'core'");
	assert_refused(FRONT_END_DEBUGGER, "cycles x", ERROR_USAGE, "cycles does not take 'x'");
}

/** Makes a file with an ELF header of this type, or with these bytes. */
static void make_file(const char *name, Elf64_Half type, const char *bytes)
{
	const Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = type,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(header),
	};
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	if (bytes)
		fputs(bytes, file);
	else
		assert_int_equal(fwrite(&header, sizeof(header), 1, file), 1);
	fclose(file);
}

static int enter_folder(void **state)
{
	char folder[] = "/tmp/pymem-test-XXXXXX";

	if (!mkdtemp(folder) || chdir(folder))
		return -1;
	*state = strdup(folder);
	make_file("core.1", ET_CORE, NULL);
	make_file("core.2", ET_CORE, NULL);
	make_file("python", ET_DYN, NULL);
	make_file("python2", ET_EXEC, NULL);
	make_file("leaks", ET_CORE, NULL);
	make_file("7", ET_CORE, NULL);
	make_file("text", 0, "#!/bin/sh\n");
	make_file("core.zst", 0, "\x28\xb5\x2f\xfd compressed");
	make_file("empty", 0, "");
	return mkfifo("pipe", 0600);
}

static int leave_folder(void **state)
{
	static const char *const names[] = {"core.1", "core.2", "python",   "python2", "leaks",
					    "7",      "text",	"core.zst", "empty",   "pipe"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(names[i]);
	if (chdir("/") || rmdir(*state))
		return -1;
	free(*state);
	return 0;
}

static void test_words_are_told_apart(void **state)
{
	static const struct {
		const char *words, *command, *argument, *core, *executable;
	} lines[] = {
		{"core.1", "triage", NULL, "core.1", NULL},
		{"leaks core.1", "leaks", NULL, "core.1", NULL},
		{"core.1 leaks", "leaks", NULL, "core.1", NULL},
		{"python core.1", "triage", NULL, "core.1", "python"},
		{"core.1 python leaks", "leaks", NULL, "core.1", "python"},
		{"leaks python2 core.1", "leaks", NULL, "core.1", "python2"},
		{"python -c core.1", "triage", NULL, "core.1", "python"},
		{"-c core.1 -e python info", "info", NULL, "core.1", "python"},
		{"./leaks", "triage", NULL, "./leaks", NULL},
		{"leaks leaks", "leaks", NULL, "leaks", NULL},
		{"-- leaks", "triage", NULL, "leaks", NULL},
		{"cycles 3 core.1", "cycles", "3", "core.1", NULL},
		{"core.1 cycles 3", "cycles", "3", "core.1", NULL},
		{"cycles core.1", "cycles", NULL, "core.1", NULL},
		{"cycles 7 7", "cycles", "7", "7", NULL},
		{"help cycles", "help", "cycles", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct line line;

		read_line(&line, FRONT_END_TOOL, lines[i].words);
		if (line.error)
			fail_msg("'%s': %s", lines[i].words, line.error->message);
		assert_string_equal(command_names(line.request.command)->name, lines[i].command);
#define assert_same(value, expected)                                                 \
	do {                                                                         \
		if (expected)                                                        \
			assert_string_equal((value) ? (value) : "(none)", expected); \
		else                                                                 \
			assert_null(value);                                          \
	} while (0)
		assert_same(line.request.argument, lines[i].argument);
		assert_same(line.options.core, lines[i].core);
		assert_same(line.options.executable, lines[i].executable);
		free_line(&line);
	}
}

static void test_wrong_words_are_named(void **state)
{
	static const struct {
		const char *words;
		enum error_code code;
		const char *part;
	} wrong[] = {
		{"leeks core.1", ERROR_USAGE, "did you mean leaks?"},
		{"core.1 cyles", ERROR_USAGE, "did you mean cycles?"},
		{"frobnicate", ERROR_USAGE, "no command or file frobnicate"},
		{"leaks info core.1", ERROR_USAGE, "one command at a time"},
		{"core.1 core.2", ERROR_USAGE, "two core files: core.1 and core.2"},
		{"-c core.1 core.2", ERROR_USAGE, "two core files"},
		{"python python2", ERROR_USAGE, "two executables"},
		{"-e python python2", ERROR_USAGE, "two executables"},
		{"core.9", ERROR_GENERAL, "core.9: No such file"},
		{"./nothing", ERROR_GENERAL, "./nothing: No such file"},
		{"text", ERROR_GENERAL, "text: not an ELF file"},
		{"core.zst core.1", ERROR_USAGE, "two core files"},
		{"- core.zst", ERROR_USAGE, "two core files"},
		{"empty", ERROR_GENERAL, "empty: empty file"},
		{"pipe core.1", ERROR_USAGE, "two core files"},
		{".", ERROR_GENERAL, ".: Is a directory"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_refused(FRONT_END_TOOL, wrong[i].words, wrong[i].code, wrong[i].part);
}

static void test_a_request_needs_one_target(void **state)
{
	static const struct {
		const char *words, *part;
	} wrong[] = {
		{"leaks", "name a core file"},
		{"-p 1 core.1", "both a process and a core"},
		{"core.1 --no-stop", "--no-stop goes with -p"},
		{"core.1 --keep-core=kept", "--keep-core goes with --handle-core"},
		{"--handle-core=5 core.1", "core.1 is too much"},
		{"--handle-core=5 -p 5", "-p is too much"},
		{"python", "python is an executable"},
	};
	struct line line;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct error *err;

		read_line(&line, FRONT_END_TOOL, wrong[i].words);
		assert_null(line.error);
		err = request_check_target(&line.options);
		assert_non_null(err);
		assert_int_equal(err->code, ERROR_USAGE);
		assert_non_null(strstr(err->message, wrong[i].part));
		error_free(err);
		free_line(&line);
	}
	read_line(&line, FRONT_END_TOOL, "python core.1");
	assert_null(line.error);
	assert_null(request_check_target(&line.options));
	free_line(&line);
	read_line(&line, FRONT_END_TOOL, "--handle-core=5 --keep-core=kept leaks -o out");
	assert_null(line.error);
	assert_null(request_check_target(&line.options));
	assert_int_equal(line.options.handle_core, 5);
	free_line(&line);
}

static void test_a_lost_executable_is_left_out(void **state)
{
	struct line line;

	(void)state;
	read_line(&line, FRONT_END_TOOL, "/gone/python -c core.1");
	assert_null(line.error);
	assert_null(line.options.executable);
	assert_non_null(line.request.left_out);
	assert_non_null(strstr(line.request.left_out->message, "/gone/python"));
	free_line(&line);
	read_line(&line, FRONT_END_TOOL, "/gone/python /gone/other -c core.1 leaks");
	assert_null(line.error);
	assert_non_null(line.request.left_out);
	free_line(&line);
	assert_refused(FRONT_END_TOOL, "/gone/python core.1", ERROR_GENERAL, "/gone/python");
	assert_refused(FRONT_END_TOOL, "leeks -c core.1", ERROR_USAGE, "leaks");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_are_read),
		cmocka_unit_test(test_a_debugger_takes_where_files_are),
		cmocka_unit_test(test_long_options_may_be_shortened),
		cmocka_unit_test(test_wrong_options_are_named),
		cmocka_unit_test(test_a_debugger_has_no_target_options),
		cmocka_unit_test(test_words_are_told_apart),
		cmocka_unit_test(test_wrong_words_are_named),
		cmocka_unit_test(test_a_request_needs_one_target),
		cmocka_unit_test(test_a_lost_executable_is_left_out),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
