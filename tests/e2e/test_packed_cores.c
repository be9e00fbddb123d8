/*
 * Cores as they come: compressed in any format, through a pipe, cut or damaged on the way, with no
 * room to unpack them. The answer is that of the plain core, or says what is missing, and no file
 * stays behind.
 */
#include "support/inspection.h"
#include "support/run.h"
#include "support/specimen.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define AUTO_RUN struct run __attribute__((cleanup(run_clear)))

enum { PATH_SIZE = 8192, SECONDS_MAX = 60, ROUNDS = 8, ROUNDS_FULL = 60 };

/** How each format is made; a pipe in front, so that no frame tells its size. */
static const struct {
	const char *name, *command;
} formats[] = {
	{"zstd", "zstd -q -c"},
	{"lz4", "lz4 -q -c"},
	{"xz", "xz -0 -c"},
	{"gzip", "gzip -1 -c"},
};

enum { FORMATS = sizeof(formats) / sizeof(*formats) };

static char folder[PATH_SIZE]; /* for the temporary files */

/* Runs a line of sh: $tool, $core and $packed as set here, TMPDIR a folder of its own. */
static void run_line(struct run *run, const char *packed, const char *line)
{
	setenv("tool", run_tool_path(), 1);
	setenv("core", specimen.core, 1);
	setenv("python", specimen.python->python, 1);
	setenv("packed", packed ? packed : "", 1);
	setenv("TMPDIR", folder, 1);
	run_start(run, NULL, RUN_ARGUMENTS("sh", "-c", line));
	if (!run_finish(run, SECONDS_MAX))
		fail_msg("stopped after %d s: %s", SECONDS_MAX, line);
	unsetenv("TMPDIR");
}

/* Nothing is left of what was unpacked. */
static void assert_no_file_left(void)
{
	DIR *entries = opendir(folder);
	const struct dirent *entry;

	assert_non_null(entries);
	while ((entry = readdir(entries)))
		if (entry->d_name[0] != '.')
			fail_msg("left behind: %s", entry->d_name);
	closedir(entries);
}

/* The document without what depends on where the memory came from. */
static json_t *answer_without_target(const struct run *run)
{
	json_t *json;

	if (run->status != 0)
		fail_msg("exit code %d: %s", run->status, run->err);
	json = inspect_parse(run->out);
	json_object_del(json, "target");
	return json;
}

/* Does a line give what the plain core gives? */
static void assert_like_plain(const char *packed, const char *line)
{
	AUTO_RUN plain = {0}, run = {0};
	json_t *expected, *answer;

	run_line(&plain, NULL, "$tool $core leaks --json");
	run_line(&run, packed, line);
	expected = answer_without_target(&plain);
	answer = answer_without_target(&run);
	if (!json_equal(expected, answer))
		fail_msg("not the same answer: %s", line);
	json_decref(expected);
	json_decref(answer);
	assert_no_file_left();
}

/* Packs the specimen's core; the path is never freed. */
static char *pack(const char *name, const char *command)
{
	char *path = strdup(specimen_path(name));
	char line[PATH_SIZE];
	AUTO_RUN run = {0};

	snprintf(line, sizeof(line), "cat $core | %s >$packed", command);
	run_line(&run, path, line);
	if (run.status != 0)
		fail_msg("%s: %s", command, run.err);
	return path;
}

static void test_formats(void **state)
{
	(void)state;
	for (size_t i = 0; i < FORMATS; i++) {
		char *packed = pack("core-without-suffix", formats[i].command);
		AUTO_RUN run = {0};

		assert_like_plain(packed, "$tool $packed leaks --json");
		run_line(&run, packed, "$tool $packed info --json");
		assert_non_null(strstr(run.out, formats[i].name));
		unlink(packed);
		free(packed);
	}
}

static void test_ways_in(void **state)
{
	static const char *const lines[] = {
		"cat $core | $tool - leaks --json",
		"$tool leaks --json - <$core",
		"zstd -q -c <$core | $tool --core=- leaks --json",
		"gzip -1 -c <$core | $tool -c - $python leaks --json",
		"$tool $packed $python leaks --json",
		"$tool $python -c $packed leaks --json",
		"$tool leaks --json -- $python $packed",
		// As coredumpctl calls a debugger on a core that the journal holds.
		"$tool $python -c $core leaks --json",
		// The executable that it names may be gone, or a script by now.
		"$tool /no/longer/python -c $core leaks --json",
		"echo '#!/bin/sh' >$packed.sh; $tool $packed.sh -c $core leaks --json; rm "
		"$packed.sh",
		"mkfifo $packed.fifo; zstd -q -c <$core >$packed.fifo & sleep 0.2; "
		"$tool $packed.fifo leaks --json; rm $packed.fifo; wait",
	};
	char *packed = pack("packed", "lz4 -q -c");

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_like_plain(packed, lines[i]);
	unlink(packed);
	free(packed);
}

/* Several frames, one after the other, are one file. */
static void test_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < FORMATS; i++) {
		char command[PATH_SIZE], *packed;

		snprintf(command, sizeof(command),
			 "(head -c 5000000 $core | %s; tail -c +5000001 $core | %s)",
			 formats[i].command, formats[i].command);
		packed = pack("frames", command);
		assert_like_plain(packed, "$tool $packed leaks --json");
		unlink(packed);
		free(packed);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *line, *told;
	} refused[] = {
		{"$tool - </dev/null", "stdin: "},
		{": | $tool -", "stdin: empty"},
		{"$tool - <&-", "stdin: "},
		{"echo text | $tool -", "stdin: not an ELF file"},
		{"echo text | gzip | $tool -", "stdin: not an ELF file when unpacked"},
		{"gzip -c $python | $tool -", "stdin: not a core file"},
		{"zstd -q -c $core | head -c 20 | $tool -", "stdin: "},
		{"TMPDIR=/no/such/folder $tool - <$core | cat; cat $core | TMPDIR=/no/such/folder "
		 "$tool -",
		 "/no/such/folder"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		AUTO_RUN run = {0};

		run_line(&run, NULL, refused[i].line);
		if (run.status != 1 || !strstr(run.err, refused[i].told))
			fail_msg("%s: exit code %d: %s", refused[i].line, run.status, run.err);
		if (strncmp(run.err, "pycore-inspect: ", 16) != 0)
			fail_msg("%s: %s", refused[i].line, run.err);
		assert_no_file_left();
	}
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Cuts a file, or flips some of its bits. */
static void damage(const char *path, bool cut, uint64_t *seed)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	// One in the last hundredth, where the answer can still be had.
	if (cut)
		assert_int_equal(ftruncate(fd, next_random(seed) % 2
						       ? status.st_size - status.st_size / 100
						       : (off_t)(next_random(seed) %
								 (uint64_t)status.st_size)),
				 0);
	for (uint64_t i = cut ? 0 : 1 + next_random(seed) % 4; i; i--) {
		off_t at = (off_t)(next_random(seed) % (uint64_t)status.st_size);
		uint8_t byte;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= (uint8_t)(1u << next_random(seed) % 8);
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	close(fd);
}

/* Damaged streams are answered in part or refused, and the stream is named. */
static void test_damaged(void **state)
{
	int rounds = getenv("PYMEM_TEST_FULL") ? ROUNDS_FULL : ROUNDS, partial = 0;
	char *packed[FORMATS], copy[PATH_SIZE];

	(void)state;
	for (size_t i = 0; i < FORMATS; i++)
		packed[i] = pack(formats[i].name, formats[i].command);
	snprintf(copy, sizeof(copy), "%s", specimen_path("damaged"));
	for (int round = 0; round < rounds; round++) {
		uint64_t seed = 0x9e3779b97f4a7c15u * (uint64_t)(round + 1);
		bool cut = round / FORMATS % 2 == 0;
		AUTO_RUN run = {0};

		run_program(&run, RUN_ARGUMENTS("cp", packed[round % FORMATS], copy));
		run_clear(&run);
		damage(copy, cut, &seed);
		run_line(&run, copy, "$tool $packed leaks --json");
		assert_no_file_left();
		partial += run.status == 4;
		// A flipped bit may hit what nobody looks at, but a cut is always told.
		if (run.status != 1 && run.status != 3 && run.status != 4 &&
		    (cut || run.status != 0))
			fail_msg("round %d, %s: exit code %d: %s", round, cut ? "cut" : "flipped",
				 run.status, run.err);
		// Not every format has a checksum: a flipped bit may pass, and the core says it.
		if (run.status && !strstr(run.err, cut ? "damaged" : "pycore-inspect: "))
			fail_msg("round %d: the damage is not named: %s", round, run.err);
		if (run.status == 1 || run.status == 3)
			assert_string_equal(run.out, "");
		else
			json_decref(inspect_parse(run.out));
	}
	assert_true(partial > 0); // else it tests only refusals
	unlink(copy);
	for (size_t i = 0; i < FORMATS; i++) {
		unlink(packed[i]);
		free(packed[i]);
	}
}

/* A limit, and a file system that is full: what fitted is answered, or it is told. */
static void test_no_room(void **state)
{
	static const char *const lines[] = {
		"ulimit -f 4000; $tool $packed info",
		"unshare -m sh -c 'mount -t tmpfs -o size=3m none $TMPDIR && $tool $packed info; "
		"status=$?; find $TMPDIR -type f; exit $status'",
	};
	char *packed = pack("packed", "zstd -q -c");

	(void)state;
	for (size_t i = 0; i < (geteuid() ? 1 : 2); i++) {
		AUTO_RUN run = {0};

		run_line(&run, packed, lines[i]);
		if (strstr(run.err, "unshare")) {
			print_message("no mount namespaces here: %s", run.err);
			continue;
		}
		if (run.status != 1 && run.status != 3 && run.status != 4)
			fail_msg("exit code %d: %s", run.status, run.err);
		if (!strstr(run.err, "no room to unpack it") || !strstr(run.err, "TMPDIR"))
			fail_msg("%s", run.err);
		assert_no_file_left();
	}
	unlink(packed);
	free(packed);
}

static int setup(void **state)
{
	if (specimen_setup(state))
		return -1;
	snprintf(folder, sizeof(folder), "%s", specimen_path("unpacked-here"));
	return mkdir(folder, 0700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats), cmocka_unit_test(test_ways_in),
		cmocka_unit_test(test_frames),	cmocka_unit_test(test_refused),
		cmocka_unit_test(test_damaged), cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests_name("packed cores", tests, setup, specimen_teardown);
}
