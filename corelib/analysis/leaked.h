/**
 * @file
 * Leaked references: what they keep alive, and which of them look like one bug.
 *
 * An object with references that nobody holds is the *head* of a leak. What would be freed if those
 * references were given back is *kept* by it, with the head itself. Heads of one type with as many
 * leaked references each, and with similar content, are a *group*.
 */
#ifndef PYMEM_ANALYSIS_LEAKED_H
#define PYMEM_ANALYSIS_LEAKED_H

#include "analysis/census.h"
#include "analysis/cycles.h"

/** What the contents of a group's heads have in common. */
enum leaked_content {
	CONTENT_NONE,	 /**< the type has no content to compare, or it says nothing */
	CONTENT_SAME,	 /**< all are equal */
	CONTENT_SIMILAR, /**< str or bytes that begin alike and have similar lengths */
	CONTENT_ONCE,	 /**< each is there once and there are few: perhaps constants of a module */
};

/** An object with leaked references. */
struct leaked_head {
	uint32_t object; /**< number in objects */
	enum anomaly_kind kind;
	int64_t refcount;
	uint64_t found;
	uint64_t excess;		   /**< leaked references: refcount - found */
	bool is_freed;			   /**< it would be freed without the leaked references */
	bool in_cycle;			   /**< the references found are of a cycle that it keeps */
	uint64_t kept_objects, kept_bytes; /**< the head included; objects kept by two heads count
					      for one of them */
	uint32_t group;
};

/** Heads that look like one bug. */
struct leaked_group {
	uint32_t type; /**< index; of the heads */
	enum anomaly_kind kind;
	uint64_t excess; /**< leaked references of each */
	bool in_cycle;
	enum leaked_content content;
	uint32_t heads;
	uint64_t kept_objects, kept_bytes;
	uint32_t example;	       /**< index in leaked->heads: the lowest address */
	struct type_tally *kept_types; /**< of what the heads keep without them; most bytes first */
	size_t kept_type_count;
};

/** The result. Order and numbers depend on the heap alone. */
struct leaked {
	const struct census *census;
	struct leaked_head *heads; /**< by address */
	uint32_t head_count;
	/** Most bytes first, groups of CONTENT_ONCE behind all others. */
	struct leaked_group *groups;
	uint32_t group_count;
	uint64_t kept_objects, kept_bytes; /**< of all */
};

/** Computes it from the anomalies that are excess or lost. Both arguments must outlive the result.
 */
struct error *leaked_compute(const struct census *census, const struct unreachable *unreachable,
			     const struct progress *progress, struct leaked **leaked)
	__attribute__((warn_unused_result));

/** Frees it. NULL is allowed. */
void leaked_free(struct leaked *leaked);

#endif
