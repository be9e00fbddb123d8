/**
 * @file
 * Between growth.c, which finds the rows, and growth_count.c, which counts what is in them.
 */
#ifndef PYMEM_ANALYSIS_GROWTH_PRIVATE_H
#define PYMEM_ANALYSIS_GROWTH_PRIVATE_H

#include "analysis/growth.h"

/** "In no row". */
#define ROW_NONE UINT32_MAX

/** What is known of each node. */
struct growth_work {
	const struct history *history;
	struct growth *growth;
	uint32_t count;			   /**< of nodes */
	struct growth_delta *self, *total; /**< of the objects of a node; with all below it */
	uint32_t *row_of; /**< node -> number of its row: those that grew, then those that shrank */
};

/** What changed of a thing from the first to the last snapshot. */
struct growth_delta growth_between(const struct series *series, size_t snapshots, uint32_t thing);

/** The change from the first to the last of some counts. */
struct growth_delta growth_of_counts(const struct series_count *counts, size_t snapshots);

/** How the bytes of counts fared. */
struct growth_trend growth_trend_of(const struct series_count *counts, size_t snapshots);

/** Counts the rows by snapshot and type, and the types. */
struct error *growth_count(struct growth_work *work) __attribute__((warn_unused_result));

/** Ranks rows, types and groups. */
struct error *growth_rank(struct growth_work *work) __attribute__((warn_unused_result));

#endif
