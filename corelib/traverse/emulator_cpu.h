/**
 * @file
 * The interpreted processor: registers, decoded code and memory. Internal to the emulator.
 *
 * Terms:
 *   operation   one decoded instruction: the C function that executes it, and its operands
 *   block       operations that run one after the other; the last one leaves the block
 *   trap        an address at which the emulator acts itself instead of decoding code: `visit`, the
 *               return from the function, a libc function, the resolver of lazy binding
 *   fault       why a run cannot go on; the function that met it returns false at once
 *   origin      of a register: the address that its value was last loaded from
 *
 * An operation's function returns true to go on with the operation behind it, false to leave the
 * block, with cpu->next set: to the next block, or to NULL at a fault or the end.
 */
#ifndef PYMEM_TRAVERSE_EMULATOR_CPU_H
#define PYMEM_TRAVERSE_EMULATOR_CPU_H

#include "traverse/emulator.h"
#include "traverse/emulator_flags.h"

#include <elf.h>

/** General purpose registers, in the order of their encoding. */
enum {
	RAX,
	RCX,
	RDX,
	RBX,
	RSP,
	RBP,
	RSI,
	RDI,
	GPR_NONE = 16, /**< base or index of an address without one: always 0 */
	GPR_COUNT = 17,
};

enum {
	PAGE = 4096,
	READ_SLOTS = 1024,    /**< pages whose host address is at hand for reading */
	WRITE_SLOTS = 32,     /**< and for writing */
	RECENT_BLOCKS = 1024, /**< blocks found without the table */
	COPIED_PAGES = 256,   /**< that one call may write to, the stack aside */
	VECTOR_REGISTERS = 32,
	LIBRARY_TRAPS = 64,
};

/** Instructions that a call may execute without a visit; each visit adds VISIT_BUDGET again. */
#define CALL_BUDGET  2000000
#define VISIT_BUDGET 4096

/** Decoded operations that are kept; beyond that all are dropped and decoded anew. */
#define OPERATION_LIMIT (1u << 19)

/*
 * The emulator's own memory lies above the half of the address space that a process can have, so no
 * pointer of the target leads there.
 */
#define PRIVATE_BASE UINT64_C(0x0000800000000000)
#define STACK_SIZE   UINT64_C(0x100000)
#define PRIVATE_END  (PRIVATE_BASE + STACK_SIZE)
#define STACK_TOP    (PRIVATE_END - PAGE)
#define CANARY	     (STACK_TOP + 0x40)	 /**< stands for fs:0x28, the stack protector's word */
#define ARGUMENT     (STACK_TOP + 0x100) /**< the `arg` that visit is called with */
#define TRAP_BASE    UINT64_C(0x0000810000000000)
#define TRAP_VISIT   (TRAP_BASE + 0x0)
#define TRAP_RETURN  (TRAP_BASE + 0x10)
#define TRAP_LIBRARY (TRAP_BASE + 0x100)
#define TRAP_STEP    UINT64_C(0x10)

/** What an operand is. */
enum operand_kind {
	OPERAND_NONE,
	OPERAND_REGISTER,  /**< general purpose, low bytes */
	OPERAND_HIGH_BYTE, /**< ah, ch, dh, bh; reg is that of rax … rbx */
	OPERAND_VECTOR,	   /**< xmm, ymm, zmm */
	OPERAND_MEMORY,
	OPERAND_IMMEDIATE, /**< cut to the operand's width */
};

/** One operand. */
struct operand {
	uint8_t kind;
	uint8_t width; /**< bytes */
	uint8_t reg;
	uint8_t base, index, shift; /**< of an address; GPR_NONE where there is none */
	uint8_t thread_local;	    /**< relative to fs */
	int64_t value;		    /**< displacement (RIP included) or immediate */
};

/** Instructions that depend on a condition. */
enum conditional { CONDITIONAL_NONE, CONDITIONAL_JUMP, CONDITIONAL_MOVE, CONDITIONAL_SET };

struct cpu;
struct operation;
typedef bool execute_function(struct cpu *cpu, struct operation *op);

/** A decoded instruction. */
struct operation {
	execute_function *execute;
	struct operand operands[3];  /**< destination first */
	uint8_t width;		     /**< of the operation: operands[0].width, or the vector's */
	uint8_t conditional;	     /**< enum conditional */
	uint8_t condition;	     /**< of Jcc, SETcc, CMOVcc: the low 4 bits of their opcode */
	bool repeat;		     /**< REP, REPE */
	bool repeat_unequal;	     /**< REPNE */
	bool zero_upper;	     /**< VEX, EVEX: clears the register above its width */
	uint16_t mnemonic;	     /**< ZydisMnemonic; 0: not decodable */
	uint64_t immediate;	     /**< of shuffles, branches (the target), traps */
	uint64_t address;	     /**< of the instruction */
	uint64_t following;	     /**< address of the next one */
	struct block *successors[2]; /**< taken, not taken; NULL: not looked up yet */
};

/** A run of operations. */
struct block {
	uint64_t address;
	struct operation *operations;
	uint32_t length;
	struct block *chain; /**< in the table */
};

/** A vector register and its elements. */
union vector {
	uint8_t u8[64];
	uint16_t u16[32];
	uint32_t u32[16];
	uint64_t u64[8];
	int8_t i8[64];
	int16_t i16[32];
	int32_t i32[16];
};

/** A page whose host address is known. */
struct page_slot {
	uint64_t page; /**< address / PAGE; UINT64_MAX: empty */
	uint8_t *host; /**< never written through but in cpu->write_slots */
};

/** A page that the current call has written to. */
struct page_copy {
	uint64_t page;
	uint8_t *bytes; /**< kept for the next calls */
};

/** All blocks decoded so far. */
struct block_table {
	struct block **buckets;
	size_t bucket_count; /**< a power of two */
	size_t block_count;
	size_t operation_count;
};

struct linkage;

/** The state of an emulator. */
struct cpu {
	uint64_t gpr[GPR_COUNT];
	uint64_t origin[GPR_COUNT];
	struct flags flags;
	uint64_t fs_base;
	bool used_fs;	     /**< in this run */
	int64_t budget;	     /**< left of this call */
	int64_t call_budget; /**< of a call */
	struct block *next;
	enum emulator_fault fault;
	struct emulator_failure failure;
	struct page_slot read_slots[READ_SLOTS];
	struct page_slot write_slots[WRITE_SLOTS];
	struct block_slot {
		uint64_t address;
		struct block *block;
	} recent[RECENT_BLOCKS];
	union vector vectors[VECTOR_REGISTERS];

	const struct target *target;
	struct reader reader;
	uint8_t *stack; /**< STACK_SIZE bytes, at PRIVATE_BASE */
	struct page_copy copies[COPIED_PAGES];
	size_t copy_count;	 /**< in use by this call */
	size_t copies_allocated; /**< that have bytes */
	struct reference *references;
	size_t reference_count, reference_capacity;
	size_t reference_limit; /**< more cannot be visited by honest code */
	struct block_table table;
	struct linkage *linkage;
	struct emulator_statistics statistics;
};

/** Ends the run. @return false, for `return cpu_fault(…)` */
bool cpu_fault(struct cpu *cpu, enum emulator_fault fault, uint64_t address);

/** The same with a mnemonic or symbol. */
bool cpu_fault_named(struct cpu *cpu, enum emulator_fault fault, uint64_t address,
		     const char *name);

/**
 * Runs from an address until the function there returns, with the registers as they are but for
 * rsp. What it wrote can be read until memory_reset().
 */
enum emulator_fault cpu_run(struct cpu *cpu, uint64_t function);

/** The processor of an emulator, for tests. */
struct cpu *emulator_cpu(struct emulator *emulator);

/**
 * Calls a function with up to three arguments, and forgets what it wrote.
 * @return EMULATOR_OK when it returned; the result is in RAX, the visits in cpu->references
 */
enum emulator_fault cpu_call(struct cpu *cpu, uint64_t function, const uint64_t arguments[3]);

/*
 * Memory: emulator_memory.c
 */

/** Makes the caches of pages empty and allocates the stack. @return false when out of memory */
bool memory_open(struct cpu *cpu);

/** Frees what memory_open() and the calls allocated. */
void memory_close(struct cpu *cpu);

/** Forgets everything that the last call wrote, the stack aside. */
void memory_reset(struct cpu *cpu);

/** Reads any number of bytes. @return false at a fault */
bool memory_read(struct cpu *cpu, uint64_t address, void *bytes, size_t length);

/** Writes any number of bytes. @return false at a fault */
bool memory_write(struct cpu *cpu, uint64_t address, const void *bytes, size_t length);

/** Finds the readable bytes from an address to the end of its page. @return NULL at a fault */
const uint8_t *memory_page_rest(struct cpu *cpu, uint64_t address, size_t *length);

/** The word of 1, 2, 4 or 8 bytes at a host address, zero-extended. */
static inline uint64_t host_load(const uint8_t *host, unsigned width)
{
	uint64_t value = 0;

	switch (width) {
	case 1:
		return *host;
	case 2:
		memcpy(&value, host, 2);
		return value;
	case 4:
		memcpy(&value, host, 4);
		return value;
	default:
		memcpy(&value, host, 8);
		return value;
	}
}

/** Stores the low bytes of a value at a host address. */
static inline void host_store(uint8_t *host, unsigned width, uint64_t value)
{
	switch (width) {
	case 1:
		*host = (uint8_t)value;
		return;
	case 2:
		memcpy(host, &value, 2);
		return;
	case 4:
		memcpy(host, &value, 4);
		return;
	default:
		memcpy(host, &value, 8);
	}
}

/** Reads a word of 1, 2, 4 or 8 bytes, zero-extended. @return false at a fault */
static inline bool memory_load(struct cpu *cpu, uint64_t address, unsigned width, uint64_t *value)
{
	const struct page_slot *slot = &cpu->read_slots[address / PAGE % READ_SLOTS];

	if (slot->page == address / PAGE && address % PAGE <= PAGE - width) {
		*value = host_load(slot->host + address % PAGE, width);
		return true;
	}
	*value = 0;
	return memory_read(cpu, address, value, width);
}

/** Stores the low bytes of a value. @return false at a fault */
static inline bool memory_store(struct cpu *cpu, uint64_t address, unsigned width, uint64_t value)
{
	const struct page_slot *slot = &cpu->write_slots[address / PAGE % WRITE_SLOTS];

	if (slot->page == address / PAGE && address % PAGE <= PAGE - width) {
		host_store(slot->host + address % PAGE, width, value);
		return true;
	}
	return memory_write(cpu, address, &value, width);
}

/*
 * Code: emulator_block.c, emulator_decode.c
 */

/** Finds or decodes a block. @return NULL at a fault */
struct block *block_find(struct cpu *cpu, uint64_t address);

/** Drops all blocks. */
void blocks_clear(struct cpu *cpu);

/** Finds or decodes a block, with a look into the recent ones first. @return NULL at a fault */
static inline struct block *block_at(struct cpu *cpu, uint64_t address)
{
	const struct block_slot *slot =
		&cpu->recent[(address ^ address / RECENT_BLOCKS) % RECENT_BLOCKS];

	return slot->address == address ? slot->block : block_find(cpu, address);
}

/**
 * Decodes the instruction at an address.
 * @param last set if it leaves the block
 * @return false if there is no code
 */
bool decode_instruction(struct cpu *cpu, uint64_t address, struct operation *op, bool *last);

/*
 * What executes a mnemonic (a ZydisMnemonic); NULL if it is not implemented.
 */

/** How a vector instruction takes its operands. */
struct vector_rule {
	execute_function *execute;
	/** 2: left and right, two-operand forms use the destination as left; 3: and a register,
	 * whose number goes to op->immediate. */
	uint8_t sources;
};

execute_function *integer_rule(const struct operation *op); /**< emulator_integer.c */
execute_function *multiply_rule(unsigned mnemonic);	    /**< emulator_multiply.c */
execute_function *bit_rule(unsigned mnemonic);		    /**< emulator_bits.c */
execute_function *string_rule(unsigned mnemonic);	    /**< emulator_string.c */
struct vector_rule vector_rule(unsigned mnemonic);	    /**< emulator_vector.c */
struct vector_rule vector_move_rule(unsigned mnemonic);	    /**< emulator_vector_move.c */
struct vector_rule vector_pack_rule(unsigned mnemonic);	    /**< emulator_vector_pack.c */
execute_function *fast_rule(const struct operation *op);    /**< emulator_fast.c */

/** What leaves a block: emulator_control.c. @return NULL for a mnemonic that does not */
execute_function *control_rule(const struct operation *op);

execute_function execute_jump, execute_unsupported, trap_visit, trap_return, trap_resolver;

/** Returns from a function that a trap stands for. @return what its operation is to return */
bool trap_finish(struct cpu *cpu);

/*
 * The target's dynamic linking: emulator_link.c, emulator_libc.c
 */

/** Prepares what links the target's modules. @return NULL when out of memory */
struct linkage *linkage_create(const struct target *target);

/** Frees it. */
void linkage_destroy(struct linkage *linkage);

/** Finds out where the target's libc has the functions that the emulator answers itself. */
void linkage_find_library(struct cpu *cpu);

/** Is code at an address answered by a trap? @return NULL if not; *immediate is set for it */
execute_function *linkage_trap(const struct linkage *linkage, uint64_t address,
			       uint64_t *immediate);

/** Resolves a lazily bound function. @return false at a fault */
bool linkage_resolve(struct cpu *cpu, uint64_t link_map, uint64_t index, uint64_t *address);

/** A libc function that is answered by the emulator. */
struct library_function {
	const char *name;
	execute_function *execute;
};

/** The table of them; ends with a NULL name, has less than LIBRARY_TRAPS lines. */
extern const struct library_function library_functions[];

#endif
