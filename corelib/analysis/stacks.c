/* The stacks of threads. */
#include "analysis/stacks_private.h"

#include "cpython/line_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	FRAMES_MAX = 1 << 23, /* of all stacks together: what a hostile image may cost */
	DEPTH_MAX = 1 << 20,
};

bool stacks_add_frame(struct stacks *stacks, const struct frame *frame)
{
	struct heap *heap = stacks->heap;

	if (stacks->frame_count == stacks->frame_capacity) {
		size_t capacity = stacks->frame_capacity ? stacks->frame_capacity * 2 : 256;
		struct stack_frame *frames =
			reallocarray(stacks->frames, capacity, sizeof(*frames));

		if (!frames)
			return false;
		stacks->frames = frames;
		stacks->frame_capacity = capacity;
	}
	stacks->frames[stacks->frame_count++] = (struct stack_frame){
		frame->address, frame->code, frame_line(heap->runtime, &heap->reader, frame)};
	return true;
}

static void reverse(struct stack_frame *frames, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct stack_frame swapped = frames[i];

		frames[i] = frames[count - 1 - i];
		frames[count - 1 - i] = swapped;
	}
}

struct error *stacks_walk(struct stacks *stacks, uint64_t address, const char *whose,
			  struct stack *stack)
{
	struct heap *heap = stacks->heap;
	uint64_t marked = 0, next_mark = 1;

	*stack = (struct stack){.first = stacks->frame_count};
	for (uint64_t i = 0; address && !stack->damaged; i++) {
		struct frame frame;

		/* A mark that moves on ever less often is met again in a circle. */
		stack->damaged = address == marked || i == DEPTH_MAX ||
				 stacks->frame_count == FRAMES_MAX ||
				 !frame_read(heap->runtime, &heap->reader, address, &frame);
		if (stack->damaged) {
			coverage_add(&heap->runtime->target->coverage, PROBLEM_PARTIAL,
				     "damaged-stack",
				     "%s: its stack is not whole, the frame at 0x%" PRIx64
				     " is unreadable or makes no sense",
				     whose, address);
			break;
		}
		if (i == next_mark) {
			marked = address;
			next_mark *= 2;
		}
		if (!frame.is_hidden && !stacks_add_frame(stacks, &frame))
			return &error_no_memory;
		address = frame.previous;
	}
	stack->count = stacks->frame_count - stack->first;
	reverse(stacks->frames + stack->first, stack->count);
	return NULL;
}

/*
 * Comparing
 */

bool stack_equal(const struct stacks *stacks, const struct stack *left, const struct stack *right)
{
	const struct stack_frame *a = stacks->frames + left->first;
	const struct stack_frame *b = stacks->frames + right->first;

	if (left->count != right->count || left->damaged != right->damaged)
		return false;
	for (size_t i = 0; i < left->count; i++)
		if (a[i].code != b[i].code || a[i].line != b[i].line)
			return false;
	return true;
}

uint64_t stack_hash(const struct stacks *stacks, const struct stack *stack)
{
	uint64_t hash = stack->count;

	for (size_t i = 0; i < stack->count; i++) {
		const struct stack_frame *frame = &stacks->frames[stack->first + i];

		hash = (hash ^ frame->code ^ (uint64_t)(uint32_t)frame->line << 48) *
		       UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return hash;
}

/*
 * Threads
 */

/* Where neither registers nor the thread state tell the thread of the kernel, threading does: up to
 * 3.10 in a debugger. */
static void name_thread(struct stacks *stacks, size_t index, const struct named_thread *named)
{
	struct python_thread *python = &stacks->python.items[index];
	struct thread_stack *thread = &stacks->threads[index];
	const struct target *target = stacks->heap->runtime->target;

	snprintf(thread->name, sizeof(thread->name), "%s", named->name);
	if (python->tid || named->tid <= 0)
		return;
	python->tid = named->tid;
	for (size_t i = 0; i < target->thread_count; i++)
		if (target->threads[i].tid == named->tid)
			python->kernel = i;
}

/* Several interpreters have a threading module each. */
static struct error *name_threads(struct stacks *stacks)
{
	const struct runtime *runtime = stacks->heap->runtime;
	size_t max = stacks->python.count + 1;
	struct named_thread *named = calloc(max, sizeof(*named));

	if (!named)
		return &error_no_memory;
	for (size_t i = 0; i < runtime->interpreter_count; i++) {
		size_t count = named_threads_read(stacks->heap->traverser,
						  runtime->interpreters[i].modules, named, max);

		for (size_t j = 0; j < stacks->python.count; j++)
			for (size_t k = 0; k < count; k++)
				if (stacks->python.items[j].interpreter == i &&
				    stacks->python.items[j].pthread == named[k].pthread)
					name_thread(stacks, j, &named[k]);
	}
	free(named);
	return NULL;
}

static void count_kernel_threads(struct stacks *stacks)
{
	const struct target *target = stacks->heap->runtime->target;
	uint8_t *is_python = calloc(target->thread_count + 1, 1);

	stacks->kernel_known = is_python && target->thread_count;
	for (size_t i = 0; is_python && i < stacks->python.count; i++)
		if (stacks->python.items[i].kernel != THREAD_NONE)
			is_python[stacks->python.items[i].kernel] = 1;
	for (size_t i = 0; is_python && i < target->thread_count; i++)
		stacks->kernel_only += !is_python[i];
	free(is_python);
}

static struct error *read_threads(struct stacks *stacks)
{
	struct heap *heap = stacks->heap;
	struct target *target = heap->runtime->target;
	struct error *err = python_threads_read(heap->runtime, &heap->reader, &stacks->python);

	if (err)
		return err;
	if (stacks->python.damaged)
		coverage_add(&target->coverage, PROBLEM_PARTIAL, "damaged-threads",
			     "the list of threads is damaged: some may be missing");
	stacks->threads = calloc(stacks->python.count + 1, sizeof(*stacks->threads));
	if (!stacks->threads)
		return &error_no_memory;
	for (size_t i = 0; !err && i < stacks->python.count; i++) {
		struct thread_stack *thread = &stacks->threads[i];
		char whose[48];

		thread->thread = &stacks->python.items[i];
		/* The kernel writes the thread that took the signal first. */
		thread->has_signal = target->signal && thread->thread->kernel == 0;
		snprintf(whose, sizeof(whose), "thread %d", (int)thread->thread->tid);
		err = stacks_walk(stacks, thread->thread->frame, whose, &thread->stack);
	}
	if (!err)
		err = name_threads(stacks);
	count_kernel_threads(stacks);
	return err;
}

struct error *stacks_read(struct heap *heap, enum stacks_extent extent,
			  const struct progress *progress, struct stacks **out)
{
	struct stacks *stacks = calloc(1, sizeof(*stacks));
	struct error *err;

	*out = NULL;
	if (!stacks)
		return &error_no_memory;
	stacks->heap = heap;
	err = progress_step(progress, "reading stacks", 0, 0);
	if (!err)
		err = read_threads(stacks);
	if (!err && extent == STACKS_ALL)
		err = stacks_find_waiting(stacks, progress);
	if (err) {
		stacks_free(stacks);
		return err;
	}
	*out = stacks;
	return NULL;
}

void stacks_free(struct stacks *stacks)
{
	if (!stacks)
		return;
	python_threads_clear(&stacks->python);
	free(stacks->threads);
	free(stacks->suspended);
	free(stacks->groups);
	free(stacks->frames);
	free(stacks);
}
