/* Damages memory. See damage.h. */
#include "support/damage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

void damage_begin(struct damage *damage, struct target *target)
{
	const struct image *from = target->image;
	struct image *image = image_create();
	struct reader reader;

	reader_init(&reader, from);
	damage->target = target;
	damage->original = target->image;
	damage->copy_count = from->segment_count;
	damage->copies = calloc(from->segment_count, sizeof(*damage->copies));
	assert_non_null(damage->copies);
	for (size_t i = 0; i < from->segment_count; i++) {
		const struct segment *segment = &from->segments[i];
		size_t size = segment->end - segment->start;

		damage->copies[i] = malloc(size);
		assert_non_null(damage->copies[i]);
		size = reader_copy(&reader, segment->start, damage->copies[i], size);
		assert_null(image_add(image, segment->start, size, damage->copies[i],
				      segment->flags, segment->source));
	}
	assert_null(image_finish(image));
	target->image = image;
	reader_init(&damage->reader, image);
}

void damage_end(struct damage *damage)
{
	image_destroy(damage->target->image);
	damage->target->image = damage->original;
	for (size_t i = 0; i < damage->copy_count; i++)
		free(damage->copies[i]);
	free(damage->copies);
}

uint64_t damage_random(void)
{
	return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
}

static uint64_t damaged_word(uint64_t old, uint64_t object)
{
	switch (random() % 6) {
	case 0:
		return old ^ UINT64_C(1) << random() % 64;
	case 1:
		return (uint64_t)random() % 256;
	case 2:
		return UINT64_MAX - (uint64_t)random() % 256;
	case 3:
		return damage_random();
	case 4:
		return old + (uint64_t)random() % 4096 - 2048;
	default:
		return object;
	}
}

void damage_change(struct damage *damage, uint64_t address, uint64_t object, bool one_bit,
		   struct damage_change *change)
{
	static uint8_t nowhere[8];
	const void *at = reader_at(&damage->reader, address, 8);
	uint64_t word;

	change->at = at ? (uint8_t *)(uintptr_t)at : nowhere;
	memcpy(&change->old, change->at, 8);
	word = one_bit ? change->old ^ UINT64_C(1) << random() % 64
		       : damaged_word(change->old, object);
	memcpy(change->at, &word, 8);
}

void damage_undo(const struct damage_change *changes, size_t count)
{
	while (count-- > 0)
		memcpy(changes[count].at, &changes[count].old, 8);
}
