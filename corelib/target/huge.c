/*
 * The advice covers all pages of the array: one that is left out would be a mapping of its own, and
 * mremap(), with which realloc() moves pages instead of bytes, takes one mapping at a time. That
 * malloc may have others in the first and the last page does no harm.
 */
#include "target/huge.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096, LARGE = 4 << 20 };

static void *advise(void *array, size_t size)
{
	uintptr_t start = (uintptr_t)array & ~(uintptr_t)(PAGE - 1);
	uintptr_t end = ((uintptr_t)array + size + PAGE - 1) & ~(uintptr_t)(PAGE - 1);

	// Only advice: without huge pages it is slower.
	if (array && size >= LARGE)
		madvise((void *)start, end - start, MADV_HUGEPAGE);
	return array;
}

void *huge_array(size_t count, size_t size)
{
	return huge_grow(NULL, count, size);
}

void *huge_zeroed(size_t count, size_t size)
{
	return advise(calloc(count ? count : 1, size), count * size);
}

void *huge_grow(void *array, size_t count, size_t size)
{
	return advise(reallocarray(array, count ? count : 1, size), count * size);
}

void *huge_make_room(void *array, size_t *capacity, size_t wanted, size_t size)
{
	enum { LEAST = 64 };
	size_t more = wanted < LEAST ? LEAST : wanted * 2;
	void *grown;

	grown = wanted > SIZE_MAX / 2 ? NULL : huge_grow(array, more, size);
	if (grown)
		*capacity = more;
	return grown;
}
