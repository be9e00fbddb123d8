/**
 * @file
 * How many bytes objects take.
 */
#ifndef PYMEM_ANALYSIS_SIZES_H
#define PYMEM_ANALYSIS_SIZES_H

#include "analysis/objects.h"

/** Bytes of one object: with its header and the storage that it alone owns; 0 if it is damaged.
 * object_measure() says what counts. */
uint64_t object_bytes(const struct objects *objects, uint32_t object);

#endif
