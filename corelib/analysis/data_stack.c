/*
 * The chunks of data stacks (Python/pystate.c push_chunk(), _PyThreadState_PushFrame(), 3.11+).
 */
#include "analysis/data_stack.h"

enum { WORD = sizeof(uint64_t), CHAIN_MAX = 1 << 16, THREADS_MAX = 1 << 16, CHUNK_MAX = 1 << 30 };

/* The chunk in use: the thread knows its top. */
static bool open_top(struct heap *heap, uint64_t thread, uint64_t *address,
		     struct data_chunk *chunk)
{
	const struct layout *layout = &heap->runtime->layout;
	struct reader *reader = &heap->reader;

	if (!reader_u64(reader, thread + layout->PyThreadState_datastack_top, &chunk->end) ||
	    !reader_u64(reader, thread + layout->PyThreadState_datastack_limit, &chunk->limit) ||
	    !reader_u64(reader, thread + layout->PyThreadState_datastack_chunk, address) ||
	    !*address)
		return false;
	chunk->start = *address + layout->_PyStackChunk_data;
	return chunk->start <= chunk->end && chunk->end <= chunk->limit &&
	       chunk->limit - chunk->start < CHUNK_MAX;
}

/* The one before: `top` of a chunk that was left behind counts words of its data. */
static bool open_previous(struct heap *heap, uint64_t *address, struct data_chunk *chunk)
{
	const struct layout *layout = &heap->runtime->layout;
	struct reader *reader = &heap->reader;
	uint64_t size, used;

	if (!reader_u64(reader, *address + layout->_PyStackChunk_previous, address) || !*address ||
	    !reader_u64(reader, *address + layout->_PyStackChunk_size, &size) ||
	    !reader_u64(reader, *address + layout->_PyStackChunk_top, &used) || size > CHUNK_MAX ||
	    used > size / WORD)
		return false;
	chunk->start = *address + layout->_PyStackChunk_data;
	chunk->end = chunk->start + used * WORD;
	chunk->limit = *address + size;
	return chunk->end <= chunk->limit;
}

static bool walk_thread(struct heap *heap, uint64_t thread, data_chunk_visit *visit, void *context)
{
	const struct layout *layout = &heap->runtime->layout;
	struct data_chunk chunk = {.thread = thread};
	uint64_t address, tid;
	bool is_open;
	int count = 0;

	if (layout_has(layout->PyThreadState_native_thread_id) &&
	    reader_u64(&heap->reader, thread + layout->PyThreadState_native_thread_id, &tid))
		chunk.tid = (pid_t)tid;
	is_open = open_top(heap, thread, &address, &chunk);
	while (is_open && count++ < CHAIN_MAX) {
		if (!visit(context, &chunk))
			return false;
		is_open = open_previous(heap, &address, &chunk);
	}
	return true;
}

void data_stacks_walk(struct heap *heap, data_chunk_visit *visit, void *context)
{
	const struct runtime *runtime = heap->runtime;
	const struct layout *layout = &runtime->layout;

	if (!layout_has(layout->PyThreadState_datastack_top))
		return;
	for (size_t i = 0; i < runtime->interpreter_count; i++) {
		uint64_t thread = 0;
		int count = 0;

		reader_u64(&heap->reader,
			   runtime->interpreters[i].address +
				   layout->PyInterpreterState_threads_head,
			   &thread);
		while (thread && count++ < THREADS_MAX) {
			if (!walk_thread(heap, thread, visit, context))
				return;
			if (!reader_u64(&heap->reader, thread + layout->PyThreadState_next,
					&thread))
				break;
		}
	}
}
