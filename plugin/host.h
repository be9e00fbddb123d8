/**
 * @file
 * What this machine says of the files and processes that a debugger may have behind its target.
 */
#ifndef PYMEM_PLUGIN_HOST_H
#define PYMEM_PLUGIN_HOST_H

#include <stdbool.h>
#include <sys/types.h>

/** Is this open file an ELF core? */
bool host_is_core(int fd);

/** The process that traces `pid`; 0: none, or there is no such process. */
pid_t host_tracer_of(pid_t pid);

#endif
