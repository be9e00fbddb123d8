/**
 * @file
 * How the openers find modules: from the list of mappings and a way to peek at memory, before there
 * is an image. What module_*.c share.
 */
#ifndef PYMEM_TARGET_MODULE_PRIVATE_H
#define PYMEM_TARGET_MODULE_PRIVATE_H

#include "target/elf_view.h"
#include "target/image_private.h"
#include "target/mapping.h"
#include "target/module.h"
#include "target/target.h"

#include <elfutils/libdwfl.h>

/** A way to memory while the image is not finished. */
struct peek {
	/** Copies up to `length` bytes. @return how many contiguous ones there were */
	size_t (*read)(void *context, uint64_t address, void *buffer, size_t length);
	void *context;
};

/** Where to look for modules and their files. */
struct module_search {
	const struct mappings *mappings; /**< sorted */
	struct peek peek;
	uint64_t program_headers; /**< AT_PHDR: in the main executable; 0: not known */
	const struct target_options *options;
	const char *root;    /**< in front of every path that the target names; "" for none */
	struct image *image; /**< owns the files that are mapped */
	pid_t pid;	     /**< live: its files can be opened though they were deleted; else 0 */
};

struct symbol_index;

/** What is known of a module beyond its public part. */
struct module_state {
	Elf64_Phdr *programs; /**< from memory, else from the file; NULL: not known */
	size_t program_count;
	bool header_in_memory;
	bool deleted;
	bool is_main;
	struct elf_view file; /**< mapped file; empty: none that may be used */
	char *rejected;	      /**< file that is another build; NULL: none */
	uint8_t rejected_id[BUILD_ID_MAX];
	size_t rejected_id_size;
	struct symbol_index *index; /**< made on first use, see module_symbols.c */
	char *dwarf_file;	    /**< what libdwfl opens: the module's file or its debug file */
	Dwfl_Module *dwfl;	    /**< NULL: not reported to libdwfl yet */
	Dwarf *dwarf;
	Dwarf_Addr dwarf_bias;
	bool dwarf_tried;
};

struct modules_private {
	struct module_state *states; /**< one a module, in the same order */
	struct reader reader;	     /**< of the finished image */
	Dwfl *dwfl;		     /**< NULL: no DWARF was asked for yet */
	Dwfl_Callbacks callbacks;
	char *debuginfo_path; /**< for libdwfl, with the usual directories */
	bool has_debuginfo;   /**< the user named directories or servers */
};

/** The state of a module. */
struct module_state *module_state(const struct modules *modules, const struct module *module);

/*
 * module_find.c
 */

/** An empty list. @param root as in struct module_search. @return NULL when out of memory */
struct modules *modules_create(const struct target_options *options, const char *root);

/** Finds all modules and their files. What is wrong with them is left to module_problem(). */
struct error *modules_find(const struct module_search *search, struct modules **modules)
	__attribute__((warn_unused_result));

/** Call it once the image is finished: symbols are read through it. */
void modules_attach(struct modules *modules, const struct image *image);

/*
 * module_file.c
 */

/** Finds the file of a module and checks that it is the same build. */
struct error *module_find_file(const struct module_search *search, const struct mapping *first,
			       struct modules *modules, struct module *module,
			       struct module_state *state) __attribute__((warn_unused_result));

/** The bytes of the module's file for [start, end) of a mapping, or an empty view. */
struct elf_view module_file_bytes(const struct module_state *state, const struct mapping *mapping,
				  uint64_t start, uint64_t end);

/**
 * Adds what is wrong with a module's file to the coverage.
 * @param needed bytes of the mapped file that only the file has
 */
void module_problem(const struct modules *modules, const struct module *module, uint64_t needed,
		    struct coverage *coverage);

/** Why a range of the module's file is not there, for holes. Static string. */
const char *module_hole_reason(const struct module *module);

/*
 * module_dwarf.c
 */

/**
 * Looks for the file of a module by its build-id: below --debuginfo-path, and with debuginfod. Does
 * nothing if the user set up neither, since it costs time.
 * @return its path, owned by the caller; NULL if there is none
 */
char *module_find_by_build_id(struct modules *modules, const struct module *module);

/*
 * module_symbols.c
 */

void symbol_index_free(struct symbol_index *index);

#endif
