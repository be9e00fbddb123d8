/**
 * @file
 * The registers of the threads of a process that GDB debugs. GDB's thread is the one that traces
 * it, so only there they can be read; the library asks for them on its own thread.
 */
#ifndef PYMEM_GDB_REGISTERS_H
#define PYMEM_GDB_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/user.h>

/** Those of all threads that are stopped; zero-initialised: of none. */
struct registers {
	struct thread_registers *threads; /**< owned, by rising id */
	size_t count;
};

/** Reads them; call it on GDB's thread. Of what cannot be read there is none. @param pid or 0 */
void registers_take(struct registers *registers, pid_t pid);

/** Those of one thread. @return false if they are not known */
bool registers_find(const struct registers *registers, pid_t thread,
		    struct user_regs_struct *found);

/** Frees them; for the `cleanup` attribute. */
void registers_clear(struct registers *registers);

#endif
