/**
 * @file
 * How many bytes objects take.
 */
#ifndef PYMEM_ANALYSIS_SIZES_H
#define PYMEM_ANALYSIS_SIZES_H

#include "analysis/objects.h"

/** Bytes of one object: with its header and the storage that it alone owns; 0 if it is damaged. */
uint64_t object_bytes(const struct objects *objects, uint32_t object);

/**
 * Bytes of each object: object, header, storage out of line (object_measure()).
 * @return an array by object, that the caller frees
 */
struct error *sizes_measure(const struct objects *objects, const struct progress *progress,
			    uint64_t **sizes) __attribute__((warn_unused_result));

#endif
