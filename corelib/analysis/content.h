/**
 * @file
 * What simple objects say: two str with the same text come from the same line of code more often
 * than not, and so do a thousand that begin alike.
 */
#ifndef PYMEM_ANALYSIS_CONTENT_H
#define PYMEM_ANALYSIS_CONTENT_H

#include "analysis/objects.h"

/** The content of an object, as numbers that can be compared. */
struct content {
	bool known;	 /**< the object is a str, bytes, int, float or a tuple */
	bool has_prefix; /**< it is a str or bytes: `prefix` tells something */
	uint64_t hash;	 /**< of all of it, the type left out */
	uint64_t prefix; /**< the first bytes and the power of 16 of the length */
};

/** Reads it. What is out of line or damaged is not known. */
struct content content_read(const struct objects *objects, uint32_t object);

#endif
