/* The advice covers the whole pages inside the array, which malloc does not share with others. */
#include "target/huge.h"

#include <stdint.h>
#include <sys/mman.h>

void huge_advise(void *array, size_t size)
{
	const uintptr_t page = 4096;
	uintptr_t start = ((uintptr_t)array + page - 1) & ~(page - 1);
	uintptr_t end = ((uintptr_t)array + size) & ~(page - 1);

	if (array && size >= 4 << 20)
		madvise((void *)start, end - start, MADV_HUGEPAGE);
}
