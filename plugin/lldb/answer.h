/**
 * @file
 * One command of LLDB, for the C++ shim: all that needs no LLDB.
 */
#ifndef PYMEM_LLDB_ANSWER_H
#define PYMEM_LLDB_ANSWER_H

#include "command/front_end.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What the shim hands over; every pointer lives as long as the call. */
struct lldb_request {
	/** With `core` NULL although it is a core: lldb_answer() looks for the file. */
	struct pymem_debugger debugger;
	bool is_core;	      /**< else a process */
	bool out_is_terminal; /**< and takes colours */
	int columns;	      /**< LLDB's "term-width"; 0: not known */
	/** Prints to the result of the command; the bytes hold no NUL. */
	void (*print)(void *context, const char *bytes, size_t size);
	/** True once the user has asked to stop. */
	bool (*interrupted)(void *context);
	void *context; /**< of both; `debugger` has its own */
	int count;
	char **words; /**< the command and its arguments */
};

/**
 * Runs the command.
 * @param messages set to what it says beside its output, lines for people, the last of them the
 *                 status if it has failed: free() it; may be NULL
 * @return a status of enum pymem_status
 */
int lldb_answer(const struct lldb_request *request, char **messages);

#ifdef __cplusplus
}
#endif

#endif
