/**
 * @file
 * The dynamic section of a module, read from the target's memory: enough to do what the dynamic
 * linker does for a lazily bound function. Internal to the emulator.
 *
 * This is about the running process (which definition its linker would choose), so it goes by the
 * memory image and not by files.
 */
#ifndef PYMEM_TRAVERSE_EMULATOR_ELF_H
#define PYMEM_TRAVERSE_EMULATOR_ELF_H

#include "target/module.h"

enum { ELF_NAME_MAX = 256 };

/**
 * A way to the target's memory that ends: each read takes from a budget, and when it is used up, no
 * read succeeds any more. Damaged tables cannot keep anybody busy.
 */
struct elf_access {
	struct reader *reader;
	int64_t *budget;
};

/** A module's dynamic section; addresses are those in memory, 0 where there is none. */
struct elf_object {
	uint64_t start, end;
	uint64_t bias;
	uint64_t dynamic; /**< what l_ld of its link_map is */
	uint64_t symtab, strtab, strtab_size;
	uint64_t gnu_hash, sysv_hash;
	uint64_t versym, verneed, verdef;
	uint64_t jmprel, jmprel_size;
	uint64_t pltgot;
	char soname[32]; /**< cut; "" if there is none */
};

/** A symbol that an object defines. */
struct elf_symbol {
	uint64_t address;
	bool is_ifunc; /**< the address is that of the function that chooses */
};

/** Which symbol is wanted. */
struct elf_wanted {
	char name[ELF_NAME_MAX];
	char version[ELF_NAME_MAX]; /**< "": any default one */
	bool any_version;	    /**< all definitions, also superseded ones */
};

/** Copies bytes of the target. @return false if they are not there, or the budget is used up */
bool elf_read(struct elf_access *access, uint64_t address, void *bytes, size_t length);

/** Reads a module's headers and dynamic section. @return false if they are not there */
bool elf_object_open(struct elf_access *access, const struct module *module,
		     struct elf_object *object);

/** Names the function of a relocation of the PLT. @return false if it is damaged */
bool elf_object_relocation(struct elf_access *access, const struct elf_object *object,
			   uint64_t index, struct elf_wanted *wanted);

/**
 * Finds definitions of a function.
 * @param symbols filled with up to `capacity`
 * @return how many there are; only with any_version more than 1
 */
size_t elf_object_find(struct elf_access *access, const struct elf_object *object,
		       const struct elf_wanted *wanted, struct elf_symbol *symbols,
		       size_t capacity);

#endif
