/**
 * @file
 * What the real tp_traverse functions of a real process visit: runs tests/programs/every_type.py
 * with the extension module traverse_truth.c, takes a core of it, and reads what was written down.
 */
#ifndef PYMEM_TESTS_VISITS_H
#define PYMEM_TESTS_VISITS_H

#include <stddef.h>
#include <stdint.h>

/** The visits of one object. */
struct visits {
	uint64_t object, type, traverse;
	uint64_t count;
	const uint64_t *targets;
};

/** An interpreter, as scripts/interpreters lists it. */
struct visits_python {
	char name[64];
	char version[32];
	char root[256]; /**< "/", or a folder to chroot into */
	char path[256]; /**< inside of the root */
};

/** A process that wrote its visits down, and its core. */
struct visits_run {
	char folder[320]; /**< a temporary one, removed by visits_end() */
	char core[400];
	struct visits *items;
	size_t count;
	uint64_t *words; /**< of the file; what items point into */
};

/**
 * Runs the program.
 * @param each objects of each kind; more make a larger heap
 * @return NULL with the reason on stdout if the interpreter cannot be used for the test; aborts
 *         the test if something goes wrong later
 */
struct visits_run *visits_start(const struct visits_python *python, unsigned each);

/** Removes all files and frees it. NULL is allowed. */
void visits_end(struct visits_run *run);

/** The interpreters of this machine, in the order of the script. @return free() it */
struct visits_python *visits_interpreters(size_t *count);

#endif
