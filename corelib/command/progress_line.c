/*
 * The progress line. Work of less than a second shows none, and a line is redrawn ten times a
 * second at most, whatever the rooms below report.
 */
#include "command/progress_line.h"

#include "command/units.h"

#include <string.h>

static int64_t milliseconds_since(const struct timespec *then, const struct timespec *now)
{
	return (int64_t)(now->tv_sec - then->tv_sec) * 1000 +
	       (now->tv_nsec - then->tv_nsec) / 1000000;
}

static void draw(struct progress_line *line, const char *phase, uint64_t done, uint64_t total)
{
	FILE *err = line->io->err;
	char text[80];
	unsigned width;

	if (total)
		snprintf(text, sizeof(text), "%.40s: %u %%", phase,
			 done >= total ? 100 : (unsigned)((double)done / (double)total * 100));
	else if (done)
		snprintf(text, sizeof(text), "%.40s: %s", phase, units_count(done).text);
	else
		snprintf(text, sizeof(text), "%.40s", phase);
	width = (unsigned)strlen(text);
	fprintf(err, "\r%s%*s", text, width < line->width ? (int)(line->width - width) : 0, "");
	fflush(err);
	line->width = width > line->width ? width : line->width;
}

static void report(void *context, const char *phase, uint64_t done, uint64_t total)
{
	struct progress_line *line = context;
	struct timespec now;

	if (line->io->progress) {
		line->io->progress(line->io->context, phase, done, total);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (milliseconds_since(&line->start, &now) < 1000 ||
	    milliseconds_since(&line->drawn, &now) < 100)
		return;
	line->drawn = now;
	draw(line, phase, done, total);
}

static bool interrupted(void *context)
{
	struct progress_line *line = context;
	struct timespec now;

	if (line->io->interrupted && line->io->interrupted(line->io->context))
		return true;
	// What is computed of lost pages is worth nothing.
	if (line->io->lost && line->io->lost(line->io->context))
		return true;
	if (!line->limit || line->timed_out)
		return line->timed_out;
	clock_gettime(CLOCK_MONOTONIC, &now);
	line->timed_out = milliseconds_since(&line->limited, &now) >= (int64_t)line->limit;
	return line->timed_out;
}

void progress_line_limit(struct progress_line *line, uint64_t milliseconds)
{
	line->limit = milliseconds;
	clock_gettime(CLOCK_MONOTONIC, &line->limited);
}

void progress_line_begin(struct progress_line *line, const struct pymem_io *io, bool enabled)
{
	*line = (struct progress_line){
		.progress = {.report = enabled || io->progress ? report : NULL,
			     .interrupted = interrupted,
			     .context = line},
		.io = io,
		.enabled = enabled,
	};
	clock_gettime(CLOCK_MONOTONIC, &line->start);
	line->drawn = line->start;
}

void progress_line_erase(struct progress_line *line)
{
	if (!line->width)
		return;
	fprintf(line->io->err, "\r%*s\r", (int)line->width, "");
	fflush(line->io->err);
	line->width = 0;
}
