/*
 * syslog() says nothing when nobody listens at /dev/log, as while the system starts.
 */
#include "journal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syslog.h>
#include <unistd.h>

static const char name[] = "pycore-inspect";

static void log_to_kernel(int priority, const char *line, int length)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
	char record[1000]; // of one write; the kernel takes no longer ones
	int size = snprintf(record, sizeof(record), "<%d>%s[%ld]: %.*s", LOG_DAEMON | priority,
			    name, (long)getpid(), length, line);

	if (size >= (int)sizeof(record))
		size = sizeof(record) - 1;
	// When this fails too there is nobody left to tell.
	if (fd < 0 || size < 0 || write(fd, record, (size_t)size) < 0)
		size = 0;
	if (fd >= 0)
		close(fd);
}

/** Logs each line; the stream hands over whole ones, as far as its buffer holds them. */
static ssize_t log_lines(void *context, const char *bytes, size_t size)
{
	const int *priority = context;
	const char *end = bytes + size;

	for (const char *line = bytes, *next; line < end; line = next + 1) {
		int length;

		next = memchr(line, '\n', (size_t)(end - line));
		if (!next)
			next = end;
		length = (int)(next - line);
		// Each line would else begin with it twice.
		if (length >= 16 && !strncmp(line, "pycore-inspect: ", 16)) {
			line += 16;
			length -= 16;
		}
		if (!length)
			continue;
		if (access("/dev/log", W_OK))
			log_to_kernel(*priority, line, length);
		else
			syslog(LOG_DAEMON | *priority, "%.*s", length, line);
	}
	return (ssize_t)size;
}

static int end(void *context)
{
	free(context);
	return 0;
}

FILE *journal_open(int priority)
{
	static const cookie_io_functions_t functions = {.write = log_lines, .close = end};
	int *context = malloc(sizeof(*context));
	FILE *stream;

	if (!context)
		return NULL;
	*context = priority;
	openlog(name, LOG_PID, LOG_DAEMON);
	stream = fopencookie(context, "w", functions);
	if (!stream) {
		free(context);
		return NULL;
	}
	setvbuf(stream, NULL, _IOLBF, BUFSIZ);
	return stream;
}
