/**
 * @file
 * Counts of numbered things, a column for each snapshot.
 */
#ifndef PYMEM_ANALYSIS_SERIES_H
#define PYMEM_ANALYSIS_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How much there is of one thing. */
struct series_count {
	uint64_t objects;
	uint64_t bytes;
	uint64_t items;	  /**< that the objects contain, if they are containers */
	uint64_t example; /**< address of one of them; 0: none */
};

/** One snapshot: things that were not there yet have no count. */
struct series_column {
	struct series_count *counts;
	size_t count, capacity;
};

/** The columns, in the order of time. Zero-initialised is empty. */
struct series {
	struct series_column *columns;
	size_t column_count;
};

/** Begins the next column. @return false when out of memory */
bool series_begin(struct series *series);

/** The count of a thing in the last column, to be added to. @return NULL when out of memory */
struct series_count *series_entry(struct series *series, uint32_t thing);

/** The count of a thing in a column. */
struct series_count series_at(const struct series *series, size_t column, uint32_t thing);

/** Makes the last column the first, and moves the others back. */
void series_rotate(struct series *series);

/** Frees the columns. */
void series_clear(struct series *series);

#endif
