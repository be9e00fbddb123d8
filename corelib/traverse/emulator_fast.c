/*
 * The forms of instructions that nearly all time is spent in, one small function for each width and
 * kind of operands. Everything here also exists in general form in emulator_integer.c; a form that
 * is missing here is slower, not wrong.
 *
 * The functions are made by macros: `bits` is the width, and the form is one of
 *   rr  register, register     ri  register, immediate
 *   rm  register, memory       mr  memory, register       mi  memory, immediate
 */
#include "traverse/emulator_operand.h"

#include <Zydis/Zydis.h>

// The register that operand i names.
#define GPR(i) cpu->gpr[op->operands[i].reg]

// Loads an unsigned integer of `bits` from the memory operand i; leaves the function at a fault.
#define LOAD(bits, i)                                                                            \
	({                                                                                       \
		uint64_t loaded_;                                                                \
		if (!memory_load(cpu, plain_address(cpu, &op->operands[i]), bits / 8, &loaded_)) \
			return false;                                                            \
		(uint##bits##_t) loaded_;                                                        \
	})

/*
 * Arithmetic and logic: `flags` computes the flags, `result` the result of `left` and `right`.
 */
#define FLAGS_OF_add(bits, left, right, result) flags_add(&cpu->flags, bits / 8, left, right)
#define FLAGS_OF_sub(bits, left, right, result) flags_subtract(&cpu->flags, bits / 8, left, right)
#define FLAGS_OF_and(bits, left, right, result) \
	flags_result(&cpu->flags, bits / 8, result, false, false)
#define FLAGS_OF_or  FLAGS_OF_and
#define FLAGS_OF_xor FLAGS_OF_and

#define RESULT_OF_add(left, right) (left + right)
#define RESULT_OF_sub(left, right) (left - right)
#define RESULT_OF_and(left, right) (left & right)
#define RESULT_OF_or(left, right)  (left | right)
#define RESULT_OF_xor(left, right) (left ^ right)

// Computes into a register. Only for 32 and 64 bits, which write the whole register.
#define COMPUTE_FORM(name, bits, form, fetch_right)                                \
	FUNCTION(name##bits##_##form)                                              \
	{                                                                          \
		uint##bits##_t right = fetch_right, left = (uint##bits##_t)GPR(0); \
		uint##bits##_t result = RESULT_OF_##name(left, right);             \
                                                                                   \
		FLAGS_OF_##name(bits, left, right, result);                        \
		GPR(0) = result;                                                   \
		return true;                                                       \
	}

// Compares: sets the flags, writes nothing.
#define COMPARE_FORM(name, operator, bits, form, fetch_left, fetch_right)                          \
	FUNCTION(name##bits##_##form)                                                              \
	{                                                                                          \
		uint##bits##_t left = fetch_left, right = fetch_right;                             \
		uint##bits##_t result __attribute__((unused)) = RESULT_OF_##operator(left, right); \
                                                                                                   \
		FLAGS_OF_##operator(bits, left, right, result);                                    \
		return true;                                                                       \
	}

#define RIGHT_GPR(bits)	      (uint##bits##_t) GPR(1)
#define RIGHT_IMMEDIATE(bits) (uint##bits##_t) op->operands[1].value

#define COMPUTE(name, bits)                                 \
	COMPUTE_FORM(name, bits, rr, RIGHT_GPR(bits))       \
	COMPUTE_FORM(name, bits, ri, RIGHT_IMMEDIATE(bits)) \
	COMPUTE_FORM(name, bits, rm, LOAD(bits, 1))

#define COMPARE(name, operator, bits)                                                         \
	COMPARE_FORM(name, operator, bits, rr, (uint##bits##_t)GPR(0), RIGHT_GPR(bits))       \
	COMPARE_FORM(name, operator, bits, ri, (uint##bits##_t)GPR(0), RIGHT_IMMEDIATE(bits)) \
	COMPARE_FORM(name, operator, bits, rm, (uint##bits##_t)GPR(0), LOAD(bits, 1))         \
	COMPARE_FORM(name, operator, bits, mr, LOAD(bits, 0), RIGHT_GPR(bits))                \
	COMPARE_FORM(name, operator, bits, mi, LOAD(bits, 0), RIGHT_IMMEDIATE(bits))

// clang-format off
COMPUTE(add, 32) COMPUTE(add, 64)
COMPUTE(sub, 32) COMPUTE(sub, 64)
COMPUTE(and, 32) COMPUTE(and, 64)
COMPUTE(or, 32)  COMPUTE(or, 64)
COMPUTE(xor, 32) COMPUTE(xor, 64)
COMPARE(cmp, sub, 8) COMPARE(cmp, sub, 16) COMPARE(cmp, sub, 32) COMPARE(cmp, sub, 64)
COMPARE(test, and, 8) COMPARE(test, and, 16) COMPARE(test, and, 32) COMPARE(test, and, 64)
	// clang-format on

	/*
	 * Moves. A 64-bit load remembers where its value is from: a pointer that is visited later
	 * has that address as its slot.
	 */
	FUNCTION(mov64_rr)
{
	GPR(0) = GPR(1);
	cpu->origin[op->operands[0].reg] = cpu->origin[op->operands[1].reg];
	return true;
}

FUNCTION(mov32_rr)
{
	GPR(0) = (uint32_t)GPR(1);
	return true;
}

FUNCTION(mov_ri)
{
	GPR(0) = (uint64_t)op->operands[1].value;
	return true;
}

FUNCTION(mov64_rm)
{
	uint64_t address = plain_address(cpu, &op->operands[1]), value;

	if (!memory_load(cpu, address, 8, &value))
		return false;
	GPR(0) = value;
	cpu->origin[op->operands[0].reg] = address;
	return true;
}

// Loads that widen: movzx, 32-bit mov, movsxd.
#define LOAD_FORM(name, bits, to)           \
	FUNCTION(name)                      \
	{                                   \
		GPR(0) = (to)LOAD(bits, 1); \
		return true;                \
	}
// clang-format off
LOAD_FORM(load8, 8, uint8_t)
LOAD_FORM(load16, 16, uint16_t)
LOAD_FORM(load32, 32, uint32_t)
LOAD_FORM(movsxd64_rm, 32, int32_t)
// clang-format on

#define STORE_FORM(bits, form, value)                                                            \
	FUNCTION(mov##bits##_##form)                                                             \
	{                                                                                        \
		return memory_store(cpu, plain_address(cpu, &op->operands[0]), bits / 8, value); \
	}
// clang-format off
STORE_FORM(32, mr, GPR(1))
STORE_FORM(64, mr, GPR(1))
STORE_FORM(32, mi, (uint64_t)op->operands[1].value)
STORE_FORM(64, mi, (uint64_t)op->operands[1].value)
// clang-format on

FUNCTION(movzx8_rr)
{
	GPR(0) = (uint8_t)GPR(1);
	return true;
}

FUNCTION(movsxd64_rr)
{
	GPR(0) = (uint64_t)(int64_t)(int32_t)GPR(1);
	return true;
}

FUNCTION(lea32)
{
	GPR(0) = (uint32_t)plain_address(cpu, &op->operands[1]);
	return true;
}

FUNCTION(lea64)
{
	GPR(0) = plain_address(cpu, &op->operands[1]);
	return true;
}

FUNCTION(push_r)
{
	uint64_t value = GPR(0);

	cpu->gpr[RSP] -= 8;
	return memory_store(cpu, cpu->gpr[RSP], 8, value);
}

FUNCTION(pop_r)
{
	uint64_t value;

	if (!memory_load(cpu, cpu->gpr[RSP], 8, &value))
		return false;
	cpu->gpr[RSP] += 8;
	GPR(0) = value;
	return true;
}

FUNCTION(nop)
{
	(void)cpu;
	(void)op;
	return true;
}

// Which kinds of operands an operation has.
enum form { FORM_RR, FORM_RI, FORM_RM, FORM_MR, FORM_MI, FORM_OTHER };

static enum form form_of(const struct operation *op)
{
	static const enum form forms[][6] = {
		[OPERAND_REGISTER] = {[OPERAND_REGISTER] = FORM_RR + 1,
				      [OPERAND_IMMEDIATE] = FORM_RI + 1,
				      [OPERAND_MEMORY] = FORM_RM + 1},
		[OPERAND_MEMORY] =
			{[OPERAND_REGISTER] = FORM_MR + 1, [OPERAND_IMMEDIATE] = FORM_MI + 1},
		[OPERAND_IMMEDIATE] = {0},
	};
	const struct operand *operands = op->operands;

	if (operands[0].thread_local || operands[1].thread_local)
		return FORM_OTHER;
	unsigned form = forms[operands[0].kind][operands[1].kind];
	return form ? form - 1 : FORM_OTHER;
}

// A line of the table: the functions of one width, by form.
#define COMPUTE_LINE(name, bits)                                              \
	{                                                                     \
		name##bits##_rr, name##bits##_ri, name##bits##_rm, NULL, NULL \
	}
#define COMPARE_LINE(name, bits)                                                    \
	{                                                                           \
		name##bits##_rr, name##bits##_ri, name##bits##_rm, name##bits##_mr, \
			name##bits##_mi                                             \
	}
#define COMPUTE_LINES(name)                                                \
	{                                                                  \
		[2] = COMPUTE_LINE(name, 32), [3] = COMPUTE_LINE(name, 64) \
	}
#define COMPARE_LINES(name)                                                            \
	{                                                                              \
		COMPARE_LINE(name, 8), COMPARE_LINE(name, 16), COMPARE_LINE(name, 32), \
			COMPARE_LINE(name, 64)                                         \
	}

static execute_function *arithmetic_rule(const struct operation *op, enum form form)
{
	static const struct {
		ZydisMnemonic mnemonic;
		execute_function *execute[4][FORM_OTHER]; // by log2 of the width
	} lines[] = {
		{ZYDIS_MNEMONIC_ADD, COMPUTE_LINES(add)},
		{ZYDIS_MNEMONIC_SUB, COMPUTE_LINES(sub)},
		{ZYDIS_MNEMONIC_AND, COMPUTE_LINES(and)},
		{ZYDIS_MNEMONIC_OR, COMPUTE_LINES(or)},
		{ZYDIS_MNEMONIC_XOR, COMPUTE_LINES(xor)},
		{ZYDIS_MNEMONIC_CMP, COMPARE_LINES(cmp)},
		{ZYDIS_MNEMONIC_TEST, COMPARE_LINES(test)},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (op->mnemonic == lines[i].mnemonic)
			return lines[i].execute[__builtin_ctz(op->width)][form];
	return NULL;
}

static execute_function *mov_rule(const struct operation *op, enum form form)
{
	static execute_function *const mov32[FORM_OTHER] = {mov32_rr, mov_ri, load32, mov32_mr,
							    mov32_mi};
	static execute_function *const mov64[FORM_OTHER] = {mov64_rr, mov_ri, mov64_rm, mov64_mr,
							    mov64_mi};

	return op->width == 8 ? mov64[form] : op->width == 4 ? mov32[form] : NULL;
}

// Moves that widen from operand 1 into a register of 32 or 64 bits.
static execute_function *widen_rule(const struct operation *op, enum form form)
{
	unsigned from = op->operands[1].width;

	if (op->width < 4)
		return NULL;
	if (op->mnemonic == ZYDIS_MNEMONIC_MOVZX && form == FORM_RM)
		return from == 1 ? load8 : load16;
	if (op->mnemonic == ZYDIS_MNEMONIC_MOVZX && form == FORM_RR && from == 1)
		return movzx8_rr;
	if (op->mnemonic == ZYDIS_MNEMONIC_MOVSXD && op->width == 8 && from == 4)
		return form == FORM_RM ? movsxd64_rm : form == FORM_RR ? movsxd64_rr : NULL;
	return NULL;
}

static execute_function *two_operand_rule(const struct operation *op)
{
	enum form form = form_of(op);

	if (form == FORM_OTHER)
		return NULL;
	switch (op->mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
		return mov_rule(op, form);
	case ZYDIS_MNEMONIC_MOVZX:
	case ZYDIS_MNEMONIC_MOVSXD:
		return widen_rule(op, form);
	case ZYDIS_MNEMONIC_LEA:
		return form != FORM_RM	? NULL
		       : op->width == 8 ? lea64
		       : op->width == 4 ? lea32
					: NULL;
	default:
		return arithmetic_rule(op, form);
	}
}

execute_function *fast_rule(const struct operation *op)
{
	bool is_register = op->operands[0].kind == OPERAND_REGISTER && op->width == 8;

	switch (op->mnemonic) {
	case ZYDIS_MNEMONIC_NOP:
	case ZYDIS_MNEMONIC_ENDBR64:
		return nop;
	case ZYDIS_MNEMONIC_PUSH:
		return is_register ? push_r : NULL;
	case ZYDIS_MNEMONIC_POP:
		return is_register ? pop_r : NULL;
	default:
		return two_operand_rule(op);
	}
}
