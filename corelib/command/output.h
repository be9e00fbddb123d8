/**
 * @file
 * Where the answer goes: the caller's stream, or the file of --output, which appears under its name
 * only when it is whole.
 */
#ifndef PYMEM_COMMAND_OUTPUT_H
#define PYMEM_COMMAND_OUTPUT_H

#include "target/error.h"

#include <stdio.h>

/** An output being written. Zero-initialised is closed. */
struct output {
	FILE *file;	 /**< write here */
	char *path;	 /**< the name it will get; NULL: the caller's stream, or no regular file */
	char *temporary; /**< the file beside it that is being written; NULL: none */
	bool owned;	 /**< file is ours to close */
};

/**
 * Checks early that a file can be written there, so that nobody waits for an answer that has no
 * place. Creates nothing.
 */
struct error *output_check(const char *path) __attribute__((warn_unused_result));

/**
 * Opens an output.
 * @param path file of --output, or NULL for `stream`. A name of a pipe or device is written to
 * directly; a symbolic link keeps its place and its target is replaced.
 */
struct error *output_open(struct output *output, const char *path, FILE *stream)
	__attribute__((warn_unused_result));

/**
 * Opens a file for its owner's eyes, in a folder where others may have put something under its
 * name: that is replaced, whatever it is, and no link is followed.
 */
struct error *output_open_private(struct output *output, const char *path)
	__attribute__((warn_unused_result));

/**
 * Has a write failed so far? Call it right after writing, while errno is of that write.
 * @return NULL, or what went wrong
 */
struct error *output_status(const struct output *output) __attribute__((warn_unused_result));

/** Flushes everything and gives the file its name. The output is closed, also when this fails. */
struct error *output_commit(struct output *output) __attribute__((warn_unused_result));

/** Closes the output and removes what was written; nothing for the caller's stream. */
void output_discard(struct output *output);

#endif
