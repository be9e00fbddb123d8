/**
 * @file
 * Reading and writing the integer operands of an operation. Internal to the emulator.
 */
#ifndef PYMEM_TRAVERSE_EMULATOR_OPERAND_H
#define PYMEM_TRAVERSE_EMULATOR_OPERAND_H

#include "traverse/emulator_cpu.h"

static inline uint64_t width_mask(unsigned width)
{
	return UINT64_MAX >> (64 - 8 * width);
}

static inline uint64_t sign_extend(uint64_t value, unsigned width)
{
	unsigned shift = 64 - 8 * width;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

/** Address of a memory operand that is not relative to fs. */
static inline uint64_t plain_address(const struct cpu *cpu, const struct operand *operand)
{
	return cpu->gpr[operand->base] + (cpu->gpr[operand->index] << operand->shift) +
	       (uint64_t)operand->value;
}

/** Address of a memory operand. */
static inline uint64_t operand_address(struct cpu *cpu, const struct operand *operand)
{
	uint64_t address = plain_address(cpu, operand);

	if (!operand->thread_local)
		return address;
	cpu->used_fs = true;
	return address + cpu->fs_base;
}

/** Writes a register with the rules of its width: 4 bytes clear the upper half, 1 and 2 keep it. */
static inline void register_write(struct cpu *cpu, unsigned reg, unsigned width, uint64_t value)
{
	if (width >= 4)
		cpu->gpr[reg] = value & width_mask(width);
	else
		cpu->gpr[reg] = (cpu->gpr[reg] & ~width_mask(width)) | (value & width_mask(width));
}

/** Reads an integer operand, zero-extended. @return false at a fault */
static inline bool operand_read(struct cpu *cpu, const struct operand *operand, uint64_t *value)
{
	switch (operand->kind) {
	case OPERAND_REGISTER:
		*value = cpu->gpr[operand->reg] & width_mask(operand->width);
		return true;
	case OPERAND_HIGH_BYTE:
		*value = cpu->gpr[operand->reg] >> 8 & 0xff;
		return true;
	case OPERAND_IMMEDIATE:
		*value = (uint64_t)operand->value;
		return true;
	default:
		return memory_load(cpu, operand_address(cpu, operand), operand->width, value);
	}
}

/** Writes an integer operand. @return false at a fault */
static inline bool operand_write(struct cpu *cpu, const struct operand *operand, uint64_t value)
{
	switch (operand->kind) {
	case OPERAND_REGISTER:
		register_write(cpu, operand->reg, operand->width, value);
		return true;
	case OPERAND_HIGH_BYTE:
		cpu->gpr[operand->reg] =
			(cpu->gpr[operand->reg] & ~UINT64_C(0xff00)) | (value & 0xff) << 8;
		return true;
	default:
		return memory_store(cpu, operand_address(cpu, operand), operand->width, value);
	}
}

/** The head of a function that executes operations. */
#define FUNCTION(name) static bool name(struct cpu *cpu, struct operation *op)

/** Reads operand i; leaves the function at a fault. */
#define READ(i)                                                   \
	({                                                        \
		uint64_t read_;                                   \
		if (!operand_read(cpu, &op->operands[i], &read_)) \
			return false;                             \
		read_;                                            \
	})

/** Writes operand i. @return false at a fault */
#define WRITE(i, value) operand_write(cpu, &op->operands[i], value)

#endif
