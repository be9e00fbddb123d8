/*
 * A core that is overwritten, a library that is being replaced. Zeros take the place of the page,
 * so that the work can be left in good order; it is of no use any more. The state is global because
 * a signal handler takes no argument.
 */
#include "lost_page.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static void *_Atomic first;
static struct sigaction before;

static void replace(int number, siginfo_t *info, void *context)
{
	uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
	void *page = (void *)((uintptr_t)info->si_addr & ~(size - 1)), *none = NULL;

	(void)context;
	// Who handled it before is asked when it comes again, as it will.
	if (info->si_code != BUS_ADRERR ||
	    mmap(page, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		sigaction(number, &before, NULL);
	else
		atomic_compare_exchange_strong(&first, &none, page);
}

void lost_page_begin(struct lost_page_guard *guard)
{
	struct sigaction action = {.sa_sigaction = replace, .sa_flags = SA_SIGINFO};

	atomic_store(&first, NULL);
	if (sigaction(SIGBUS, NULL, &before))
		return;
	guard->previous = before;
	guard->armed = !sigaction(SIGBUS, &action, NULL);
}

void lost_page_end(struct lost_page_guard *guard)
{
	if (guard->armed)
		sigaction(SIGBUS, &guard->previous, NULL);
	guard->armed = false;
}

const void *lost_page(void *context)
{
	(void)context;
	return atomic_load(&first);
}
