/*
 * Opening files that can be anything: FIFOs must not block, devices must not be touched.
 */
#include "target/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void file_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

int file_create_beside(const char *path, mode_t mode, char **name)
{
	for (unsigned n = 0; n < 1000; n++) {
		int fd, number;

		if (asprintf(name, "%s.pymem-%ld-%u", path, (long)getpid(), n) < 0) {
			*name = NULL;
			errno = ENOMEM;
			return -1;
		}
		fd = open(*name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, mode);
		if (fd >= 0)
			return fd;
		number = errno;
		free(*name);
		*name = NULL;
		errno = number;
		if (number != EEXIST)
			break;
	}
	return -1;
}

/**
 * Opens a regular file for reading. What else has that name is not opened at all: the path may be
 * one that the target names, and to open a device can be to use it.
 */
static int open_regular(const char *path)
{
	__attribute__((cleanup(file_close))) int handle = open(path, O_PATH | O_CLOEXEC);
	struct stat status;
	char link[32];
	int fd;

	if (handle < 0 || fstat(handle, &status))
		return -1;
	// The others are told apart by who maps it.
	if (!S_ISREG(status.st_mode))
		return open(path, O_PATH | O_CLOEXEC);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", handle);
	fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	// Without /proc.
	return fd < 0 && errno == ENOENT ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
					 : fd;
}

struct error *file_map_descriptor(int fd, const char *name, struct elf_view *view)
{
	struct stat status;
	void *data;

	*view = (struct elf_view){NULL, 0};
	if (fstat(fd, &status) < 0)
		return error_system(errno, "%s", name);
	if (S_ISDIR(status.st_mode))
		return error_system(EISDIR, "%s", name);
	if (!S_ISREG(status.st_mode))
		return error_create(ERROR_GENERAL, "%s: not a regular file", name);
	if (!status.st_size)
		return error_create(ERROR_GENERAL, "%s: empty file", name);
	data = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
	if (data == MAP_FAILED)
		return error_system(errno, "%s: cannot map it", name);
	*view = (struct elf_view){data, status.st_size};
	return NULL;
}

struct error *file_map(const char *path, struct elf_view *view)
{
	__attribute__((cleanup(file_close))) int fd = open_regular(path);

	*view = (struct elf_view){NULL, 0};
	if (fd < 0)
		return error_system(errno, "%s", path);
	return file_map_descriptor(fd, path, view);
}

void file_unmap(struct elf_view view)
{
	if (view.size)
		munmap((void *)view.data, view.size);
}

bool file_next_data(int fd, uint64_t offset, uint64_t end, uint64_t *data_start, uint64_t *data_end)
{
	off_t data = fd < 0 ? -1 : lseek(fd, (off_t)offset, SEEK_DATA), hole;

	*data_start = offset;
	*data_end = end;
	if (offset >= end)
		return false;
	// ENXIO: nothing but a hole up to the end of the file. Else there is no telling.
	if (data < 0)
		return fd < 0 || errno != ENXIO;
	if ((uint64_t)data >= end)
		return false;
	*data_start = (uint64_t)data;
	while ((hole = lseek(fd, data, SEEK_HOLE)) >= 0 && (uint64_t)hole < end) {
		data = lseek(fd, hole, SEEK_DATA);
		if (data < 0 || (uint64_t)data >= end || data - hole >= FILE_HOLE_MIN) {
			*data_end = (uint64_t)hole;
			break;
		}
	}
	return true;
}
