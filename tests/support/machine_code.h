/**
 * @file
 * Machine code for tests of the emulator: assembled from text, run natively and by the emulator
 * from the same address, with the same registers and memory.
 */
#ifndef PYMEM_TESTS_MACHINE_CODE_H
#define PYMEM_TESTS_MACHINE_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Snippets of code, each ending in `ret`, in executable memory of this process. */
struct machine_code {
	uint8_t *bytes; /**< page-aligned */
	size_t size;
	uint8_t **snippets; /**< address of each */
	size_t count;
};

/**
 * Assembles lines of AT&T syntax with the C compiler of the machine; a line may hold several
 * instructions, separated by ';'. Aborts the test with the assembler's message if it refuses one.
 */
struct machine_code *machine_code_assemble(const char *const *lines, size_t count);

/** Frees it. */
void machine_code_free(struct machine_code *code);

/** Registers before and after a snippet. */
struct machine_state {
	uint64_t gpr[16]; /**< in the order of their encoding; rsp is left alone */
	uint64_t flags;	  /**< RFLAGS */
	uint8_t vectors[32][64];
};

/** How many vector registers, and how many bytes of each, this processor has: 16 or 32. */
size_t machine_vector_count(void);
size_t machine_vector_size(void);

/**
 * Runs a snippet on this processor.
 * @return false if it raised SIGFPE; the state is undefined then
 */
bool machine_run(const uint8_t *snippet, struct machine_state *state);

#endif
