/*
 * Shifts, rotations, bit tests and bit counts, BMI included.
 */
#include "traverse/emulator_operand.h"

#include <Zydis/Zydis.h>

static unsigned bits_of(const struct operation *op)
{
	return 8 * op->width;
}

// The processor uses 5 bits of a shift count, 6 for 64-bit operands.
static unsigned count_mask(const struct operation *op)
{
	return op->width == 8 ? 63 : 31;
}

static bool top_bit(const struct operation *op, uint64_t value)
{
	return value >> (bits_of(op) - 1) & 1;
}

/*
 * Shifts. Overflow is defined for a count of 1 only; a count of 0 leaves all flags alone, but a
 * 32-bit register is written, and so cleared above, all the same.
 */

FUNCTION(execute_shl)
{
	uint64_t value = READ(0), count = READ(1) & count_mask(op);

	if (!count)
		return WRITE(0, value);
	uint64_t result = value << count & width_mask(op->width);
	bool carry = count <= bits_of(op) && value >> (bits_of(op) - count) & 1;

	flags_result(&cpu->flags, op->width, result, carry, top_bit(op, result) != carry);
	return WRITE(0, result);
}

FUNCTION(execute_shr)
{
	uint64_t value = READ(0), count = READ(1) & count_mask(op);

	if (!count)
		return WRITE(0, value);
	flags_result(&cpu->flags, op->width, value >> count, value >> (count - 1) & 1,
		     top_bit(op, value));
	return WRITE(0, value >> count);
}

FUNCTION(execute_sar)
{
	uint64_t value = READ(0), count = READ(1) & count_mask(op);
	int64_t wide = (int64_t)sign_extend(value, op->width);

	if (!count)
		return WRITE(0, value);
	flags_result(&cpu->flags, op->width, (uint64_t)(wide >> count), wide >> (count - 1) & 1,
		     false);
	return WRITE(0, (uint64_t)(wide >> count));
}

// shld, shrd: bits shifted in come from the second operand. A count above the width is undefined.
static bool double_shift(struct cpu *cpu, struct operation *op, bool left)
{
	uint64_t value = READ(0), filler = READ(1), count = READ(2) & count_mask(op);
	unsigned bits = bits_of(op);

	if (!count)
		return WRITE(0, value);
	if (count > bits)
		return execute_unsupported(cpu, op);
	uint64_t result = left ? value << count | filler >> (bits - count)
			       : value >> count | filler << (bits - count);
	if (count == bits) // a 64-bit count never gets here, so no shift is by 64
		result = filler;
	result &= width_mask(op->width);
	bool carry = left ? value >> (bits - count) & 1 : value >> (count - 1) & 1;

	flags_result(&cpu->flags, op->width, result, carry, top_bit(op, result ^ value));
	return WRITE(0, result);
}

FUNCTION(execute_shld)
{
	return double_shift(cpu, op, true);
}

FUNCTION(execute_shrd)
{
	return double_shift(cpu, op, false);
}

// shlx, shrx, sarx: no flags.
FUNCTION(execute_shlx)
{
	uint64_t value = READ(1), count = READ(2) & count_mask(op);

	return WRITE(0, value << count);
}

FUNCTION(execute_shrx)
{
	uint64_t value = READ(1), count = READ(2) & count_mask(op);

	return WRITE(0, value >> count);
}

FUNCTION(execute_sarx)
{
	uint64_t value = READ(1), count = READ(2) & count_mask(op);

	return WRITE(0, (uint64_t)((int64_t)sign_extend(value, op->width) >> count));
}

/*
 * Rotations: change carry and overflow only
 */

static uint64_t rotate_left(const struct operation *op, uint64_t value, unsigned count)
{
	unsigned bits = bits_of(op);

	count %= bits;
	return count ? (value << count | value >> (bits - count)) & width_mask(op->width) : value;
}

static void rotation_flags(struct cpu *cpu, bool carry, bool overflow)
{
	flags_change(&cpu->flags, FLAG_CARRY | FLAG_OVERFLOW,
		     (carry ? FLAG_CARRY : 0) | (overflow ? FLAG_OVERFLOW : 0));
}

FUNCTION(execute_rol)
{
	uint64_t value = READ(0), count = READ(1) & count_mask(op);
	uint64_t result = rotate_left(op, value, count);

	if (count)
		rotation_flags(cpu, result & 1, top_bit(op, result) != (result & 1));
	return WRITE(0, result);
}

FUNCTION(execute_ror)
{
	uint64_t value = READ(0), count = READ(1) & count_mask(op);
	uint64_t result = rotate_left(op, value, bits_of(op) - count % bits_of(op));

	if (count)
		rotation_flags(cpu, top_bit(op, result),
			       top_bit(op, result) != top_bit(op, result << 1));
	return WRITE(0, result);
}

FUNCTION(execute_rorx)
{
	uint64_t value = READ(1), count = READ(2) % bits_of(op);

	return WRITE(0, rotate_left(op, value, bits_of(op) - count));
}

/*
 * Bit tests: change carry only. A bit number in a register may lie outside of a memory operand,
 * then it selects another word, signed.
 */

enum bit_change { BIT_KEEP, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

static bool bit_test(struct cpu *cpu, struct operation *op, enum bit_change change)
{
	struct operand operand = op->operands[0];
	uint64_t number = READ(1), value;

	if (operand.kind == OPERAND_MEMORY && op->operands[1].kind == OPERAND_REGISTER) {
		int64_t index = (int64_t)sign_extend(number, op->operands[1].width);

		operand.value += (index >> (op->width == 8   ? 6
					    : op->width == 4 ? 5
							     : 4)) *
				 op->width;
	}
	if (!operand_read(cpu, &operand, &value))
		return false;
	uint64_t bit = UINT64_C(1) << number % bits_of(op);
	flags_change(&cpu->flags, FLAG_CARRY, value & bit ? FLAG_CARRY : 0);
	if (change == BIT_KEEP)
		return true;
	return operand_write(cpu, &operand,
			     change == BIT_SET	   ? value | bit
			     : change == BIT_RESET ? value & ~bit
						   : value ^ bit);
}

FUNCTION(execute_bt)
{
	return bit_test(cpu, op, BIT_KEEP);
}

FUNCTION(execute_bts)
{
	return bit_test(cpu, op, BIT_SET);
}

FUNCTION(execute_btr)
{
	return bit_test(cpu, op, BIT_RESET);
}

FUNCTION(execute_btc)
{
	return bit_test(cpu, op, BIT_COMPLEMENT);
}

/*
 * Counts
 */

// Flags of tzcnt, lzcnt: carry if the source was 0, zero if the result is.
static void count_flags(struct cpu *cpu, bool carry, uint64_t result)
{
	flags_bits(&cpu->flags, (carry ? FLAG_CARRY : 0) | (result ? 0 : FLAG_ZERO));
}

FUNCTION(execute_tzcnt)
{
	uint64_t value = READ(1);
	uint64_t result = value ? (uint64_t)__builtin_ctzll(value) : bits_of(op);

	count_flags(cpu, !value, result);
	return WRITE(0, result);
}

FUNCTION(execute_lzcnt)
{
	uint64_t value = READ(1);
	uint64_t result =
		value ? (uint64_t)__builtin_clzll(value) - (64 - bits_of(op)) : bits_of(op);

	count_flags(cpu, !value, result);
	return WRITE(0, result);
}

// bsf and bsr leave the destination as it is for a source of 0, on all processors there are.
FUNCTION(execute_bsf)
{
	uint64_t value = READ(1);

	flags_bits(&cpu->flags, value ? 0 : FLAG_ZERO);
	return !value || WRITE(0, (uint64_t)__builtin_ctzll(value));
}

FUNCTION(execute_bsr)
{
	uint64_t value = READ(1);

	flags_bits(&cpu->flags, value ? 0 : FLAG_ZERO);
	return !value || WRITE(0, 63 - (uint64_t)__builtin_clzll(value));
}

FUNCTION(execute_popcnt)
{
	uint64_t value = READ(1);

	flags_bits(&cpu->flags, value ? 0 : FLAG_ZERO);
	return WRITE(0, (uint64_t)__builtin_popcountll(value));
}

/*
 * BMI1 and BMI2
 */

FUNCTION(execute_andn)
{
	uint64_t left = READ(1), right = READ(2);
	uint64_t result = ~left & right;

	flags_result(&cpu->flags, op->width, result, false, false);
	return WRITE(0, result);
}

FUNCTION(execute_bextr)
{
	uint64_t value = READ(1), control = READ(2);
	unsigned start = control & 0xff, length = control >> 8 & 0xff;
	uint64_t result = start < bits_of(op) ? value >> start : 0;

	if (length < 64)
		result &= (UINT64_C(1) << length) - 1;
	flags_result(&cpu->flags, op->width, result, false, false);
	return WRITE(0, result);
}

FUNCTION(execute_bzhi)
{
	uint64_t value = READ(1), index = READ(2) & 0xff;
	uint64_t result = index < bits_of(op) ? value & ((UINT64_C(1) << index) - 1) : value;

	flags_result(&cpu->flags, op->width, result, index >= bits_of(op), false);
	return WRITE(0, result);
}

FUNCTION(execute_blsr)
{
	uint64_t value = READ(1), result = value & (value - 1);

	flags_result(&cpu->flags, op->width, result, !value, false);
	return WRITE(0, result);
}

FUNCTION(execute_blsi)
{
	uint64_t value = READ(1), result = value & -value;

	flags_result(&cpu->flags, op->width, result, value, false);
	return WRITE(0, result);
}

FUNCTION(execute_blsmsk)
{
	uint64_t value = READ(1), result = (value ^ (value - 1)) & width_mask(op->width);

	flags_result(&cpu->flags, op->width, result, !value, false);
	return WRITE(0, result);
}

FUNCTION(execute_pdep)
{
	uint64_t source = READ(1), result = 0;

	for (uint64_t mask = READ(2); mask; mask &= mask - 1, source >>= 1)
		if (source & 1)
			result |= mask & -mask;
	return WRITE(0, result);
}

FUNCTION(execute_pext)
{
	uint64_t source = READ(1), result = 0, bit = 1;

	for (uint64_t mask = READ(2); mask; mask &= mask - 1, bit <<= 1)
		if (source & mask & -mask)
			result |= bit;
	return WRITE(0, result);
}

execute_function *bit_rule(unsigned mnemonic)
{
	static execute_function *const rules[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
		[ZYDIS_MNEMONIC_SHL] = execute_shl,	[ZYDIS_MNEMONIC_SHR] = execute_shr,
		[ZYDIS_MNEMONIC_SAR] = execute_sar,	[ZYDIS_MNEMONIC_SHLD] = execute_shld,
		[ZYDIS_MNEMONIC_SHRD] = execute_shrd,	[ZYDIS_MNEMONIC_SHLX] = execute_shlx,
		[ZYDIS_MNEMONIC_SHRX] = execute_shrx,	[ZYDIS_MNEMONIC_SARX] = execute_sarx,
		[ZYDIS_MNEMONIC_ROL] = execute_rol,	[ZYDIS_MNEMONIC_ROR] = execute_ror,
		[ZYDIS_MNEMONIC_RORX] = execute_rorx,	[ZYDIS_MNEMONIC_BT] = execute_bt,
		[ZYDIS_MNEMONIC_BTS] = execute_bts,	[ZYDIS_MNEMONIC_BTR] = execute_btr,
		[ZYDIS_MNEMONIC_BTC] = execute_btc,	[ZYDIS_MNEMONIC_TZCNT] = execute_tzcnt,
		[ZYDIS_MNEMONIC_LZCNT] = execute_lzcnt, [ZYDIS_MNEMONIC_BSF] = execute_bsf,
		[ZYDIS_MNEMONIC_BSR] = execute_bsr,	[ZYDIS_MNEMONIC_POPCNT] = execute_popcnt,
		[ZYDIS_MNEMONIC_ANDN] = execute_andn,	[ZYDIS_MNEMONIC_BEXTR] = execute_bextr,
		[ZYDIS_MNEMONIC_BZHI] = execute_bzhi,	[ZYDIS_MNEMONIC_BLSR] = execute_blsr,
		[ZYDIS_MNEMONIC_BLSI] = execute_blsi,	[ZYDIS_MNEMONIC_BLSMSK] = execute_blsmsk,
		[ZYDIS_MNEMONIC_PDEP] = execute_pdep,	[ZYDIS_MNEMONIC_PEXT] = execute_pext,
	};

	return mnemonic <= ZYDIS_MNEMONIC_MAX_VALUE ? rules[mnemonic] : NULL;
}
