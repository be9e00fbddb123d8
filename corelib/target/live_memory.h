/**
 * @file
 * The memory of a live process: which ranges there are, and how they are read.
 */
#ifndef PYMEM_TARGET_LIVE_MEMORY_H
#define PYMEM_TARGET_LIVE_MEMORY_H

#include "target/image_private.h"
#include "target/mapping.h"
#include "target/target.h"

/** A process whose memory is read. */
struct live_memory {
	pid_t pid;
	int memory;  /**< /proc/PID/mem, -1 until process_vm_readv() turns out not to be allowed */
	int pagemap; /**< /proc/PID/pagemap, -1: not readable */
	bool gone;   /**< reading failed because the process is no more */
	struct mappings mappings; /**< sorted */
};

/** Makes the process readable; mappings are read too. */
struct error *live_memory_open(struct live_memory *memory, pid_t pid)
	__attribute__((warn_unused_result));

/** Closes and frees all but the struct itself. */
void live_memory_close(struct live_memory *memory);

/** Copies up to `length` bytes. @return how many contiguous ones there were */
size_t live_memory_read(void *memory, uint64_t address, void *buffer, size_t length);

/** The `fetch` of a struct fetcher: leaves untouched pages of anonymous memory at zero. */
bool live_memory_fetch(void *memory, uint64_t address, void *buffer, size_t length);

/**
 * Has the process written to a private mapping of a file, so that it differs from the file?
 * @return true also if that cannot be known
 */
bool live_memory_is_written(const struct live_memory *memory, const struct mapping *mapping);

/**
 * Adds all ranges of the process to the image: from the files of its modules where they are
 * unchanged, else to be fetched.
 */
struct error *live_memory_add(struct live_memory *memory, struct target *target)
	__attribute__((warn_unused_result));

#endif
