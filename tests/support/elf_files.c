/*
 * Cores and modules for tests, byte by byte.
 */
#include "support/elf_files.h"

#include <signal.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <cmocka.h>

void bytes_add(struct bytes *bytes, const void *data, size_t size)
{
	if (!size)
		return;
	if (size > bytes->capacity - bytes->size) {
		bytes->capacity = 2 * (bytes->size + size);
		bytes->data = realloc(bytes->data, bytes->capacity);
		assert_non_null(bytes->data);
	}
	if (data)
		memcpy(bytes->data + bytes->size, data, size);
	else
		memset(bytes->data + bytes->size, 0, size);
	bytes->size += size;
}

void bytes_align(struct bytes *bytes, size_t alignment)
{
	if (bytes->size % alignment)
		bytes_add(bytes, NULL, alignment - bytes->size % alignment);
}

void bytes_note(struct bytes *bytes, const char *name, uint32_t type, const void *description,
		size_t size)
{
	Elf64_Nhdr header = {strlen(name) + 1, size, type};

	bytes_add(bytes, &header, sizeof(header));
	bytes_add(bytes, name, strlen(name) + 1);
	bytes_align(bytes, 4);
	bytes_add(bytes, description, size);
	bytes_align(bytes, 4);
}

void core_file_load(struct core_file *core, uint64_t start, const void *data, size_t dumped,
		    size_t memory, uint32_t flags)
{
	Elf64_Phdr program = {.p_type = PT_LOAD,
			      .p_flags = flags,
			      .p_offset = core->memory.size,
			      .p_vaddr = start,
			      .p_filesz = dumped,
			      .p_memsz = memory,
			      .p_align = ELF_PAGE};

	bytes_add(&core->programs, &program, sizeof(program));
	bytes_add(&core->memory, data, dumped);
}

void core_file_mapping(struct core_file *core, uint64_t start, uint64_t end, uint64_t offset,
		       const char *path)
{
	uint64_t entry[] = {start, end, offset / ELF_PAGE};

	bytes_add(&core->files, entry, sizeof(entry));
	bytes_add(&core->names, path, strlen(path) + 1);
}

void core_file_thread(struct core_file *core, int tid, int signal, uint64_t rsp)
{
	struct elf_prstatus status = {.pr_pid = tid, .pr_cursig = signal};
	struct user_regs_struct registers = {.rsp = rsp};

	memcpy(&status.pr_reg, &registers, sizeof(registers));
	bytes_note(&core->notes, "CORE", NT_PRSTATUS, &status, sizeof(status));
}

void core_file_siginfo(struct core_file *core, int signal, int code, uint64_t address)
{
	siginfo_t info = {.si_signo = signal, .si_code = code};

	info.si_addr = (void *)(uintptr_t)address;
	bytes_note(&core->notes, "CORE", NT_SIGINFO, &info, sizeof(info));
}

void core_file_process(struct core_file *core, int pid, const char *arguments)
{
	struct elf_prpsinfo process = {.pr_pid = pid};

	strncpy(process.pr_psargs, arguments, sizeof(process.pr_psargs) - 1);
	strncpy(process.pr_fname, "name", sizeof(process.pr_fname) - 1);
	bytes_note(&core->notes, "CORE", NT_PRPSINFO, &process, sizeof(process));
}

void core_file_auxv(struct core_file *core, uint64_t type, uint64_t value)
{
	uint64_t entry[] = {type, value};

	bytes_add(&core->auxv, entry, sizeof(entry));
}

/** Adds the notes that were collected piece by piece. */
static void finish_notes(struct core_file *core)
{
	uint64_t counts[] = {core->files.size / 24, ELF_PAGE};
	struct bytes files = {0};

	if (core->auxv.size) {
		core_file_auxv(core, AT_NULL, 0);
		bytes_note(&core->notes, "CORE", NT_AUXV, core->auxv.data, core->auxv.size);
	}
	if (!core->files.size)
		return;
	bytes_add(&files, counts, sizeof(counts));
	bytes_add(&files, core->files.data, core->files.size);
	bytes_add(&files, core->names.data, core->names.size);
	bytes_note(&core->notes, "CORE", NT_FILE, files.data, files.size);
	free(files.data);
}

static Elf64_Ehdr make_header(uint16_t type, size_t programs)
{
	return (Elf64_Ehdr){.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
					EV_CURRENT},
			    .e_type = type,
			    .e_machine = EM_X86_64,
			    .e_version = EV_CURRENT,
			    .e_phoff = sizeof(Elf64_Ehdr),
			    .e_ehsize = sizeof(Elf64_Ehdr),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_phnum = programs,
			    .e_shentsize = sizeof(Elf64_Shdr)};
}

struct bytes core_file_build(struct core_file *core)
{
	size_t count = core->programs.size / sizeof(Elf64_Phdr) + 1;
	Elf64_Ehdr header = make_header(ET_CORE, core->extended ? PN_XNUM : count);
	Elf64_Phdr note = {.p_type = PT_NOTE, .p_offset = sizeof(header) + count * sizeof(note)};
	Elf64_Shdr section = {.sh_info = count};
	struct bytes file = {0};
	size_t memory;

	finish_notes(core);
	note.p_filesz = core->notes.size;
	memory = note.p_offset + core->notes.size;
	memory += -memory % ELF_PAGE;
	for (size_t i = 0; i + 1 < count; i++)
		((Elf64_Phdr *)core->programs.data)[i].p_offset += memory;
	if (core->extended) {
		header.e_shoff = memory + core->memory.size;
		header.e_shnum = 1;
	}
	bytes_add(&file, &header, sizeof(header));
	bytes_add(&file, &note, sizeof(note));
	bytes_add(&file, core->programs.data, core->programs.size);
	bytes_add(&file, core->notes.data, core->notes.size);
	bytes_align(&file, ELF_PAGE);
	bytes_add(&file, core->memory.data, core->memory.size);
	if (core->extended)
		bytes_add(&file, &section, sizeof(section));
	free(core->programs.data);
	free(core->memory.data);
	free(core->notes.data);
	free(core->files.data);
	free(core->names.data);
	free(core->auxv.data);
	*core = (struct core_file){0};
	return file;
}

/** A symbol table and its strings; the first symbol is the empty one. */
static void make_symbols(const struct module_symbol *from, uint64_t address, struct bytes *symbols,
			 struct bytes *strings)
{
	bytes_add(symbols, NULL, sizeof(Elf64_Sym));
	bytes_add(strings, "", 1);
	for (; from && from->name; from++) {
		Elf64_Sym symbol = {.st_name = strings->size,
				    .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
				    .st_shndx = 1,
				    .st_value = address + from->value,
				    .st_size = from->size};

		bytes_add(symbols, &symbol, sizeof(symbol));
		bytes_add(strings, from->name, strlen(from->name) + 1);
	}
}

/** The hash of DT_GNU_HASH, from its specification. */
static uint32_t hash_name(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = (hash << 5) + hash + (unsigned char)*name;
	return hash;
}

/** DT_GNU_HASH with one bucket, or DT_HASH of which only the number of symbols is right. */
static void make_hash(const struct module_symbol *symbols, bool sysv, struct bytes *table)
{
	uint32_t count = 0;

	while (symbols && symbols[count].name)
		count++;
	if (sysv) {
		bytes_add(table, (uint32_t[]){1, count + 1, 0}, 3 * sizeof(uint32_t));
		return;
	}
	bytes_add(table, (uint32_t[]){1, 1, 1, 0, ~0u, ~0u, count ? 1 : 0}, 7 * sizeof(uint32_t));
	for (uint32_t i = 0; i < count; i++) {
		uint32_t hash = hash_name(symbols[i].name);

		hash = i + 1 == count ? hash | 1 : hash & ~1u;
		bytes_add(table, &hash, sizeof(hash));
	}
}

static Elf64_Phdr load(uint64_t address, uint64_t start, uint64_t end, uint64_t memory,
		       uint32_t flags)
{
	return (Elf64_Phdr){.p_type = PT_LOAD,
			    .p_flags = flags,
			    .p_offset = start,
			    .p_vaddr = address + start,
			    .p_filesz = end - start,
			    .p_memsz = memory - start,
			    .p_align = ELF_PAGE};
}

/** The pages of the headers: ELF header, program headers, build-id, then .dynsym, .dynstr, hash. */
static void make_headers(const struct module_file_spec *spec, struct bytes *file,
			 Elf64_Dyn dynamic[6])
{
	struct bytes note = {0}, symbols = {0}, strings = {0}, hash = {0};
	uint64_t at = spec->address;
	Elf64_Phdr programs[] = {
		load(at, MODULE_HEADER, MODULE_TEXT, MODULE_TEXT, PF_R),
		load(at, MODULE_TEXT, MODULE_CONSTANTS, MODULE_CONSTANTS, PF_R | PF_X),
		load(at, MODULE_CONSTANTS, MODULE_DATA, MODULE_DATA, PF_R),
		load(at, MODULE_DATA, MODULE_BSS, MODULE_END, PF_R | PF_W),
		{.p_type = PT_DYNAMIC,
		 .p_offset = MODULE_DATA,
		 .p_vaddr = at + MODULE_DATA,
		 .p_filesz = 6 * sizeof(Elf64_Dyn),
		 .p_memsz = 6 * sizeof(Elf64_Dyn)},
		{.p_type = PT_NOTE},
	};
	Elf64_Ehdr header = make_header(spec->type, sizeof(programs) / sizeof(*programs));

	if (spec->build_id_size)
		bytes_note(&note, "GNU", NT_GNU_BUILD_ID, spec->build_id, spec->build_id_size);
	programs[5].p_offset = sizeof(header) + sizeof(programs);
	programs[5].p_vaddr = at + programs[5].p_offset;
	programs[5].p_filesz = programs[5].p_memsz = note.size;
	bytes_add(file, &header, sizeof(header));
	bytes_add(file, programs, sizeof(programs));
	bytes_add(file, note.data, note.size);
	bytes_align(file, ELF_PAGE);
	make_symbols(spec->dynamic, at, &symbols, &strings);
	make_hash(spec->dynamic, spec->sysv_hash, &hash);
	dynamic[0] = (Elf64_Dyn){DT_SYMTAB, {at + file->size}};
	bytes_add(file, symbols.data, symbols.size);
	dynamic[1] = (Elf64_Dyn){DT_STRTAB, {at + file->size}};
	dynamic[2] = (Elf64_Dyn){DT_STRSZ, {strings.size}};
	bytes_add(file, strings.data, strings.size);
	bytes_align(file, 8);
	dynamic[3] = (Elf64_Dyn){spec->sysv_hash ? DT_HASH : DT_GNU_HASH, {at + file->size}};
	bytes_add(file, hash.data, hash.size);
	dynamic[4] = dynamic[5] = (Elf64_Dyn){DT_NULL, {0}};
	bytes_align(file, ELF_PAGE);
	assert_int_equal(file->size, MODULE_TEXT);
	free(note.data);
	free(symbols.data);
	free(strings.data);
	free(hash.data);
}

/** .symtab, .strtab and the section headers, which are not mapped. */
static void make_sections(const struct module_file_spec *spec, struct bytes *file)
{
	struct bytes symbols = {0}, strings = {0};
	Elf64_Ehdr *header;
	Elf64_Shdr sections[3] = {0};

	make_symbols(spec->fixed, spec->address, &symbols, &strings);
	sections[1] = (Elf64_Shdr){.sh_type = SHT_SYMTAB,
				   .sh_link = 2,
				   .sh_offset = file->size,
				   .sh_size = symbols.size,
				   .sh_entsize = sizeof(Elf64_Sym)};
	bytes_add(file, symbols.data, symbols.size);
	sections[2] = (Elf64_Shdr){
		.sh_type = SHT_STRTAB, .sh_offset = file->size, .sh_size = strings.size};
	bytes_add(file, strings.data, strings.size);
	bytes_align(file, 8);
	header = (Elf64_Ehdr *)file->data;
	header->e_shoff = file->size;
	header->e_shnum = 3;
	bytes_add(file, sections, sizeof(sections));
	free(symbols.data);
	free(strings.data);
}

struct bytes module_file_build(const struct module_file_spec *spec)
{
	struct bytes file = {0};
	Elf64_Dyn dynamic[6];

	make_headers(spec, &file, dynamic);
	bytes_add(&file, NULL, MODULE_BSS - MODULE_TEXT);
	memset(file.data + MODULE_TEXT, spec->fill, MODULE_BSS - MODULE_TEXT);
	memcpy(file.data + MODULE_DATA, dynamic, sizeof(dynamic));
	if (spec->fixed)
		make_sections(spec, &file);
	return file;
}

uint8_t *module_file_data(const struct bytes *file, uint64_t bias)
{
	uint8_t *data = malloc(ELF_PAGE);
	Elf64_Dyn *dynamic = (Elf64_Dyn *)data;

	assert_non_null(data);
	memcpy(data, file->data + MODULE_DATA, ELF_PAGE);
	dynamic[0].d_un.d_ptr += bias;
	dynamic[1].d_un.d_ptr += bias;
	dynamic[3].d_un.d_ptr += bias;
	return data;
}

void core_file_module(struct core_file *core, const struct bytes *file, uint64_t base,
		      uint64_t bias, const char *path, bool whole)
{
	static const struct {
		uint64_t start, end;
		uint32_t flags;
	} segments[] = {
		{MODULE_HEADER, MODULE_TEXT, PF_R},
		{MODULE_TEXT, MODULE_CONSTANTS, PF_R | PF_X},
		{MODULE_CONSTANTS, MODULE_DATA, PF_R},
	};
	uint8_t *data = module_file_data(file, bias), bss[ELF_PAGE] = {0};

	for (size_t i = 0; i < sizeof(segments) / sizeof(*segments); i++) {
		uint64_t start = segments[i].start, size = segments[i].end - start;

		core_file_load(core, base + start, file->data + start,
			       whole   ? size
			       : start ? 0
				       : ELF_PAGE,
			       size, segments[i].flags);
		core_file_mapping(core, base + start, base + segments[i].end, start, path);
	}
	core_file_load(core, base + MODULE_DATA, data, ELF_PAGE, ELF_PAGE, PF_R | PF_W);
	core_file_mapping(core, base + MODULE_DATA, base + MODULE_BSS, MODULE_DATA, path);
	core_file_load(core, base + MODULE_BSS, bss, ELF_PAGE, ELF_PAGE, PF_R | PF_W);
	free(data);
}
