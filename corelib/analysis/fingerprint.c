/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
#include "analysis/fingerprint.h"

#include <string.h>

uint64_t fingerprint_part(const char *const *strings, size_t count)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k <= strlen(strings[i]); k++)
			hash = (hash ^ (uint8_t)strings[i][k]) * UINT64_C(0x100000001b3);
	return hash;
}
