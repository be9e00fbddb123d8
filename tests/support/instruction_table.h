/**
 * @file
 * Templates of the instructions that the emulator supports, by the processors that have them.
 *
 * In a form each letter is an operand, source first as AT&T writes it:
 *   r s d  a register: source, second source, destination     m  memory
 *   i  immediate     n  small immediate     1  $1     c  %cl
 *   x y z  vector registers                 a  aligned memory
 */
#ifndef PYMEM_TESTS_INSTRUCTION_TABLE_H
#define PYMEM_TESTS_INSTRUCTION_TABLE_H

#include "support/instruction_list.h"

/** Flags that bit tests and counts leave undefined. */
#define INSTRUCTION_COUNT_FLAGS (FLAG_OVERFLOW | FLAG_SIGN | FLAG_PARITY)

/** Mnemonics with the same forms; words are separated by spaces. */
struct family {
	const char *mnemonics, *forms;
	const char *widths; /**< of "bwlq", appended to the mnemonic; or of "xyz" for vectors */
	uint32_t undefined;
};

/** Lists that end with a family without mnemonics. */
extern const struct family basic_templates[], sse2_templates[], sse4_templates[], avx2_templates[],
	avx512_templates[];

/** Lines that no template makes; the lists end with NULL. */
extern const char *const basic_lines[], *const sse4_lines[], *const avx2_lines[],
								     *const avx512_lines[];

#endif
