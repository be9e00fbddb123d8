/**
 * @file
 * The arithmetic flags of the interpreted processor, computed only when an instruction asks.
 *
 * Operands and results are kept shifted up so that their sign is bit 63 whatever their width:
 * zero, sign, carry and overflow then need no width. AF is not kept: only instructions that are not
 * supported can read it.
 */
#ifndef PYMEM_TRAVERSE_EMULATOR_FLAGS_H
#define PYMEM_TRAVERSE_EMULATOR_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

/** Bits of RFLAGS that are kept. */
enum {
	FLAG_CARRY = 1 << 0,
	FLAG_PARITY = 1 << 2,
	FLAG_ZERO = 1 << 6,
	FLAG_SIGN = 1 << 7,
	FLAG_OVERFLOW = 1 << 11,
	FLAG_ALL = FLAG_CARRY | FLAG_PARITY | FLAG_ZERO | FLAG_SIGN | FLAG_OVERFLOW,
};

/** How the flags follow from the fields of struct flags. */
enum flags_kind {
	FLAGS_ADD,	/**< of result = left + right */
	FLAGS_SUBTRACT, /**< of result = left - right */
	FLAGS_RESULT,	/**< zero, sign, parity of result; carry and overflow are given */
	FLAGS_BITS,	/**< all in bits */
};

/** The flags after the last instruction that changed any. */
struct flags {
	uint8_t kind;
	uint8_t shift; /**< 64 - width of the operands in bits */
	bool carry, overflow;
	uint32_t bits;
	uint64_t left, right, result; /**< shifted up */
};

static inline void flags_add(struct flags *flags, unsigned width, uint64_t left, uint64_t right)
{
	flags->kind = FLAGS_ADD;
	flags->shift = 64 - 8 * width;
	flags->left = left << flags->shift;
	flags->right = right << flags->shift;
	flags->result = flags->left + flags->right;
}

static inline void flags_subtract(struct flags *flags, unsigned width, uint64_t left,
				  uint64_t right)
{
	flags->kind = FLAGS_SUBTRACT;
	flags->shift = 64 - 8 * width;
	flags->left = left << flags->shift;
	flags->right = right << flags->shift;
	flags->result = flags->left - flags->right;
}

/** Zero, sign and parity of a result, with the other two given. */
static inline void flags_result(struct flags *flags, unsigned width, uint64_t result, bool carry,
				bool overflow)
{
	flags->kind = FLAGS_RESULT;
	flags->shift = 64 - 8 * width;
	flags->result = result << flags->shift;
	flags->carry = carry;
	flags->overflow = overflow;
}

static inline void flags_bits(struct flags *flags, uint32_t bits)
{
	flags->kind = FLAGS_BITS;
	flags->bits = bits;
}

static inline bool flag_carry(const struct flags *flags)
{
	switch (flags->kind) {
	case FLAGS_ADD:
		return flags->result < flags->left;
	case FLAGS_SUBTRACT:
		return flags->left < flags->right;
	case FLAGS_RESULT:
		return flags->carry;
	default:
		return flags->bits & FLAG_CARRY;
	}
}

static inline bool flag_overflow(const struct flags *flags)
{
	switch (flags->kind) {
	case FLAGS_ADD:
		return ((flags->left ^ flags->result) & (flags->right ^ flags->result)) >> 63;
	case FLAGS_SUBTRACT:
		return ((flags->left ^ flags->right) & (flags->left ^ flags->result)) >> 63;
	case FLAGS_RESULT:
		return flags->overflow;
	default:
		return flags->bits & FLAG_OVERFLOW;
	}
}

static inline bool flag_zero(const struct flags *flags)
{
	return flags->kind == FLAGS_BITS ? flags->bits & FLAG_ZERO : flags->result == 0;
}

static inline bool flag_sign(const struct flags *flags)
{
	return flags->kind == FLAGS_BITS ? flags->bits & FLAG_SIGN : flags->result >> 63;
}

static inline bool flag_parity(const struct flags *flags)
{
	if (flags->kind == FLAGS_BITS)
		return flags->bits & FLAG_PARITY;
	return !__builtin_parity((flags->result >> flags->shift) & 0xff);
}

/** All flags as bits of RFLAGS. */
static inline uint32_t flags_value(const struct flags *flags)
{
	return (flag_carry(flags) ? FLAG_CARRY : 0) | (flag_parity(flags) ? FLAG_PARITY : 0) |
	       (flag_zero(flags) ? FLAG_ZERO : 0) | (flag_sign(flags) ? FLAG_SIGN : 0) |
	       (flag_overflow(flags) ? FLAG_OVERFLOW : 0);
}

/** Changes the flags of a mask, leaves the others. */
static inline void flags_change(struct flags *flags, uint32_t mask, uint32_t bits)
{
	flags_bits(flags, (flags_value(flags) & ~mask) | (bits & mask));
}

/** Does a condition hold? @param condition as encoded in the opcodes of Jcc, SETcc and CMOVcc */
static inline bool flags_condition(const struct flags *flags, unsigned condition)
{
	bool holds;

	switch (condition >> 1) {
	case 0:
		holds = flag_overflow(flags);
		break;
	case 1:
		holds = flag_carry(flags);
		break;
	case 2:
		holds = flag_zero(flags);
		break;
	case 3:
		holds = flag_carry(flags) || flag_zero(flags);
		break;
	case 4:
		holds = flag_sign(flags);
		break;
	case 5:
		holds = flag_parity(flags);
		break;
	case 6:
		holds = flag_sign(flags) != flag_overflow(flags);
		break;
	default:
		holds = flag_zero(flags) || flag_sign(flags) != flag_overflow(flags);
	}
	return holds != (condition & 1);
}

#endif
