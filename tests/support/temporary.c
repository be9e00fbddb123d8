/*
 * Below $TMPDIR, or where the C library puts temporary files.
 */
#include "support/temporary.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

enum { PATH_SIZE = 512, PATHS = 4 };

static char directory[PATH_SIZE];

int temporary_setup(void **state)
{
	const char *parent = getenv("TMPDIR");

	(void)state;
	snprintf(directory, sizeof(directory), "%s/pymem-test-XXXXXX",
		 parent && *parent ? parent : P_tmpdir);
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

int temporary_teardown(void **state)
{
	(void)state;
	return nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *temporary_path(const char *name)
{
	static char paths[PATHS][2 * PATH_SIZE];
	static unsigned int next;
	char *path = paths[next++ % PATHS];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

const char *temporary_file(const char *name, const void *bytes, size_t size)
{
	char *path = (char *)temporary_path(name);
	FILE *file;

	for (char *slash = path + strlen(directory) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	return path;
}
