/**
 * @file
 * The instructions that the emulator supports, in all their forms, as lines for the assembler.
 *
 * Memory operands are at (%rbx), near a page boundary, and at (%rbp), aligned to 64 bytes; %rcx is
 * a small index where it is one, %rsi and %rdi are addresses where a string instruction needs them.
 */
#ifndef PYMEM_TESTS_INSTRUCTION_LIST_H
#define PYMEM_TESTS_INSTRUCTION_LIST_H

#include <stddef.h>
#include <stdint.h>

/** One line. */
struct instruction_line {
	char text[128];
	uint32_t undefined; /**< flags that the manuals leave undefined */
};

/** All lines that this processor can execute. @return allocated with malloc() */
struct instruction_line *instruction_list(size_t *count);

#endif
