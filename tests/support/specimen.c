/*
 * The program is small, so that each run of the tool is short.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/specimen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct specimen specimen;

int specimen_setup(void **state)
{
	static const char program[] = "states.py enabled";
	const char *why;

	(void)state;
	specimen.pythons = interpreters_all(&specimen.python_count);
	for (size_t i = 0; i < specimen.python_count && !specimen.python; i++)
		if (strcmp(specimen.pythons[i].root, "/") == 0)
			specimen.python = &specimen.pythons[i];
	if (!specimen.python) {
		print_error("no Python on this machine\n");
		return -1;
	}
	specimen.process = program_start(specimen.python, program);
	snprintf(specimen.pid, sizeof(specimen.pid), "%d", (int)specimen.process->pid);
	specimen.dumped = program_start(specimen.python, program);
	specimen.core = program_core(specimen.dumped, &why);
	if (!specimen.core)
		specimen.core = program_gcore(specimen.dumped);
	return 0;
}

int specimen_teardown(void **state)
{
	(void)state;
	program_end(specimen.process);
	program_end(specimen.dumped);
	interpreters_free(specimen.pythons, specimen.python_count);
	free(specimen.core);
	specimen = (struct specimen){0};
	return 0;
}

const char *specimen_path(const char *name)
{
	static char paths[4][sizeof(specimen.dumped->folder) + 256];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", specimen.dumped->folder, name);
	return path;
}
