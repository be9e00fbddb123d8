/**
 * @file
 * What grew from the first to the last snapshot of a history, and who holds it.
 *
 * A holder is the container with more items than before, the class with more objects, the new
 * attribute: not the module above it, nor the thousand objects below. What grew below a holder is
 * part of its row, so that the rows add up.
 */
#ifndef PYMEM_ANALYSIS_GROWTH_H
#define PYMEM_ANALYSIS_GROWTH_H

#include "analysis/history.h"

/** Objects and bytes, more or fewer. */
struct growth_delta {
	int64_t objects, bytes;
};

/** How a row or a type fared from snapshot to snapshot. */
struct growth_trend {
	size_t up, down; /**< steps in which its bytes grew, shrank */
};

/** The objects of a type in a row. */
struct growth_part {
	uint32_t type; /**< number in the holders' names */
	uint32_t row;
	struct growth_delta delta;
};

/** A holder, with all that hangs off it and is in no other row. */
struct growth_row {
	uint32_t node;
	struct growth_delta delta;
	struct series_count *counts; /**< by snapshot; `items` and `example` are of the node */
	struct growth_trend trend;
	uint32_t mostly; /**< node: the items that grew most; HOLDER_NONE: it contains none */
	struct growth_part *parts; /**< by type, most bytes first */
	size_t part_count;
};

/** All objects of a type. */
struct growth_type {
	uint32_t type; /**< number in the holders' names */
	struct growth_delta delta;
	struct series_count *counts;
	struct growth_trend trend;
	uint32_t row; /**< that holds most of the new ones, if it grew; else count of the rows */
	struct growth_delta held; /**< by that row */
};

/** A group of cycles or of leaked references of which there are more than before. */
struct growth_group {
	uint32_t group; /**< number in the history */
	struct growth_delta delta;
	struct growth_trend trend;
};

/** The result. Everything is ranked: what grew in every step first, then most bytes first. */
struct growth {
	const struct history *history;
	struct growth_delta delta; /**< of all objects */
	struct growth_trend trend;
	struct growth_row *rows; /**< that grew by `noise` bytes or more */
	size_t row_count;
	uint64_t noise;		     /**< bytes */
	struct growth_delta smaller; /**< what grew without being in a row */
	struct growth_row *shrunk;   /**< the same for what shrank, most bytes first */
	size_t shrunk_count;
	struct growth_type *types; /**< that grew by `noise` bytes or more, or by an object */
	size_t type_count;
	struct growth_type *shrunk_types;
	size_t shrunk_type_count;
	struct growth_group *cycles, *leaks;
	size_t cycle_count, leak_count;
	struct series_count *counts; /**< memory of all `counts` */
	struct growth_part *parts;   /**< memory of all `parts` */
};

/** Did it grow in every step? */
static inline bool growth_is_steady(const struct growth *growth, struct growth_trend trend)
{
	return trend.up == growth->history->count - 1;
}

/** Computes it. The history, of two snapshots at least, must outlive the result. */
struct error *growth_find(const struct history *history, struct growth *growth)
	__attribute__((warn_unused_result));

/** Frees it. */
void growth_clear(struct growth *growth);

#endif
