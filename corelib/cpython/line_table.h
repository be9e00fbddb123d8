/**
 * @file
 * The lines of a code object: which instruction belongs to which line of the source.
 *
 * Three encodings, told apart by the fields that a build has: co_lnotab (3.8, 3.9), the
 * co_linetable of 3.10 (PEP 626) and that of 3.11+ (locations, PEP 657); Objects/lnotab_notes.txt,
 * Objects/locations.md.
 */
#ifndef PYMEM_CPYTHON_LINE_TABLE_H
#define PYMEM_CPYTHON_LINE_TABLE_H

#include "cpython/object.h"

/** No line: instructions that the compiler added. f_lineno is None there. */
enum { LINE_NONE = -1 };

/** Instructions in a row that belong to one line. */
struct line_range {
	int64_t start, end; /**< bytes from the start of the code; the last end may be INT64_MAX */
	int32_t line;	    /**< or LINE_NONE */
};

/** Goes through the ranges of one code object. Members are internal. */
struct line_walk {
	const uint8_t *next, *limit;
	int64_t end;
	int32_t line;
	bool (*step)(struct line_walk *walk, struct line_range *range);
};

/** Starts at the first range. @return false if the code object or its table is unreadable */
bool line_walk_begin(const struct runtime *runtime, struct reader *reader, uint64_t code,
		     struct line_walk *walk);

/** The next range; some are empty. @return false behind the last */
static inline bool line_walk_next(struct line_walk *walk, struct line_range *range)
{
	return walk->step(walk, range);
}

/**
 * The line of an instruction (PyCode_Addr2Line).
 * @param offset in bytes; below 0: the code has not begun, which is its first line
 * @return LINE_NONE also for what is damaged, and behind the end of the table
 */
int32_t code_line(const struct runtime *runtime, struct reader *reader, uint64_t code,
		  int64_t offset);

#endif
