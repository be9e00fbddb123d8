/**
 * @file
 * What the two halves of leaked.h share.
 */
#ifndef PYMEM_ANALYSIS_LEAKED_PRIVATE_H
#define PYMEM_ANALYSIS_LEAKED_PRIVATE_H

#include "analysis/leaked.h"

/** An object that is kept by a head. */
struct kept_object {
	uint32_t object, head;
};

/** All of them, in the order in which they were reached. */
struct kept_objects {
	struct kept_object *items;
	size_t count, capacity;
};

/** Finds what each head keeps and fills the heads. */
struct error *leaked_keep(struct leaked *leaked, const struct unreachable *unreachable,
			  struct kept_objects *kept) __attribute__((warn_unused_result));

/** Makes the groups. */
struct error *leaked_group(struct leaked *leaked, const struct kept_objects *kept)
	__attribute__((warn_unused_result));

#endif
