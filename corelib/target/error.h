/**
 * @file
 * Errors as values. A function that can fail returns `struct error *`: NULL means success, anything
 * else is owned by the caller, who frees it with error_free() or passes it on. Nothing in the
 * library prints or exits.
 */
#ifndef PYMEM_TARGET_ERROR_H
#define PYMEM_TARGET_ERROR_H

#include <stdbool.h>
#include <stdint.h>

/** What kind of failure it is. The values are the exit codes that users see. */
enum error_code {
	ERROR_GENERAL = 1,	 /**< a file, process or system call failed */
	ERROR_USAGE = 2,	 /**< the command line was wrong */
	ERROR_NOT_PYTHON = 3,	 /**< no CPython, or one that cannot be decoded */
	ERROR_INTERRUPTED = 130, /**< the user pressed Ctrl-C */
};

/** One failure: its kind, a sentence for people, and the address at fault when there is one. */
struct error {
	enum error_code code;
	bool has_address;
	uint64_t address; /**< in the target; valid if has_address */
	char *message;	  /**< one line, no newline, names the file, address or option */
};

/** The static instance that is returned when memory runs out; freeing it does nothing. */
extern struct error error_no_memory;

/** Makes an error. @return never NULL. */
struct error *error_create(enum error_code code, const char *format, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));

/** Makes an error at a target address, which is appended to the message as " at 0x…". */
struct error *error_create_at(enum error_code code, uint64_t address, const char *format, ...)
	__attribute__((format(printf, 3, 4), warn_unused_result));

/** Makes an ERROR_GENERAL that ends in ": strerror(errno_value)". */
struct error *error_system(int errno_value, const char *format, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));

/** Replaces control characters, so that a text stays one line and harms no terminal. @return text
 */
char *error_one_line(char *text);

/** Frees an error; NULL and error_no_memory are allowed. */
void error_free(struct error *err);

/** For the `cleanup` attribute: frees the error that a `struct error *` variable holds. */
void error_cleanup(struct error **err);

#endif
