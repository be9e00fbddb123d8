/*
 * Opening files that can be anything: FIFOs must not block, devices must not be touched.
 */
#include "target/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void file_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
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
	__attribute__((cleanup(file_close))) int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

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
