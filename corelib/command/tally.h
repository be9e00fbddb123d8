/**
 * @file
 * Objects counted by type: of the whole heap, of those whose references are not known for
 * certain, of gc.garbage.
 */
#ifndef PYMEM_COMMAND_TALLY_H
#define PYMEM_COMMAND_TALLY_H

#include "analysis/cycles.h"

/** A list of types with their objects, most objects first; ties by name, then by address. */
struct tally {
	struct type_tally *types;
	size_t count;
	uint64_t objects, bytes; /**< of all types; bytes are 0 where they were not measured */
};

/**
 * Counts the heap's objects by type and measures them.
 * @param progress may be NULL
 */
struct error *tally_heap(struct heap *heap, const struct progress *progress, struct tally *tally)
	__attribute__((warn_unused_result));

/**
 * Counts the objects whose references are not all known: traverser_usage() says why. The heap must
 * have been traversed.
 */
struct error *tally_inexact(struct heap *heap, struct tally *tally)
	__attribute__((warn_unused_result));

/** Counts some objects, given by address, as they come from a container such as gc.garbage. */
struct error *tally_references(struct heap *heap, const struct reference *references, size_t count,
			       struct tally *tally) __attribute__((warn_unused_result));

/** Frees the list. */
void tally_clear(struct tally *tally);

#endif
