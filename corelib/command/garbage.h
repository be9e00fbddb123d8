/**
 * @file
 * gc.garbage: what the collector found unreachable and could not free (a legacy tp_del), or was
 * told to keep (gc.DEBUG_SAVEALL).
 */
#ifndef PYMEM_COMMAND_GARBAGE_H
#define PYMEM_COMMAND_GARBAGE_H

#include "command/tally.h"

/** gc.garbage of all interpreters together. */
struct garbage {
	uint64_t *objects; /**< addresses, in the order of the lists */
	size_t count;
	struct tally tally;
};

/** Reads it. Lists that cannot be read are noted in the target's coverage. */
struct error *garbage_read(struct heap *heap, struct garbage *garbage)
	__attribute__((warn_unused_result));

/** How many objects one interpreter's gc.garbage holds; 0 if it is unreadable or not there. */
uint64_t garbage_count(struct heap *heap, const struct interpreter *interpreter);

/** Frees it. */
void garbage_clear(struct garbage *garbage);

#endif
