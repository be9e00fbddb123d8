/**
 * @file
 * What the words of a command line ask for: which of them is the command, which its argument, and
 * which are files.
 */
#ifndef PYMEM_COMMAND_REQUEST_H
#define PYMEM_COMMAND_REQUEST_H

#include "command/command.h"

/** A command line understood. Strings are those of argv. */
struct request {
	const struct command *command; /**< never NULL */
	bool command_named;	       /**< false: it is the default */
	const char *argument;	       /**< the first word behind it that it takes, or NULL */
	bool argument_first;	       /**< it stood in front of the target's files */
	struct error *left_out;	       /**< of an executable that is left out, owned; NULL: none */
};

/**
 * Tells the words apart. The first word that is the name of a command is the command, wherever it
 * stands; the next is its argument if it takes such words; the others are files, told apart by
 * their ELF type, and become options->core and options->executable. Beside --core a path that leads
 * to no executable is left out: coredumpctl names the one of the process, which may be gone since.
 * @return ERROR_USAGE for words that make no sense together, ERROR_GENERAL for a file that cannot
 * be read or is no ELF file
 */
struct error *request_resolve(enum front_end front_end, struct options *options,
			      struct request *request) __attribute__((warn_unused_result));

/** Checks that a tool's request has exactly one target. */
struct error *request_check_target(const struct options *options)
	__attribute__((warn_unused_result));

/** Checks that the files that the options name are there, and what they should be. */
struct error *request_check_files(const struct options *options)
	__attribute__((warn_unused_result));

#endif
