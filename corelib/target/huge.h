/**
 * @file
 * Large arrays in huge pages: page faults are a third of the time of an analysis otherwise.
 */
#ifndef PYMEM_TARGET_HUGE_H
#define PYMEM_TARGET_HUGE_H

#include <stddef.h>

/**
 * Asks the kernel for huge pages behind an array that was just allocated or grown, before it is
 * written. Only advice: it cannot fail, and small arrays are left alone. NULL is allowed.
 */
void huge_advise(void *array, size_t size);

#endif
