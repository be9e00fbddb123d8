/**
 * @file
 * What the process had mapped, as its dynamic linker knows it: for a debugger on a remote target,
 * where neither /proc nor the notes of a core tell.
 */
#ifndef PYMEM_TARGET_LINK_MAP_H
#define PYMEM_TARGET_LINK_MAP_H

#include "target/mapping.h"
#include "target/module_private.h"

/** Path of the main executable, whose name the dynamic linker does not keep. */
#define LINK_MAP_MAIN "/[main executable]"

/**
 * Lists the segments of every ELF file that the dynamic linker has loaded, from the program headers
 * in memory. What is damaged is left out.
 * @param debug address of the linker's `struct r_debug`, its symbol _r_debug
 * @param mappings sorted; owned by the caller, also after a failure
 * @param program_headers set to the address of the main executable's, 0 if they were not found
 * @return NULL, also for an empty list; error_no_memory
 */
struct error *link_map_list(struct peek peek, uint64_t debug, struct mappings *mappings,
			    uint64_t *program_headers) __attribute__((warn_unused_result));

#endif
