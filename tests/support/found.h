/**
 * @file
 * What `pycore-inspect --ndjson cycles` found: one object a line.
 */
#ifndef PYMEM_TESTS_FOUND_H
#define PYMEM_TESTS_FOUND_H

#include "support/collector_truth.h"

#include <stddef.h>
#include <stdint.h>

/** An unreachable object. */
struct found_object {
	uint64_t address;
	char *type;
	int64_t size;
	int64_t group; /**< 1 is the largest */
};

/** All of them, by address. */
struct found {
	struct found_object *objects;
	size_t count;
};

/** Reads the lines; text that is not as it should be fails the test, and so does an object that is
 * there twice. */
void found_read(struct found *found, const char *text);

/** The object at an address, or NULL. */
const struct found_object *found_find(const struct found *found, uint64_t address);

/** Fails the test unless these are the objects that the real collector found, of the same types. */
void found_check(const struct found *found, const struct truth *truth);

/** Frees it; for the `cleanup` attribute. */
void found_clear(struct found *found);

#endif
