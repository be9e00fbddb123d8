/**
 * @file
 * Texts with a number each: equal texts have the same, in whatever process they were met.
 */
#ifndef PYMEM_ANALYSIS_NAMES_H
#define PYMEM_ANALYSIS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** "No such number", and "out of memory". */
#define NAME_NONE UINT32_MAX

/** A hash table of keys that live elsewhere: numbers of 0 … count - 1. Zero-initialised is empty.
 */
struct number_table {
	uint32_t *slots; /**< number + 1; 0: free */
	size_t size;	 /**< a power of two, or 0 */
	uint32_t count;
};

/** Is the key that a look-up is for that of a number? */
typedef bool number_equals(const void *context, uint32_t number);

/** The number whose key has this hash and equals. @return NAME_NONE: none */
uint32_t number_find(const struct number_table *table, uint64_t hash, number_equals *equals,
		     const void *context);

/**
 * Adds the number `count` under a hash; the caller stores the key.
 * @param rehash the hash of a number that is there already
 * @return it, or NAME_NONE when out of memory
 */
uint32_t number_add(struct number_table *table, uint64_t hash,
		    uint64_t (*rehash)(const void *context, uint32_t number), const void *context);

/** Frees the table. */
void number_clear(struct number_table *table);

/** FNV-1a over bytes; begin with HASH_BEGIN. */
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length);
#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)

/** The texts. Zero-initialised is empty. */
struct names {
	char **texts;
	size_t capacity;
	struct number_table table;
};

/** The number of a text, which is copied. @return NAME_NONE when out of memory */
uint32_t names_add(struct names *names, const char *text);

/** Frees the texts. */
void names_clear(struct names *names);

#endif
