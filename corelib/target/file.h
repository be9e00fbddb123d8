/**
 * @file
 * Opening files that the user or the target names, which can be anything.
 */
#ifndef PYMEM_TARGET_FILE_H
#define PYMEM_TARGET_FILE_H

#include "target/elf_view.h"
#include "target/error.h"

#include <sys/types.h>

/**
 * Maps a whole regular file read-only; the caller unmaps it.
 * @return an error that names the path for everything else: a directory, an empty file, …
 */
struct error *file_map(const char *path, struct elf_view *view) __attribute__((warn_unused_result));

/** The same of a descriptor, which may be closed afterwards; `name` is for messages. */
struct error *file_map_descriptor(int fd, const char *name, struct elf_view *view)
	__attribute__((warn_unused_result));

/** Unmaps what file_map() mapped; an empty view is allowed. */
void file_unmap(struct elf_view view);

/**
 * The next part of a file that holds data, where the file system keeps holes; parts that are less
 * than FILE_HOLE_MIN apart are one.
 * @param fd -1: everything is data
 * @param offset where to begin; end: where to stop
 * @return false if there is no data in between
 */
bool file_next_data(int fd, uint64_t offset, uint64_t end, uint64_t *data_start,
		    uint64_t *data_end);

/** Smaller holes are not worth a range of their own. */
enum { FILE_HOLE_MIN = 2 << 20 };

/**
 * Creates a file beside a path, "PATH.pymem-PID-N", to be renamed to it when it is whole. No link
 * is followed, no file that is there is opened.
 * @param mode as open() takes it
 * @param name of the new file, owned by the caller; NULL on error
 * @return the descriptor, for reading and writing; -1 with errno
 */
int file_create_beside(const char *path, mode_t mode, char **name);

/** For the `cleanup` attribute: closes a descriptor that is not -1. */
void file_close(int *fd);

#endif
