/**
 * @file
 * Runs the library beside GDB's main thread, which meanwhile serves its reads.
 *
 * GDB's target_read() may only be called on GDB's main thread, and it can throw C++ exceptions
 * (Ctrl-C, a remote target that is lost). A throw must not pass through the library, which would
 * be cut off half way with its memory, files and threads. So the library runs on a thread of its
 * own; what it wants to read is read by GDB's thread, in service_run(). A throw there makes the
 * pending and every later read fail, asks the library to stop, waits for it, and goes on to GDB.
 */
#ifndef PYMEM_GDB_SERVICE_H
#define PYMEM_GDB_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// GDB's header declares what the plugin must export.
#pragma GCC visibility push(default)
#include <gdb/jit-reader.h>
#pragma GCC visibility pop

struct service;

/** The work: runs on the thread of the service, which blocks all signals. */
typedef int service_work(struct service *service, void *context);

/**
 * Runs the work and returns when it has ended; also when a throw of GDB passes through, which is
 * the case in which it does not return.
 * @param result set to what the work returned
 * @return false if the thread could not be started: errno says why
 */
bool service_run(gdb_target_read *target_read, service_work *work, void *context, int *result);

/**
 * For the work, from any of its threads: reads exactly `length` bytes of GDB's target.
 * @param service a struct service, as pymem_debugger.read wants it
 * @return false if any of them is not readable, or GDB has taken the command back
 */
bool service_read(void *service, uint64_t address, void *buffer, size_t length);

/** For the work, from any thread: true once it has to stop. */
bool service_stopped(const struct service *service);

#endif
