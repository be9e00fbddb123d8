/**
 * @file
 * What pycore-inspect and the debuggers' plugins are built on. A front end does three things: names
 * a target, passes words to pymem_run(), prints what comes back. Data goes to `out`, everything
 * else to `err`. No function prints elsewhere, exits, or keeps state between calls.
 */
#ifndef PYMEM_COMMAND_FRONT_END_H
#define PYMEM_COMMAND_FRONT_END_H

#include "pymem.h"

#include <sys/user.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Memory that a debugger hands over; every pointer lives as long as the call. */
struct pymem_debugger {
	/** Reads exactly `length` bytes. Returns false if any of them is not readable. */
	bool (*read)(void *context, uint64_t address, void *buffer, size_t length);
	/**
	 * Reads the general registers of a thread of a live process, by its id of the system; what
	 * the debugger does not know of them is 0, orig_rax -1. Returns false if it knows none.
	 * NULL: it can tell those of no thread.
	 */
	bool (*registers)(void *context, pid_t thread, struct user_regs_struct *registers);
	void *context;		/**< of both */
	pid_t pid;		/**< the process, if this host can reach it, else 0 */
	const char *core;	/**< path of the core file, or NULL */
	uint64_t stack_pointer; /**< of the selected thread */
	uint64_t runtime;	/**< address of _PyRuntime from the debugger's symbols, or 0 */
	uint64_t r_debug;	/**< address of the dynamic linker's _r_debug, or 0 */
	const char *sysroot;	/**< used without --sysroot, if it is a folder; or NULL */
	/** Why there is nothing to read, then only the help works; NULL: there is. */
	const char *unavailable;
};

/** Where output goes and how the caller is asked to stop. */
struct pymem_io {
	FILE *out;	      /**< data */
	FILE *err;	      /**< messages, progress */
	bool out_is_terminal; /**< for --color=auto */
	bool err_is_terminal; /**< for the progress line */
	int columns;	      /**< of the terminal; 0: 100 */
	bool utf8;	      /**< `out` and `err` take UTF-8; else what is not ASCII is escaped */
	/** Returns true once the user has asked to stop; may be NULL. */
	bool (*interrupted)(void *context);
	/**
	 * Returns the address of a page of a mapped file that was gone when it was touched, since
	 * the file got shorter meanwhile; NULL while that has not happened. For a caller who
	 * handles SIGBUS and puts another page there; may be NULL.
	 */
	const void *(*lost)(void *context);
	/** Takes the place of the progress line, see struct pymem_options; may be NULL. */
	void (*progress)(void *context, const char *phase, uint64_t done, uint64_t total);
	void *context; /**< of all three */
};

/**
 * Runs the standalone tool's command line: options, target and command (argv[0] is the program).
 * @return a status of enum pymem_status
 */
int pymem_main(int argc, char **argv, const struct pymem_io *io);

/**
 * Runs one command of a debugger: words[0] is the command ("leaks"), none means the overview.
 * @return a status of enum pymem_status
 */
int pymem_run(const struct pymem_debugger *debugger, int count, char **words,
	      const struct pymem_io *io);

/** The table of commands, in the order of the help; ends with a NULL name. */
const struct pymem_command *pymem_commands(void);

#ifdef __cplusplus
}
#endif

#endif
