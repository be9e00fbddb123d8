/**
 * @file
 * The reference census: for every object, how many live words of the process point at it.
 * References that no word accounts for can never be released: a lost DECREF.
 *
 * Dead memory is full of pointers, and one of them hides a leak: what no code will ever read again
 * does not count. Too many counted words can hide a leak; too few would invent one, so whatever is
 * not known to be dead counts.
 */
#ifndef PYMEM_ANALYSIS_CENSUS_H
#define PYMEM_ANALYSIS_CENSUS_H

#include "analysis/objects.h"
#include "analysis/word_map.h"

/** What is wrong with an object's refcount. */
enum anomaly_kind {
	ANOMALY_EXCESS,	       /**< refcount above the words found */
	ANOMALY_LOST,	       /**< no word found at all */
	ANOMALY_OVER_RELEASED, /**< more references visit it than its refcount says */
};

/** An object whose refcount does not fit. */
struct anomaly {
	uint32_t object; /**< number in objects */
	enum anomaly_kind kind;
	int64_t refcount;
	uint64_t found; /**< words, or visited references for ANOMALY_OVER_RELEASED */
};

/** The result. */
struct census {
	struct objects *objects;
	bool counted;	      /**< else what follows is not known yet, but for `dead` */
	uint32_t *found;      /**< words that point at each object */
	struct word_map dead; /**< words that were not counted */
	uint64_t *unaligned;  /**< references at no multiple of 8: traverse_unaligned() */
	size_t unaligned_count;
	struct anomaly *anomalies; /**< by object; over-released ones are the caller's to add */
	size_t anomaly_count;
	uint64_t scanned;    /**< bytes looked at */
	uint64_t dead_bytes; /**< bytes left out as dead */
	bool suspicion;	     /**< memory that may hold references was not dumped: see coverage */
};

/** Begins one: finds out which words are dead, and which are at no multiple of 8, as census_scan()
 * needs to know. */
struct error *census_begin(struct objects *objects, const struct progress *progress,
			   struct census **census) __attribute__((warn_unused_result));

/** Counts, unless it was done: the rest of it. */
struct error *census_count(struct census *census, const struct progress *progress)
	__attribute__((warn_unused_result));

/** Words that point at objects, in order of address. Zero-initialised is empty. */
struct census_words {
	struct census_pointer {
		uint64_t address; /**< of the word */
		uint32_t object;  /**< at which it points, by number */
	} * items;
	size_t count, capacity;
};

/**
 * Finds the words of CENSUS_FAR at multiples of 8 that point at wanted objects. Counts at the same
 * time, unless it was done: the words are gone through once.
 * @param wanted one byte an object, not 0: wanted
 * @param words set; free(words->items) is the caller's
 */
struct error *census_find_words(struct census *census, const uint8_t *wanted,
				const struct progress *progress, struct census_words *words)
	__attribute__((warn_unused_result));

/** Takes the census: both of these. */
struct error *census_take(struct objects *objects, const struct progress *progress,
			  struct census **census) __attribute__((warn_unused_result));

/** Frees it, not the objects. NULL is allowed. */
void census_free(struct census *census);

/** A live word, in memory or in a register. */
struct holder {
	uint64_t address; /**< of the word; 0: a register */
	uint64_t value;	  /**< what stands there, without the low tag bits */
	uint32_t thread;  /**< register: index in target->threads */
	const char *name; /**< register: its name, static; NULL: memory */
	bool is_near;	  /**< of CENSUS_NEAR */
};

/** Is called with each word. */
typedef void census_word(void *context, const struct holder *holder);

/**
 * Goes through the words that the census counted: those at multiples of 8 in order of address, then
 * the others, which are CENSUS_FAR, then the registers.
 * @param low only words with a value from `low` to `high` are passed on, tag bits masked
 */
struct error *census_scan(const struct census *census, const struct progress *progress,
			  uint64_t low, uint64_t high, census_word *word, void *context)
	__attribute__((warn_unused_result));

/** Where words stand. */
enum census_part {
	CENSUS_NEAR, /**< data of modules, memory that a thread's stack pointer is in, registers */
	CENSUS_FAR,  /**< all other memory: the heaps, mappings of their own */
	CENSUS_ALL,
};

/** The same for a part of them: that which is near takes no time. */
struct error *census_scan_part(const struct census *census, enum census_part part,
			       const struct progress *progress, uint64_t low, uint64_t high,
			       census_word *word, void *context)
	__attribute__((warn_unused_result));

/**
 * Marks what is dead: free blocks and chunks, stack that is not in use, the parts of live objects'
 * storage that hold no reference of theirs.
 */
struct error *census_mark_dead(struct objects *objects, const struct progress *progress,
			       struct word_map *dead) __attribute__((warn_unused_result));

/** Marks what CPython's free lists remember of objects long gone: part of census_mark_dead(). */
bool census_mark_free_lists(struct objects *objects, struct word_map *dead);

/** Marks what the dynamic linker allocated and did not fill: part of census_mark_dead(). @return
 * false when out of memory */
bool census_mark_linker(const struct objects *objects, struct reader *reader,
			struct word_map *dead);

#endif
