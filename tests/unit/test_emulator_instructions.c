/*
 * Every instruction that the emulator supports, in all its forms, on random operands: the emulator
 * and this processor must agree in registers, flags and memory.
 */
#include "support/instruction_list.h"
#include "support/machine_code.h"
#include "traverse/emulator_cpu.h"

#include <Zydis/Zydis.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

enum {
	ROUNDS = 16,
	BUFFER = 4 * PAGE,
	WINDOW = 256, // bytes around the middle of the buffer that operands may touch
};

struct fixture {
	struct instruction_line *lines;
	struct machine_code *code;
	uint8_t *buffer;
	struct target target;
	struct emulator *emulator;
	bool *covered; // by mnemonic
};

static uint64_t random_word(void)
{
	uint64_t word = (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();

	switch (random() % 8) {
	case 0:
		return word & 0xff;
	case 1:
		return (uint64_t)(int64_t)(int8_t)word;
	case 2:
		return UINT64_C(1) << word % 64;
	case 3:
		return (UINT64_C(1) << word % 64) - 1;
	case 4:
		return (uint64_t)(int64_t)(int32_t)word;
	default:
		return word;
	}
}

static void add_range(struct fixture *fixture, uint8_t *bytes, size_t size, uint32_t flags)
{
	assert_null(image_add(fixture->target.image, (uint64_t)bytes, size, bytes, flags,
			      SEGMENT_LIVE));
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	size_t count;

	fixture->lines = instruction_list(&count);
	const char **texts = calloc(count, sizeof(*texts));
	for (size_t i = 0; i < count; i++)
		texts[i] = fixture->lines[i].text;
	fixture->code = machine_code_assemble(texts, count);
	free(texts);
	fixture->buffer =
		mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(fixture->buffer, MAP_FAILED);
	fixture->target.image = image_create();
	add_range(fixture, fixture->code->bytes, fixture->code->size, PF_R | PF_X);
	add_range(fixture, fixture->buffer, BUFFER, PF_R | PF_W);
	assert_null(image_finish(fixture->target.image));
	fixture->emulator = emulator_create(&fixture->target);
	fixture->covered = calloc(ZYDIS_MNEMONIC_MAX_VALUE + 1, sizeof(bool));
	srandom(1);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	emulator_destroy(fixture->emulator);
	image_destroy(fixture->target.image);
	munmap(fixture->buffer, BUFFER);
	machine_code_free(fixture->code);
	free(fixture->lines);
	free(fixture->covered);
	free(fixture);
	return 0;
}

static void random_state(struct fixture *fixture, const char *text, struct machine_state *state)
{
	uint64_t middle = (uint64_t)fixture->buffer + BUFFER / 2;
	uint8_t *window = fixture->buffer + BUFFER / 2 - WINDOW;

	for (size_t i = 0; i < 2 * WINDOW; i += 8) {
		uint64_t word = random_word();

		memcpy(window + i, &word, 8);
	}
	for (size_t i = 0; i < 16; i++)
		state->gpr[i] = random_word();
	for (size_t i = 0; i < sizeof(state->vectors) / 8; i++) {
		uint64_t word = random_word();

		memcpy((uint8_t *)state->vectors + 8 * i, &word, 8);
	}
	state->flags = ((uint64_t)random() & FLAG_ALL) | 2;
	if (strstr(text, "(%rbx"))
		state->gpr[RBX] = middle + (uint64_t)(random() % 128) - 64;
	if (strstr(text, "(%rbp)"))
		state->gpr[RBP] = middle + (uint64_t)(random() % 8) * 64;
	if (strstr(text, ",%rcx"))
		state->gpr[RCX] = (uint64_t)random() % 16;
	if (strstr(text, "movs") || strstr(text, "stos") || strstr(text, "cmps") ||
	    strstr(text, "scas")) {
		state->gpr[RSI] = middle + (uint64_t)(random() % 128) - 64;
		state->gpr[RDI] = middle + (uint64_t)(random() % 128) - 64;
	}
	if (strstr(text, "div") && random() % 4)
		state->gpr[RDX] = random() % 2 ? 0 : UINT64_MAX;
}

// Runs the emulator. @return its fault; the window as it left it
static enum emulator_fault emulate(struct fixture *fixture, const uint8_t *snippet,
				   struct machine_state *state, uint8_t window[2 * WINDOW])
{
	struct cpu *cpu = emulator_cpu(fixture->emulator);

	memcpy(cpu->gpr, state->gpr, sizeof(state->gpr));
	flags_bits(&cpu->flags, (uint32_t)state->flags & FLAG_ALL);
	memset(cpu->vectors, 0, sizeof(cpu->vectors));
	for (size_t i = 0; i < machine_vector_count(); i++)
		memcpy(&cpu->vectors[i], state->vectors[i], machine_vector_size());
	enum emulator_fault fault = cpu_run(cpu, (uint64_t)snippet);
	memcpy(state->gpr, cpu->gpr, sizeof(state->gpr));
	state->flags = flags_value(&cpu->flags);
	memcpy(state->vectors, cpu->vectors, sizeof(state->vectors));
	memory_read(cpu, (uint64_t)fixture->buffer + BUFFER / 2 - WINDOW, window, 2 * WINDOW);
	memory_reset(cpu);
	return fault;
}

static void check_equal(struct fixture *fixture, const struct instruction_line *line,
			const struct machine_state *emulated, const struct machine_state *native,
			const uint8_t *window)
{
	uint64_t flags = FLAG_ALL & ~line->undefined;

	for (size_t i = 0; i < 16; i++)
		if (i != RSP && emulated->gpr[i] != native->gpr[i])
			fail_msg("%s: register %zu is %#lx, not %#lx", line->text, i,
				 emulated->gpr[i], native->gpr[i]);
	if ((emulated->flags ^ native->flags) & flags)
		fail_msg("%s: flags are %#lx, not %#lx", line->text, emulated->flags & flags,
			 native->flags & flags);
	for (size_t i = 0; i < machine_vector_count(); i++)
		if (memcmp(emulated->vectors[i], native->vectors[i], machine_vector_size()))
			fail_msg("%s: vector register %zu differs", line->text, i);
	if (memcmp(window, fixture->buffer + BUFFER / 2 - WINDOW, 2 * WINDOW))
		fail_msg("%s: memory differs", line->text);
}

static void compare(struct fixture *fixture, const struct instruction_line *line,
		    const uint8_t *snippet)
{
	struct machine_state native, emulated;
	uint8_t window[2 * WINDOW];

	random_state(fixture, line->text, &native);
	emulated = native;
	enum emulator_fault fault = emulate(fixture, snippet, &emulated, window);
	bool ran = machine_run(snippet, &native);
	if (!ran)
		assert_int_equal(fault, EMULATOR_DIVIDE);
	else if (fault)
		fail_msg("%s: fault %d, %s", line->text, fault,
			 emulator_failure(fixture->emulator)->name);
	else
		check_equal(fixture, line, &emulated, &native, window);
}

// Notes the mnemonics of a snippet: up to the `ret` that the assembler was given last.
static void note_covered(struct fixture *fixture, const uint8_t *snippet)
{
	struct operation op = {0};
	bool last;

	for (uint64_t at = (uint64_t)snippet;; at = op.following) {
		if (!decode_instruction(emulator_cpu(fixture->emulator), at, &op, &last) ||
		    op.execute == execute_unsupported)
			return;
		fixture->covered[op.mnemonic] = true;
	}
}

static void every_form_equals_the_processor(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < fixture->code->count; i++) {
		for (size_t round = 0; round < ROUNDS; round++)
			compare(fixture, &fixture->lines[i], fixture->code->snippets[i]);
		note_covered(fixture, fixture->code->snippets[i]);
	}
	print_message("%zu forms, %d times each\n", fixture->code->count, ROUNDS);
}

// An instruction that has a rule but no line in the list is not tested: that is a mistake.
static void every_instruction_is_in_the_list(void **state)
{
	struct fixture *fixture = *state;

	if (machine_vector_size() < 64)
		skip(); // this processor cannot run them all
	for (unsigned mnemonic = 1; mnemonic <= ZYDIS_MNEMONIC_MAX_VALUE; mnemonic++) {
		struct operation op = {.mnemonic = mnemonic};
		bool supported = integer_rule(&op) || bit_rule(mnemonic) || string_rule(mnemonic) ||
				 vector_rule(mnemonic).execute || control_rule(&op);

		if (supported && !fixture->covered[mnemonic] && mnemonic != ZYDIS_MNEMONIC_SYSCALL)
			fail_msg("%s has no line in the list of instructions",
				 ZydisMnemonicGetString(mnemonic));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_equals_the_processor),
		cmocka_unit_test(every_instruction_is_in_the_list),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
