/**
 * @file
 * A set of 64-bit numbers that is built first and read then, kept small by sorting out duplicates
 * as it grows.
 */
#ifndef PYMEM_ANALYSIS_NUMBER_SET_H
#define PYMEM_ANALYSIS_NUMBER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The set. Zero-initialised is empty. Not thread-safe. */
struct number_set {
	uint64_t *items; /**< ascending and each there once after number_set_finish() */
	size_t count, capacity;
};

/** Adds a number. @return false when out of memory */
bool number_set_add(struct number_set *set, uint64_t number);

/** Sorts the numbers and drops duplicates. */
void number_set_finish(struct number_set *set);

/** Is a number in the set? Needs number_set_finish(). */
bool number_set_has(const struct number_set *set, uint64_t number);

/** A hash of all numbers. Finishes the set. Depends on nothing but them. */
uint64_t number_set_hash(struct number_set *set);

/** Frees the numbers. */
void number_set_clear(struct number_set *set);

#endif
