/*
 * Calls of the target's functions: sets the processor up, runs it block by block, and keeps in mind
 * which functions do not end.
 */
#include "traverse/emulator_cpu.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	// A function that ran out of its budget this often is not called again.
	ENDLESS_LIMIT = 3,
	ENDLESS_FUNCTIONS = 64,
	// Other threads' storage is tried with less, and not any more when it never helped this
	// often.
	THREADS_TRIED = 64,
	THREAD_BUDGET = CALL_BUDGET / 16,
	THREAD_RETRIES = 16,
	REFERENCE_LIMIT = 1 << 26,
	REFERENCE_LIMIT_LEAST = 1 << 16,
};

/** A function that ran out of its budget. */
struct endless {
	uint64_t function;
	unsigned times;
};

struct emulator {
	struct cpu cpu;
	size_t thread; /**< whose storage is used first */
	unsigned useless_retries;
	struct endless endless[ENDLESS_FUNCTIONS];
	size_t endless_count;
};

bool cpu_fault_named(struct cpu *cpu, enum emulator_fault fault, uint64_t address, const char *name)
{
	cpu->fault = fault;
	cpu->failure = (struct emulator_failure){.fault = fault, .address = address};
	snprintf(cpu->failure.name, sizeof(cpu->failure.name), "%s", name);
	cpu->next = NULL;
	return false;
}

bool cpu_fault(struct cpu *cpu, enum emulator_fault fault, uint64_t address)
{
	return cpu_fault_named(cpu, fault, address, "");
}

static void run_blocks(struct cpu *cpu, struct block *block)
{
	while (block) {
		struct operation *op = block->operations;

		cpu->budget -= block->length;
		cpu->statistics.instructions += block->length;
		if (cpu->budget < 0)
			cpu_fault(cpu, EMULATOR_BUDGET, 0);
		else
			while (op->execute(cpu, op))
				op++;
		if (cpu->fault) {
			cpu->failure.instruction = op->address;
			return;
		}
		block = cpu->next;
	}
}

enum emulator_fault cpu_run(struct cpu *cpu, uint64_t function)
{
	uint64_t return_address = TRAP_RETURN;

	cpu->gpr[RSP] = STACK_TOP - 8;
	memcpy(cpu->stack + (cpu->gpr[RSP] - PRIVATE_BASE), &return_address,
	       sizeof(return_address));
	cpu->fault = EMULATOR_OK;
	cpu->used_fs = false;
	cpu->budget = cpu->call_budget;
	cpu->reference_count = 0;
	run_blocks(cpu, block_at(cpu, function));
	return cpu->fault;
}

enum emulator_fault cpu_call(struct cpu *cpu, uint64_t function, const uint64_t arguments[3])
{
	memset(cpu->gpr, 0, sizeof(cpu->gpr));
	memset(cpu->origin, 0, sizeof(cpu->origin));
	cpu->gpr[RDI] = arguments[0];
	cpu->gpr[RSI] = arguments[1];
	cpu->gpr[RDX] = arguments[2];
	flags_bits(&cpu->flags, 0);
	cpu_run(cpu, function);
	memory_reset(cpu);
	return cpu->fault;
}

struct cpu *emulator_cpu(struct emulator *emulator)
{
	return &emulator->cpu;
}

static size_t thread_count(const struct emulator *emulator)
{
	size_t count = emulator->cpu.target->thread_count;

	return count ? count : 1;
}

static void use_thread(struct emulator *emulator, size_t thread)
{
	const struct target *target = emulator->cpu.target;

	emulator->thread = thread;
	emulator->cpu.fs_base =
		thread < target->thread_count ? target->threads[thread].registers.fs_base : 0;
}

// Whether the failure may be that of a thread whose storage is not set up.
static bool may_be_thread(const struct emulator *emulator)
{
	const struct cpu *cpu = &emulator->cpu;

	return cpu->used_fs && cpu->fault == EMULATOR_READ &&
	       emulator->useless_retries < THREAD_RETRIES;
}

// Calls with the storage of other threads until one call ends well.
static bool call_with_others(struct emulator *emulator, uint64_t function,
			     const uint64_t arguments[3])
{
	size_t count = thread_count(emulator), first = emulator->thread;
	int64_t call_budget = emulator->cpu.call_budget;
	bool done = false;

	emulator->cpu.call_budget = THREAD_BUDGET;
	for (size_t i = 1; i < count && i <= THREADS_TRIED && !done; i++) {
		use_thread(emulator, (first + i) % count);
		done = !cpu_call(&emulator->cpu, function, arguments);
	}
	emulator->cpu.call_budget = call_budget;
	if (!done)
		use_thread(emulator, first);
	return done;
}

static enum emulator_fault call(struct emulator *emulator, uint64_t function,
				const uint64_t arguments[3])
{
	enum emulator_fault fault = cpu_call(&emulator->cpu, function, arguments);
	struct emulator_failure failure = emulator->cpu.failure;

	if (!fault || !may_be_thread(emulator) || thread_count(emulator) == 1)
		return fault;
	if (call_with_others(emulator, function, arguments)) {
		emulator->useless_retries = 0;
		return EMULATOR_OK;
	}
	emulator->useless_retries++;
	emulator->cpu.failure = failure;
	emulator->cpu.fault = fault;
	return fault;
}

static struct endless *find_endless(struct emulator *emulator, uint64_t function)
{
	for (size_t i = 0; i < emulator->endless_count; i++)
		if (emulator->endless[i].function == function)
			return &emulator->endless[i];
	return NULL;
}

// Once the table is full, no function is called any more: the target's code is not honest.
static bool is_endless(struct emulator *emulator, uint64_t function)
{
	const struct endless *endless;

	if (!emulator->endless_count)
		return false;
	endless = find_endless(emulator, function);
	return endless ? endless->times >= ENDLESS_LIMIT
		       : emulator->endless_count == ENDLESS_FUNCTIONS;
}

static void note_endless(struct emulator *emulator, uint64_t function)
{
	struct endless *endless = find_endless(emulator, function);

	if (!endless)
		endless = &emulator->endless[emulator->endless_count++];
	endless->function = function;
	endless->times++;
	// If it visited and visited, the next one that does is not given as much.
	if (emulator->cpu.reference_count >= emulator->cpu.reference_limit &&
	    emulator->cpu.reference_limit > REFERENCE_LIMIT_LEAST)
		emulator->cpu.reference_limit /= 4;
}

enum emulator_fault emulator_traverse(struct emulator *emulator, uint64_t object, uint64_t function,
				      const struct reference **references, size_t *count)
{
	struct cpu *cpu = &emulator->cpu;
	const uint64_t arguments[3] = {object, TRAP_VISIT, ARGUMENT};

	cpu->statistics.calls++;
	*references = cpu->references;
	*count = 0;
	if (cpu->table.operation_count > OPERATION_LIMIT)
		blocks_clear(cpu);
	if (is_endless(emulator, function))
		cpu_fault(cpu, EMULATOR_BUDGET, 0);
	else if (call(emulator, function, arguments) == EMULATOR_BUDGET)
		note_endless(emulator, function);
	if (cpu->fault) {
		cpu->statistics.failures++;
		return cpu->fault;
	}
	*references = cpu->references;
	*count = cpu->reference_count;
	return EMULATOR_OK;
}

// Honest code visits a word once, so that all the words of the process bound the visits.
static size_t reference_limit(const struct image *image)
{
	uint64_t words = 1024;

	for (size_t i = 0; i < image->segment_count; i++)
		words += (image->segments[i].end - image->segments[i].start) / 8;
	return words < REFERENCE_LIMIT ? words : REFERENCE_LIMIT;
}

struct emulator *emulator_create(const struct target *target)
{
	struct emulator *emulator = calloc(1, sizeof(*emulator));

	if (!emulator)
		return NULL;
	struct cpu *cpu = &emulator->cpu;
	cpu->target = target;
	cpu->call_budget = CALL_BUDGET;
	cpu->reference_limit = reference_limit(target->image);
	reader_init(&cpu->reader, target->image);
	blocks_clear(cpu);
	cpu->linkage = linkage_create(target);
	if (!cpu->linkage || !memory_open(cpu)) {
		emulator_destroy(emulator);
		return NULL;
	}
	use_thread(emulator, 0);
	linkage_find_library(cpu);
	return emulator;
}

void emulator_destroy(struct emulator *emulator)
{
	if (!emulator)
		return;
	blocks_clear(&emulator->cpu);
	memory_close(&emulator->cpu);
	linkage_destroy(emulator->cpu.linkage);
	free(emulator->cpu.references);
	free(emulator);
}

const struct emulator_failure *emulator_failure(const struct emulator *emulator)
{
	return &emulator->cpu.failure;
}

struct emulator_statistics emulator_statistics(const struct emulator *emulator)
{
	return emulator->cpu.statistics;
}

void emulator_failure_text(const struct emulator_failure *failure, char *buffer, size_t size)
{
	static const char *const texts[] = {
		[EMULATOR_OK] = "no failure",
		[EMULATOR_UNSUPPORTED] = "unsupported instruction",
		[EMULATOR_FETCH] = "code that is not at hand",
		[EMULATOR_READ] = "reads memory that is not there",
		[EMULATOR_WRITE] = "writes where it cannot",
		[EMULATOR_DIVIDE] = "division by zero",
		[EMULATOR_BUDGET] = "does not end",
		[EMULATOR_SYSCALL] = "makes a system call",
		[EMULATOR_ABORT] = "calls",
		[EMULATOR_SYMBOL] = "calls a function that cannot be resolved:",
		[EMULATOR_MEMORY] = "out of memory",
	};

	snprintf(buffer, size, "%s%s%s", texts[failure->fault], failure->name[0] ? " " : "",
		 failure->name);
}
