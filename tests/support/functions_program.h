/**
 * @file
 * tests/programs/traverse_functions.c, compiled and running: a process without Python in it, with
 * functions in the shape of a tp_traverse and what they visit. Files are made in the directory of
 * temporary.h.
 */
#ifndef PYMEM_TESTS_FUNCTIONS_PROGRAM_H
#define PYMEM_TESTS_FUNCTIONS_PROGRAM_H

#include "traverse/emulator.h"

#include <stdio.h>

enum { FUNCTIONS_LINE = 1 << 16 };

/** The program, running. */
struct functions_program {
	pid_t pid;
	int in;
	struct target *target;
	struct emulator *emulator;
	FILE *calls; /**< what it wrote */
};

/** A line of what it wrote. */
struct functions_call {
	char name[64];
	char fault[64]; /**< "-", or why the emulator must give it up */
	uint64_t function, node;
	const char *visited; /**< hexadecimal numbers, to the end of the line */
};

/** Compiles and starts it; fails the test if that is not possible. */
void functions_open(struct functions_program *program, const char *options);

/** Ends it. */
void functions_close(struct functions_program *program);

/** The next line. @return false behind the last */
bool functions_next(struct functions_program *program, struct functions_call *call,
		    char line[FUNCTIONS_LINE]);

#endif
