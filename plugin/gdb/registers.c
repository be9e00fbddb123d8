/*
 * Reads registers as the tracer that GDB is. See registers.h.
 */
#include "registers.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>

/** One thread's. */
struct thread_registers {
	pid_t thread;
	struct user_regs_struct registers;
};

static int compare(const void *one, const void *other)
{
	const struct thread_registers *a = one, *b = other;

	return (a->thread > b->thread) - (a->thread < b->thread);
}

// Makes room for one more. @return false if there is no memory
static bool reserve(struct registers *registers, size_t *capacity)
{
	size_t wanted = *capacity ? *capacity * 2 : 16;
	struct thread_registers *threads;

	if (registers->count < *capacity)
		return true;
	threads = reallocarray(registers->threads, wanted, sizeof(*threads));
	if (!threads)
		return false;
	registers->threads = threads;
	*capacity = wanted;
	return true;
}

void registers_take(struct registers *registers, pid_t pid)
{
	size_t capacity = 0;
	struct dirent *entry;
	char path[64];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = pid ? opendir(path) : NULL;
	while (tasks && (entry = readdir(tasks)) && reserve(registers, &capacity)) {
		struct thread_registers *next = &registers->threads[registers->count];

		next->thread = atoi(entry->d_name);
		if (next->thread > 0 &&
		    ptrace(PTRACE_GETREGS, next->thread, NULL, &next->registers) == 0)
			registers->count++;
	}
	if (tasks)
		closedir(tasks);
	if (registers->count)
		qsort(registers->threads, registers->count, sizeof(*registers->threads), compare);
}

bool registers_find(const struct registers *registers, pid_t thread, struct user_regs_struct *found)
{
	const struct thread_registers key = {.thread = thread};
	const struct thread_registers *hit =
		registers->count
			? bsearch(&key, registers->threads, registers->count, sizeof(key), compare)
			: NULL;

	if (hit)
		*found = hit->registers;
	return hit != NULL;
}

void registers_clear(struct registers *registers)
{
	free(registers->threads);
	*registers = (struct registers){0};
}
