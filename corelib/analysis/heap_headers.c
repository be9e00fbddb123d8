/*
 * Several threads read pieces. Which type a new address is, is found out when they are joined, in
 * order, so that the numbers of types do not depend on which thread saw one first.
 */
#include "analysis/heap_walk.h"
#include "target/jobs.h"

#include <stdlib.h>

enum { PIECE_STEP = 1 << 13, TYPE_SLOTS = 1024 };

/* An object whose type this worker did not know yet. */
struct unknown {
	uint32_t object;
	uint64_t type;
};

/* What one thread has in hand. */
struct worker {
	JOBS_APART struct heap *heap;
	struct reader reader;
	struct {
		uint64_t address;
		uint32_t index;
	} types[TYPE_SLOTS]; /* the type cache locks; most objects are of few types */
	struct unknown unknown[PIECE_STEP];
	size_t unknown_count;
};

static size_t slot_of(uint64_t type)
{
	return (type >> 4) % TYPE_SLOTS;
}

static struct error *read_piece(void *context, size_t start, size_t end)
{
	struct worker *worker = context;
	struct heap *heap = worker->heap;

	index_list(&heap->index, (uint32_t)start, (uint32_t)end, heap->addresses);
	for (size_t i = start; i < end; i++) {
		struct object_header header;
		size_t slot;

		// What cannot be read has a header of zeros.
		object_header(heap->runtime, &worker->reader, heap->addresses[i], &header);
		heap->refcounts[i] = heap_refcount(&header);
		slot = slot_of(header.type);
		heap->types[i] = worker->types[slot].index;
		if (!header.type || worker->types[slot].address != header.type)
			worker->unknown[worker->unknown_count++] =
				(struct unknown){(uint32_t)i, header.type};
	}
	return NULL;
}

static struct error *join_piece(void *context, size_t start, size_t end)
{
	struct worker *worker = context;
	struct heap *heap = worker->heap;

	for (size_t i = 0; i < worker->unknown_count; i++) {
		const struct unknown *unknown = &worker->unknown[i];
		const struct type *type =
			type_get(heap->runtime->types, &worker->reader, unknown->type);
		size_t slot = slot_of(unknown->type);

		worker->types[slot].address = unknown->type;
		worker->types[slot].index = type ? type->index : HEAP_NONE;
		heap->types[unknown->object] = worker->types[slot].index;
	}
	worker->unknown_count = 0;
	for (size_t i = start; i < end; i++)
		heap->damaged_types += heap->types[i] == HEAP_NONE;
	return NULL;
}

struct error *heap_read_headers(struct heap *heap, const struct progress *progress)
{
	size_t count = jobs_workers(image_is_concurrent(heap->runtime->target->image));
	struct worker *workers = jobs_memory(count * sizeof(*workers));
	void *contexts[JOBS_WORKERS_MAX];
	const struct jobs_loop loop = {
		.count = heap->count,
		.step = PIECE_STEP,
		.run = read_piece,
		.join = join_piece,
		.workers = contexts,
		.worker_count = count,
		.phase = "reading headers",
	};
	struct error *err;

	if (!workers)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++) {
		workers[i].heap = heap;
		reader_init(&workers[i].reader, heap->runtime->target->image);
		contexts[i] = &workers[i];
	}
	err = jobs_loop(&loop, progress);
	free(workers);
	return err;
}
