/*
 * Output files: whole or not there, and nothing left behind.
 */
#include "command/output.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static int enter_folder(void **state)
{
	char folder[] = "/tmp/pymem-test-XXXXXX";

	if (!mkdtemp(folder) || chdir(folder))
		return -1;
	*state = strdup(folder);
	return 0;
}

static int leave_folder(void **state)
{
	int failed = chdir("/") || rmdir(*state); // fails if a test left a file behind

	free(*state);
	return failed;
}

static unsigned count_files(void)
{
	DIR *folder = opendir(".");
	unsigned count = 0;
	const struct dirent *entry;

	assert_non_null(folder);
	while ((entry = readdir(folder)))
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

static void assert_content(const char *path, const char *expected)
{
	char buffer[64] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	buffer[fread(buffer, 1, sizeof(buffer) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(buffer, expected);
}

static void write_file(const char *path, const char *text)
{
	struct output output;

	assert_null(output_open(&output, path, NULL));
	fputs(text, output.file);
	assert_null(output_status(&output));
	assert_null(output_commit(&output));
}

static void test_a_file_appears_when_it_is_whole(void **state)
{
	struct output output;
	struct stat status;
	mode_t mask = umask(027);

	(void)state;
	assert_null(output_check("answer"));
	assert_int_equal(count_files(), 0);
	assert_null(output_open(&output, "answer", NULL));
	fputs("text", output.file);
	assert_int_equal(access("answer", F_OK), -1);
	assert_null(output_commit(&output));
	assert_content("answer", "text");
	assert_int_equal(count_files(), 1);
	assert_int_equal(stat("answer", &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	umask(mask);
	unlink("answer");
}

static void test_a_failure_keeps_the_old_file(void **state)
{
	struct output output;

	(void)state;
	write_file("answer", "old");
	assert_null(output_open(&output, "answer", NULL));
	fputs("half of the n", output.file);
	output_discard(&output);
	assert_content("answer", "old");
	assert_int_equal(count_files(), 1);
	write_file("answer", "new");
	assert_content("answer", "new");
	unlink("answer");
}

static void test_a_private_file_replaces_anything(void **state)
{
	struct output output;
	struct stat status;

	(void)state;
	write_file("file", "old");
	assert_int_equal(symlink("file", "answer"), 0);
	assert_null(output_open_private(&output, "answer"));
	fputs("text", output.file);
	assert_null(output_commit(&output));
	assert_content("file", "old");
	assert_int_equal(lstat("answer", &status), 0);
	assert_true(S_ISREG(status.st_mode));
	assert_int_equal(status.st_mode & 0777, 0600);
	unlink("answer");
	assert_int_equal(mkfifo("answer", 0666), 0);
	assert_null(output_open_private(&output, "answer"));
	fputs("text", output.file);
	assert_null(output_commit(&output));
	assert_content("answer", "text");
	unlink("answer");
	unlink("file");
}

static void test_a_link_keeps_its_place(void **state)
{
	struct stat status;

	(void)state;
	write_file("file", "old");
	assert_int_equal(symlink("file", "link"), 0);
	write_file("link", "new");
	assert_content("file", "new");
	assert_int_equal(lstat("link", &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	unlink("link");
	unlink("file");
}

static void test_devices_are_written_to(void **state)
{
	struct output output;
	struct error *err;
	struct stat status;

	(void)state;
	write_file("/dev/null", "text");
	assert_int_equal(stat("/dev/null", &status), 0);
	assert_true(S_ISCHR(status.st_mode));

	assert_null(output_open(&output, "/dev/full", NULL));
	fputs("text", output.file);
	err = output_commit(&output);
	assert_non_null(err);
	assert_non_null(strstr(err->message, "No space left on device"));
	error_free(err);
}

static void test_a_full_stream_is_an_error(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	struct output output;
	struct error *err;

	(void)state;
	assert_non_null(full);
	assert_null(output_open(&output, NULL, full));
	fputs("text", output.file);
	err = output_commit(&output);
	assert_non_null(err);
	assert_int_equal(err->code, ERROR_GENERAL);
	assert_non_null(strstr(err->message, "No space left on device"));
	error_free(err);
	fclose(full);
}

static void assert_no_place(const char *path, const char *reason)
{
	struct error *err = output_check(path);

	assert_non_null(err);
	assert_non_null(strstr(err->message, reason));
	error_free(err);
}

static void test_places_that_cannot_be_written_are_found_early(void **state)
{
	(void)state;
	assert_no_place("no/such/folder", "no/such/folder");
	assert_no_place(".", "Is a directory");
	assert_no_place("", "--output needs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_appears_when_it_is_whole),
		cmocka_unit_test(test_a_failure_keeps_the_old_file),
		cmocka_unit_test(test_a_private_file_replaces_anything),
		cmocka_unit_test(test_a_link_keeps_its_place),
		cmocka_unit_test(test_devices_are_written_to),
		cmocka_unit_test(test_a_full_stream_is_an_error),
		cmocka_unit_test(test_places_that_cannot_be_written_are_found_early),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
