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
	if (!*region) {
		struct index_region *made = calloc(1, sizeof(*made));

		if (made)
			made->base = address >> INDEX_REGION_BITS << INDEX_REGION_BITS;
		__atomic_store_n(region, made, __ATOMIC_RELEASE);
	}
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

/* The same for several threads at a time: the lock is taken once for each region. */
static struct index_region *region_make_shared(struct heap_index *index, uint64_t address)
{
	struct index_region *region = region_find(index, address);

	if (region)
		return region;
	pthread_mutex_lock(&making);
	region = region_make(index, address);
	pthread_mutex_unlock(&making);
	return region;
}

static inline enum index_insertion insert(struct heap_index *index, uint64_t address, bool shared)
{
	struct index_region *region;
	uint64_t mask, *word, before;

	if (!is_valid(address))
		return INDEX_INVALID;
	region = (shared ? region_make_shared : region_make)(index, address);
	if (!region)
		return INDEX_NO_MEMORY;
	word = word_of(region, address, &mask);
	if (shared) {
		before = __atomic_fetch_or(word, mask, __ATOMIC_RELAXED);
	} else {
		before = *word;
		*word |= mask;
	}
	return before & mask ? INDEX_PRESENT : INDEX_ADDED;
}

enum index_insertion index_insert(struct heap_index *index, uint64_t address)
{
	return insert(index, address, false);
}

enum index_insertion index_insert_shared(struct heap_index *index, uint64_t address)
{
	return insert(index, address, true);
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

/* All regions in ascending order. @return how many; to `regions`, if it is not NULL */
static size_t collect_regions(const struct heap_index *index, struct index_region **regions)
{
	size_t count = 0;

	for (uint64_t top = 0; top < 1 << INDEX_TOP_BITS; top++) {
		struct index_region **directory = index->directories[top];

		for (uint64_t i = 0; directory && i < 1 << INDEX_DIRECTORY_BITS; i++) {
			if (!directory[i])
				continue;
			if (regions)
				regions[count] = directory[i];
			count++;
		}
	}
	return count;
}

bool index_copy(struct heap_index *index, const struct heap_index *from)
{
	for (size_t i = 0; i < from->region_count; i++) {
		struct index_region *copy = region_make(index, from->regions[i]->base);

		if (!copy)
			return false;
		memcpy(copy->bits, from->regions[i]->bits, sizeof(copy->bits));
	}
	return true;
}

bool index_number(struct heap_index *index)
{
	uint64_t next = 0;

	free(index->regions);
	index->region_count = collect_regions(index, NULL);
	index->regions = calloc(index->region_count + 1, sizeof(struct index_region *));
	if (!index->regions)
		return false;
	collect_regions(index, index->regions);
	for (size_t r = 0; r < index->region_count && next < UINT32_MAX; r++) {
		struct index_region *region = index->regions[r];

		for (unsigned i = 0; i < INDEX_WORDS; i++) {
			region->rank[i] = (uint32_t)next;
			next += index_bit_count(region->bits[i]);
		}
	}
	index->count = (uint32_t)next;
	return next < UINT32_MAX;
}

static void list_region(const struct index_region *region, uint32_t start, uint32_t end,
			uint64_t *addresses)
{
	for (unsigned i = 0; i < INDEX_WORDS && region->rank[i] < end; i++) {
		uint32_t number = region->rank[i];

		for (uint64_t word = region->bits[i]; word && number < end; word &= word - 1) {
			uint64_t bit = i * 64 + (uint64_t)__builtin_ctzll(word);

			if (number >= start)
				addresses[number] = region->base + (bit << INDEX_ALIGNMENT_BITS);
			number++;
		}
	}
}

void index_list(const struct heap_index *index, uint32_t start, uint32_t end, uint64_t *addresses)
{
	size_t low = 0, high = index->region_count;

	/* The last region that begins with a number up to the first. */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (index->regions[middle]->rank[0] <= start)
			low = middle;
		else
			high = middle;
	}
	for (; low < index->region_count && index->regions[low]->rank[0] < end; low++)
		list_region(index->regions[low], start, end, addresses);
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
	free(index->regions);
	index->regions = NULL;
	index->region_count = 0;
	index->count = 0;
}
