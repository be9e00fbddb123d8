/*
 * Blocks of decoded code: a table by address, filled when an address is reached for the first time.
 */
#include "traverse/emulator_cpu.h"

#include <stdlib.h>

enum {
	BLOCK_LENGTH = 64,
	DECODE_COST = 32, // of one instruction, in executed ones
	FIRST_BUCKETS = 1024,
};

static size_t bucket_of(const struct block_table *table, uint64_t address)
{
	return (address * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (table->bucket_count - 1);
}

static bool grow_table(struct block_table *table)
{
	struct block_table grown = *table;

	grown.bucket_count = table->bucket_count ? 2 * table->bucket_count : FIRST_BUCKETS;
	grown.buckets = calloc(grown.bucket_count, sizeof(struct block *));
	if (!grown.buckets)
		return false;
	for (size_t i = 0; i < table->bucket_count; i++) {
		struct block *next;

		for (struct block *block = table->buckets[i]; block; block = next) {
			struct block **bucket = &grown.buckets[bucket_of(&grown, block->address)];

			next = block->chain;
			block->chain = *bucket;
			*bucket = block;
		}
	}
	free(table->buckets);
	*table = grown;
	return true;
}

void blocks_clear(struct cpu *cpu)
{
	struct block_table *table = &cpu->table;

	for (size_t i = 0; i < table->bucket_count; i++) {
		struct block *next;

		for (struct block *block = table->buckets[i]; block; block = next) {
			next = block->chain;
			free(block->operations);
			free(block);
		}
	}
	free(table->buckets);
	*table = (struct block_table){0};
	for (size_t i = 0; i < RECENT_BLOCKS; i++)
		cpu->recent[i] = (struct block_slot){.address = UINT64_MAX};
}

// The one operation of a trap. @return NULL if the address is none
static execute_function *trap_at(struct cpu *cpu, uint64_t address, uint64_t *immediate)
{
	if (address == TRAP_VISIT)
		return trap_visit;
	if (address == TRAP_RETURN)
		return trap_return;
	return linkage_trap(cpu->linkage, address, immediate);
}

// Decodes from an address to the first operation that leaves the block. @return how many
static uint32_t decode_code(struct cpu *cpu, uint64_t address,
			    struct operation operations[BLOCK_LENGTH])
{
	uint32_t length = 0;
	bool last = false;

	while (length < BLOCK_LENGTH - 1 &&
	       decode_instruction(cpu, address, &operations[length], &last)) {
		cpu->budget -= DECODE_COST;
		address = operations[length++].following;
		if (last)
			return length;
	}
	if (!length) {
		cpu_fault(cpu, EMULATOR_FETCH, address);
		return 0;
	}
	// Too long, or the code ends here: what is behind decides when it is reached.
	operations[length] = (struct operation){
		.execute = execute_jump, .address = address, .immediate = address};
	return length + 1;
}

static uint32_t decode_operations(struct cpu *cpu, uint64_t address,
				  struct operation operations[BLOCK_LENGTH])
{
	operations[0] = (struct operation){.address = address};
	operations[0].execute = trap_at(cpu, address, &operations[0].immediate);
	return operations[0].execute ? 1 : decode_code(cpu, address, operations);
}

static struct block *decode_block(struct cpu *cpu, uint64_t address)
{
	struct operation operations[BLOCK_LENGTH];
	uint32_t length = decode_operations(cpu, address, operations);
	struct block *block = length ? malloc(sizeof(*block)) : NULL;

	if (!block) {
		if (!cpu->fault)
			cpu_fault(cpu, EMULATOR_MEMORY, 0);
		return NULL;
	}
	*block = (struct block){.address = address, .length = length};
	block->operations = malloc(length * sizeof(*operations));
	if (!block->operations) {
		free(block);
		cpu_fault(cpu, EMULATOR_MEMORY, 0);
		return NULL;
	}
	memcpy(block->operations, operations, length * sizeof(*operations));
	cpu->table.operation_count += length;
	cpu->statistics.blocks++;
	return block;
}

static struct block *insert_block(struct cpu *cpu, uint64_t address)
{
	struct block_table *table = &cpu->table;

	if (table->block_count >= table->bucket_count && !grow_table(table)) {
		cpu_fault(cpu, EMULATOR_MEMORY, 0);
		return NULL;
	}
	struct block *block = decode_block(cpu, address);
	if (!block)
		return NULL;
	struct block **bucket = &table->buckets[bucket_of(table, address)];
	block->chain = *bucket;
	*bucket = block;
	table->block_count++;
	return block;
}

struct block *block_find(struct cpu *cpu, uint64_t address)
{
	const struct block_table *table = &cpu->table;
	struct block *block =
		table->bucket_count ? table->buckets[bucket_of(table, address)] : NULL;

	while (block && block->address != address)
		block = block->chain;
	if (!block)
		block = insert_block(cpu, address);
	if (block)
		cpu->recent[(address ^ address / RECENT_BLOCKS) % RECENT_BLOCKS] =
			(struct block_slot){address, block};
	return block;
}
