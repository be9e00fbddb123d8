/**
 * @file
 * ELF structures in bytes that may be cut or forged: every access is checked against the size, and
 * nothing needs to be aligned. For 64-bit little-endian x86-64 files only.
 */
#ifndef PYMEM_TARGET_ELF_VIEW_H
#define PYMEM_TARGET_ELF_VIEW_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes that somebody else owns. */
struct elf_view {
	const uint8_t *data;
	size_t size;
};

/** @return `length` bytes at `offset`, or NULL if they are not all inside */
const void *elf_view_at(struct elf_view view, uint64_t offset, uint64_t length);

/** The part [offset, offset + length) as far as it is inside. */
struct elf_view elf_view_part(struct elf_view view, uint64_t offset, uint64_t length);

/** @return the NUL-terminated string at `offset`, or NULL if it does not end inside */
const char *elf_view_string(struct elf_view view, uint64_t offset);

/**
 * Reads the ELF header.
 * @return NULL if it is that of an x86-64 file, else what is wrong, such as "not an ELF file"
 */
const char *elf_view_header(struct elf_view view, Elf64_Ehdr *header);

/** Reads program header `index`. */
bool elf_view_program_header(struct elf_view view, const Elf64_Ehdr *header, size_t index,
			     Elf64_Phdr *program);

/** True if one of the program headers has the type. */
bool elf_view_has_program(struct elf_view view, const Elf64_Ehdr *header, uint32_t type);

/** True for a file that begins like an ELF file of another machine. */
bool elf_view_is_foreign(struct elf_view view);

/** What the file is, for people: "core file", "ELF executable (ET_DYN)", … */
const char *elf_view_type_name(struct elf_view view, const Elf64_Ehdr *header);

/** One note; `name` is without its NUL. */
struct elf_note {
	uint32_t type;
	struct elf_view name, description;
};

/**
 * Takes the note at *offset and moves *offset behind it.
 * @return false at the end, or if the note is cut: then *offset is less than the view's size
 */
bool elf_view_note(struct elf_view view, size_t *offset, struct elf_note *note);

/** True if the note's name is `name`, with or without its NUL. */
bool elf_note_is(const struct elf_note *note, const char *name);

/** Finds the GNU build-id among notes. @return its size, 0 if there is none; at most `size` */
size_t elf_view_build_id(struct elf_view notes, uint8_t *build_id, size_t size);

#endif
