/* The slow half of the index: marking, numbering, listing. */
#include "analysis/heap_index.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* To make a region takes it, where several threads write. */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

/* @return NULL: nothing near the address is marked */
static struct index_region *region_find(const struct heap_index *index, uint64_t address)
{
	struct index_region *const *directory = __atomic_load_n(
		&index->directories[address >> (INDEX_REGION_BITS + INDEX_DIRECTORY_BITS)],
		__ATOMIC_ACQUIRE);

	return directory ? __atomic_load_n(&directory[address >> INDEX_REGION_BITS &
						      ((1 << INDEX_DIRECTORY_BITS) - 1)],
					   __ATOMIC_ACQUIRE)
			 : NULL;
}

static struct index_region *region_make(struct heap_index *index, uint64_t address)
{
	struct index_region ***directory =
		&index->directories[address >> (INDEX_REGION_BITS + INDEX_DIRECTORY_BITS)];
	struct index_region **region;

	if (!*directory)
		__atomic_store_n(directory,
				 calloc((size_t)1 << INDEX_DIRECTORY_BITS, sizeof(**directory)),
				 __ATOMIC_RELEASE);
	if (!*directory)
		return NULL;
	region = &(*directory)[address >> INDEX_REGION_BITS & ((1 << INDEX_DIRECTORY_BITS) - 1)];
	if (!*region)
		__atomic_store_n(region, calloc(1, sizeof(**region)), __ATOMIC_RELEASE);
	return *region;
}

/* Can an object be there? */
static bool is_valid(uint64_t address)
{
	return address && !(address >> 47) && !(address & ((1 << INDEX_ALIGNMENT_BITS) - 1));
}

static uint64_t *word_of(struct index_region *region, uint64_t address, uint64_t *mask)
{
	unsigned bit = address >> INDEX_ALIGNMENT_BITS & (INDEX_WORDS * 64 - 1);

	*mask = UINT64_C(1) << bit % 64;
	return &region->bits[bit / 64];
}

enum index_insertion index_insert(struct heap_index *index, uint64_t address)
{
	struct index_region *region;
	uint64_t mask, *word;

	if (!is_valid(address))
		return INDEX_INVALID;
	region = region_make(index, address);
	if (!region)
		return INDEX_NO_MEMORY;
	word = word_of(region, address, &mask);
	if (*word & mask)
		return INDEX_PRESENT;
	*word |= mask;
	return INDEX_ADDED;
}

enum index_insertion index_insert_shared(struct heap_index *index, uint64_t address)
{
	struct index_region *region;
	uint64_t mask, *word;

	if (!is_valid(address))
		return INDEX_INVALID;
	region = region_find(index, address);
	if (!region) {
		pthread_mutex_lock(&making);
		region = region_make(index, address);
		pthread_mutex_unlock(&making);
	}
	if (!region)
		return INDEX_NO_MEMORY;
	word = word_of(region, address, &mask);
	return __atomic_fetch_or(word, mask, __ATOMIC_RELAXED) & mask ? INDEX_PRESENT : INDEX_ADDED;
}

void index_remove(struct heap_index *index, uint64_t address)
{
	struct index_region *region = is_valid(address) ? region_find(index, address) : NULL;
	uint64_t mask, *word;

	if (!region)
		return;
	word = word_of(region, address, &mask);
	*word &= ~mask;
}

/* Calls for each region in ascending order, until one call returns false. */
static bool each_region(const struct heap_index *index,
			bool (*see)(void *context, struct index_region *region, uint64_t base),
			void *context)
{
	for (uint64_t top = 0; top < 1 << INDEX_TOP_BITS; top++) {
		struct index_region **directory = index->directories[top];

		for (uint64_t i = 0; directory && i < 1 << INDEX_DIRECTORY_BITS; i++)
			if (directory[i] && !see(context, directory[i],
						 (top << INDEX_DIRECTORY_BITS | i)
							 << INDEX_REGION_BITS))
				return false;
	}
	return true;
}

static bool copy_region(void *context, struct index_region *region, uint64_t base)
{
	struct index_region *copy = region_make(context, base);

	if (copy)
		memcpy(copy->bits, region->bits, sizeof(copy->bits));
	return copy != NULL;
}

bool index_copy(struct heap_index *index, const struct heap_index *from)
{
	return each_region(from, copy_region, index);
}

static bool number_region(void *context, struct index_region *region, uint64_t base)
{
	struct heap_index *index = context;
	uint64_t next = index->count;

	(void)base;
	for (unsigned i = 0; i < INDEX_WORDS; i++) {
		region->rank[i] = (uint32_t)next;
		next += index_bit_count(region->bits[i]);
	}
	index->count = next < UINT32_MAX ? (uint32_t)next : UINT32_MAX;
	return next < UINT32_MAX;
}

bool index_number(struct heap_index *index)
{
	index->count = 0;
	return each_region(index, number_region, index);
}

static bool list_region(void *context, struct index_region *region, uint64_t base)
{
	uint64_t *addresses = context;

	for (unsigned i = 0; i < INDEX_WORDS; i++) {
		uint64_t *address = addresses + region->rank[i];

		for (uint64_t word = region->bits[i]; word; word &= word - 1)
			*address++ = base + ((i * 64 + (uint64_t)__builtin_ctzll(word))
					     << INDEX_ALIGNMENT_BITS);
	}
	return true;
}

void index_list(const struct heap_index *index, uint64_t *addresses)
{
	each_region(index, list_region, addresses);
}

void index_clear(struct heap_index *index)
{
	for (size_t top = 0; top < 1 << INDEX_TOP_BITS; top++) {
		struct index_region **directory = index->directories[top];

		for (size_t i = 0; directory && i < 1 << INDEX_DIRECTORY_BITS; i++)
			free(directory[i]);
		free(directory);
		index->directories[top] = NULL;
	}
	index->count = 0;
}
