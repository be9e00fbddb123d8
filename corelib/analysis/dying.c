/* A thread that deallocates an object has its address in a register or on its stack. */
#include "analysis/dying.h"

#include <stdlib.h>

enum { WORD = 8, STACK_MAX = 64 << 20 };

static int compare_dead(const void *left, const void *right)
{
	const struct dead_object *a = left, *b = right;

	return a->address < b->address ? -1 : a->address > b->address;
}

const struct dead_object *dying_dead_at(const struct objects *objects, uint64_t address)
{
	const struct dead_object key = {.address = address};

	return objects->dead_count ? bsearch(&key, objects->dead, objects->dead_count, sizeof(key),
					     compare_dead)
				   : NULL;
}

static void keep(struct objects *objects, uint64_t word)
{
	const struct dead_object *dead = dying_dead_at(objects, word & ~(uint64_t)(WORD - 1));

	if (dead)
		objects->dead[dead - objects->dead].end = dead->start;
}

static void look_into_stack(struct objects *objects, struct reader *reader, uint64_t top)
{
	const struct segment *segment = image_segment(reader->image, top);
	uint64_t value;

	for (uint64_t at = top & ~(uint64_t)(WORD - 1);
	     segment && at + WORD <= segment->end && at - top < STACK_MAX; at += WORD)
		if (reader_u64(reader, at, &value))
			keep(objects, value);
}

void dying_find(struct objects *objects)
{
	const struct target *target = objects->heap->runtime->target;
	struct reader reader;

	reader_init(&reader, target->image);
	if (objects->dead_count)
		qsort(objects->dead, objects->dead_count, sizeof(*objects->dead), compare_dead);
	for (size_t t = 0; objects->dead_count && t < target->thread_count; t++) {
		const struct user_regs_struct *registers = &target->threads[t].registers;
		uint64_t value;

		for (size_t i = 0; i < sizeof(*registers) / WORD; i++) {
			memcpy(&value, (const char *)registers + i * WORD, WORD);
			keep(objects, value);
		}
		look_into_stack(objects, &reader, registers->rsp);
	}
}
