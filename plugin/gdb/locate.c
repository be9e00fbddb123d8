/*
 * Finds the process or core file behind GDB's target. See locate.h.
 */
#include "locate.h"

#include "../host.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

// Enough of the stack and of glibc's struct pthread, which holds the thread's own id (tid) in its
// first KiB: the one thing in which a fork differs from its parent.
enum { PROBE_SIZE = 1024 };

/** Bytes of the selected thread as GDB sees them. */
struct probe {
	uint64_t address;
	size_t size; // 0: not readable
	uint8_t bytes[PROBE_SIZE];
};

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static void close_descriptor(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static void take_probe(struct probe *probe, uint64_t address, gdb_target_read *target_read)
{
	probe->address = address;
	probe->size = address ? PROBE_SIZE : 0;
	while (probe->size && target_read(address, probe->bytes, (int)probe->size) != GDB_SUCCESS)
		probe->size /= 2;
}

static bool same_bytes(pid_t pid, const struct probe *probe)
{
	uint8_t bytes[PROBE_SIZE];
	struct iovec local = {bytes, probe->size};
	struct iovec remote = {(void *)(uintptr_t)probe->address, probe->size};

	if (!probe->size)
		return true;
	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)probe->size &&
	       memcmp(bytes, probe->bytes, probe->size) == 0;
}

// The process that GDB traces and that has the bytes of both probes; 0: none, or more than one.
static pid_t find_process(const struct probe *stack, const struct probe *thread)
{
	DIR *processes __attribute__((cleanup(close_directory))) = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	if (!stack->size)
		return 0;
	while (processes && (entry = readdir(processes))) {
		pid_t pid = atoi(entry->d_name);

		if (pid <= 0 || host_tracer_of(pid) != getpid())
			continue;
		if (!same_bytes(pid, stack) || !same_bytes(pid, thread))
			continue;
		if (found)
			return 0;
		found = pid;
	}
	return found;
}

// The name of an open file, or a name below /proc if it was removed or replaced since.
static char *name_of(const char *link, const struct stat *file)
{
	char path[4096];
	struct stat named;
	ssize_t length = readlink(link, path, sizeof(path) - 1);

	if (length <= 0)
		return NULL;
	path[length] = 0;
	if (stat(path, &named) == 0 && named.st_dev == file->st_dev && named.st_ino == file->st_ino)
		return strdup(path);
	return strdup(link);
}

// The one core file among GDB's open files; NULL: none, or more than one.
static char *find_core(void)
{
	DIR *files __attribute__((cleanup(close_directory))) = opendir("/proc/self/fd");
	struct dirent *entry;
	struct stat found = {0};
	char *path = NULL;

	while (files && (entry = readdir(files))) {
		char link[300];
		struct stat file;

		snprintf(link, sizeof(link), "/proc/self/fd/%s", entry->d_name);
		// stat() first: opening a pipe or a device could block or do harm.
		if (entry->d_name[0] == '.' || stat(link, &file) < 0 || !S_ISREG(file.st_mode))
			continue;
		int fd __attribute__((cleanup(close_descriptor))) =
			open(link, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || !host_is_core(fd))
			continue;
		if (path && file.st_dev == found.st_dev && file.st_ino == found.st_ino)
			continue;
		if (path) {
			free(path);
			return NULL;
		}
		path = name_of(link, &file);
		found = file;
	}
	return path;
}

void locate(struct location *location, const struct request *request, gdb_target_read *target_read)
{
	struct probe stack, thread;

	take_probe(&stack, request->stack_pointer, target_read);
	take_probe(&thread, request->fs_base, target_read);
	location->pid = find_process(&stack, &thread);
	location->core = find_core();
	// A process and a core file of it cannot be told apart by their bytes.
	if (location->pid && location->core)
		location_clear(location);
}

void location_clear(struct location *location)
{
	free(location->core);
	*location = (struct location){0};
}
