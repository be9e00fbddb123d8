/*
 * Tells what can be mapped as it is from what has to be unpacked first.
 */
#include "target/core_file.h"

#include "target/file.h"
#include "target/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *core_file_name(const char *path)
{
	return strcmp(path, CORE_FILE_STDIN) ? path : CORE_FILE_STDIN_NAME;
}

static int open_path(const char *path)
{
	if (!strcmp(path, CORE_FILE_STDIN))
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static bool is_stream(const struct stat *status)
{
	return S_ISFIFO(status->st_mode) || S_ISSOCK(status->st_mode);
}

static bool is_compressed(int fd)
{
	uint8_t magic[UNPACK_MAGIC];
	ssize_t length = pread(fd, magic, sizeof(magic), 0);

	return length > 0 && unpack_format(magic, (size_t)length);
}

bool core_file_is_packed(const char *path)
{
	__attribute__((cleanup(file_close))) int fd = -1;
	struct stat status;

	if (!strcmp(path, CORE_FILE_STDIN))
		return true;
	if (stat(path, &status))
		return false;
	if (is_stream(&status))
		return true;
	if (!S_ISREG(status.st_mode))
		return false;
	fd = open_path(path);
	return fd >= 0 && is_compressed(fd);
}

static struct error *map_unpacked(const struct packed *packed, const struct progress *progress,
				  struct core_file *file)
{
	struct unpacked unpacked;
	struct error *err = unpack(packed, progress, &unpacked);

	if (err)
		return err;
	*file = (struct core_file){
		.fd = unpacked.fd,
		.format = unpacked.format,
		.unfinished = unpacked.unfinished,
		.not_kept = unpacked.not_kept,
	};
	err = file_map_descriptor(file->fd, packed->name, &file->view);
	if (err)
		core_file_clear(file);
	return err;
}

struct error *core_file_open(const char *path, const char *keep, const struct progress *progress,
			     struct core_file *file)
{
	__attribute__((cleanup(file_close))) int fd = open_path(path);
	const char *name = core_file_name(path);
	struct packed packed = {.fd = fd, .name = name, .keep = keep};
	struct stat status;
	struct error *err;

	*file = (struct core_file){.fd = -1};
	if (fd < 0 || fstat(fd, &status) < 0)
		return error_system(errno, "%s", name);
	if (isatty(fd))
		return error_create(ERROR_GENERAL,
				    "%s: a terminal; pipe a core into it, or name a file", name);
	if (is_stream(&status))
		return map_unpacked(&packed, progress, file);
	// Who read from this standard input before left only the rest.
	packed.size = (uint64_t)status.st_size;
	if (S_ISREG(status.st_mode) && status.st_size &&
	    (keep || is_compressed(fd) || lseek(fd, 0, SEEK_CUR) > 0))
		return map_unpacked(&packed, progress, file);
	err = file_map_descriptor(fd, name, &file->view);
	if (err)
		return err;
	file->fd = fd;
	fd = -1;
	return NULL;
}

void core_file_clear(struct core_file *file)
{
	file_close(&file->fd);
	free(file->format);
	free(file->unfinished);
	free(file->not_kept);
	*file = (struct core_file){.fd = -1};
}
