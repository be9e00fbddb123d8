/**
 * @file
 * Damages the memory of a core that is open: words are changed at random, and changed back.
 */
#ifndef PYMEM_TESTS_DAMAGE_H
#define PYMEM_TESTS_DAMAGE_H

#include "target/target.h"

/** Memory that can be changed. */
struct damage {
	struct target *target; /**< its image is replaced by copies */
	struct image *original;
	uint8_t **copies;
	size_t copy_count;
	struct reader reader; /**< of the copies */
};

/** A word that was changed. */
struct damage_change {
	uint8_t *at;
	uint64_t old;
};

/** Copies all memory of a core, which is mapped read-only, and puts the copy in its place. */
void damage_begin(struct damage *damage, struct target *target);

/** Gives the core its own memory back. Nothing may read the copies any more. */
void damage_end(struct damage *damage);

/** Any word. */
uint64_t damage_random(void);

/**
 * Changes the word at an address, if there is one: a bit, a little, to something small or huge, to
 * an object's address.
 * @param object the address of some object
 * @param one_bit changes a bit only
 */
void damage_change(struct damage *damage, uint64_t address, uint64_t object, bool one_bit,
		   struct damage_change *change);

/** Changes words back, the last first. */
void damage_undo(const struct damage_change *changes, size_t count);

#endif
