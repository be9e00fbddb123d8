/*
 * Ctrl-C while a command runs. The state is global because a signal handler takes no argument;
 * GDB runs one command at a time.
 */
#include "interrupt.h"

#include <stdatomic.h>

static atomic_int interrupts;
static void (*_Atomic gdb_handler)(int);

static void on_interrupt(int signal)
{
	void (*handler)(int) = gdb_handler;

	if (atomic_fetch_add(&interrupts, 1) > 0 && handler != SIG_DFL && handler != SIG_IGN)
		handler(signal);
}

void interrupt_begin(struct interrupt_guard *guard)
{
	struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	atomic_store(&interrupts, 0);
	if (sigaction(SIGINT, NULL, &guard->previous) < 0)
		return;
	gdb_handler = guard->previous.sa_handler;
	guard->armed = sigaction(SIGINT, &action, NULL) == 0;
}

void interrupt_end(struct interrupt_guard *guard)
{
	if (guard->armed)
		sigaction(SIGINT, &guard->previous, NULL);
	guard->armed = false;
}

bool interrupt_requested(void)
{
	return atomic_load(&interrupts) > 0;
}
