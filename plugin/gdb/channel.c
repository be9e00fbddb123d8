/*
 * The memory file between GDB's command language and the plugin. See channel.h.
 */
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define STRING_OF(x)  STRING_OF_(x)
#define STRING_OF_(x) #x
#define CHANNEL_PATH  "/proc/self/fd/" STRING_OF(CHANNEL_FD)
#define CHANNEL_NAME  "pymem-gdb"

// Requests are command lines; a longer one is not ours.
enum { REQUEST_MAX = 1 << 20 };

static char *reason(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *reason(const char *format, ...)
{
	va_list arguments;
	char *text = NULL;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	return text ? text : strdup("out of memory");
}

// dup3() to CHANNEL_FD, with the soft limit raised for that moment only: the limit is GDB's, and
// the descriptor stays good when it is lowered again.
static int park(int fd)
{
	struct rlimit limit, raised;
	int result, saved;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -1;
	raised = limit;
	if (raised.rlim_cur <= CHANNEL_FD) {
		raised.rlim_cur = CHANNEL_FD + 1;
		if (raised.rlim_max <= CHANNEL_FD)
			raised.rlim_max = CHANNEL_FD + 1; // root may
		if (setrlimit(RLIMIT_NOFILE, &raised) < 0)
			return -1;
	}
	result = dup3(fd, CHANNEL_FD, O_CLOEXEC);
	saved = errno;
	if (raised.rlim_cur != limit.rlim_cur)
		setrlimit(RLIMIT_NOFILE, &limit);
	errno = saved;
	return result;
}

char *channel_open(void)
{
	char path[64] = "";
	int fd, result;

	if (readlink(CHANNEL_PATH, path, sizeof(path) - 1) > 0) {
		if (strncmp(path, "/memfd:" CHANNEL_NAME, strlen("/memfd:" CHANNEL_NAME)) == 0)
			return NULL; // parked by an earlier load
		return reason("GDB's descriptor %d, which pymem needs, is taken by %s", CHANNEL_FD,
			      path);
	}
	fd = memfd_create(CHANNEL_NAME, MFD_CLOEXEC);
	if (fd < 0)
		return reason("cannot create a memory file: %s", strerror(errno));
	result = park(fd);
	if (result < 0) {
		char *text = reason("cannot use descriptor %d (%s): GDB needs a limit on open "
				    "files above it, see ulimit -n",
				    CHANNEL_FD, strerror(errno));
		close(fd);
		return text;
	}
	close(fd);
	return NULL;
}

static bool ends_request(const char *bytes, size_t size)
{
	static const char end[] = CHANNEL_END;

	while (size && !bytes[size - 1])
		size--;
	return size >= strlen(end) && memcmp(bytes + size - strlen(end), end, strlen(end)) == 0;
}

char *channel_take(size_t *size)
{
	char magic[sizeof(CHANNEL_MAGIC)];
	struct stat status;
	ssize_t length;
	char *bytes;

	if (pread(CHANNEL_FD, magic, sizeof(magic), 0) != sizeof(magic) ||
	    memcmp(magic, CHANNEL_MAGIC, sizeof(magic)) != 0)
		return NULL;
	if (fstat(CHANNEL_FD, &status) < 0 || status.st_size > REQUEST_MAX)
		return NULL;
	bytes = calloc(1, status.st_size + 1);
	if (!bytes)
		return NULL;
	length = pread(CHANNEL_FD, bytes, status.st_size, 0);
	// An incomplete one is being written, or was given up by Ctrl-C: leave it alone.
	if (length != status.st_size || !ends_request(bytes, length) ||
	    ftruncate(CHANNEL_FD, 0) < 0) {
		free(bytes);
		return NULL;
	}
	*size = length;
	return bytes;
}

void channel_clear(void)
{
	// A memory file can always be emptied.
	(void)!ftruncate(CHANNEL_FD, 0);
}

FILE *channel_answer(void)
{
	return fopen(CHANNEL_PATH, "we");
}
