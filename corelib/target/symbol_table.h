/**
 * @file
 * The symbols of one module: .dynsym as it is in memory (or in the part of the image that comes
 * from the file), .symtab from the file.
 */
#ifndef PYMEM_TARGET_SYMBOL_TABLE_H
#define PYMEM_TARGET_SYMBOL_TABLE_H

#include "target/elf_view.h"
#include "target/image.h"

/** A table of symbols and the strings that they name. */
struct symbol_table {
	struct elf_view symbols; /**< array of Elf64_Sym, not aligned */
	struct elf_view strings;
	size_t count;
};

/** The hash table DT_GNU_HASH of a .dynsym. */
struct gnu_hash {
	struct elf_view words; /**< the whole table; empty: the module has none */
	uint32_t bucket_count, first_symbol, bloom_size;
};

/**
 * Finds .dynsym through the dynamic segment in memory.
 * @param dynamic address of the dynamic segment, `size` bytes
 * @param bias load bias, for a dynamic linker that leaves the addresses as they are in the file
 * @return false if there is none, or not all of it is readable
 */
bool symbol_table_dynamic(struct reader *reader, uint64_t dynamic, uint64_t size, uint64_t bias,
			  struct symbol_table *table, struct gnu_hash *hash);

/** Finds .symtab by the section headers of a file. @return false if there is none */
bool symbol_table_static(struct elf_view file, struct symbol_table *table);

/** Takes symbol `index`. @return its name, or NULL if it defines nothing that can be looked up */
const char *symbol_table_get(const struct symbol_table *table, size_t index, Elf64_Sym *symbol);

/** Looks a name up by the hash table. @return the index, 0 if it is not there */
size_t symbol_table_lookup(const struct symbol_table *table, const struct gnu_hash *hash,
			   const char *name, Elf64_Sym *symbol);

/** The hash of DT_GNU_HASH of the first `length` bytes of a name. */
uint32_t gnu_hash_name(const char *name, size_t length);

#endif
