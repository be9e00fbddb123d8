/**
 * @file
 * What an object references according to its type's own code: the machine code of a tp_traverse
 * (or m_traverse) function, interpreted over the image with traps for `visit` and the return.
 *
 * Nothing of the target is ever executed natively. Reads go through the image; writes go to a
 * private stack or to copies of pages that are thrown away after each call. The emulator never
 * approximates: an instruction, an address or a call that it cannot answer exactly ends the call
 * with a reason, and the caller treats the object as inexact.
 */
#ifndef PYMEM_TRAVERSE_EMULATOR_H
#define PYMEM_TRAVERSE_EMULATOR_H

#include "target/target.h"
#include "traverse/traverse.h"

/** Why a call ended early. */
enum emulator_fault {
	EMULATOR_OK,
	EMULATOR_UNSUPPORTED, /**< an instruction that is not implemented, or bytes that are none */
	EMULATOR_FETCH,	      /**< code at an address without executable, trusted bytes */
	EMULATOR_READ,	      /**< memory that is not in the image */
	EMULATOR_WRITE,	      /**< memory that is not there or not writable, or too much of it */
	EMULATOR_DIVIDE,      /**< the division would have raised SIGFPE */
	EMULATOR_BUDGET,      /**< too many instructions or visits */
	EMULATOR_SYSCALL,     /**< the function makes a system call */
	EMULATOR_ABORT,	      /**< the function calls abort() or the like */
	EMULATOR_SYMBOL,      /**< a lazily bound function could not be resolved for certain */
	EMULATOR_MEMORY,      /**< this process ran out of memory */
};

/** The last call's failure. */
struct emulator_failure {
	enum emulator_fault fault;
	uint64_t instruction; /**< address of the instruction at fault; 0: not known */
	uint64_t address;     /**< of the memory or code that could not be had; else 0 */
	char name[64];	      /**< mnemonic or symbol; "" if there is none */
};

/** Work done since the emulator was made. */
struct emulator_statistics {
	uint64_t calls;		/**< of emulator_traverse() */
	uint64_t failures;	/**< of them, failed */
	uint64_t instructions;	/**< executed; whole blocks are counted */
	uint64_t blocks;	/**< decoded */
	uint64_t decoded;	/**< instructions decoded */
	uint64_t pages_copied;	/**< for writes outside of the private stack */
	uint64_t library_calls; /**< answered by the emulator's own mem* and str* functions */
	uint64_t lazy_bindings; /**< resolved in place of the dynamic linker */
};

/** Interprets functions of one target. One a thread; not thread-safe itself. */
struct emulator;

/**
 * Makes an emulator. The target must outlive it.
 * @return NULL when out of memory
 */
struct emulator *emulator_create(const struct target *target);

/** Frees it. NULL is allowed. */
void emulator_destroy(struct emulator *emulator);

/**
 * Calls a function as `function(object, visit, argument)` and records what it visits.
 * @param function address of a tp_traverse or m_traverse
 * @param references set to the visited references in order; valid until the next call. Their slot
 *        is the address of the word that the pointer was loaded from, 0 if that is not known;
 *        `borrowed` is bit 0 of that word, whatever it may mean there
 * @return EMULATOR_OK, or why the object is inexact; *count is 0 then
 */
enum emulator_fault emulator_traverse(struct emulator *emulator, uint64_t object, uint64_t function,
				      const struct reference **references, size_t *count);

/** Details of the last call if it failed. */
const struct emulator_failure *emulator_failure(const struct emulator *emulator);

/**
 * Writes a failure as one line for people, such as "unsupported instruction vpgatherqq", without
 * addresses of the heap, so that equal reasons give equal text.
 */
void emulator_failure_text(const struct emulator_failure *failure, char *buffer, size_t size);

/** @return the work done so far */
struct emulator_statistics emulator_statistics(const struct emulator *emulator);

#endif
