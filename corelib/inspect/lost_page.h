/**
 * @file
 * Mapped files that get shorter while they are read: the kernel then sends SIGBUS, whose handler
 * has to be the front end's.
 */
#ifndef PYMEM_INSPECT_LOST_PAGE_H
#define PYMEM_INSPECT_LOST_PAGE_H

#include <signal.h>
#include <stdbool.h>

/** What to put back; zero-initialised: nothing. */
struct lost_page_guard {
	struct sigaction previous;
	bool armed;
};

/** Takes SIGBUS. Pages that are gone are zeros from now on. Threads must not block the signal. */
void lost_page_begin(struct lost_page_guard *guard);

/** Gives it back; for the `cleanup` attribute. */
void lost_page_end(struct lost_page_guard *guard);

/** The first page that was gone since then, see `lost` of struct pymem_io; NULL: none. */
const void *lost_page(void *context);

#endif
