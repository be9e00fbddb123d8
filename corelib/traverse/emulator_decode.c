/*
 * From machine code to operations: Zydis decodes, this file chooses the function that executes the
 * instruction and takes its operands over. What cannot be represented exactly becomes an operation
 * that faults when it is reached.
 */
#include "traverse/emulator_operand.h"

#include <Zydis/Zydis.h>

// What Zydis says of one instruction.
struct decoded {
	ZydisDecodedInstruction instruction;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	uint64_t following;
};

/*
 * Code is what the process had mapped executable: dumped, read from it, or from a file that is the
 * same build for certain.
 */
static bool is_executable(const struct cpu *cpu, uint64_t address)
{
	const struct segment *segment = image_segment(cpu->target->image, address);
	const struct module *module;

	if (!segment || !(segment->flags & PF_X))
		return false;
	if (segment->source != SEGMENT_FILE)
		return true;
	module = cpu->target->modules ? modules_at(cpu->target->modules, address) : NULL;
	return module && module->status == MODULE_FILE_MATCHES;
}

static bool decode_register(ZydisRegister reg, struct operand *operand)
{
	int8_t id = ZydisRegisterGetId(reg);

	operand->kind = OPERAND_REGISTER;
	operand->reg = (uint8_t)id;
	switch (ZydisRegisterGetClass(reg)) {
	case ZYDIS_REGCLASS_GPR8:
		operand->width = 1;
		if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH) {
			operand->kind = OPERAND_HIGH_BYTE;
			operand->reg = reg - ZYDIS_REGISTER_AH;
		} else if (reg >= ZYDIS_REGISTER_SPL) {
			operand->reg = reg - ZYDIS_REGISTER_SPL + RSP;
		} else {
			operand->reg = reg - ZYDIS_REGISTER_AL;
		}
		return true;
	case ZYDIS_REGCLASS_GPR16:
		operand->width = 2;
		return true;
	case ZYDIS_REGCLASS_GPR32:
		operand->width = 4;
		return true;
	case ZYDIS_REGCLASS_GPR64:
		operand->width = 8;
		return true;
	case ZYDIS_REGCLASS_XMM:
	case ZYDIS_REGCLASS_YMM:
	case ZYDIS_REGCLASS_ZMM:
		operand->kind = OPERAND_VECTOR;
		operand->width = ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, reg) / 8;
		return true;
	default:
		return false;
	}
}

// A register of an address; only 64-bit ones.
static bool decode_address_register(ZydisRegister reg, uint8_t *number)
{
	*number = GPR_NONE;
	if (reg == ZYDIS_REGISTER_NONE)
		return true;
	if (ZydisRegisterGetClass(reg) != ZYDIS_REGCLASS_GPR64)
		return false;
	*number = (uint8_t)ZydisRegisterGetId(reg);
	return true;
}

/*
 * The word at fs:0x28 is the stack protector's. Which value it has makes no difference to what a
 * function does, so it is not taken from a thread that may not even be there.
 */
static void replace_canary(struct operand *operand)
{
	if (operand->thread_local && operand->base == GPR_NONE && operand->index == GPR_NONE &&
	    operand->value == 0x28) {
		operand->thread_local = false;
		operand->value = (int64_t)CANARY;
	}
}

static bool decode_memory(const struct decoded *decoded, const ZydisDecodedOperand *source,
			  struct operand *operand)
{
	ZydisRegister base = source->mem.base;

	operand->kind = OPERAND_MEMORY;
	operand->width = source->size / 8;
	operand->value = source->mem.disp.has_displacement ? source->mem.disp.value : 0;
	operand->shift = source->mem.scale ? __builtin_ctz(source->mem.scale) : 0;
	operand->thread_local = source->mem.segment == ZYDIS_REGISTER_FS &&
				source->mem.type != ZYDIS_MEMOP_TYPE_AGEN;
	if (base == ZYDIS_REGISTER_RIP) {
		operand->value = (int64_t)(decoded->following + (uint64_t)operand->value);
		base = ZYDIS_REGISTER_NONE;
	}
	if (!decode_address_register(base, &operand->base) ||
	    !decode_address_register(source->mem.index, &operand->index))
		return false;
	replace_canary(operand);
	return source->mem.segment != ZYDIS_REGISTER_GS &&
	       (source->mem.type == ZYDIS_MEMOP_TYPE_MEM ||
		source->mem.type == ZYDIS_MEMOP_TYPE_AGEN);
}

static bool decode_operand(const struct decoded *decoded, const ZydisDecodedOperand *source,
			   struct operand *operand)
{
	*operand = (struct operand){.base = GPR_NONE, .index = GPR_NONE};
	switch (source->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		return decode_register(source->reg.value, operand);
	case ZYDIS_OPERAND_TYPE_MEMORY:
		return decode_memory(decoded, source, operand);
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		operand->kind = OPERAND_IMMEDIATE;
		operand->value = source->imm.value.s;
		return true;
	default:
		return false;
	}
}

/*
 * EVEX names its mask register as an operand behind the destination: k0 stands for none. Real
 * masks, broadcasts from memory and rounding modes are not supported.
 */
static bool drop_mask(struct decoded *decoded)
{
	ZydisDecodedInstruction *instruction = &decoded->instruction;
	ZydisDecodedOperand *operands = decoded->operands;

	if (instruction->encoding != ZYDIS_INSTRUCTION_ENCODING_EVEX)
		return true;
	if ((instruction->avx.mask.reg != ZYDIS_REGISTER_NONE &&
	     instruction->avx.mask.reg != ZYDIS_REGISTER_K0) ||
	    (instruction->avx.broadcast.mode != ZYDIS_BROADCAST_MODE_INVALID &&
	     !instruction->avx.broadcast.is_static) ||
	    instruction->avx.rounding.mode != ZYDIS_ROUNDING_MODE_INVALID ||
	    instruction->avx.has_sae)
		return false;
	if (instruction->operand_count_visible < 2 ||
	    operands[1].type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    ZydisRegisterGetClass(operands[1].reg.value) != ZYDIS_REGCLASS_MASK)
		return true;
	instruction->operand_count_visible--;
	memmove(&operands[1], &operands[2],
		(instruction->operand_count_visible - 1) * sizeof(operands[0]));
	return true;
}

// An immediate, or a fourth operand, goes to op->immediate.
static bool decode_vector_operands(const struct decoded *decoded, const struct vector_rule *rule,
				   struct operation *op)
{
	const ZydisDecodedInstruction *instruction = &decoded->instruction;
	bool legacy = instruction->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY;
	size_t count = 0;

	for (size_t i = 0; i < instruction->operand_count_visible; i++) {
		const ZydisDecodedOperand *source = &decoded->operands[i];

		if (i && source->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
			op->immediate = source->imm.value.u & 0xff;
			continue;
		}
		if (count == 3 && rule->sources == 3) {
			struct operand third;

			if (!decode_operand(decoded, source, &third) ||
			    third.kind != OPERAND_VECTOR)
				return false;
			op->immediate = third.reg;
			continue;
		}
		if (count == 3 || !decode_operand(decoded, source, &op->operands[count++]))
			return false;
		if (i == 0 && legacy && rule->sources == 2)
			op->operands[count++] = op->operands[0];
	}
	op->zero_upper = !legacy;
	op->width = legacy ? 16 : instruction->avx.vector_length / 8;
	return true;
}

static bool select_vector(struct decoded *decoded, struct operation *op)
{
	struct vector_rule rule = vector_rule(op->mnemonic);

	if (!rule.execute || !drop_mask(decoded) || !decode_vector_operands(decoded, &rule, op))
		return false;
	op->execute = rule.execute;
	return true;
}

static bool is_string_operation(const struct decoded *decoded)
{
	return decoded->instruction.meta.category == ZYDIS_CATEGORY_STRINGOP;
}

// The elements of string instructions are at rsi and rdi; their operands say nothing more, but a
// segment override or an address size would change that.
static bool select_string(const struct decoded *decoded, struct operation *op)
{
	const ZydisDecodedInstruction *instruction = &decoded->instruction;

	if (instruction->address_width != 64 ||
	    instruction->attributes & (ZYDIS_ATTRIB_HAS_SEGMENT_FS | ZYDIS_ATTRIB_HAS_SEGMENT_GS))
		return false;
	op->repeat = instruction->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE);
	op->repeat_unequal = instruction->attributes & ZYDIS_ATTRIB_HAS_REPNE;
	op->execute = string_rule(op->mnemonic);
	return op->execute;
}

// A relative branch: operand 0 stays empty, the target is the immediate.
static bool decode_branch(const struct decoded *decoded, struct operation *op)
{
	const ZydisDecodedOperand *source = &decoded->operands[0];

	if (decoded->instruction.operand_count_visible == 0)
		return true;
	if (source->type != ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		return decode_operand(decoded, source, &op->operands[0]) &&
		       (op->operands[0].width == 8 || op->mnemonic == ZYDIS_MNEMONIC_RET);
	}
	op->immediate = source->imm.is_relative ? decoded->following + (uint64_t)source->imm.value.s
						: source->imm.value.u;
	return true;
}

static bool select_control(const struct decoded *decoded, struct operation *op)
{
	const ZydisDecodedInstruction *instruction = &decoded->instruction;

	// Processors disagree on near branches with a prefix for 16 bits.
	if (instruction->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ||
	    (instruction->meta.branch_type == ZYDIS_BRANCH_TYPE_NEAR &&
	     instruction->operand_width != 64) ||
	    !decode_branch(decoded, op))
		return false;
	op->execute = control_rule(op);
	return op->execute;
}

static bool is_word(const struct operand *operand)
{
	return operand->kind != OPERAND_VECTOR && operand->width && operand->width <= 8;
}

// Operands of 1 to 8 bytes. Immediates are cut to the width of the destination.
static bool decode_integer_operands(const struct decoded *decoded, struct operation *op)
{
	size_t count = decoded->instruction.operand_count_visible;

	if (count > 3)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct operand *operand = &op->operands[i];

		if (!decode_operand(decoded, &decoded->operands[i], operand))
			return false;
		if (operand->kind == OPERAND_IMMEDIATE) {
			operand->width = i ? op->operands[0].width : 8;
			operand->value &= width_mask(operand->width);
		} else if (!is_word(operand) && op->mnemonic != ZYDIS_MNEMONIC_CMPXCHG16B) {
			return false;
		}
	}
	op->width = op->operands[0].width;
	return true;
}

// push and pop of 16 bits are refused: nothing makes them.
static bool is_narrow_stack(const struct operation *op)
{
	return (op->mnemonic == ZYDIS_MNEMONIC_PUSH || op->mnemonic == ZYDIS_MNEMONIC_POP) &&
	       op->operands[0].kind != OPERAND_IMMEDIATE && op->width != 8;
}

static bool select_integer(const struct decoded *decoded, struct operation *op)
{
	// The operands of nop and prefetch are not accessed.
	if (decoded->instruction.meta.category != ZYDIS_CATEGORY_WIDENOP &&
	    decoded->instruction.meta.category != ZYDIS_CATEGORY_PREFETCH &&
	    (!decode_integer_operands(decoded, op) || is_narrow_stack(op)))
		return false;
	op->execute = fast_rule(op);
	if (!op->execute)
		op->execute = integer_rule(op);
	if (!op->execute)
		op->execute = bit_rule(op->mnemonic);
	return op->execute;
}

static enum conditional conditional_of(const struct decoded *decoded)
{
	const ZydisDecodedInstruction *instruction = &decoded->instruction;
	uint8_t row = instruction->opcode & 0xf0;

	switch (instruction->meta.category) {
	case ZYDIS_CATEGORY_COND_BR: // not the loop and jcxz family, whose opcodes are 0xe0-0xe3
		return row == 0x70 || row == 0x80 ? CONDITIONAL_JUMP : CONDITIONAL_NONE;
	case ZYDIS_CATEGORY_CMOV:
		return CONDITIONAL_MOVE;
	case ZYDIS_CATEGORY_SETCC:
		return CONDITIONAL_SET;
	default:
		return CONDITIONAL_NONE;
	}
}

static bool is_branch(const struct decoded *decoded)
{
	switch (decoded->instruction.meta.category) {
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_SYSCALL:
		return true;
	default:
		return false;
	}
}

// Chooses the function and the operands. @return false for what is not supported
static bool select_operation(struct decoded *decoded, struct operation *op)
{
	op->mnemonic = decoded->instruction.mnemonic;
	op->conditional = conditional_of(decoded);
	op->condition = decoded->instruction.opcode & 0xf;
	if (is_branch(decoded))
		return select_control(decoded, op);
	if (is_string_operation(decoded))
		return select_string(decoded, op);
	return select_integer(decoded, op) || select_vector(decoded, op);
}

static bool decode_bytes(struct cpu *cpu, uint64_t address, struct decoded *decoded)
{
	uint8_t bytes[ZYDIS_MAX_INSTRUCTION_LENGTH];
	size_t length = reader_copy(&cpu->reader, address, bytes, sizeof(bytes));
	ZydisDecoder decoder;

	if (!length || !is_executable(cpu, address) ||
	    !ZYAN_SUCCESS(
		    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
	    !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, length, &decoded->instruction,
						 decoded->operands)))
		return false;
	decoded->following = address + decoded->instruction.length;
	return is_executable(cpu, decoded->following - 1);
}

bool decode_instruction(struct cpu *cpu, uint64_t address, struct operation *op, bool *last)
{
	struct decoded decoded = {0};

	*op = (struct operation){.address = address};
	for (size_t i = 0; i < 3; i++)
		op->operands[i] = (struct operand){.base = GPR_NONE, .index = GPR_NONE};
	*last = true;
	if (!is_executable(cpu, address))
		return false;
	cpu->statistics.decoded++;
	if (!decode_bytes(cpu, address, &decoded)) {
		op->execute = execute_unsupported;
		return true;
	}
	op->following = decoded.following;
	if (select_operation(&decoded, op)) {
		*last = is_branch(&decoded);
		return true;
	}
	op->mnemonic = decoded.instruction.mnemonic;
	op->execute = execute_unsupported;
	return true;
}
