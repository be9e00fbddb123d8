/*
 * Multiplication and division. Of the flags only carry and overflow are defined, for products.
 */
#include "traverse/emulator_operand.h"

#include <Zydis/Zydis.h>

// Writes a double-width result to rdx:rax, or to ax for bytes.
static void write_wide(struct cpu *cpu, unsigned width, unsigned __int128 value)
{
	if (width == 1) {
		register_write(cpu, RAX, 2, (uint64_t)value);
		return;
	}
	register_write(cpu, RAX, width, (uint64_t)value);
	register_write(cpu, RDX, width, (uint64_t)(value >> (8 * width)));
}

static bool signed_overflow(__int128 product, unsigned width)
{
	return product != (__int128)(int64_t)sign_extend((uint64_t)product, width);
}

// The destination is rdx:rax if there is only one operand, else the first of two or three.
FUNCTION(execute_imul)
{
	bool wide = op->operands[1].kind == OPERAND_NONE;
	bool three = op->operands[2].kind != OPERAND_NONE;
	uint64_t left = wide ? cpu->gpr[RAX] : READ(three ? 1 : 0);
	uint64_t right = wide ? READ(0) : READ(three ? 2 : 1);
	__int128 product = (__int128)(int64_t)sign_extend(left, op->width) *
			   (int64_t)sign_extend(right, op->width);
	bool overflow = signed_overflow(product, op->width);

	flags_result(&cpu->flags, op->width, (uint64_t)product, overflow, overflow);
	if (!wide)
		return WRITE(0, (uint64_t)product);
	write_wide(cpu, op->width, (unsigned __int128)product);
	return true;
}

FUNCTION(execute_mul)
{
	unsigned __int128 product =
		(unsigned __int128)READ(0) * (cpu->gpr[RAX] & width_mask(op->width));
	bool overflow = product >> (8 * op->width);

	flags_result(&cpu->flags, op->width, (uint64_t)product, overflow, overflow);
	write_wide(cpu, op->width, product);
	return true;
}

// mulx high, low, source: no flags.
FUNCTION(execute_mulx)
{
	unsigned __int128 product =
		(unsigned __int128)READ(2) * (cpu->gpr[RDX] & width_mask(op->width));

	return WRITE(1, (uint64_t)product) && WRITE(0, (uint64_t)(product >> (8 * op->width)));
}

// rdx:rax, or ax for bytes, zero-extended.
static unsigned __int128 read_wide(const struct cpu *cpu, unsigned width)
{
	uint64_t mask = width_mask(width);

	if (width == 1)
		return cpu->gpr[RAX] & 0xffff;
	return (unsigned __int128)(cpu->gpr[RDX] & mask) << (8 * width) | (cpu->gpr[RAX] & mask);
}

static void write_quotient(struct cpu *cpu, unsigned width, uint64_t quotient, uint64_t remainder)
{
	if (width == 1) {
		register_write(cpu, RAX, 2, (quotient & 0xff) | (remainder & 0xff) << 8);
		return;
	}
	register_write(cpu, RAX, width, quotient);
	register_write(cpu, RDX, width, remainder);
}

FUNCTION(execute_div)
{
	uint64_t divisor = READ(0);
	unsigned __int128 dividend = read_wide(cpu, op->width);

	if (!divisor || dividend / divisor > width_mask(op->width))
		return cpu_fault(cpu, EMULATOR_DIVIDE, 0);
	write_quotient(cpu, op->width, (uint64_t)(dividend / divisor),
		       (uint64_t)(dividend % divisor));
	return true;
}

FUNCTION(execute_idiv)
{
	int64_t divisor = (int64_t)sign_extend(READ(0), op->width);
	unsigned shift = 128 - 16 * op->width;
	__int128 dividend = (__int128)(read_wide(cpu, op->width) << shift) >> shift;
	unsigned __int128 lowest = (unsigned __int128)1 << 127;

	if (!divisor || (divisor == -1 && (unsigned __int128)dividend == lowest) ||
	    signed_overflow(dividend / divisor, op->width))
		return cpu_fault(cpu, EMULATOR_DIVIDE, 0);
	write_quotient(cpu, op->width, (uint64_t)(dividend / divisor),
		       (uint64_t)(dividend % divisor));
	return true;
}

execute_function *multiply_rule(unsigned mnemonic)
{
	switch (mnemonic) {
	case ZYDIS_MNEMONIC_IMUL:
		return execute_imul;
	case ZYDIS_MNEMONIC_MUL:
		return execute_mul;
	case ZYDIS_MNEMONIC_MULX:
		return execute_mulx;
	case ZYDIS_MNEMONIC_DIV:
		return execute_div;
	case ZYDIS_MNEMONIC_IDIV:
		return execute_idiv;
	default:
		return NULL;
	}
}
