/*
 * The library's messages and its progress line inside a debugger. See console.h.
 */
#include "console.h"

#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

// While a debugger runs a command the terminal is in canonical mode. It is not in GDB's TUI or
// LLDB's GUI, nor once "pipe pymem … | less" of GDB has started the pager: the screen is theirs
// then.
static bool terminal_is_free(void)
{
	struct termios mode;

	return tcgetattr(STDERR_FILENO, &mode) == 0 && (mode.c_lflag & ICANON);
}

static ssize_t write_err(void *cookie, const char *bytes, size_t size)
{
	struct console *console = cookie;

	if (bytes[0] != '\r')
		return (ssize_t)fwrite(bytes, 1, size, console->kept);
	// A progress line that cannot be drawn is no loss.
	if (terminal_is_free())
		(void)!write(STDERR_FILENO, bytes, size);
	return (ssize_t)size;
}

bool console_open(struct console *console)
{
	static const cookie_io_functions_t functions = {.write = write_err};

	*console = (struct console){.shows_progress = terminal_is_free()};
	console->kept = open_memstream(&console->messages, &console->size);
	if (!console->kept)
		return false;
	console->err = fopencookie(console, "w", functions);
	if (!console->err)
		return false;
	setvbuf(console->err, NULL, _IOLBF, BUFSIZ);
	return true;
}

const char *console_messages(struct console *console)
{
	fflush(console->err);
	return fflush(console->kept) == 0 ? console->messages : "";
}

void console_clear(struct console *console)
{
	if (console->err)
		fclose(console->err);
	if (console->kept)
		fclose(console->kept);
	free(console->messages);
	*console = (struct console){0};
}
