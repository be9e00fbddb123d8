/**
 * @file
 * What a command of GDB asks for.
 */
#ifndef PYMEM_GDB_REQUEST_H
#define PYMEM_GDB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One request; zero-initialised is empty. */
struct request {
	char *bytes;  /**< owned; the words point into it */
	char **words; /**< owned, NULL-terminated: the command and its arguments */
	int count;
	uint64_t stack_pointer; /**< of frame 0 of the selected thread */
	uint64_t fs_base;	/**< of the selected thread, or 0 */
	uint64_t runtime;	/**< address of _PyRuntime, or 0 */
	uint64_t r_debug;	/**< address of the dynamic linker's _r_debug, or 0 */
	const char *sysroot;	/**< GDB's "set sysroot", NULL: not a folder of its own */
	int columns;		/**< GDB's "set width", 0: unlimited */
};

/**
 * Splits the bytes of a request and takes GDB's quotes off its words.
 * @param bytes as channel_take() returned them; the request owns them from here on
 * @return false if it is malformed or memory ran out; request_clear() is due all the same
 */
bool request_parse(struct request *request, char *bytes, size_t size);

/**
 * Takes the quotes off one word, in place. GDB's own rule for words: a backslash makes the next
 * character literal, everywhere; '…' and "…" group.
 */
void request_unquote(char *word);

/** Frees what the request owns; for the `cleanup` attribute. */
void request_clear(struct request *request);

#endif
