/**
 * @file
 * What is in one object, as people think of it: its attributes, its items, and what else it refers
 * to under a name.
 */
#ifndef PYMEM_ANALYSIS_CONTENTS_H
#define PYMEM_ANALYSIS_CONTENTS_H

#include "analysis/referents.h"

/** The parts, in the order in which they are shown. */
enum contents_part {
	CONTENTS_ATTRIBUTES, /**< of the instance itself: __slots__, __dict__ */
	CONTENTS_ITEMS,	     /**< of a container: with index or key; elements of a set */
	CONTENTS_REFERENCES, /**< other named ones: fields of C types, variables of a generator */
	CONTENTS_PARTS,
};

/** One thing in an object. */
struct content_item {
	struct edge_label label;
	uint64_t object;
};

/** The contents of one object. Zero-initialised is empty. */
struct contents {
	struct contents_list {
		struct content_item *items; /**< as many as were wanted */
		size_t count;
		uint64_t total; /**< how many there are */
	} parts[CONTENTS_PARTS];
};

/**
 * Reads them. Content that is damaged is left out.
 * @param object number of the object; HEAP_NONE: a static one
 * @param type of the object, or NULL: it has no contents
 * @param limit how many of each part are kept
 * @return false when out of memory
 */
bool contents_read(const struct objects *objects, uint32_t object, uint64_t address,
		   const struct type *type, uint64_t limit, struct contents *contents);

/** Frees the lists. */
void contents_clear(struct contents *contents);

#endif
