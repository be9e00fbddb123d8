/**
 * @file
 * Reading and writing the operands of vector instructions. Internal to the emulator.
 */
#ifndef PYMEM_TRAVERSE_EMULATOR_VECTOR_H
#define PYMEM_TRAVERSE_EMULATOR_VECTOR_H

#include "traverse/emulator_operand.h"

/** Reads the first `length` bytes of a vector or memory operand. @return false at a fault */
static inline bool vector_read(struct cpu *cpu, const struct operand *operand, union vector *value,
			       size_t length)
{
	if (operand->kind == OPERAND_VECTOR) {
		memcpy(value, &cpu->vectors[operand->reg], length);
		return true;
	}
	return memory_read(cpu, operand_address(cpu, operand), value, length);
}

/** Writes a vector register: VEX and EVEX forms clear what lies above, others keep it. */
static inline void vector_register_write(struct cpu *cpu, const struct operation *op, unsigned reg,
					 const union vector *value, size_t length)
{
	memcpy(&cpu->vectors[reg], value, length);
	if (op->zero_upper)
		memset(&cpu->vectors[reg].u8[length], 0, sizeof(*value) - length);
}

/** Writes the destination. @return false at a fault */
static inline bool vector_write(struct cpu *cpu, const struct operation *op,
				const union vector *value, size_t length)
{
	const struct operand *operand = &op->operands[0];

	if (operand->kind != OPERAND_VECTOR)
		return memory_write(cpu, operand_address(cpu, operand), value, length);
	vector_register_write(cpu, op, operand->reg, value, length);
	return true;
}

#endif
