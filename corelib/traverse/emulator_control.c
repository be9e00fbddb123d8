/*
 * What leaves a block: jumps, calls, returns, and the traps at which the emulator acts itself.
 */
#include "traverse/emulator_operand.h"

#include <Zydis/Zydis.h>
#include <stdlib.h>

// Goes on at an address that is always the same for this operation.
static bool go_fixed(struct cpu *cpu, struct operation *op, bool taken, uint64_t address)
{
	struct block **next = &op->successors[!taken];

	if (!*next)
		*next = block_at(cpu, address);
	cpu->next = *next;
	return false;
}

// Goes on at a computed address.
static bool go(struct cpu *cpu, uint64_t address)
{
	cpu->next = block_at(cpu, address);
	return false;
}

static bool push_return(struct cpu *cpu, const struct operation *op)
{
	cpu->gpr[RSP] -= 8;
	return memory_store(cpu, cpu->gpr[RSP], 8, op->following);
}

bool trap_finish(struct cpu *cpu)
{
	uint64_t address;

	if (!memory_load(cpu, cpu->gpr[RSP], 8, &address))
		return false;
	cpu->gpr[RSP] += 8;
	return go(cpu, address);
}

bool execute_jump(struct cpu *cpu, struct operation *op)
{
	return go_fixed(cpu, op, true, op->immediate);
}

static bool execute_jump_if_zero(struct cpu *cpu, struct operation *op)
{
	bool taken = flag_zero(&cpu->flags);

	return go_fixed(cpu, op, taken, taken ? op->immediate : op->following);
}

static bool execute_jump_unless_zero(struct cpu *cpu, struct operation *op)
{
	bool taken = !flag_zero(&cpu->flags);

	return go_fixed(cpu, op, taken, taken ? op->immediate : op->following);
}

static bool execute_jump_if(struct cpu *cpu, struct operation *op)
{
	bool taken = flags_condition(&cpu->flags, op->condition);

	return go_fixed(cpu, op, taken, taken ? op->immediate : op->following);
}

static bool execute_jump_if_rcx_zero(struct cpu *cpu, struct operation *op)
{
	bool taken = !cpu->gpr[RCX];

	return go_fixed(cpu, op, taken, taken ? op->immediate : op->following);
}

static bool execute_jump_to(struct cpu *cpu, struct operation *op)
{
	uint64_t address;

	return operand_read(cpu, &op->operands[0], &address) && go(cpu, address);
}

static bool execute_call(struct cpu *cpu, struct operation *op)
{
	return push_return(cpu, op) && go_fixed(cpu, op, true, op->immediate);
}

static bool execute_return(struct cpu *cpu, struct operation *op)
{
	uint64_t address;

	if (!memory_load(cpu, cpu->gpr[RSP], 8, &address))
		return false;
	cpu->gpr[RSP] += 8 + op->immediate;
	return go(cpu, address);
}

static bool execute_syscall(struct cpu *cpu, struct operation *op)
{
	(void)op;
	return cpu_fault(cpu, EMULATOR_SYSCALL, 0);
}

bool execute_unsupported(struct cpu *cpu, struct operation *op)
{
	return cpu_fault_named(cpu, EMULATOR_UNSUPPORTED, 0,
			       op->mnemonic ? ZydisMnemonicGetString(op->mnemonic)
					    : "(not an instruction)");
}

/*
 * The slot of a visited pointer: the word that its register was last loaded from, if that word
 * still holds it. The check makes it unnecessary to track what else was done with the register.
 * Low bits of the word may be tags: bit 0 of a _PyStackRef says that it holds no refcount (3.14+,
 * Include/internal/pycore_stackref.h).
 */
static struct reference reference_to(struct cpu *cpu, uint64_t pointer)
{
	struct reference reference = {.target = pointer};
	uint64_t origin = cpu->origin[RDI], value;

	if (!origin || origin >> 63 || (origin >= PRIVATE_BASE && origin < PRIVATE_END))
		return reference;
	if (!reader_u64(&cpu->reader, origin, &value) || (value & ~UINT64_C(7)) != pointer)
		return reference;
	reference.slot = origin;
	reference.borrowed = value & 1;
	return reference;
}

static bool grow_references(struct cpu *cpu)
{
	size_t capacity = cpu->reference_capacity ? 2 * cpu->reference_capacity : 1024;

	if (cpu->reference_count >= cpu->reference_limit)
		return cpu_fault(cpu, EMULATOR_BUDGET, 0);
	struct reference *grown = reallocarray(cpu->references, capacity, sizeof(*cpu->references));
	if (!grown)
		return cpu_fault(cpu, EMULATOR_MEMORY, 0);
	cpu->references = grown;
	cpu->reference_capacity = capacity;
	return true;
}

// int visit(PyObject *object, void *arg): records the object, returns 0.
static bool record_visit(struct cpu *cpu)
{
	uint64_t target = cpu->gpr[RDI];

	if (cpu->reference_count == cpu->reference_capacity && !grow_references(cpu))
		return false;
	cpu->references[cpu->reference_count++] = reference_to(cpu, target);
	cpu->budget += VISIT_BUDGET;
	if (cpu->budget > cpu->call_budget)
		cpu->budget = cpu->call_budget;
	cpu->gpr[RAX] = 0;
	return true;
}

bool trap_visit(struct cpu *cpu, struct operation *op)
{
	(void)op;
	return record_visit(cpu) && trap_finish(cpu);
}

// Calls of visit are what most of the time goes to: they come back at once.
static bool execute_call_to(struct cpu *cpu, struct operation *op)
{
	uint64_t address;

	if (!operand_read(cpu, &op->operands[0], &address))
		return false;
	if (address == TRAP_VISIT)
		return record_visit(cpu) && go_fixed(cpu, op, true, op->following);
	return push_return(cpu, op) && go(cpu, address);
}

bool trap_return(struct cpu *cpu, struct operation *op)
{
	(void)op;
	cpu->next = NULL;
	return false;
}

// The dynamic linker's _dl_runtime_resolve: called by a PLT with the link_map and the number of the
// relocation on the stack, it goes on in the function that they name.
bool trap_resolver(struct cpu *cpu, struct operation *op)
{
	uint64_t stack = cpu->gpr[RSP], link_map, index, address;

	(void)op;
	if (!memory_load(cpu, stack, 8, &link_map) || !memory_load(cpu, stack + 8, 8, &index) ||
	    !linkage_resolve(cpu, link_map, index, &address))
		return false;
	cpu->gpr[RSP] += 16;
	cpu->statistics.lazy_bindings++;
	return go(cpu, address);
}

execute_function *control_rule(const struct operation *op)
{
	bool fixed = op->operands[0].kind == OPERAND_NONE;

	switch (op->mnemonic) {
	case ZYDIS_MNEMONIC_JMP:
		return fixed ? execute_jump : execute_jump_to;
	case ZYDIS_MNEMONIC_CALL:
		return fixed ? execute_call : execute_call_to;
	case ZYDIS_MNEMONIC_RET:
		return execute_return;
	case ZYDIS_MNEMONIC_JZ:
		return execute_jump_if_zero;
	case ZYDIS_MNEMONIC_JNZ:
		return execute_jump_unless_zero;
	case ZYDIS_MNEMONIC_JRCXZ:
		return execute_jump_if_rcx_zero;
	case ZYDIS_MNEMONIC_SYSCALL:
		return execute_syscall;
	default:
		return op->conditional == CONDITIONAL_JUMP ? execute_jump_if : NULL;
	}
}
