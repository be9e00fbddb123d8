/**
 * @file
 * The answer to a command, as the GDB script that prints it.
 */
#ifndef PYMEM_GDB_REPLY_H
#define PYMEM_GDB_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** An answer under way; made by reply_open(), zero-initialised is closed. */
struct reply {
	FILE *script;  /**< the channel */
	FILE *out;     /**< text written here is printed by GDB, byte for byte but for NUL */
	uint64_t size; /**< bytes of text so far */
	bool in_string;
	size_t string_length;
};

/** Starts the answer. @return false with errno set */
bool reply_open(struct reply *reply);

/**
 * Ends the answer. The script then sets $pymem_status to the status, and prints. Nothing for a
 * closed reply.
 * @return false if the answer could not be written whole: errno says why
 */
bool reply_close(struct reply *reply, int status);

/** Gives the answer up: the script does nothing. For the `cleanup` attribute. */
void reply_abandon(struct reply *reply);

#endif
