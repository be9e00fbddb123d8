/*
 * Vector instructions that change the width of elements, choose among elements, or have another
 * operation for each: packing, widening, blending, permutations, variable shifts, sums.
 *
 * Operands are as in emulator_vector.c.
 */
#include "traverse/emulator_vector.h"

#include <Zydis/Zydis.h>

static bool read_sources(struct cpu *cpu, struct operation *op, union vector *left,
			 union vector *right)
{
	return vector_read(cpu, &op->operands[1], left, op->width) &&
	       vector_read(cpu, &op->operands[2], right, op->width);
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

// Elements of the left source and then of the right, in each 16 bytes, made half as wide.
#define PACK(name, from, to, low, high)                                                   \
	FUNCTION(execute_##name)                                                          \
	{                                                                                 \
		union vector left, right, result;                                         \
		size_t half = 8 / sizeof(result.to[0]), lane = 16 / sizeof(result.to[0]); \
                                                                                          \
		if (!read_sources(cpu, op, &left, &right))                                \
			return false;                                                     \
		for (size_t i = 0; i < op->width / sizeof(result.to[0]); i++) {           \
			const union vector *source = i % lane < half ? &left : &right;    \
                                                                                          \
			result.to[i] = (__typeof__(result.to[0]))clamp(                   \
				source->from[i / lane * half + i % half], low, high);     \
		}                                                                         \
		return vector_write(cpu, op, &result, op->width);                         \
	}
// clang-format off
PACK(packsswb, i16, i8, INT8_MIN, INT8_MAX)
PACK(packuswb, i16, u8, 0, UINT8_MAX)
PACK(packssdw, i32, i16, INT16_MIN, INT16_MAX)
PACK(packusdw, i32, u16, 0, UINT16_MAX)
// clang-format on

// Elements of the first bytes of the source, made wider. Less than 16 bytes are read from memory.
#define WIDEN(name, from, to)                                                                     \
	FUNCTION(execute_##name)                                                                  \
	{                                                                                         \
		union vector source, result;                                                      \
		size_t count = op->width / sizeof(result.to[0]);                                  \
                                                                                                  \
		if (!vector_read(cpu, &op->operands[1], &source, count * sizeof(source.from[0]))) \
			return false;                                                             \
		for (size_t i = 0; i < count; i++)                                                \
			result.to[i] = (__typeof__(result.to[0]))source.from[i];                  \
		return vector_write(cpu, op, &result, op->width);                                 \
	}
// clang-format off
WIDEN(pmovzxbw, u8, u16) WIDEN(pmovzxbd, u8, u32) WIDEN(pmovzxbq, u8, u64)
WIDEN(pmovzxwd, u16, u32) WIDEN(pmovzxwq, u16, u64) WIDEN(pmovzxdq, u32, u64)
WIDEN(pmovsxbw, i8, i16) WIDEN(pmovsxbd, i8, i32) WIDEN(pmovsxbq, i8, u64)
WIDEN(pmovsxwd, i16, i32) WIDEN(pmovsxwq, i16, u64) WIDEN(pmovsxdq, i32, u64)
// clang-format on

// Computes each element from the elements a and b of the sources, in 64 bits.
#define WIDE_ELEMENTWISE(name, elements, expression)                                           \
	FUNCTION(execute_##name)                                                               \
	{                                                                                      \
		union vector left, right;                                                      \
                                                                                               \
		if (!read_sources(cpu, op, &left, &right))                                     \
			return false;                                                          \
		for (size_t i = 0; i < op->width / sizeof(left.elements[0]); i++) {            \
			int64_t a = (int64_t)left.elements[i], b = (int64_t)right.elements[i]; \
                                                                                               \
			left.elements[i] = (__typeof__(left.elements[0]))(expression);         \
		}                                                                              \
		return vector_write(cpu, op, &left, op->width);                                \
	}
	// clang-format off
WIDE_ELEMENTWISE(paddusb, u8, clamp(a + b, 0, UINT8_MAX))
WIDE_ELEMENTWISE(paddusw, u16, clamp(a + b, 0, UINT16_MAX))
WIDE_ELEMENTWISE(psubusb, u8, clamp(a - b, 0, UINT8_MAX))
WIDE_ELEMENTWISE(psubusw, u16, clamp(a - b, 0, UINT16_MAX))
WIDE_ELEMENTWISE(pmullw, u16, a * b)
WIDE_ELEMENTWISE(pmulhw, i16, a * b >> 16)
WIDE_ELEMENTWISE(pmulhuw, u16, a * b >> 16)
WIDE_ELEMENTWISE(vpsllvd, u32, (uint64_t)b < 32 ? a << b : 0)
WIDE_ELEMENTWISE(vpsllvq, u64, (uint64_t)b < 64 ? (uint64_t)a << b : 0)
WIDE_ELEMENTWISE(vpsrlvd, u32, (uint64_t)b < 32 ? a >> b : 0)
WIDE_ELEMENTWISE(vpsrlvq, u64, (uint64_t)b < 64 ? (uint64_t)a >> b : 0)
	// clang-format on

	// The sum of the differences of eight bytes, for each eight bytes.
	FUNCTION(execute_psadbw)
{
	union vector left, right, result = {0};

	if (!read_sources(cpu, op, &left, &right))
		return false;
	for (size_t i = 0; i < op->width; i++)
		result.u64[i / 8] += left.u8[i] > right.u8[i] ? left.u8[i] - right.u8[i]
							      : right.u8[i] - left.u8[i];
	return vector_write(cpu, op, &result, op->width);
}

// The sum of the products of two neighbours.
FUNCTION(execute_pmaddwd)
{
	union vector left, right, result;

	if (!read_sources(cpu, op, &left, &right))
		return false;
	for (size_t i = 0; i < op->width / 4u; i++)
		result.u32[i] = (uint32_t)(left.i16[2 * i] * right.i16[2 * i]) +
				(uint32_t)(left.i16[2 * i + 1] * right.i16[2 * i + 1]);
	return vector_write(cpu, op, &result, op->width);
}

/*
 * Choosing
 */

// Picks among the lower or the upper four words of each 16 bytes; the others stay.
static bool shuffle_words(struct cpu *cpu, struct operation *op, size_t first)
{
	union vector source, result;

	if (!vector_read(cpu, &op->operands[1], &source, op->width))
		return false;
	result = source;
	for (size_t lane = 0; lane < op->width / 2u; lane += 8)
		for (size_t i = 0; i < 4; i++)
			result.u16[lane + first + i] =
				source.u16[lane + first + (op->immediate >> 2 * i & 3)];
	return vector_write(cpu, op, &result, op->width);
}

FUNCTION(execute_pshuflw)
{
	return shuffle_words(cpu, op, 0);
}

FUNCTION(execute_pshufhw)
{
	return shuffle_words(cpu, op, 4);
}

// Takes an element from the right source where the bit of the immediate is set.
static bool blend(struct cpu *cpu, struct operation *op, size_t size)
{
	union vector left, right;

	if (!read_sources(cpu, op, &left, &right))
		return false;
	for (size_t i = 0; i < op->width / size; i++)
		if (op->immediate >> i % 8 & 1)
			memcpy(&left.u8[i * size], &right.u8[i * size], size);
	return vector_write(cpu, op, &left, op->width);
}

FUNCTION(execute_blend2)
{
	return blend(cpu, op, 2);
}

FUNCTION(execute_blend4)
{
	return blend(cpu, op, 4);
}

FUNCTION(execute_blend8)
{
	return blend(cpu, op, 8);
}

// The same by the sign of each byte of a third register: xmm0, or the one that the immediate names.
FUNCTION(execute_pblendvb)
{
	const union vector *mask = &cpu->vectors[op->immediate];
	union vector left, right;

	if (!read_sources(cpu, op, &left, &right))
		return false;
	for (size_t i = 0; i < op->width; i++)
		if (mask->u8[i] & 0x80)
			left.u8[i] = right.u8[i];
	return vector_write(cpu, op, &left, op->width);
}

// Any of four 64-bit elements for each.
FUNCTION(execute_vpermq)
{
	union vector source, result;

	if (!vector_read(cpu, &op->operands[1], &source, op->width))
		return false;
	for (size_t i = 0; i < op->width / 8u; i++)
		result.u64[i] = source.u64[(i & ~3u) + (op->immediate >> i % 4 * 2 & 3)];
	return vector_write(cpu, op, &result, op->width);
}

// Elements of the right source by the numbers in the left.
FUNCTION(execute_vpermd)
{
	union vector left, right, result;

	if (!read_sources(cpu, op, &left, &right))
		return false;
	for (size_t i = 0; i < op->width / 4u; i++)
		result.u32[i] = right.u32[left.u32[i] % (op->width / 4u)];
	return vector_write(cpu, op, &result, op->width);
}

// Each half is one of the four halves of the sources, or zero.
FUNCTION(execute_vperm2i128)
{
	union vector sources[2], result = {0};

	if (!read_sources(cpu, op, &sources[0], &sources[1]))
		return false;
	for (size_t half = 0; half < 2; half++) {
		unsigned control = op->immediate >> 4 * half & 0xf;

		if (!(control & 8))
			memcpy(&result.u8[16 * half],
			       &sources[control >> 1 & 1].u8[16 * (control & 1)], 16);
	}
	return vector_write(cpu, op, &result, op->width);
}

#define BOTH(name, function, sources)                  \
	[ZYDIS_MNEMONIC_##name] = {function, sources}, \
	[ZYDIS_MNEMONIC_V##name] = {function, sources}

struct vector_rule vector_pack_rule(unsigned mnemonic)
{
	static const struct vector_rule rules[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
		BOTH(PACKSSWB, execute_packsswb, 2),
		BOTH(PACKUSWB, execute_packuswb, 2),
		BOTH(PACKSSDW, execute_packssdw, 2),
		BOTH(PACKUSDW, execute_packusdw, 2),
		BOTH(PMOVZXBW, execute_pmovzxbw, 1),
		BOTH(PMOVZXBD, execute_pmovzxbd, 1),
		BOTH(PMOVZXBQ, execute_pmovzxbq, 1),
		BOTH(PMOVZXWD, execute_pmovzxwd, 1),
		BOTH(PMOVZXWQ, execute_pmovzxwq, 1),
		BOTH(PMOVZXDQ, execute_pmovzxdq, 1),
		BOTH(PMOVSXBW, execute_pmovsxbw, 1),
		BOTH(PMOVSXBD, execute_pmovsxbd, 1),
		BOTH(PMOVSXBQ, execute_pmovsxbq, 1),
		BOTH(PMOVSXWD, execute_pmovsxwd, 1),
		BOTH(PMOVSXWQ, execute_pmovsxwq, 1),
		BOTH(PMOVSXDQ, execute_pmovsxdq, 1),
		BOTH(PADDUSB, execute_paddusb, 2),
		BOTH(PADDUSW, execute_paddusw, 2),
		BOTH(PSUBUSB, execute_psubusb, 2),
		BOTH(PSUBUSW, execute_psubusw, 2),
		BOTH(PMULLW, execute_pmullw, 2),
		BOTH(PMULHW, execute_pmulhw, 2),
		BOTH(PMULHUW, execute_pmulhuw, 2),
		BOTH(PSADBW, execute_psadbw, 2),
		BOTH(PMADDWD, execute_pmaddwd, 2),
		BOTH(PSHUFLW, execute_pshuflw, 1),
		BOTH(PSHUFHW, execute_pshufhw, 1),
		BOTH(PBLENDW, execute_blend2, 2),
		BOTH(BLENDPS, execute_blend4, 2),
		BOTH(BLENDPD, execute_blend8, 2),
		[ZYDIS_MNEMONIC_VPBLENDD] = {execute_blend4, 2},
		[ZYDIS_MNEMONIC_PBLENDVB] = {execute_pblendvb, 2},
		[ZYDIS_MNEMONIC_VPBLENDVB] = {execute_pblendvb, 3},
		[ZYDIS_MNEMONIC_VPERMQ] = {execute_vpermq, 1},
		[ZYDIS_MNEMONIC_VPERMPD] = {execute_vpermq, 1},
		[ZYDIS_MNEMONIC_VPERMD] = {execute_vpermd, 2},
		[ZYDIS_MNEMONIC_VPERMPS] = {execute_vpermd, 2},
		[ZYDIS_MNEMONIC_VPERM2I128] = {execute_vperm2i128, 2},
		[ZYDIS_MNEMONIC_VPERM2F128] = {execute_vperm2i128, 2},
		[ZYDIS_MNEMONIC_VPSLLVD] = {execute_vpsllvd, 2},
		[ZYDIS_MNEMONIC_VPSLLVQ] = {execute_vpsllvq, 2},
		[ZYDIS_MNEMONIC_VPSRLVD] = {execute_vpsrlvd, 2},
		[ZYDIS_MNEMONIC_VPSRLVQ] = {execute_vpsrlvq, 2},
	};

	return rules[mnemonic];
}
