/**
 * @file
 * The ELF files that the process had mapped: where, which build, and their symbols through libdwfl.
 */
#ifndef PYMEM_TARGET_MODULE_H
#define PYMEM_TARGET_MODULE_H

#include "target/coverage.h"
#include "target/image.h"

#include <elfutils/libdw.h>

enum { BUILD_ID_MAX = 64 };

/** What is known of a module's file on this machine. */
enum module_file {
	MODULE_FILE_MATCHES,	/**< found, and its build-id is that of the mapped module */
	MODULE_FILE_UNVERIFIED, /**< found, but the module or file has no build-id to compare */
	MODULE_FILE_MISMATCH,	/**< found, but another build: not used for anything */
	MODULE_FILE_MISSING,	/**< not found */
};

/** One mapped ELF file. Strings are owned by the module. */
struct module {
	char *path;	     /**< as the process knew it, without " (deleted)" */
	char *file;	     /**< the file used on this machine, or NULL */
	uint64_t start, end; /**< lowest mapped address, end of the highest mapping */
	uint64_t bias;	     /**< load bias: address in memory minus address in the file */
	enum module_file status;
	uint8_t build_id[BUILD_ID_MAX]; /**< of the mapped module */
	size_t build_id_size;		/**< 0: not known */
};

/** The modules of a target, sorted by start. Without a session (private NULL) they have no symbols.
 */
struct modules {
	struct module *items;
	size_t count;
	struct modules_private *private; /**< the Dwfl session; module.c only */
};

/** A symbol found. */
struct symbol {
	const char *name; /**< lives as long as the modules */
	uint64_t address; /**< in the target */
	uint64_t size;	  /**< st_size; 0 if the symbol has none */
	const struct module *module;
};

/** @return the module whose mappings contain the address, or NULL */
const struct module *modules_at(const struct modules *modules, uint64_t address);

/** Where the module's data ends with what it has zero-filled (.bss), which no file maps; 0: not
 * known. */
uint64_t modules_data_end(const struct modules *modules, const struct module *module);

/**
 * Looks a data or function symbol up by name, the main executable first, then in order of address.
 * First the exported names of all modules are searched, then .symtab, then separate debug info if
 * it is already open. A static name also finds what gcc's link-time optimisation made of it:
 * "dict_traverse" finds "dict_traverse.lto_priv.0".
 * @return false if no module defines it
 */
bool modules_symbol(struct modules *modules, const char *name, struct symbol *symbol);

/** Looks up what one module exports (.dynsym): cheap, for names that it does not have as well. */
bool modules_exported(struct modules *modules, const struct module *module, const char *name,
		      struct symbol *symbol);

/** Finds the symbol that covers an address (start of symbol <= address < its end). */
bool modules_symbol_at(struct modules *modules, uint64_t address, struct symbol *symbol);

/**
 * The DWARF of a module, from the file itself, a separate debug file (build-id, debuglink,
 * --debuginfo-path) or debuginfod when DEBUGINFOD_URLS is set.
 * @param bias set to the difference between DWARF addresses and target addresses
 * @return owned by the modules; NULL if there is none
 */
Dwarf *modules_dwarf(struct modules *modules, const struct module *module, uint64_t *bias);

/** Frees the modules and their libdwfl session. */
void modules_destroy(struct modules *modules);

#endif
