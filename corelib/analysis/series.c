/* Columns grow with the highest number that they count. */
#include "analysis/series.h"

#include <stdlib.h>
#include <string.h>

bool series_begin(struct series *series)
{
	struct series_column *columns =
		realloc(series->columns, (series->column_count + 1) * sizeof(*columns));

	if (!columns)
		return false;
	series->columns = columns;
	columns[series->column_count++] = (struct series_column){0};
	return true;
}

struct series_count *series_entry(struct series *series, uint32_t thing)
{
	struct series_column *column = &series->columns[series->column_count - 1];

	if (thing >= column->capacity) {
		size_t capacity = column->capacity ? column->capacity * 2 : 256;
		struct series_count *counts;

		while (capacity <= thing)
			capacity *= 2;
		counts = realloc(column->counts, capacity * sizeof(*counts));
		if (!counts)
			return NULL;
		column->counts = counts;
		column->capacity = capacity;
	}
	if (thing >= column->count) {
		memset(column->counts + column->count, 0,
		       (thing + 1 - column->count) * sizeof(*column->counts));
		column->count = (size_t)thing + 1;
	}
	return &column->counts[thing];
}

struct series_count series_at(const struct series *series, size_t column, uint32_t thing)
{
	const struct series_column *counts = &series->columns[column];

	return thing < counts->count ? counts->counts[thing] : (struct series_count){0};
}

void series_rotate(struct series *series)
{
	size_t last = series->column_count - 1;
	struct series_column column = series->columns[last];

	memmove(series->columns + 1, series->columns, last * sizeof(column));
	series->columns[0] = column;
}

void series_clear(struct series *series)
{
	for (size_t i = 0; i < series->column_count; i++)
		free(series->columns[i].counts);
	free(series->columns);
	*series = (struct series){0};
}
