/*
 * Passes progress on to the front end and its wish to stop back. Draws nothing.
 */
#include "target/progress.h"

struct error *progress_step(const struct progress *progress, const char *phase, uint64_t done,
			    uint64_t total)
{
	if (!progress)
		return NULL;
	if (progress->interrupted && progress->interrupted(progress->context))
		return error_create(ERROR_INTERRUPTED, "interrupted while %s", phase);
	if (progress->report)
		progress->report(progress->context, phase, done, total);
	return NULL;
}
