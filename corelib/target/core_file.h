/**
 * @file
 * The bytes of a core, wherever they are: a file, a compressed file, a pipe.
 */
#ifndef PYMEM_TARGET_CORE_FILE_H
#define PYMEM_TARGET_CORE_FILE_H

#include "target/elf_view.h"
#include "target/error.h"
#include "target/progress.h"

/** The path that stands for the standard input, and what it is called in messages. */
#define CORE_FILE_STDIN	     "-"
#define CORE_FILE_STDIN_NAME "stdin"

/** A core that is mapped. */
struct core_file {
	struct elf_view view; /**< all of it; unmapped by who takes it */
	int fd;		      /**< to ask for its holes; -1: none */
	char *format;	      /**< it was compressed like this; NULL: it was not */
	char *unfinished;     /**< why it is not whole, one line; NULL: it is, or was cut before */
	char *not_kept;	      /**< why it was not kept, one line; NULL: it was not to be, or was */
};

/** What to call a core of this path. */
const char *core_file_name(const char *path);

/**
 * Opens and maps a core. What is compressed, or no file, is unpacked first, see unpack.h; a pipe
 * that nobody writes to is empty.
 * @param keep where to keep a copy of the core, whatever it is; NULL: nowhere
 * @return an error that names the path, for a directory, an empty file, a device, …
 */
struct error *core_file_open(const char *path, const char *keep, const struct progress *progress,
			     struct core_file *file) __attribute__((warn_unused_result));

/**
 * Is it something that only core_file_open() can read: the standard input, a pipe, a compressed
 * file? Reads nothing of a pipe.
 */
bool core_file_is_packed(const char *path);

/** Closes and frees all but the view. */
void core_file_clear(struct core_file *file);

#endif
