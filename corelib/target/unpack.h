/**
 * @file
 * Unpacks a compressed core, or takes one from a pipe, into a file that has no name: it is gone
 * with its descriptor, however this process ends.
 */
#ifndef PYMEM_TARGET_UNPACK_H
#define PYMEM_TARGET_UNPACK_H

#include "target/error.h"
#include "target/progress.h"

#include <stddef.h>

/** What was unpacked; zero-initialised is empty but for fd. */
struct unpacked {
	int fd;		  /**< of the temporary file, whose pages of zeros are holes; -1: none */
	uint64_t size;	  /**< of it in bytes, never 0 */
	char *format;	  /**< "zstd", "gzip", …; NULL: it was not compressed */
	char *unfinished; /**< why it is not all of the core, one line; NULL: it is */
	char *not_kept;	  /**< why it has no name though it was to be kept; NULL: it has */
};

/** @return the name of the format that the first bytes of a file are of; NULL: not compressed */
const char *unpack_format(const void *bytes, size_t size);

/** How many bytes unpack_format() looks at. */
enum { UNPACK_MAGIC = 6 };

/** What to unpack. */
struct packed {
	int fd;		  /**< read to its end */
	const char *name; /**< of the core, for messages */
	uint64_t size;	  /**< of the packed file in bytes, for the progress; 0: not known */
	const char *keep; /**< path at which the core appears once it was read; NULL: none */
};

/**
 * Reads a descriptor to its end. What is damaged, cut off or finds no room ends it early, which
 * `unfinished` tells. The file is made in $TMPDIR or /var/tmp and leaves some of the free space.
 * One that is kept is made beside its path, readable by its owner only; what could be read of it is
 * kept also after an error.
 * @return ERROR_GENERAL if nothing of an ELF file could be unpacked; ERROR_INTERRUPTED
 */
struct error *unpack(const struct packed *packed, const struct progress *progress,
		     struct unpacked *unpacked) __attribute__((warn_unused_result));

/** Closes and frees. */
void unpacked_clear(struct unpacked *unpacked);

#endif
