/**
 * @file
 * Where the library's messages go while a debugger owns the terminal. What redraws a line (it
 * begins with a carriage return) goes to the terminal at once; messages are kept for the front end
 * to place.
 */
#ifndef PYMEM_PLUGIN_CONSOLE_H
#define PYMEM_PLUGIN_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** The stream of messages; zero-initialised is closed. Must not move while it is open. */
struct console {
	FILE *err;	     /**< for pymem_io.err */
	bool shows_progress; /**< for pymem_io.err_is_terminal */
	FILE *kept;
	char *messages;
	size_t size;
};

/** Opens the stream. @return false with errno set; console_clear() is due all the same */
bool console_open(struct console *console);

/** @return the messages so far, owned by the console */
const char *console_messages(struct console *console);

/** Closes the stream and frees the messages; for the `cleanup` attribute. */
void console_clear(struct console *console);

#endif
