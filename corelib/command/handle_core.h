/**
 * @file
 * pycore-inspect as the program that the kernel starts for each core, see core(5): the core comes
 * through the standard input, and the process is still there, at least until that has been read.
 */
#ifndef PYMEM_COMMAND_HANDLE_CORE_H
#define PYMEM_COMMAND_HANDLE_CORE_H

#include <stdbool.h>

struct error;
struct session;

/** What is held of the process, so that it can be used when the process has gone. */
struct handled_core {
	int root;	/**< its root folder; -1: it sees the same files as we do */
	int executable; /**< a file that has no name any more; -1: it has one */
	char root_path[32], executable_path[32];
};

/** Nothing is held. */
#define HANDLED_CORE_NONE ((struct handled_core){.root = -1, .executable = -1})

/**
 * Takes the files of the process that --handle-core names into the session's options, before the
 * core is read: the kernel lets the process go after that unless kernel.core_pipe_limit is set.
 * Without --handle-core it does nothing.
 * @param handled must live until the target is open; handle_core_end() closes it
 */
struct error *handle_core_begin(struct session *session, struct handled_core *handled)
	__attribute__((warn_unused_result));

/** The target is open: it gets the pid that this machine knows it by. */
void handle_core_opened(struct session *session);

/**
 * Says in one line on the error stream what became of it.
 * @param answered whether there is an answer in the file of --output
 */
void handle_core_end(const struct session *session, struct handled_core *handled, bool answered);

#endif
