/**
 * @file
 * Ctrl-C while a command runs: it ends the command, not the session.
 */
#ifndef PYMEM_GDB_INTERRUPT_H
#define PYMEM_GDB_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

/** What to put back; zero-initialised: nothing. */
struct interrupt_guard {
	struct sigaction previous;
	bool armed;
};

/**
 * Takes SIGINT from GDB. The first one is only noted here; from the second on GDB's own handler is
 * called too, so that a target that does not answer can be given up as always.
 */
void interrupt_begin(struct interrupt_guard *guard);

/** Gives SIGINT back to GDB; for the `cleanup` attribute. */
void interrupt_end(struct interrupt_guard *guard);

/** True once Ctrl-C was pressed since interrupt_begin(). Any thread may ask. */
bool interrupt_requested(void);

#endif
