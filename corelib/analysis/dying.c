/* A thread that deallocates an object has its address in a register or on its stack. */
#include "analysis/dying.h"

enum { WORD = 8, STACK_MAX = 64 << 20 };

const struct dead_object *dying_dead_at(const struct objects *objects, uint64_t address)
{
	size_t low = 0, high = objects->dead_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (objects->dead[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < objects->dead_count && objects->dead[low].address == address
		       ? &objects->dead[low]
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
