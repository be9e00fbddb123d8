/**
 * @file
 * Which process or core file of this machine is behind GDB's target. Its memory can then be had
 * without GDB, which is faster for a live process and spares GDB a copy of a core. Only where there
 * is no doubt: GDB does not tell, may debug several processes at once, and a fork has its parent's
 * bytes at the same addresses.
 */
#ifndef PYMEM_GDB_LOCATE_H
#define PYMEM_GDB_LOCATE_H

#include "request.h"
#include "service.h"

#include <sys/types.h>

/** Where the bytes are; both empty: only GDB knows. */
struct location {
	pid_t pid;  /**< or 0 */
	char *core; /**< owned, or NULL */
};

/**
 * Finds the one process that GDB traces and whose stack and thread block have the same bytes as
 * the selected thread in GDB, or the one core file that GDB has open.
 * Call it on GDB's thread; GDB may throw through it.
 */
void locate(struct location *location, const struct request *request, gdb_target_read *target_read);

/** Frees what the location owns; for the `cleanup` attribute. */
void location_clear(struct location *location);

#endif
