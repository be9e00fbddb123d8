/*
 * String instructions: movs, stos, cmps and scas with and without repetition. The direction flag
 * is always clear, as the ABI wants it.
 */
#include "traverse/emulator_operand.h"

#include <Zydis/Zydis.h>

// One element at rsi or rdi; steps over it.
static bool load_element(struct cpu *cpu, unsigned reg, unsigned width, uint64_t *value)
{
	if (!memory_load(cpu, cpu->gpr[reg], width, value))
		return false;
	cpu->gpr[reg] += width;
	return true;
}

static bool store_element(struct cpu *cpu, unsigned width, uint64_t value)
{
	if (!memory_store(cpu, cpu->gpr[RDI], width, value))
		return false;
	cpu->gpr[RDI] += width;
	return true;
}

static bool movs_step(struct cpu *cpu, unsigned width)
{
	uint64_t value;

	return load_element(cpu, RSI, width, &value) && store_element(cpu, width, value);
}

static bool stos_step(struct cpu *cpu, unsigned width)
{
	return store_element(cpu, width, cpu->gpr[RAX]);
}

static bool cmps_step(struct cpu *cpu, unsigned width)
{
	uint64_t left, right;

	if (!load_element(cpu, RSI, width, &left) || !load_element(cpu, RDI, width, &right))
		return false;
	flags_subtract(&cpu->flags, width, left, right);
	return true;
}

static bool scas_step(struct cpu *cpu, unsigned width)
{
	uint64_t right;

	if (!load_element(cpu, RDI, width, &right))
		return false;
	flags_subtract(&cpu->flags, width, cpu->gpr[RAX] & width_mask(width), right);
	return true;
}

// Repeats a step rcx times, once without a prefix; those that compare stop by the zero flag too.
static bool repeat(struct cpu *cpu, const struct operation *op,
		   bool (*step)(struct cpu *cpu, unsigned width), unsigned width, bool compares)
{
	if (!op->repeat && !op->repeat_unequal)
		return step(cpu, width);
	while (cpu->gpr[RCX]) {
		if (--cpu->budget < 0)
			return cpu_fault(cpu, EMULATOR_BUDGET, 0);
		if (!step(cpu, width))
			return false;
		cpu->gpr[RCX]--;
		if (compares && flag_zero(&cpu->flags) != op->repeat)
			break;
	}
	return true;
}

#define STRING(name, width, compares)                                  \
	static bool name##width(struct cpu *cpu, struct operation *op) \
	{                                                              \
		return repeat(cpu, op, name##_step, width, compares);  \
	}
// clang-format off
STRING(movs, 1, false) STRING(movs, 2, false) STRING(movs, 4, false) STRING(movs, 8, false)
STRING(stos, 1, false) STRING(stos, 2, false) STRING(stos, 4, false) STRING(stos, 8, false)
STRING(cmps, 1, true) STRING(cmps, 2, true) STRING(cmps, 4, true) STRING(cmps, 8, true)
STRING(scas, 1, true) STRING(scas, 2, true) STRING(scas, 4, true) STRING(scas, 8, true)
	// clang-format on

	execute_function *string_rule(unsigned mnemonic)
{
	switch (mnemonic) {
	case ZYDIS_MNEMONIC_MOVSB:
		return movs1;
	case ZYDIS_MNEMONIC_MOVSW:
		return movs2;
	case ZYDIS_MNEMONIC_MOVSD:
		return movs4;
	case ZYDIS_MNEMONIC_MOVSQ:
		return movs8;
	case ZYDIS_MNEMONIC_STOSB:
		return stos1;
	case ZYDIS_MNEMONIC_STOSW:
		return stos2;
	case ZYDIS_MNEMONIC_STOSD:
		return stos4;
	case ZYDIS_MNEMONIC_STOSQ:
		return stos8;
	case ZYDIS_MNEMONIC_CMPSB:
		return cmps1;
	case ZYDIS_MNEMONIC_CMPSW:
		return cmps2;
	case ZYDIS_MNEMONIC_CMPSD:
		return cmps4;
	case ZYDIS_MNEMONIC_CMPSQ:
		return cmps8;
	case ZYDIS_MNEMONIC_SCASB:
		return scas1;
	case ZYDIS_MNEMONIC_SCASW:
		return scas2;
	case ZYDIS_MNEMONIC_SCASD:
		return scas4;
	case ZYDIS_MNEMONIC_SCASQ:
		return scas8;
	default:
		return NULL;
	}
}
