/*
 * Two facts that only the machine code of dict_traverse() tells: whether it looks at the `embedded`
 * flag of values (3.13+), and which function marks tables that visit their keys (3.8-3.10). The
 * code is decoded along all its branches; nothing is executed, and which branch is taken does not
 * matter.
 */
#include "traverse/decoder.h"

#include <Zydis/Zydis.h>
#include <elf.h>

enum { INSTRUCTIONS_MAX = 2000, PENDING_MAX = 256, INSTRUCTION_BYTES = 15, REGISTERS = 16 };

/** A walk over the instructions that can be reached from the start of a function. */
struct walk {
	struct traverser *traverser;
	ZydisDecoder decoder;
	uint64_t seen[INSTRUCTIONS_MAX]; /**< addresses of instructions looked at */
	size_t seen_count;
	uint64_t pending[PENDING_MAX]; /**< targets of branches still to be followed */
	size_t pending_count;
	uint64_t at; /**< the instruction at hand, 0: none */
	ZydisDecodedInstruction instruction;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	bool broken; /**< some of the code could not be read */
};

static bool is_code(const struct traverser *traverser, uint64_t address)
{
	const struct segment *segment = image_segment(traverser->runtime->target->image, address);

	return segment && (segment->flags & PF_X);
}

static bool walk_start(struct walk *walk, struct traverser *traverser, uint64_t function)
{
	walk->traverser = traverser;
	walk->seen_count = 0;
	walk->pending[0] = function;
	walk->pending_count = 1;
	walk->at = 0;
	walk->broken = false;
	return function && is_code(traverser, function) &&
	       ZYAN_SUCCESS(ZydisDecoderInit(&walk->decoder, ZYDIS_MACHINE_MODE_LONG_64,
					     ZYDIS_STACK_WIDTH_64));
}

static bool was_seen(const struct walk *walk, uint64_t address)
{
	for (size_t i = 0; i < walk->seen_count; i++)
		if (walk->seen[i] == address)
			return true;
	return false;
}

static void follow(struct walk *walk, uint64_t address)
{
	if (walk->pending_count < PENDING_MAX && !was_seen(walk, address))
		walk->pending[walk->pending_count++] = address;
}

/* Where execution goes from the instruction at hand; 0: this path ends. */
static uint64_t successor(struct walk *walk)
{
	const ZydisDecodedInstruction *instruction = &walk->instruction;
	uint64_t next = walk->at + instruction->length, target;

	switch (instruction->meta.category) {
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_INTERRUPT:
		return 0;
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR:
		if (ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(instruction, &walk->operands[0], walk->at,
							  &target)) &&
		    walk->operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
			follow(walk, target);
		return instruction->meta.category == ZYDIS_CATEGORY_COND_BR ? next : 0;
	default:
		return next;
	}
}

static bool decode_at(struct walk *walk, uint64_t address)
{
	uint8_t code[INSTRUCTION_BYTES];
	size_t length = reader_copy(&walk->traverser->reader, address, code, sizeof(code));

	return length && is_code(walk->traverser, address) &&
	       ZYAN_SUCCESS(ZydisDecoderDecodeFull(&walk->decoder, code, length, &walk->instruction,
						   walk->operands));
}

/* Steps to the next instruction. @return false when all paths were walked, or far too many */
static bool walk_next(struct walk *walk)
{
	uint64_t next = walk->at ? successor(walk) : 0;

	while (!next || was_seen(walk, next)) {
		if (!walk->pending_count)
			return false;
		next = walk->pending[--walk->pending_count];
	}
	if (walk->seen_count == INSTRUCTIONS_MAX || !decode_at(walk, next)) {
		walk->broken = true;
		return false;
	}
	walk->seen[walk->seen_count++] = next;
	walk->at = next;
	return true;
}

/* Memory at [register + displacement]. */
static bool is_member(const ZydisDecodedOperand *operand, uint32_t bits, uint32_t offset)
{
	return operand->type == ZYDIS_OPERAND_TYPE_MEMORY && operand->size == bits &&
	       operand->mem.index == ZYDIS_REGISTER_NONE &&
	       operand->mem.base != ZYDIS_REGISTER_RIP && operand->mem.base != ZYDIS_REGISTER_RSP &&
	       operand->mem.base != ZYDIS_REGISTER_NONE && operand->mem.disp.value == offset;
}

int code_reads_embedded(struct traverser *traverser)
{
	uint32_t offset = traverser->layout->PyDictValues_embedded;
	struct walk walk;

	if (!layout_has(offset) ||
	    !walk_start(&walk, traverser, binding_address(traverser, "dict")))
		return -1;
	while (walk_next(&walk))
		for (size_t i = 0; i < walk.instruction.operand_count_visible; i++)
			if (is_member(&walk.operands[i], 8, offset) &&
			    walk.instruction.mnemonic != ZYDIS_MNEMONIC_NOP)
				return 1;
	return walk.broken ? -1 : 0;
}

/* Number of a 64-bit general register; -1 for others. */
static int general_register(ZydisRegister name)
{
	return name >= ZYDIS_REGISTER_RAX && name <= ZYDIS_REGISTER_R15
		       ? (int)(name - ZYDIS_REGISTER_RAX)
		       : -1;
}

/* Keeps which address a register was last loaded with: lea register, [rip + …]. */
static void note_address(struct walk *walk, uint64_t addresses[REGISTERS])
{
	int to = general_register(walk->operands[0].reg.value);
	uint64_t target;

	if (walk->instruction.mnemonic == ZYDIS_MNEMONIC_LEA && to >= 0 &&
	    walk->operands[1].mem.base == ZYDIS_REGISTER_RIP &&
	    ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&walk->instruction, &walk->operands[1], walk->at,
						  &target)))
		addresses[to] = target;
}

uint64_t code_find_lookdict(struct traverser *traverser)
{
	uint32_t offset = traverser->layout->PyDictKeysObject_dk_lookup;
	uint64_t addresses[REGISTERS] = {0};
	struct walk walk;

	if (!layout_has(offset) ||
	    !walk_start(&walk, traverser, binding_address(traverser, "dict")))
		return 0;
	while (walk_next(&walk)) {
		const ZydisDecodedOperand *with;
		uint64_t address = 0;

		note_address(&walk, addresses);
		if (walk.instruction.mnemonic != ZYDIS_MNEMONIC_CMP)
			continue;
		if (is_member(&walk.operands[0], 64, offset))
			with = &walk.operands[1];
		else if (is_member(&walk.operands[1], 64, offset))
			with = &walk.operands[0];
		else
			continue;
		if (with->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
			address = with->imm.value.u;
		else if (with->type == ZYDIS_OPERAND_TYPE_REGISTER &&
			 general_register(with->reg.value) >= 0)
			address = addresses[general_register(with->reg.value)];
		if (address && is_code(traverser, address))
			return address;
	}
	return 0;
}
