/*
 * Checked access to the ELF structures of a file or of memory. What libelf would also do, but for
 * bytes that are not a whole file, and without opening every module of a process through it.
 */
#include "target/elf_view.h"

#include <string.h>

const void *elf_view_at(struct elf_view view, uint64_t offset, uint64_t length)
{
	if (offset > view.size || length > view.size - offset)
		return NULL;
	return view.data + offset;
}

struct elf_view elf_view_part(struct elf_view view, uint64_t offset, uint64_t length)
{
	if (offset > view.size)
		return (struct elf_view){NULL, 0};
	if (length > view.size - offset)
		length = view.size - offset;
	return (struct elf_view){view.data + offset, length};
}

const char *elf_view_string(struct elf_view view, uint64_t offset)
{
	if (offset >= view.size || !memchr(view.data + offset, '\0', view.size - offset))
		return NULL;
	return (const char *)view.data + offset;
}

/** The architectures that people meet. */
static const char *other_machine(unsigned int machine)
{
	switch (machine) {
	case EM_386:
		return "ELF file of another architecture (i386)";
	case EM_AARCH64:
		return "ELF file of another architecture (AArch64)";
	case EM_ARM:
		return "ELF file of another architecture (ARM)";
	case EM_PPC64:
		return "ELF file of another architecture (PowerPC64)";
	case EM_S390:
		return "ELF file of another architecture (S/390)";
	case EM_RISCV:
		return "ELF file of another architecture (RISC-V)";
	default:
		return "ELF file of another architecture";
	}
}

/** What other machine the file is for; NULL: none, or that cannot be seen. */
static const char *foreign(struct elf_view view)
{
	Elf64_Half machine;

	if (view.size < offsetof(Elf64_Ehdr, e_version) || memcmp(view.data, ELFMAG, SELFMAG))
		return NULL;
	memcpy(&machine, view.data + offsetof(Elf64_Ehdr, e_machine), sizeof(machine));
	if (view.data[EI_DATA] != ELFDATA2LSB)
		return "ELF file of another architecture (big-endian)";
	if (machine != EM_X86_64)
		return other_machine(machine);
	if (view.data[EI_CLASS] != ELFCLASS64)
		return "ELF file of another architecture (x32)";
	return NULL;
}

bool elf_view_is_foreign(struct elf_view view)
{
	return foreign(view);
}

const char *elf_view_header(struct elf_view view, Elf64_Ehdr *header)
{
	const void *bytes = elf_view_at(view, 0, sizeof(*header));

	memset(header, 0, sizeof(*header));
	if (!view.size)
		return "empty file";
	if (memcmp(view.data, ELFMAG, view.size < SELFMAG ? view.size : SELFMAG))
		return "not an ELF file";
	if (foreign(view))
		return foreign(view);
	if (!bytes)
		return "truncated in the ELF header";
	memcpy(header, bytes, sizeof(*header));
	return NULL;
}

bool elf_view_program_header(struct elf_view view, const Elf64_Ehdr *header, size_t index,
			     Elf64_Phdr *program)
{
	const void *bytes = NULL;
	uint64_t offset;

	if (header->e_phentsize == sizeof(*program) &&
	    !__builtin_mul_overflow((uint64_t)index, sizeof(*program), &offset) &&
	    !__builtin_add_overflow(offset, header->e_phoff, &offset))
		bytes = elf_view_at(view, offset, sizeof(*program));
	if (!bytes)
		return false;
	memcpy(program, bytes, sizeof(*program));
	return true;
}

bool elf_view_has_program(struct elf_view view, const Elf64_Ehdr *header, uint32_t type)
{
	Elf64_Phdr program;

	for (size_t i = 0; i < header->e_phnum; i++)
		if (elf_view_program_header(view, header, i, &program) && program.p_type == type)
			return true;
	return false;
}

const char *elf_view_type_name(struct elf_view view, const Elf64_Ehdr *header)
{
	switch (header->e_type) {
	case ET_CORE:
		return "core file";
	case ET_EXEC:
		return "ELF executable (ET_EXEC)";
	case ET_DYN:
		return elf_view_has_program(view, header, PT_INTERP) ? "ELF executable (ET_DYN)"
								     : "ELF shared object (ET_DYN)";
	case ET_REL:
		return "ELF object file (ET_REL)";
	default:
		return "ELF file of unknown type";
	}
}

/** Notes of x86-64 files and cores are aligned to 4 bytes. */
static uint64_t note_align(uint64_t size)
{
	return (size + 3) & ~(uint64_t)3;
}

bool elf_view_note(struct elf_view view, size_t *offset, struct elf_note *note)
{
	const void *bytes = elf_view_at(view, *offset, sizeof(Elf64_Nhdr));
	Elf64_Nhdr header;
	uint64_t name, description, end;

	if (!bytes)
		return false;
	memcpy(&header, bytes, sizeof(header));
	name = *offset + sizeof(header);
	description = name + note_align(header.n_namesz);
	end = description + header.n_descsz;
	if (end > view.size)
		return false;
	note->type = header.n_type;
	note->name = elf_view_part(view, name, header.n_namesz);
	note->description = elf_view_part(view, description, header.n_descsz);
	end = note_align(end);
	*offset = end < view.size ? end : view.size;
	return true;
}

bool elf_note_is(const struct elf_note *note, const char *name)
{
	size_t length = strlen(name);

	return (note->name.size == length || note->name.size == length + 1) &&
	       !memcmp(note->name.data, name, length);
}

size_t elf_view_build_id(struct elf_view notes, uint8_t *build_id, size_t size)
{
	struct elf_note note;
	size_t offset = 0;

	while (elf_view_note(notes, &offset, &note)) {
		if (note.type != NT_GNU_BUILD_ID || !elf_note_is(&note, "GNU"))
			continue;
		if (note.description.size > size)
			return 0;
		memcpy(build_id, note.description.data, note.description.size);
		return note.description.size;
	}
	return 0;
}
