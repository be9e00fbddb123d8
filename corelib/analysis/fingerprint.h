/**
 * @file
 * Fingerprints of findings: 64-bit numbers that are the same for the same leak in another process,
 * on another host or day. They are made of names and shapes; never of addresses, counts or what
 * the program was working on.
 *
 * Scripts compare them across versions of this library: a change of what goes in is a change of
 * the JSON's schema.
 */
#ifndef PYMEM_ANALYSIS_FINGERPRINT_H
#define PYMEM_ANALYSIS_FINGERPRINT_H

#include "analysis/number_set.h"

/** A part of a fingerprint: a hash of strings and of where each ends. Parts are put together by
 * number_set_hash(). */
uint64_t fingerprint_part(const char *const *strings, size_t count);

#endif
