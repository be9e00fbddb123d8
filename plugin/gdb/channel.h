/**
 * @file
 * How GDB's command language and this plugin talk: a memory file on a fixed descriptor of GDB.
 *
 * GDB exports no function by which a plugin could add a command, take its words or print. So the
 * commands are written in GDB's own language (script/pymem.gdb.in). They write a request into the
 * memory file with "dump value" and "append value", by its name below /proc/self/fd. They make GDB
 * unwind a frame, which calls the plugin. The plugin answers by rewriting the file as a GDB script,
 * and the command sources it, so that GDB itself prints: "pipe", "set logging", the pager and
 * GDB/MI see it.
 *
 * A request:  MAGIC NUL  VALUES NUL  '=' SYSROOT NUL  WORD '.' NUL …  END
 * where NUL is one or more zero bytes (GDB 13 puts none behind a string, later versions one). The
 * '.' keeps blanks at the end of a word. SYSROOT is GDB's setting, which may be empty.
 */
#ifndef PYMEM_GDB_CHANNEL_H
#define PYMEM_GDB_CHANNEL_H

#include <stddef.h>
#include <stdio.h>

/** The descriptor. Below the usual soft limit of 1024, above what GDB has open. */
#define CHANNEL_FD 1000

/** First bytes of a request. '#': a request that nobody took is a comment when it is sourced. */
#define CHANNEL_MAGIC "#PYMEM-REQUEST-1"

/** Last bytes of a request, behind a NUL. */
#define CHANNEL_END "\001END"

/** The record of values that precedes the words, for sscanf() and for GDB's eval. */
#define CHANNEL_VALUES "sp=%lx fs_base=%lx runtime=%lx r_debug=%lx columns=%d"

/**
 * Parks the memory file on CHANNEL_FD, where it stays until GDB ends, also when the plugin is
 * unloaded and loaded again.
 * @return NULL, or why it cannot be done: a malloc'ed line for people
 */
char *channel_open(void);

/**
 * Takes the request out of the file, which is empty afterwards. Costs one system call if there is
 * none: GDB calls the plugin for every frame that it unwinds.
 * @param size set to the length of the request in bytes
 * @return malloc'ed, with a NUL behind it; NULL if there is no complete request
 */
char *channel_take(size_t *size);

/** Empties the file: a command then finds no answer. */
void channel_clear(void);

/** Opens the emptied file to write the answer. @return NULL with errno set */
FILE *channel_answer(void);

#endif
