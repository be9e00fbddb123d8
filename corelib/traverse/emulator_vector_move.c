/*
 * Vector instructions that only move bytes: loads, stores, broadcasts, insertions, extractions.
 */
#include "traverse/emulator_vector.h"

#include <Zydis/Zydis.h>

// The whole width of the instruction.
FUNCTION(execute_move)
{
	union vector value;

	return vector_read(cpu, &op->operands[1], &value, op->width) &&
	       vector_write(cpu, op, &value, op->width);
}

// Writes the low bytes of a register and clears the rest of it up to 16 bytes.
static void write_low(struct cpu *cpu, const struct operation *op, uint64_t low)
{
	union vector value = {.u64 = {low, 0}};

	vector_register_write(cpu, op, op->operands[0].reg, &value, 16);
}

// movd, movq: the low 4 or 8 bytes, from or to a general register, memory or a vector register.
static bool move_word(struct cpu *cpu, struct operation *op, unsigned width)
{
	struct operand destination = op->operands[0], source = op->operands[1];
	uint64_t value = 0;

	destination.width = source.width = width;
	if (source.kind == OPERAND_VECTOR)
		memcpy(&value, &cpu->vectors[source.reg], width);
	else if (!operand_read(cpu, &source, &value))
		return false;
	if (destination.kind != OPERAND_VECTOR)
		return operand_write(cpu, &destination, value);
	write_low(cpu, op, value);
	return true;
}

FUNCTION(execute_movd)
{
	bool wide = op->operands[0].kind == OPERAND_REGISTER   ? op->operands[0].width == 8
		    : op->operands[1].kind == OPERAND_REGISTER ? op->operands[1].width == 8
							       : false;

	return move_word(cpu, op, wide ? 8 : 4);
}

FUNCTION(execute_movq)
{
	return move_word(cpu, op, 8);
}

/*
 * movss, movsd: a load clears the rest of 16 bytes, a move between registers keeps it; the VEX
 * form takes the rest from its middle operand.
 */
static bool move_scalar(struct cpu *cpu, struct operation *op, unsigned width)
{
	const struct operand *operands = op->operands;
	uint64_t low = 0;

	if (operands[0].kind == OPERAND_MEMORY)
		return memory_write(cpu, operand_address(cpu, &operands[0]),
				    &cpu->vectors[operands[1].reg], width);
	if (operands[1].kind == OPERAND_MEMORY) {
		if (!memory_load(cpu, operand_address(cpu, &operands[1]), width, &low))
			return false;
		write_low(cpu, op, low);
		return true;
	}
	bool three = operands[2].kind != OPERAND_NONE;
	union vector value = cpu->vectors[operands[three ? 1 : 0].reg];

	memcpy(&value, &cpu->vectors[operands[three ? 2 : 1].reg], width);
	vector_register_write(cpu, op, operands[0].reg, &value, 16);
	return true;
}

FUNCTION(execute_movss)
{
	return move_scalar(cpu, op, 4);
}

FUNCTION(execute_movsd)
{
	return move_scalar(cpu, op, 8);
}

/*
 * movlps, movhps: 8 bytes of the lower or upper half, to or from memory. A load keeps the other
 * half, of the destination or of the middle operand of the VEX form.
 */
static bool move_half(struct cpu *cpu, struct operation *op, unsigned half)
{
	const struct operand *operands = op->operands;

	if (operands[0].kind == OPERAND_MEMORY)
		return memory_store(cpu, operand_address(cpu, &operands[0]), 8,
				    cpu->vectors[operands[1].reg].u64[half]);
	bool three = operands[2].kind != OPERAND_NONE;
	union vector value = cpu->vectors[operands[three ? 1 : 0].reg];

	if (!memory_load(cpu, operand_address(cpu, &operands[three ? 2 : 1]), 8, &value.u64[half]))
		return false;
	vector_register_write(cpu, op, operands[0].reg, &value, 16);
	return true;
}

FUNCTION(execute_movlps)
{
	return move_half(cpu, op, 0);
}

FUNCTION(execute_movhps)
{
	return move_half(cpu, op, 1);
}

// movhlps: the upper half of the right source becomes the lower half.
FUNCTION(execute_movhlps)
{
	union vector value = cpu->vectors[op->operands[1].reg];

	value.u64[0] = cpu->vectors[op->operands[2].reg].u64[1];
	vector_register_write(cpu, op, op->operands[0].reg, &value, 16);
	return true;
}

// movlhps: the lower half of the right source becomes the upper half.
FUNCTION(execute_movlhps)
{
	union vector value = cpu->vectors[op->operands[1].reg];

	value.u64[1] = cpu->vectors[op->operands[2].reg].u64[0];
	vector_register_write(cpu, op, op->operands[0].reg, &value, 16);
	return true;
}

FUNCTION(execute_movddup)
{
	union vector source, result;

	if (!vector_read(cpu, &op->operands[1], &source, op->width == 16 ? 8 : op->width))
		return false;
	for (size_t i = 0; i < op->width / 8u; i++)
		result.u64[i] = source.u64[i & ~1u];
	return vector_write(cpu, op, &result, op->width);
}

/*
 * Insertion and extraction of elements; the immediate is the number of the element.
 */

// The destination is a copy of operand 1 with one element from operand 2.
static bool insert(struct cpu *cpu, struct operation *op, unsigned width)
{
	struct operand source = op->operands[2];
	union vector value = cpu->vectors[op->operands[1].reg];
	uint64_t element;

	source.width = width;
	if (!operand_read(cpu, &source, &element))
		return false;
	memcpy(&value.u8[op->immediate % (16 / width) * width], &element, width);
	vector_register_write(cpu, op, op->operands[0].reg, &value, 16);
	return true;
}

static bool extract(struct cpu *cpu, struct operation *op, unsigned width)
{
	struct operand destination = op->operands[0];
	uint64_t element = 0;

	memcpy(&element,
	       &cpu->vectors[op->operands[1].reg].u8[op->immediate % (16 / width) * width], width);
	if (destination.kind == OPERAND_MEMORY)
		destination.width = width;
	return operand_write(cpu, &destination, element);
}

#define ELEMENT(width)                          \
	FUNCTION(execute_pinsr##width)          \
	{                                       \
		return insert(cpu, op, width);  \
	}                                       \
	FUNCTION(execute_pextr##width)          \
	{                                       \
		return extract(cpu, op, width); \
	}
// clang-format off
ELEMENT(1) ELEMENT(2) ELEMENT(4) ELEMENT(8)
	// clang-format on

	// Half of a 32-byte register, as inserted and extracted by AVX and AVX2.
	FUNCTION(execute_insert128)
{
	union vector value = cpu->vectors[op->operands[1].reg], half;

	if (!vector_read(cpu, &op->operands[2], &half, 16))
		return false;
	memcpy(&value.u8[16 * (op->immediate & 1)], &half, 16);
	vector_register_write(cpu, op, op->operands[0].reg, &value, 32);
	return true;
}

FUNCTION(execute_extract128)
{
	union vector value;

	memcpy(&value, &cpu->vectors[op->operands[1].reg].u8[16 * (op->immediate & 1)], 16);
	return vector_write(cpu, op, &value, 16);
}

// Fills the destination with the first element of the source.
static bool broadcast(struct cpu *cpu, struct operation *op, unsigned width)
{
	struct operand source = op->operands[1];
	union vector element, result;

	source.width = width;
	if (source.kind == OPERAND_VECTOR || source.kind == OPERAND_MEMORY) {
		if (!vector_read(cpu, &source, &element, width))
			return false;
	} else if (!operand_read(cpu, &source, &element.u64[0])) {
		return false;
	}
	for (size_t i = 0; i < op->width; i += width)
		memcpy(&result.u8[i], &element, width);
	return vector_write(cpu, op, &result, op->width);
}

#define BROADCAST(width)                          \
	FUNCTION(execute_broadcast##width)        \
	{                                         \
		return broadcast(cpu, op, width); \
	}
// clang-format off
BROADCAST(1) BROADCAST(2) BROADCAST(4) BROADCAST(8) BROADCAST(16)
	// clang-format on

	FUNCTION(execute_vzeroupper)
{
	(void)op;
	for (size_t i = 0; i < 16; i++)
		memset(&cpu->vectors[i].u8[16], 0, 48);
	return true;
}

#define BOTH(name, function, sources)                  \
	[ZYDIS_MNEMONIC_##name] = {function, sources}, \
	[ZYDIS_MNEMONIC_V##name] = {function, sources}

struct vector_rule vector_move_rule(unsigned mnemonic)
{
	static const struct vector_rule rules[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
		BOTH(MOVUPS, execute_move, 1),
		BOTH(MOVAPS, execute_move, 1),
		BOTH(MOVUPD, execute_move, 1),
		BOTH(MOVAPD, execute_move, 1),
		BOTH(MOVDQU, execute_move, 1),
		BOTH(MOVDQA, execute_move, 1),
		BOTH(LDDQU, execute_move, 1),
		BOTH(MOVNTDQ, execute_move, 1),
		BOTH(MOVNTPS, execute_move, 1),
		BOTH(MOVNTPD, execute_move, 1),
		[ZYDIS_MNEMONIC_VMOVDQU8] = {execute_move, 1},
		[ZYDIS_MNEMONIC_VMOVDQU16] = {execute_move, 1},
		[ZYDIS_MNEMONIC_VMOVDQU32] = {execute_move, 1},
		[ZYDIS_MNEMONIC_VMOVDQU64] = {execute_move, 1},
		[ZYDIS_MNEMONIC_VMOVDQA32] = {execute_move, 1},
		[ZYDIS_MNEMONIC_VMOVDQA64] = {execute_move, 1},
		BOTH(MOVD, execute_movd, 1),
		BOTH(MOVQ, execute_movq, 1),
		BOTH(MOVSS, execute_movss, 1),
		BOTH(MOVSD, execute_movsd, 1),
		BOTH(MOVLPS, execute_movlps, 1),
		BOTH(MOVLPD, execute_movlps, 1),
		BOTH(MOVHPS, execute_movhps, 1),
		BOTH(MOVHPD, execute_movhps, 1),
		BOTH(MOVHLPS, execute_movhlps, 2),
		BOTH(MOVLHPS, execute_movlhps, 2),
		BOTH(MOVDDUP, execute_movddup, 1),
		BOTH(PINSRB, execute_pinsr1, 2),
		BOTH(PINSRW, execute_pinsr2, 2),
		BOTH(PINSRD, execute_pinsr4, 2),
		BOTH(PINSRQ, execute_pinsr8, 2),
		BOTH(PEXTRB, execute_pextr1, 1),
		BOTH(PEXTRW, execute_pextr2, 1),
		BOTH(PEXTRD, execute_pextr4, 1),
		BOTH(PEXTRQ, execute_pextr8, 1),
		[ZYDIS_MNEMONIC_VINSERTI128] = {execute_insert128, 2},
		[ZYDIS_MNEMONIC_VINSERTF128] = {execute_insert128, 2},
		[ZYDIS_MNEMONIC_VEXTRACTI128] = {execute_extract128, 1},
		[ZYDIS_MNEMONIC_VEXTRACTF128] = {execute_extract128, 1},
		[ZYDIS_MNEMONIC_VPBROADCASTB] = {execute_broadcast1, 1},
		[ZYDIS_MNEMONIC_VPBROADCASTW] = {execute_broadcast2, 1},
		[ZYDIS_MNEMONIC_VPBROADCASTD] = {execute_broadcast4, 1},
		[ZYDIS_MNEMONIC_VPBROADCASTQ] = {execute_broadcast8, 1},
		[ZYDIS_MNEMONIC_VBROADCASTSS] = {execute_broadcast4, 1},
		[ZYDIS_MNEMONIC_VBROADCASTSD] = {execute_broadcast8, 1},
		[ZYDIS_MNEMONIC_VBROADCASTI128] = {execute_broadcast16, 1},
		[ZYDIS_MNEMONIC_VBROADCASTF128] = {execute_broadcast16, 1},
		[ZYDIS_MNEMONIC_VZEROUPPER] = {execute_vzeroupper, 0},
	};

	return rules[mnemonic];
}
