/*
 * Vector instructions that compute: integer arithmetic, logic, comparisons, shuffles, of SSE2 and
 * AVX2. Floating point arithmetic is left out: its results depend on modes that are not known.
 *
 * Operand 0 is the destination, 1 the left and 2 the right source; a form with one source has it
 * as operand 1.
 */
#include "traverse/emulator_vector.h"

#include <Zydis/Zydis.h>

static bool read_sources(struct cpu *cpu, struct operation *op, union vector *left,
			 union vector *right)
{
	return vector_read(cpu, &op->operands[1], left, op->width) &&
	       vector_read(cpu, &op->operands[2], right, op->width);
}

// Computes each element from the elements a and b of the sources.
#define ELEMENTWISE(name, elements, expression)                                                   \
	FUNCTION(execute_##name)                                                                  \
	{                                                                                         \
		union vector left, right, result;                                                 \
                                                                                                  \
		if (!read_sources(cpu, op, &left, &right))                                        \
			return false;                                                             \
		for (size_t i = 0; i < op->width / sizeof(left.elements[0]); i++) {               \
			__typeof__(left.elements[0]) a = left.elements[i], b = right.elements[i]; \
                                                                                                  \
			result.elements[i] = expression;                                          \
		}                                                                                 \
		return vector_write(cpu, op, &result, op->width);                                 \
	}

// clang-format off
ELEMENTWISE(xor, u64, a ^ b)
ELEMENTWISE(or, u64, a | b)
ELEMENTWISE(and, u64, a & b)
ELEMENTWISE(andn, u64, ~a & b)
ELEMENTWISE(add8, u8, a + b)
ELEMENTWISE(add16, u16, a + b)
ELEMENTWISE(add32, u32, a + b)
ELEMENTWISE(add64, u64, a + b)
ELEMENTWISE(sub8, u8, a - b)
ELEMENTWISE(sub16, u16, a - b)
ELEMENTWISE(sub32, u32, a - b)
ELEMENTWISE(sub64, u64, a - b)
ELEMENTWISE(equal8, u8, a == b ? UINT8_MAX : 0)
ELEMENTWISE(equal16, u16, a == b ? UINT16_MAX : 0)
ELEMENTWISE(equal32, u32, a == b ? UINT32_MAX : 0)
ELEMENTWISE(equal64, u64, a == b ? UINT64_MAX : 0)
ELEMENTWISE(greater8, i8, a > b ? -1 : 0)
ELEMENTWISE(greater16, i16, a > b ? -1 : 0)
ELEMENTWISE(greater32, i32, a > b ? -1 : 0)
ELEMENTWISE(greater64, u64, (int64_t)a > (int64_t)b ? UINT64_MAX : 0)
ELEMENTWISE(min_u8, u8, a < b ? a : b)
ELEMENTWISE(max_u8, u8, a > b ? a : b)
ELEMENTWISE(min_i16, i16, a < b ? a : b)
ELEMENTWISE(max_i16, i16, a > b ? a : b)
ELEMENTWISE(min_u32, u32, a < b ? a : b)
ELEMENTWISE(max_u32, u32, a > b ? a : b)
ELEMENTWISE(min_i32, i32, a < b ? a : b)
ELEMENTWISE(max_i32, i32, a > b ? a : b)
ELEMENTWISE(multiply_u32, u64, (a & UINT32_MAX) * (b & UINT32_MAX))
ELEMENTWISE(multiply_low32, u32, a * b)
// clang-format on

// Interleaves elements of the lower or upper halves of each 16 bytes.
static bool unpack(struct cpu *cpu, struct operation *op, size_t size, size_t half)
{
	union vector left, right, result;

	if (!read_sources(cpu, op, &left, &right))
		return false;
	for (size_t lane = 0; lane < op->width; lane += 16)
		for (size_t i = 0; i < 8; i += size) {
			memcpy(&result.u8[lane + 2 * i], &left.u8[lane + half + i], size);
			memcpy(&result.u8[lane + 2 * i + size], &right.u8[lane + half + i], size);
		}
	return vector_write(cpu, op, &result, op->width);
}

#define UNPACK(name, size, half)                    \
	FUNCTION(execute_##name)                    \
	{                                           \
		return unpack(cpu, op, size, half); \
	}
// clang-format off
UNPACK(unpack_low8, 1, 0) UNPACK(unpack_high8, 1, 8)
UNPACK(unpack_low16, 2, 0) UNPACK(unpack_high16, 2, 8)
UNPACK(unpack_low32, 4, 0) UNPACK(unpack_high32, 4, 8)
UNPACK(unpack_low64, 8, 0) UNPACK(unpack_high64, 8, 8)
	// clang-format on

	// Picks 32-bit elements by two bits each of the immediate, the same in each 16 bytes.
	FUNCTION(execute_pshufd)
{
	union vector source, result;

	if (!vector_read(cpu, &op->operands[1], &source, op->width))
		return false;
	for (size_t i = 0; i < op->width / 4u; i++)
		result.u32[i] = source.u32[(i & ~3u) + (op->immediate >> i % 4 * 2 & 3)];
	return vector_write(cpu, op, &result, op->width);
}

// The lower two elements are from the left source, the upper two from the right.
FUNCTION(execute_shufps)
{
	union vector left, right, result;

	if (!read_sources(cpu, op, &left, &right))
		return false;
	for (size_t i = 0; i < op->width / 4u; i++) {
		const union vector *source = i % 4 < 2 ? &left : &right;

		result.u32[i] = source->u32[(i & ~3u) + (op->immediate >> i % 4 * 2 & 3)];
	}
	return vector_write(cpu, op, &result, op->width);
}

FUNCTION(execute_shufpd)
{
	union vector left, right, result;

	if (!read_sources(cpu, op, &left, &right))
		return false;
	for (size_t i = 0; i < op->width / 8u; i++) {
		const union vector *source = i % 2 ? &right : &left;

		result.u64[i] = source->u64[(i & ~1u) + (op->immediate >> i & 1)];
	}
	return vector_write(cpu, op, &result, op->width);
}

FUNCTION(execute_pshufb)
{
	union vector left, right, result;

	if (!read_sources(cpu, op, &left, &right))
		return false;
	for (size_t i = 0; i < op->width; i++)
		result.u8[i] = right.u8[i] & 0x80 ? 0 : left.u8[(i & ~15u) + (right.u8[i] & 15)];
	return vector_write(cpu, op, &result, op->width);
}

// Bytes of the pair left:right from the immediate on, in each 16 bytes.
FUNCTION(execute_palignr)
{
	union vector left, right, result;

	if (!read_sources(cpu, op, &left, &right))
		return false;
	for (size_t i = 0; i < op->width; i++) {
		size_t from = i % 16 + op->immediate, lane = i & ~15u;

		result.u8[i] = from < 16   ? right.u8[lane + from]
			       : from < 32 ? left.u8[lane + from - 16]
					   : 0;
	}
	return vector_write(cpu, op, &result, op->width);
}

FUNCTION(execute_pmovmskb)
{
	union vector source;
	uint32_t mask = 0;

	if (!vector_read(cpu, &op->operands[1], &source, op->width))
		return false;
	for (size_t i = 0; i < op->width; i++)
		mask |= (uint32_t)(source.u8[i] >> 7) << i;
	cpu->gpr[op->operands[0].reg] = mask;
	return true;
}

FUNCTION(execute_movmskpd)
{
	union vector source;
	uint32_t mask = 0;

	if (!vector_read(cpu, &op->operands[1], &source, op->width))
		return false;
	for (size_t i = 0; i < op->width / 8u; i++)
		mask |= (uint32_t)(source.u64[i] >> 63) << i;
	cpu->gpr[op->operands[0].reg] = mask;
	return true;
}

FUNCTION(execute_movmskps)
{
	union vector source;
	uint32_t mask = 0;

	if (!vector_read(cpu, &op->operands[1], &source, op->width))
		return false;
	for (size_t i = 0; i < op->width / 4u; i++)
		mask |= (source.u32[i] >> 31) << i;
	cpu->gpr[op->operands[0].reg] = mask;
	return true;
}

// The count of a vector shift: the immediate, or the low 64 bits of operand 2.
static bool shift_count(struct cpu *cpu, const struct operation *op, uint64_t *count)
{
	union vector source;

	*count = op->immediate;
	if (op->operands[2].kind == OPERAND_NONE)
		return true;
	if (!vector_read(cpu, &op->operands[2], &source, 16))
		return false;
	*count = source.u64[0];
	return true;
}

#define VECTOR_SHIFT(name, elements, expression)                                      \
	FUNCTION(execute_##name)                                                      \
	{                                                                             \
		union vector source;                                                  \
		uint64_t count;                                                       \
                                                                                      \
		if (!shift_count(cpu, op, &count) ||                                  \
		    !vector_read(cpu, &op->operands[1], &source, op->width))          \
			return false;                                                 \
		for (size_t i = 0; i < op->width / sizeof(source.elements[0]); i++) { \
			__typeof__(source.elements[0]) a = source.elements[i];        \
			size_t bits = 8 * sizeof(a);                                  \
                                                                                      \
			source.elements[i] = expression;                              \
		}                                                                     \
		return vector_write(cpu, op, &source, op->width);                     \
	}
// clang-format off
VECTOR_SHIFT(shift_left16, u16, count < bits ? a << count : 0)
VECTOR_SHIFT(shift_left32, u32, count < bits ? a << count : 0)
VECTOR_SHIFT(shift_left64, u64, count < bits ? a << count : 0)
VECTOR_SHIFT(shift_right16, u16, count < bits ? a >> count : 0)
VECTOR_SHIFT(shift_right32, u32, count < bits ? a >> count : 0)
VECTOR_SHIFT(shift_right64, u64, count < bits ? a >> count : 0)
VECTOR_SHIFT(shift_signed16, i16, a >> (count < bits ? count : bits - 1))
VECTOR_SHIFT(shift_signed32, i32, a >> (count < bits ? count : bits - 1))
// clang-format on

// Shifts each 16 bytes by whole bytes.
static bool shift_bytes(struct cpu *cpu, struct operation *op, bool left)
{
	union vector source, result = {0};
	size_t count = op->immediate < 16 ? op->immediate : 16;

	if (!vector_read(cpu, &op->operands[1], &source, op->width))
		return false;
	for (size_t lane = 0; lane < op->width; lane += 16)
		memcpy(&result.u8[lane + (left ? count : 0)], &source.u8[lane + (left ? 0 : count)],
		       16 - count);
	return vector_write(cpu, op, &result, op->width);
}

FUNCTION(execute_pslldq)
{
	return shift_bytes(cpu, op, true);
}

FUNCTION(execute_psrldq)
{
	return shift_bytes(cpu, op, false);
}

// ptest: zero if left & right is 0, carry if ~left & right is.
FUNCTION(execute_ptest)
{
	union vector left, right;
	uint64_t both = 0, rest = 0;

	if (!vector_read(cpu, &op->operands[0], &left, op->width) ||
	    !vector_read(cpu, &op->operands[1], &right, op->width))
		return false;
	for (size_t i = 0; i < op->width / 8u; i++) {
		both |= left.u64[i] & right.u64[i];
		rest |= ~left.u64[i] & right.u64[i];
	}
	flags_bits(&cpu->flags, (both ? 0 : FLAG_ZERO) | (rest ? 0 : FLAG_CARRY));
	return true;
}

// Comparisons of floating point numbers need no rounding: zero, parity, carry tell the order.
static bool compare_flags(struct cpu *cpu, double left, double right)
{
	bool unordered = left != left || right != right;

	flags_bits(&cpu->flags, unordered	? FLAG_ZERO | FLAG_PARITY | FLAG_CARRY
				: left < right	? FLAG_CARRY
				: left == right ? FLAG_ZERO
						: 0);
	return true;
}

FUNCTION(execute_comisd)
{
	double left, right;
	union vector sources[2];

	if (!vector_read(cpu, &op->operands[0], &sources[0], 8) ||
	    !vector_read(cpu, &op->operands[1], &sources[1], 8))
		return false;
	memcpy(&left, &sources[0], 8);
	memcpy(&right, &sources[1], 8);
	return compare_flags(cpu, left, right);
}

FUNCTION(execute_comiss)
{
	float left, right;
	union vector sources[2];

	if (!vector_read(cpu, &op->operands[0], &sources[0], 4) ||
	    !vector_read(cpu, &op->operands[1], &sources[1], 4))
		return false;
	memcpy(&left, &sources[0], 4);
	memcpy(&right, &sources[1], 4);
	return compare_flags(cpu, left, right);
}

// A legacy instruction and its VEX form.
#define BOTH(name, function, sources)                  \
	[ZYDIS_MNEMONIC_##name] = {function, sources}, \
	[ZYDIS_MNEMONIC_V##name] = {function, sources}

static const struct vector_rule rules[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
	BOTH(PXOR, execute_xor, 2),
	BOTH(XORPS, execute_xor, 2),
	BOTH(XORPD, execute_xor, 2),
	BOTH(POR, execute_or, 2),
	BOTH(ORPS, execute_or, 2),
	BOTH(ORPD, execute_or, 2),
	BOTH(PAND, execute_and, 2),
	BOTH(ANDPS, execute_and, 2),
	BOTH(ANDPD, execute_and, 2),
	BOTH(PANDN, execute_andn, 2),
	BOTH(ANDNPS, execute_andn, 2),
	BOTH(ANDNPD, execute_andn, 2),
	[ZYDIS_MNEMONIC_VPXORD] = {execute_xor, 2},
	[ZYDIS_MNEMONIC_VPXORQ] = {execute_xor, 2},
	[ZYDIS_MNEMONIC_VPORD] = {execute_or, 2},
	[ZYDIS_MNEMONIC_VPORQ] = {execute_or, 2},
	[ZYDIS_MNEMONIC_VPANDD] = {execute_and, 2},
	[ZYDIS_MNEMONIC_VPANDQ] = {execute_and, 2},
	BOTH(PADDB, execute_add8, 2),
	BOTH(PADDW, execute_add16, 2),
	BOTH(PADDD, execute_add32, 2),
	BOTH(PADDQ, execute_add64, 2),
	BOTH(PSUBB, execute_sub8, 2),
	BOTH(PSUBW, execute_sub16, 2),
	BOTH(PSUBD, execute_sub32, 2),
	BOTH(PSUBQ, execute_sub64, 2),
	BOTH(PCMPEQB, execute_equal8, 2),
	BOTH(PCMPEQW, execute_equal16, 2),
	BOTH(PCMPEQD, execute_equal32, 2),
	BOTH(PCMPEQQ, execute_equal64, 2),
	BOTH(PCMPGTB, execute_greater8, 2),
	BOTH(PCMPGTW, execute_greater16, 2),
	BOTH(PCMPGTD, execute_greater32, 2),
	BOTH(PCMPGTQ, execute_greater64, 2),
	BOTH(PMINUB, execute_min_u8, 2),
	BOTH(PMAXUB, execute_max_u8, 2),
	BOTH(PMINSW, execute_min_i16, 2),
	BOTH(PMAXSW, execute_max_i16, 2),
	BOTH(PMINUD, execute_min_u32, 2),
	BOTH(PMAXUD, execute_max_u32, 2),
	BOTH(PMINSD, execute_min_i32, 2),
	BOTH(PMAXSD, execute_max_i32, 2),
	BOTH(PMULUDQ, execute_multiply_u32, 2),
	BOTH(PMULLD, execute_multiply_low32, 2),
	BOTH(PUNPCKLBW, execute_unpack_low8, 2),
	BOTH(PUNPCKHBW, execute_unpack_high8, 2),
	BOTH(PUNPCKLWD, execute_unpack_low16, 2),
	BOTH(PUNPCKHWD, execute_unpack_high16, 2),
	BOTH(PUNPCKLDQ, execute_unpack_low32, 2),
	BOTH(PUNPCKHDQ, execute_unpack_high32, 2),
	BOTH(PUNPCKLQDQ, execute_unpack_low64, 2),
	BOTH(PUNPCKHQDQ, execute_unpack_high64, 2),
	BOTH(UNPCKLPS, execute_unpack_low32, 2),
	BOTH(UNPCKHPS, execute_unpack_high32, 2),
	BOTH(UNPCKLPD, execute_unpack_low64, 2),
	BOTH(UNPCKHPD, execute_unpack_high64, 2),
	BOTH(PSHUFD, execute_pshufd, 1),
	BOTH(SHUFPS, execute_shufps, 2),
	BOTH(SHUFPD, execute_shufpd, 2),
	BOTH(PSHUFB, execute_pshufb, 2),
	BOTH(PALIGNR, execute_palignr, 2),
	BOTH(PMOVMSKB, execute_pmovmskb, 1),
	BOTH(MOVMSKPS, execute_movmskps, 1),
	BOTH(MOVMSKPD, execute_movmskpd, 1),
	BOTH(PSLLW, execute_shift_left16, 2),
	BOTH(PSLLD, execute_shift_left32, 2),
	BOTH(PSLLQ, execute_shift_left64, 2),
	BOTH(PSRLW, execute_shift_right16, 2),
	BOTH(PSRLD, execute_shift_right32, 2),
	BOTH(PSRLQ, execute_shift_right64, 2),
	BOTH(PSRAW, execute_shift_signed16, 2),
	BOTH(PSRAD, execute_shift_signed32, 2),
	BOTH(PSLLDQ, execute_pslldq, 2),
	BOTH(PSRLDQ, execute_psrldq, 2),
	BOTH(PTEST, execute_ptest, 1),
	BOTH(COMISD, execute_comisd, 1),
	BOTH(UCOMISD, execute_comisd, 1),
	BOTH(COMISS, execute_comiss, 1),
	BOTH(UCOMISS, execute_comiss, 1),
};

struct vector_rule vector_rule(unsigned mnemonic)
{
	if (mnemonic > ZYDIS_MNEMONIC_MAX_VALUE)
		return (struct vector_rule){0};
	if (rules[mnemonic].execute)
		return rules[mnemonic];
	const struct vector_rule rule = vector_move_rule(mnemonic);
	return rule.execute ? rule : vector_pack_rule(mnemonic);
}
