/**
 * @file
 * What tests/programs/truth.py wrote of the real collector.
 */
#ifndef PYMEM_TESTS_COLLECTOR_TRUTH_H
#define PYMEM_TESTS_COLLECTOR_TRUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** An object that the collector found unreachable. */
struct truth_object {
	uint64_t address;
	char *type;   /**< module-qualified */
	int64_t size; /**< sys.getsizeof(); -1: not known */
	bool gone;    /**< a finalizer took it before the collector did */
};

/** The lists of the main interpreter's collector. */
struct truth_counts {
	struct {
		long long objects, threshold, count, collections;
	} generations[3];
	long long frozen, garbage, enabled;
};

struct truth {
	struct truth_object *objects; /**< by address */
	size_t count;
	bool valid; /**< the program says that its claims hold */
	struct truth_counts counts;
};

/**
 * Reads the files `truth` and `counts` of a program's folder. A program whose own claims do not
 * hold fails the test. `with_counts` is false for programs that do not get as far as writing them.
 */
void truth_read(struct truth *truth, const char *folder, bool with_counts);

/** The object at an address, or NULL. */
const struct truth_object *truth_find(const struct truth *truth, uint64_t address);

/** Frees it; for the `cleanup` attribute. */
void truth_clear(struct truth *truth);

#endif
