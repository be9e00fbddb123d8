/*
 * Output files. A file is written under a temporary name in the same directory and renamed, so that
 * no reader ever sees half an answer and a failure leaves the file that was there before.
 */
#include "command/output.h"

#include "target/file.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** Is there something else than a regular file under this name: a pipe, a terminal, /dev/null? */
static bool is_special(const char *path)
{
	struct stat status;

	return !stat(path, &status) && !S_ISREG(status.st_mode);
}

struct error *output_check(const char *path)
{
	char copy[PATH_MAX];
	const char *directory;
	struct stat status;

	if (!*path)
		return error_create(ERROR_USAGE, "--output needs the name of a file");
	if (strlen(path) >= sizeof(copy))
		return error_system(ENAMETOOLONG, "%s", path);
	if (!stat(path, &status) && S_ISDIR(status.st_mode))
		return error_system(EISDIR, "%s", path);
	if (is_special(path))
		return access(path, W_OK) ? error_system(errno, "%s", path) : NULL;
	strcpy(copy, path);
	directory = dirname(copy);
	if (access(directory, W_OK | X_OK))
		return error_system(errno, "%s: cannot create a file in %s", path, directory);
	return NULL;
}

/** Creates the file that will get the name, with the mode that the umask gives a new file. */
static struct error *create_temporary(struct output *output, mode_t mode)
{
	int fd = file_create_beside(output->path, mode, &output->temporary);

	if (fd < 0)
		return error_system(errno, "%s: cannot create a file beside it", output->path);
	output->file = fdopen(fd, "w");
	output->owned = true;
	if (output->file)
		return NULL;
	close(fd);
	unlink(output->temporary);
	free(output->temporary);
	output->temporary = NULL;
	return &error_no_memory;
}

struct error *output_open(struct output *output, const char *path, FILE *stream)
{
	struct error *err;

	*output = (struct output){.file = stream};
	if (!path)
		return NULL;
	if (is_special(path)) {
		output->path = strdup(path);
		output->file = output->path ? fopen(path, "we") : NULL;
		output->owned = true;
		if (output->file)
			return NULL;
		err = output->path ? error_system(errno, "%s", path) : &error_no_memory;
		output_discard(output);
		return err;
	}
	output->file = NULL;
	// A link that exists is followed, so that the rename replaces the file and not the link.
	output->path = realpath(path, NULL);
	if (!output->path)
		output->path = strdup(path);
	if (!output->path)
		return &error_no_memory;
	err = create_temporary(output, 0666);
	if (err)
		output_discard(output);
	return err;
}

struct error *output_open_private(struct output *output, const char *path)
{
	struct error *err;

	*output = (struct output){.path = strdup(path)};
	err = output->path ? create_temporary(output, 0600) : &error_no_memory;
	if (err)
		output_discard(output);
	return err;
}

static struct error *write_error(const struct output *output, int errno_value)
{
	// A stream that failed earlier may have left no errno behind.
	if (!errno_value)
		errno_value = EIO;
	if (output->path)
		return error_system(errno_value, "%s: write error", output->path);
	return error_system(errno_value, "write error");
}

struct error *output_status(const struct output *output)
{
	if (!ferror(output->file))
		return NULL;
	return write_error(output, errno);
}

struct error *output_commit(struct output *output)
{
	struct error *err = NULL;

	errno = 0;
	if (fflush(output->file) || ferror(output->file))
		err = write_error(output, errno);
	if (!output->owned)
		return err;
	if (fclose(output->file) && !err)
		err = write_error(output, errno);
	output->file = NULL;
	if (!err && output->temporary && rename(output->temporary, output->path))
		err = error_system(errno, "%s", output->path);
	if (!err) {
		free(output->temporary);
		output->temporary = NULL;
	}
	output_discard(output);
	return err;
}

void output_discard(struct output *output)
{
	if (output->owned && output->file)
		fclose(output->file);
	if (output->temporary)
		unlink(output->temporary);
	free(output->temporary);
	free(output->path);
	*output = (struct output){0};
}
