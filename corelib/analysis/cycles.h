/**
 * @file
 * Unreachable objects grouped for people: strongly connected components, then components of equal
 * shape together, so that ten thousand leaked requests are one line with a count.
 */
#ifndef PYMEM_ANALYSIS_CYCLES_H
#define PYMEM_ANALYSIS_CYCLES_H

#include "analysis/unreachable.h"

/** A reference between members of a cycle, by type and name. */
struct cycle_edge {
	const struct type *from;
	const struct type *to;
	char *label; /**< ".node", "['key']", "[]", "cell_contents"; through an instance's __dict__
		      */
};

/** How many objects of one type. */
struct type_tally {
	const struct type *type; /**< NULL: damaged */
	uint64_t objects;
	uint64_t bytes;
};

/** Cycles of one shape. */
struct cycle_group {
	uint32_t cycles;   /**< how many components have this shape */
	uint64_t members;  /**< objects that are part of a cycle */
	uint64_t attached; /**< objects that only hang off one */
	uint64_t bytes;	   /**< of members and attached: object, header, out-of-line */
	uint64_t example;  /**< address of a member: the lowest of the most telling type */
	uint64_t
		fingerprint; /**< fingerprint.h: of the first cycles, those of the lowest objects */
	bool has_del;	     /**< a member or an attached object has __del__ */
	struct type_tally *member_types; /**< most objects first */
	size_t member_type_count;
	struct type_tally *attached_types;
	size_t attached_type_count;
	struct cycle_edge *edges; /**< in one cycle of the group, in walking order; the first few */
	size_t edge_count;
	bool edges_cut; /**< there are more than are shown */
};

/** All groups, largest in bytes first; ties by types, then by address. */
struct cycles {
	struct cycle_group *groups;
	size_t count;
	/** For each unreachable object (index as in unreachable->objects): its group. */
	uint32_t *group_of;
	/** 1 if the object is a member of a cycle, 0 if it is attached. */
	uint8_t *is_member;
	uint64_t objects, bytes; /**< of all groups */
	uint64_t cycle_count;
};

/** Groups the unreachable objects. */
struct error *cycles_group(struct unreachable *unreachable, const struct progress *progress,
			   struct cycles **cycles) __attribute__((warn_unused_result));

/** Frees it. NULL is allowed. */
void cycles_free(struct cycles *cycles);

#endif
