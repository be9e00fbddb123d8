/*
 * Integer instructions in general form: any width, any kind of operands. Operands are read
 * zero-extended, results are cut to their width when they are written.
 *
 * Where the manuals leave a flag undefined (carry aside, mul and imul; all but zero, bsf), the
 * value here is arbitrary: no compiler makes code that asks for it.
 */
#include "traverse/emulator_operand.h"

#include <Zydis/Zydis.h>

FUNCTION(execute_nothing)
{
	(void)cpu;
	(void)op;
	return true;
}

FUNCTION(execute_mov)
{
	uint64_t value = READ(1);

	return WRITE(0, value);
}

FUNCTION(execute_movsx)
{
	uint64_t value = READ(1);

	return WRITE(0, sign_extend(value, op->operands[1].width));
}

FUNCTION(execute_lea)
{
	return WRITE(0, plain_address(cpu, &op->operands[1]));
}

// Memory is written first: its address may depend on the register.
static bool write_both(struct cpu *cpu, struct operation *op, uint64_t first, uint64_t second)
{
	if (op->operands[0].kind == OPERAND_MEMORY)
		return WRITE(0, first) && WRITE(1, second);
	return WRITE(1, second) && WRITE(0, first);
}

FUNCTION(execute_xchg)
{
	uint64_t left = READ(0), right = READ(1);

	return write_both(cpu, op, right, left);
}

FUNCTION(execute_movbe)
{
	uint64_t value = READ(1);

	return WRITE(0, __builtin_bswap64(value) >> (64 - 8 * op->width));
}

FUNCTION(execute_bswap)
{
	uint64_t value = READ(0);

	return WRITE(0, __builtin_bswap64(value) >> (64 - 8 * op->width));
}

FUNCTION(execute_push)
{
	uint64_t value = READ(0);

	cpu->gpr[RSP] -= 8;
	return memory_store(cpu, cpu->gpr[RSP], 8, value);
}

// The address of a memory operand is computed with the rsp behind the pop.
FUNCTION(execute_pop)
{
	uint64_t value;

	if (!memory_load(cpu, cpu->gpr[RSP], 8, &value))
		return false;
	cpu->gpr[RSP] += 8;
	return WRITE(0, value);
}

FUNCTION(execute_leave)
{
	uint64_t value;

	(void)op;
	if (!memory_load(cpu, cpu->gpr[RBP], 8, &value))
		return false;
	cpu->gpr[RSP] = cpu->gpr[RBP] + 8;
	cpu->gpr[RBP] = value;
	return true;
}

/*
 * Arithmetic and logic
 */

FUNCTION(execute_add)
{
	uint64_t left = READ(0), right = READ(1);

	flags_add(&cpu->flags, op->width, left, right);
	return WRITE(0, left + right);
}

FUNCTION(execute_sub)
{
	uint64_t left = READ(0), right = READ(1);

	flags_subtract(&cpu->flags, op->width, left, right);
	return WRITE(0, left - right);
}

FUNCTION(execute_cmp)
{
	uint64_t left = READ(0), right = READ(1);

	flags_subtract(&cpu->flags, op->width, left, right);
	return true;
}

// Is the sign bit of a value of some width set?
static bool is_negative(uint64_t value, unsigned width)
{
	return value >> (8 * width - 1) & 1;
}

FUNCTION(execute_adc)
{
	uint64_t left = READ(0), right = READ(1), mask = width_mask(op->width);
	bool carry = flag_carry(&cpu->flags);
	uint64_t result = (left + right + carry) & mask;

	flags_result(&cpu->flags, op->width, result, carry ? result <= left : result < left,
		     is_negative((left ^ result) & (right ^ result), op->width));
	return WRITE(0, result);
}

FUNCTION(execute_sbb)
{
	uint64_t left = READ(0), right = READ(1), mask = width_mask(op->width);
	bool carry = flag_carry(&cpu->flags);
	uint64_t result = (left - right - carry) & mask;

	flags_result(&cpu->flags, op->width, result, carry ? left <= right : left < right,
		     is_negative((left ^ right) & (left ^ result), op->width));
	return WRITE(0, result);
}

// adcx and adox: an addition with a carry flag of its own, the other flags untouched.
static bool add_with(struct cpu *cpu, struct operation *op, uint32_t flag)
{
	uint64_t left = READ(0), right = READ(1);
	bool carry = flags_value(&cpu->flags) & flag;
	uint64_t result = (left + right + carry) & width_mask(op->width);

	flags_change(&cpu->flags, flag, (carry ? result <= left : result < left) ? flag : 0);
	return WRITE(0, result);
}

FUNCTION(execute_adcx)
{
	return add_with(cpu, op, FLAG_CARRY);
}

FUNCTION(execute_adox)
{
	return add_with(cpu, op, FLAG_OVERFLOW);
}

FUNCTION(execute_inc)
{
	uint64_t value = READ(0), sign = UINT64_C(1) << (8 * op->width - 1);
	uint64_t result = (value + 1) & width_mask(op->width);

	flags_result(&cpu->flags, op->width, result, flag_carry(&cpu->flags), result == sign);
	return WRITE(0, result);
}

FUNCTION(execute_dec)
{
	uint64_t value = READ(0), sign = UINT64_C(1) << (8 * op->width - 1);

	flags_result(&cpu->flags, op->width, value - 1, flag_carry(&cpu->flags), value == sign);
	return WRITE(0, value - 1);
}

FUNCTION(execute_neg)
{
	uint64_t value = READ(0);

	flags_subtract(&cpu->flags, op->width, 0, value);
	return WRITE(0, -value);
}

FUNCTION(execute_not)
{
	uint64_t value = READ(0);

	return WRITE(0, ~value);
}

static void logic_flags(struct cpu *cpu, const struct operation *op, uint64_t result)
{
	flags_result(&cpu->flags, op->width, result, false, false);
}

FUNCTION(execute_and)
{
	uint64_t left = READ(0), right = READ(1);

	logic_flags(cpu, op, left & right);
	return WRITE(0, left & right);
}

FUNCTION(execute_or)
{
	uint64_t left = READ(0), right = READ(1);

	logic_flags(cpu, op, left | right);
	return WRITE(0, left | right);
}

FUNCTION(execute_xor)
{
	uint64_t left = READ(0), right = READ(1);

	logic_flags(cpu, op, left ^ right);
	return WRITE(0, left ^ right);
}

FUNCTION(execute_test)
{
	uint64_t left = READ(0), right = READ(1);

	logic_flags(cpu, op, left & right);
	return true;
}

/*
 * Sign extension of the accumulator
 */

// cbw, cwde, cdqe: rax from its lower half. The width is that of the result.
static bool extend_rax(struct cpu *cpu, unsigned width)
{
	register_write(cpu, RAX, width, sign_extend(cpu->gpr[RAX], width / 2));
	return true;
}

// cwd, cdq, cqo: rdx from the sign of rax.
static bool extend_rdx(struct cpu *cpu, unsigned width)
{
	register_write(cpu, RDX, width, is_negative(cpu->gpr[RAX], width) ? UINT64_MAX : 0);
	return true;
}

#define EXTENSION(name, half, width)              \
	FUNCTION(name)                            \
	{                                         \
		(void)op;                         \
		return extend_##half(cpu, width); \
	}
// clang-format off
EXTENSION(execute_cbw, rax, 2)
EXTENSION(execute_cwde, rax, 4)
EXTENSION(execute_cdqe, rax, 8)
EXTENSION(execute_cwd, rdx, 2)
EXTENSION(execute_cdq, rdx, 4)
EXTENSION(execute_cqo, rdx, 8)
// clang-format on

/*
 * Exchange and compare: a single thread sees the same with and without LOCK
 */

FUNCTION(execute_xadd)
{
	uint64_t left = READ(0), right = READ(1);

	flags_add(&cpu->flags, op->width, left, right);
	return write_both(cpu, op, left + right, left);
}

FUNCTION(execute_cmpxchg)
{
	uint64_t expected = cpu->gpr[RAX] & width_mask(op->width), found = READ(0);
	uint64_t wanted = READ(1);

	flags_subtract(&cpu->flags, op->width, expected, found);
	if (expected == found)
		return WRITE(0, wanted);
	register_write(cpu, RAX, op->width, found);
	return true;
}

FUNCTION(execute_cmpxchg16b)
{
	uint64_t address = operand_address(cpu, &op->operands[0]), found[2];
	uint64_t wanted[2] = {cpu->gpr[RBX], cpu->gpr[RCX]};

	if (!memory_read(cpu, address, found, sizeof(found)))
		return false;
	bool equal = found[0] == cpu->gpr[RAX] && found[1] == cpu->gpr[RDX];
	flags_change(&cpu->flags, FLAG_ZERO, equal ? FLAG_ZERO : 0);
	if (equal)
		return memory_write(cpu, address, wanted, sizeof(wanted));
	cpu->gpr[RAX] = found[0];
	cpu->gpr[RDX] = found[1];
	return true;
}

/*
 * Conditions and flags
 */

// The source is read, and may fault, whether the condition holds or not.
FUNCTION(execute_cmov)
{
	uint64_t value = READ(1), old = READ(0);

	return WRITE(0, flags_condition(&cpu->flags, op->condition) ? value : old);
}

FUNCTION(execute_set)
{
	return WRITE(0, flags_condition(&cpu->flags, op->condition));
}

FUNCTION(execute_stc)
{
	(void)op;
	flags_change(&cpu->flags, FLAG_CARRY, FLAG_CARRY);
	return true;
}

FUNCTION(execute_clc)
{
	(void)op;
	flags_change(&cpu->flags, FLAG_CARRY, 0);
	return true;
}

FUNCTION(execute_cmc)
{
	(void)op;
	flags_change(&cpu->flags, FLAG_CARRY, ~flags_value(&cpu->flags));
	return true;
}

static execute_function *const rules[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
	[ZYDIS_MNEMONIC_NOP] = execute_nothing,
	[ZYDIS_MNEMONIC_ENDBR64] = execute_nothing,
	[ZYDIS_MNEMONIC_PAUSE] = execute_nothing,
	[ZYDIS_MNEMONIC_LFENCE] = execute_nothing,
	[ZYDIS_MNEMONIC_MFENCE] = execute_nothing,
	[ZYDIS_MNEMONIC_SFENCE] = execute_nothing,
	[ZYDIS_MNEMONIC_PREFETCHT0] = execute_nothing,
	[ZYDIS_MNEMONIC_PREFETCHT1] = execute_nothing,
	[ZYDIS_MNEMONIC_PREFETCHT2] = execute_nothing,
	[ZYDIS_MNEMONIC_PREFETCHNTA] = execute_nothing,
	[ZYDIS_MNEMONIC_PREFETCHW] = execute_nothing,
	[ZYDIS_MNEMONIC_CLD] = execute_nothing, // the direction flag is never set
	[ZYDIS_MNEMONIC_MOV] = execute_mov,
	[ZYDIS_MNEMONIC_MOVNTI] = execute_mov,
	[ZYDIS_MNEMONIC_MOVZX] = execute_mov,
	[ZYDIS_MNEMONIC_MOVSX] = execute_movsx,
	[ZYDIS_MNEMONIC_MOVSXD] = execute_movsx,
	[ZYDIS_MNEMONIC_LEA] = execute_lea,
	[ZYDIS_MNEMONIC_XCHG] = execute_xchg,
	[ZYDIS_MNEMONIC_MOVBE] = execute_movbe,
	[ZYDIS_MNEMONIC_BSWAP] = execute_bswap,
	[ZYDIS_MNEMONIC_PUSH] = execute_push,
	[ZYDIS_MNEMONIC_POP] = execute_pop,
	[ZYDIS_MNEMONIC_LEAVE] = execute_leave,
	[ZYDIS_MNEMONIC_ADD] = execute_add,
	[ZYDIS_MNEMONIC_SUB] = execute_sub,
	[ZYDIS_MNEMONIC_CMP] = execute_cmp,
	[ZYDIS_MNEMONIC_ADC] = execute_adc,
	[ZYDIS_MNEMONIC_SBB] = execute_sbb,
	[ZYDIS_MNEMONIC_ADCX] = execute_adcx,
	[ZYDIS_MNEMONIC_ADOX] = execute_adox,
	[ZYDIS_MNEMONIC_INC] = execute_inc,
	[ZYDIS_MNEMONIC_DEC] = execute_dec,
	[ZYDIS_MNEMONIC_NEG] = execute_neg,
	[ZYDIS_MNEMONIC_NOT] = execute_not,
	[ZYDIS_MNEMONIC_AND] = execute_and,
	[ZYDIS_MNEMONIC_OR] = execute_or,
	[ZYDIS_MNEMONIC_XOR] = execute_xor,
	[ZYDIS_MNEMONIC_TEST] = execute_test,
	[ZYDIS_MNEMONIC_CBW] = execute_cbw,
	[ZYDIS_MNEMONIC_CWDE] = execute_cwde,
	[ZYDIS_MNEMONIC_CDQE] = execute_cdqe,
	[ZYDIS_MNEMONIC_CWD] = execute_cwd,
	[ZYDIS_MNEMONIC_CDQ] = execute_cdq,
	[ZYDIS_MNEMONIC_CQO] = execute_cqo,
	[ZYDIS_MNEMONIC_XADD] = execute_xadd,
	[ZYDIS_MNEMONIC_CMPXCHG] = execute_cmpxchg,
	[ZYDIS_MNEMONIC_CMPXCHG16B] = execute_cmpxchg16b,
	[ZYDIS_MNEMONIC_STC] = execute_stc,
	[ZYDIS_MNEMONIC_CLC] = execute_clc,
	[ZYDIS_MNEMONIC_CMC] = execute_cmc,
};

execute_function *integer_rule(const struct operation *op)
{
	if (op->conditional == CONDITIONAL_MOVE)
		return execute_cmov;
	if (op->conditional == CONDITIONAL_SET)
		return execute_set;
	if (op->mnemonic > ZYDIS_MNEMONIC_MAX_VALUE)
		return NULL;
	return rules[op->mnemonic] ? rules[op->mnemonic] : multiply_rule(op->mnemonic);
}
