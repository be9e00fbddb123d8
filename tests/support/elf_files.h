/**
 * @file
 * ELF files from code: cores as the kernel writes them, and a small shared object to be mapped in
 * them.
 */
#ifndef PYMEM_TESTS_ELF_FILES_H
#define PYMEM_TESTS_ELF_FILES_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ELF_PAGE = 4096 };

/** Bytes that grow. Zero-initialised is empty; free `data`. */
struct bytes {
	uint8_t *data;
	size_t size, capacity;
};

/** Appends bytes, zeros if `data` is NULL. */
void bytes_add(struct bytes *bytes, const void *data, size_t size);

/** Appends zeros up to a multiple of `alignment`. */
void bytes_align(struct bytes *bytes, size_t alignment);

/** Appends an ELF note. */
void bytes_note(struct bytes *bytes, const char *name, uint32_t type, const void *description,
		size_t size);

/** A core in the making; zero-initialised is empty. */
struct core_file {
	struct bytes programs; /**< Elf64_Phdr of the PT_LOADs, p_offset relative to memory */
	struct bytes memory;
	struct bytes notes;
	struct bytes files; /**< (start, end, page offset) of NT_FILE */
	struct bytes names;
	struct bytes auxv;
	bool extended; /**< number the program headers as if they were too many for 16 bits */
};

/** Adds a PT_LOAD of `memory` bytes, of which the first `dumped` are in the file. */
void core_file_load(struct core_file *core, uint64_t start, const void *data, size_t dumped,
		    size_t memory, uint32_t flags);

/** Adds an entry of NT_FILE. */
void core_file_mapping(struct core_file *core, uint64_t start, uint64_t end, uint64_t offset,
		       const char *path);

/** Adds NT_PRSTATUS; `rsp` stands for the registers. */
void core_file_thread(struct core_file *core, int tid, int signal, uint64_t rsp);

/** Adds NT_SIGINFO, of a fault at an address. */
void core_file_siginfo(struct core_file *core, int signal, int code, uint64_t address);

/** Adds NT_PRPSINFO. */
void core_file_process(struct core_file *core, int pid, const char *arguments);

/** Adds an entry of NT_AUXV. */
void core_file_auxv(struct core_file *core, uint64_t type, uint64_t value);

/** Puts the file together and frees the parts. */
struct bytes core_file_build(struct core_file *core);

/** A symbol of a made module. */
struct module_symbol {
	const char *name;
	uint64_t value, size;
};

/** What a made module is like. Its segments: headers and .dynsym [0, 0x2000), text [0x2000,
 * 0x3000), constants [0x3000, 0x4000), data [0x4000, 0x5000) and .bss up to 0x6000. Addresses and
 * offsets in the file are the same but for `address`. */
struct module_file_spec {
	uint16_t type;	  /**< ET_DYN or ET_EXEC */
	uint64_t address; /**< of the first segment: 0, or for ET_EXEC where it is mapped */
	const void *build_id;
	size_t build_id_size; /**< 0: none */
	const struct module_symbol *dynamic,
		*fixed; /**< .dynsym and .symtab, end with NULL names */
	bool sysv_hash; /**< DT_HASH in place of DT_GNU_HASH */
	uint8_t fill;	/**< byte of text, constants and data */
};

enum {
	MODULE_HEADER = 0x0,
	MODULE_TEXT = 0x2000,
	MODULE_CONSTANTS = 0x3000,
	MODULE_DATA = 0x4000,
	MODULE_BSS = 0x5000,
	MODULE_END = 0x6000,
};

/** Makes the file of a module. */
struct bytes module_file_build(const struct module_file_spec *spec);

/** The data segment as the dynamic linker leaves it: addresses in the dynamic segment moved. Free
 * the result. */
uint8_t *module_file_data(const struct bytes *file, uint64_t bias);

/**
 * Maps a module in a core as the kernel dumps it: page of the headers, data and .bss, nothing else.
 * @param whole dump everything
 */
void core_file_module(struct core_file *core, const struct bytes *file, uint64_t base,
		      uint64_t bias, const char *path, bool whole);

#endif
