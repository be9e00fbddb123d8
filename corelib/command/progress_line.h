/**
 * @file
 * The line on a terminal that shows how far long work is: one line, redrawn, erased at the end.
 */
#ifndef PYMEM_COMMAND_PROGRESS_LINE_H
#define PYMEM_COMMAND_PROGRESS_LINE_H

#include "command/front_end.h"
#include "target/progress.h"

#include <time.h>

/** The line, and the struct progress that the rooms below report to. Not thread-safe. */
struct progress_line {
	struct progress progress; /**< its context is this line */
	const struct pymem_io *io;
	bool enabled;
	struct timespec start;	 /**< of the work; nothing is drawn in its first second */
	struct timespec drawn;	 /**< when the line was drawn last */
	unsigned width;		 /**< characters that stand on the terminal; 0: nothing */
	struct timespec limited; /**< when the time limit began */
	uint64_t limit;		 /**< in milliseconds; 0: none */
	bool timed_out;		 /**< it was found to be over */
};

/**
 * Starts the clock.
 * @param line must not move afterwards
 * @param enabled false: only interrupts are passed on
 */
void progress_line_begin(struct progress_line *line, const struct pymem_io *io, bool enabled);

/** From now on the work may take so many milliseconds; then it is interrupted. 0: any time. */
void progress_line_limit(struct progress_line *line, uint64_t milliseconds);

/** Erases what is drawn; call it before anything else is printed. More reports may follow. */
void progress_line_erase(struct progress_line *line);

#endif
