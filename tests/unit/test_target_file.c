/* Files with holes: only their data becomes memory. */
#include "target/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { MIB = 1 << 20 };

static int sparse_file(const uint64_t *data, size_t count, uint64_t size)
{
	char path[] = "pymem-sparse-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(pwrite(fd, "x", 1, (off_t)data[i]), 1);
	return fd;
}

static void test_data_between_holes(void **state)
{
	static const uint64_t data[] = {64 * (uint64_t)MIB, 65 * (uint64_t)MIB,
					512 * (uint64_t)MIB};
	uint64_t size = UINT64_C(8) << 30, start, end;
	int fd = sparse_file(data, 3, size);

	(void)state;
	assert_true(file_next_data(fd, 0, size, &start, &end));
	/* A file system without holes has it all in one. */
	if (start == 0 && end == size) {
		close(fd);
		skip();
	}
	assert_int_equal(start, 64 * MIB);
	/* The hole between the first two is too small to count. */
	assert_true(end > 65 * MIB && end <= 66 * MIB);
	assert_true(file_next_data(fd, end, size, &start, &end));
	assert_int_equal(start, 512 * (uint64_t)MIB);
	assert_false(file_next_data(fd, end, size, &start, &end));
	close(fd);
}

static void test_limits(void **state)
{
	static const uint64_t data[] = {64 * (uint64_t)MIB};
	uint64_t size = 128 * (uint64_t)MIB, start, end;
	int fd = sparse_file(data, 1, size);

	(void)state;
	assert_false(file_next_data(fd, size, size, &start, &end));
	assert_true(file_next_data(fd, 64 * MIB, 64 * MIB + 1, &start, &end));
	assert_int_equal(start, 64 * MIB);
	assert_int_equal(end, 64 * MIB + 1);
	/* Without a descriptor everything is data. */
	assert_true(file_next_data(-1, 5, 9, &start, &end));
	assert_int_equal(start, 5);
	assert_int_equal(end, 9);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_between_holes),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
