/**
 * @file
 * Address -> number, by bitmap and rank: one bit for each 16 bytes in regions of 1 MiB that are
 * made on demand, and before every 64 bits the count of the bits below them.
 */
#ifndef PYMEM_ANALYSIS_HEAP_INDEX_H
#define PYMEM_ANALYSIS_HEAP_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	INDEX_ALIGNMENT_BITS = 4,
	INDEX_REGION_BITS = 20,
	INDEX_DIRECTORY_BITS = 14,
	INDEX_TOP_BITS = 47 - INDEX_REGION_BITS - INDEX_DIRECTORY_BITS,
	INDEX_WORDS = 1 << (INDEX_REGION_BITS - INDEX_ALIGNMENT_BITS - 6),
};

/** 1 MiB of the target. */
struct index_region {
	uint64_t base; /**< its address */
	uint64_t bits[INDEX_WORDS];
	uint32_t rank[INDEX_WORDS]; /**< number of the first object of each word */
};

/** The index; zero-initialised is empty. */
struct heap_index {
	struct index_region **directories[1 << INDEX_TOP_BITS];
	/** Set by index_number(): how many addresses are marked, and all regions in their order. */
	uint32_t count;
	struct index_region **regions;
	size_t region_count;
};

/** What index_insert() found. */
enum index_insertion {
	INDEX_ADDED,
	INDEX_PRESENT,
	INDEX_INVALID, /**< not 16-byte aligned, or outside the user half of the address space */
	INDEX_NO_MEMORY,
};

/** Marks an address. One thread at a time may write to the index, and nobody read it meanwhile. */
enum index_insertion index_insert(struct heap_index *index, uint64_t address);

/** The same for several threads at a time. */
enum index_insertion index_insert_shared(struct heap_index *index, uint64_t address);

/** Takes the mark of an address away. */
void index_remove(struct heap_index *index, uint64_t address);

/** Marks in an empty index what is marked in another that is numbered. @return false when out of
 * memory */
bool index_copy(struct heap_index *index, const struct heap_index *from);

/**
 * Numbers all marked addresses in ascending order. From now on any thread may read the index.
 * @return false: out of memory, or there are too many, as the last number is kept for "none"
 */
bool index_number(struct heap_index *index);

/** Writes the addresses with the numbers [start, end), each to the item of `addresses` that has its
 * number. */
void index_list(const struct heap_index *index, uint32_t start, uint32_t end, uint64_t *addresses);

/** Frees what the index holds. */
void index_clear(struct heap_index *index);

/** How many bits are set. */
static inline uint32_t index_bit_count(uint64_t word)
{
	/* Not every x86-64 processor has the instruction, and a look-up waits for its result. */
	if (__builtin_cpu_supports("popcnt")) {
		__asm__("popcnt %0, %0" : "+r"(word) : : "cc");
		return (uint32_t)word;
	}
	word -= word >> 1 & UINT64_C(0x5555555555555555);
	word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
	word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (uint32_t)(word * UINT64_C(0x0101010101010101) >> 56);
}

/** @return the number of a marked address after index_number(), UINT32_MAX for any other */
static inline uint32_t index_find(const struct heap_index *index, uint64_t address)
{
	struct index_region **directory, *region;
	uint64_t word;
	unsigned bit, i;

	if (address >> 47 || address & ((1 << INDEX_ALIGNMENT_BITS) - 1))
		return UINT32_MAX;
	directory = index->directories[address >> (INDEX_REGION_BITS + INDEX_DIRECTORY_BITS)];
	if (!directory)
		return UINT32_MAX;
	region = directory[address >> INDEX_REGION_BITS & ((1 << INDEX_DIRECTORY_BITS) - 1)];
	if (!region)
		return UINT32_MAX;
	bit = address >> INDEX_ALIGNMENT_BITS & (INDEX_WORDS * 64 - 1);
	i = bit / 64;
	word = region->bits[i];
	bit %= 64;
	if (!(word >> bit & 1))
		return UINT32_MAX;
	return region->rank[i] + index_bit_count(word & ((UINT64_C(1) << bit) - 1));
}

#endif
