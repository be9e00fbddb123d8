/*
 * Hostile code and data: a real process with bytes changed at random, and code that is random
 * altogether. Whatever the emulator makes of it, it must come back, soon, and touch nothing
 * outside; the sanitizers watch.
 */
#include "support/functions_program.h"
#include "support/instruction_list.h"
#include "support/machine_code.h"
#include "support/temporary.h"
#include "traverse/emulator_cpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
	ROUNDS = 20000,
	ROUNDS_PER_EMULATOR = 100,
	CHANGES = 8,	       // bytes changed for one round, at most
	BUDGET = 20000,	       // instructions of a round
	VISITS = 100000,       // more is not waited for
	SEGMENT_MAX = 4 << 20, // larger segments are left out: the heap of a sanitizer, say
};

static uint64_t random_word(void)
{
	return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
}

/*
 * A process whose memory can be changed
 */

struct victim {
	struct functions_program program;
	struct target target; // of copies
	uint8_t **copies;
	struct functions_call *calls;
	size_t call_count;
};

static struct victim victim;

static void copy_memory(struct victim *copy)
{
	const struct image *from = copy->program.target->image;
	struct reader reader;

	reader_init(&reader, from);
	copy->target = *copy->program.target;
	copy->target.image = image_create();
	copy->copies = calloc(from->segment_count, sizeof(*copy->copies));
	for (size_t i = 0; i < from->segment_count; i++) {
		const struct segment *segment = &from->segments[i];
		size_t size = segment->end - segment->start;

		if (size > SEGMENT_MAX)
			continue;
		copy->copies[i] = malloc(size);
		size = reader_copy(&reader, segment->start, copy->copies[i], size);
		assert_null(image_add(copy->target.image, segment->start, size, copy->copies[i],
				      segment->flags, SEGMENT_LIVE));
	}
	assert_null(image_finish(copy->target.image));
}

static int setup(void **state)
{
	static char line[FUNCTIONS_LINE];
	struct functions_call call;

	if (temporary_setup(state))
		return -1;
	functions_open(&victim.program, "-O1");
	while (functions_next(&victim.program, &call, line)) {
		victim.calls =
			realloc(victim.calls, (victim.call_count + 1) * sizeof(*victim.calls));
		victim.calls[victim.call_count++] = call;
	}
	copy_memory(&victim);
	srandom(1);
	return 0;
}

static int teardown(void **state)
{
	for (size_t i = 0; i < victim.program.target->image->segment_count; i++)
		free(victim.copies[i]);
	free(victim.copies);
	free(victim.calls);
	image_destroy(victim.target.image);
	functions_close(&victim.program);
	return temporary_teardown(state);
}

static struct emulator *small_emulator(const struct target *target)
{
	struct emulator *emulator = emulator_create(target);

	assert_non_null(emulator);
	emulator_cpu(emulator)->call_budget = BUDGET;
	emulator_cpu(emulator)->reference_limit = VISITS;
	return emulator;
}

/** A byte that was changed. */
struct change {
	uint8_t *at;
	uint8_t old;
};

// Changes a byte near an address, if it is in the image.
static void change_near(struct change *change, uint64_t address, size_t distance)
{
	static uint8_t nowhere;
	struct reader reader;

	address += random_word() % distance;
	reader_init(&reader, victim.target.image);
	change->at = (uint8_t *)(uintptr_t)reader_at(&reader, address, 1);
	if (!change->at)
		change->at = &nowhere;
	change->old = *change->at;
	*change->at ^= random() % 2 ? 1u << random() % 8 : (unsigned)random();
}

// Changes words of the node, of the function's code, or anywhere in a segment.
static void change_something(struct change *change, const struct functions_call *call)
{
	const struct image *image = victim.target.image;
	const struct segment *segment = &image->segments[(size_t)random() % image->segment_count];

	switch (random() % 4) {
	case 0:
		change_near(change, call->node, 256);
		return;
	case 1:
	case 2:
		change_near(change, call->function, 256);
		return;
	default:
		change_near(change, segment->start, segment->end - segment->start);
	}
}

static void damaged_process_is_survived(void **state)
{
	size_t ended[EMULATOR_MEMORY + 1] = {0};
	struct emulator *emulator = NULL;

	(void)state;
	for (size_t round = 0; round < ROUNDS; round++) {
		const struct functions_call *call =
			&victim.calls[(size_t)random() % victim.call_count];
		const uint64_t arguments[] = {call->node, TRAP_VISIT, ARGUMENT};
		struct change changes[CHANGES];
		size_t count = 1 + (size_t)random() % CHANGES;

		for (size_t i = 0; i < count; i++)
			change_something(&changes[i], call);
		if (round % ROUNDS_PER_EMULATOR == 0) {
			emulator_destroy(emulator);
			emulator = small_emulator(&victim.target);
		}
		blocks_clear(emulator_cpu(emulator));
		ended[cpu_call(emulator_cpu(emulator), call->function, arguments)]++;
		for (size_t i = count; i-- > 0;)
			*changes[i].at = changes[i].old;
	}
	emulator_destroy(emulator);
	for (size_t i = 0; i <= EMULATOR_MEMORY; i++)
		print_message("fault %zu: %zu\n", i, ended[i]);
	assert_true(ended[EMULATOR_OK] && ended[EMULATOR_READ] && ended[EMULATOR_FETCH]);
}

/*
 * Random code
 */

struct random_code {
	struct target target;
	uint8_t code[4 * PAGE], data[4 * PAGE];
};

enum { CODE = 0x10000, DATA = 0x20000 };

static struct random_code *random_code_create(void)
{
	struct random_code *code = calloc(1, sizeof(*code));

	code->target.image = image_create();
	assert_null(image_add(code->target.image, CODE, sizeof(code->code), code->code, PF_R | PF_X,
			      SEGMENT_LIVE));
	assert_null(image_add(code->target.image, DATA, sizeof(code->data), code->data, PF_R | PF_W,
			      SEGMENT_LIVE));
	assert_null(image_finish(code->target.image));
	return code;
}

static void random_code_free(struct random_code *code)
{
	image_destroy(code->target.image);
	free(code);
}

static void run_random(struct random_code *code, struct emulator *emulator)
{
	struct cpu *cpu = emulator_cpu(emulator);

	for (size_t i = 0; i < 16; i++)
		cpu->gpr[i] = random() % 2 ? random_word() : DATA + random_word() % PAGE;
	cpu->gpr[RSI] = TRAP_VISIT;
	blocks_clear(cpu);
	cpu_run(cpu, CODE + random_word() % sizeof(code->code));
	memory_reset(cpu);
}

static void random_bytes_are_survived(void **state)
{
	struct random_code *code = random_code_create();
	struct emulator *emulator = small_emulator(&code->target);

	(void)state;
	for (size_t round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; round % 10 == 0 && i < sizeof(code->code); i++)
			code->code[i] = (uint8_t)random();
		run_random(code, emulator);
	}
	emulator_destroy(emulator);
	random_code_free(code);
}

// Instructions that are all supported, in random order, on random operands.
static void random_instructions_are_survived(void **state)
{
	struct random_code *code = random_code_create();
	struct emulator *emulator = small_emulator(&code->target);
	size_t count;
	struct instruction_line *lines = instruction_list(&count);
	const char **texts = calloc(count, sizeof(*texts));

	(void)state;
	for (size_t i = 0; i < count; i++)
		texts[i] = lines[i].text;
	struct machine_code *machine = machine_code_assemble(texts, count);
	for (size_t round = 0; round < ROUNDS; round++) {
		for (size_t used = 0; round % 10 == 0 && used < sizeof(code->code) - 16;) {
			const uint8_t *snippet = machine->snippets[(size_t)random() % count];
			size_t length = 0;

			while (length < 15 && snippet[length] != 0xc3)
				length++;
			memcpy(code->code + used, snippet, length);
			used += length;
		}
		run_random(code, emulator);
	}
	machine_code_free(machine);
	free(texts);
	free(lines);
	emulator_destroy(emulator);
	random_code_free(code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_process_is_survived),
		cmocka_unit_test(random_bytes_are_survived),
		cmocka_unit_test(random_instructions_are_survived),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
