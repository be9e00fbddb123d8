/**
 * @file
 * Large arrays in huge pages: page faults are a third of the time of an analysis otherwise. They
 * are malloc's and freed with free(). All functions return NULL when out of memory, also where the
 * size does not fit into a size_t; an array of no items is not NULL.
 */
#ifndef PYMEM_TARGET_HUGE_H
#define PYMEM_TARGET_HUGE_H

#include <stddef.h>

/** An array of `count` items of `size` bytes that the caller will fill. */
void *huge_array(size_t count, size_t size) __attribute__((malloc, warn_unused_result));

/** The same, of zeros. */
void *huge_zeroed(size_t count, size_t size) __attribute__((malloc, warn_unused_result));

/** A larger array in the place of another, like realloc(). NULL leaves the old one as it is. */
void *huge_grow(void *array, size_t count, size_t size) __attribute__((warn_unused_result));

/** The slow way of huge_room(). */
void *huge_make_room(void *array, size_t *capacity, size_t wanted, size_t size)
	__attribute__((warn_unused_result));

/**
 * The same for an array that grows: makes room for `wanted` items if there is not, and for as many
 * again. `capacity` is that of the array, and changed.
 */
static inline void *huge_room(void *array, size_t *capacity, size_t wanted, size_t size)
{
	return array && wanted <= *capacity ? array : huge_make_room(array, capacity, wanted, size);
}

#endif
