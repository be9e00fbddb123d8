/*
 * Reading a module's dynamic section, hash tables and symbol versions out of the image. Every list
 * is walked with a bound.
 */
#include "traverse/emulator_elf.h"

#include <elf.h>

enum {
	PHDR_LIMIT = 64,
	DYNAMIC_LIMIT = 256,
	CHAIN_LIMIT = 4096,
	READ_COST = 4, // in the budget, of one read
	VERSION_LIMIT = 1024,
	VERSION_HIDDEN = 0x8000,
	VERSION_BASE = 2, // indexes 0 and 1 are local and global, 2 on are the object's versions
};

bool elf_read(struct elf_access *access, uint64_t address, void *bytes, size_t length)
{
	const void *host;

	*access->budget -= READ_COST;
	if (*access->budget < 0)
		return false;
	host = reader_at(access->reader, address, length);
	if (!host)
		return false;
	memcpy(bytes, host, length);
	return true;
}

// glibc relocates these entries in place; other linkers, and the vDSO, leave them as in the file.
static uint64_t dynamic_address(const struct elf_object *object, uint64_t value)
{
	return value < object->bias ? value + object->bias : value;
}

static uint64_t *dynamic_field(struct elf_object *object, int64_t tag)
{
	switch (tag) {
	case DT_SYMTAB:
		return &object->symtab;
	case DT_STRTAB:
		return &object->strtab;
	case DT_GNU_HASH:
		return &object->gnu_hash;
	case DT_HASH:
		return &object->sysv_hash;
	case DT_VERSYM:
		return &object->versym;
	case DT_VERNEED:
		return &object->verneed;
	case DT_VERDEF:
		return &object->verdef;
	case DT_JMPREL:
		return &object->jmprel;
	case DT_PLTGOT:
		return &object->pltgot;
	default:
		return NULL;
	}
}

static bool read_dynamic(struct elf_access *access, struct elf_object *object)
{
	uint64_t soname = 0;
	Elf64_Dyn entry;

	for (size_t i = 0; i < DYNAMIC_LIMIT; i++) {
		if (!elf_read(access, object->dynamic + i * sizeof(entry), &entry, sizeof(entry)))
			return false;
		uint64_t *field = dynamic_field(object, entry.d_tag);
		if (field)
			*field = dynamic_address(object, entry.d_un.d_ptr);
		else if (entry.d_tag == DT_PLTRELSZ)
			object->jmprel_size = entry.d_un.d_val;
		else if (entry.d_tag == DT_STRSZ)
			object->strtab_size = entry.d_un.d_val;
		else if (entry.d_tag == DT_SONAME)
			soname = entry.d_un.d_val;
		else if (entry.d_tag == DT_NULL)
			break;
	}
	if (soname)
		reader_string(access->reader, object->strtab + soname, object->soname,
			      sizeof(object->soname));
	return object->symtab && object->strtab;
}

bool elf_object_open(struct elf_access *access, const struct module *module,
		     struct elf_object *object)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	*object = (struct elf_object){
		.start = module->start, .end = module->end, .bias = module->bias};
	if (!elf_read(access, module->start, &header, sizeof(header)) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(segment))
		return false;
	for (size_t i = 0; i < header.e_phnum && i < PHDR_LIMIT; i++) {
		uint64_t at = module->start + header.e_phoff + i * sizeof(segment);

		if (!elf_read(access, at, &segment, sizeof(segment)))
			return false;
		if (segment.p_type == PT_DYNAMIC) {
			object->dynamic = module->bias + segment.p_vaddr;
			return read_dynamic(access, object);
		}
	}
	return false;
}

static bool read_name(struct elf_access *access, const struct elf_object *object, uint64_t offset,
		      char name[ELF_NAME_MAX])
{
	return offset < object->strtab_size &&
	       reader_string(access->reader, object->strtab + offset, name, ELF_NAME_MAX);
}

static bool name_equals(struct elf_access *access, const struct elf_object *object, uint64_t offset,
			const char *wanted)
{
	size_t length = strlen(wanted) + 1;
	const void *name = offset < object->strtab_size
				   ? reader_at(access->reader, object->strtab + offset, length)
				   : NULL;

	return name && memcmp(name, wanted, length) == 0;
}

static bool read_symbol(struct elf_access *access, const struct elf_object *object, uint32_t index,
			Elf64_Sym *symbol)
{
	return elf_read(access, object->symtab + (uint64_t)index * sizeof(*symbol), symbol,
			sizeof(*symbol));
}

// The version index of a symbol, with VERSION_HIDDEN; objects without versions have only globals.
static uint16_t symbol_version(struct elf_access *access, const struct elf_object *object,
			       uint32_t index)
{
	uint16_t version = 1;

	if (object->versym && !elf_read(access, object->versym + 2 * (uint64_t)index, &version, 2))
		return 0;
	return version;
}

// The name of a version that the object needs from others.
static bool needed_version(struct elf_access *access, const struct elf_object *object,
			   uint16_t index, char name[ELF_NAME_MAX])
{
	uint64_t at = object->verneed;

	for (size_t i = 0; at && i < VERSION_LIMIT; i++) {
		Elf64_Verneed file;
		Elf64_Vernaux version;

		if (!elf_read(access, at, &file, sizeof(file)))
			return false;
		uint64_t entry = at + file.vn_aux;
		for (size_t j = 0; j < file.vn_cnt && j < VERSION_LIMIT; j++) {
			if (!elf_read(access, entry, &version, sizeof(version)))
				return false;
			if ((version.vna_other & ~VERSION_HIDDEN) == index)
				return read_name(access, object, version.vna_name, name);
			entry += version.vna_next;
		}
		at = file.vn_next ? at + file.vn_next : 0;
	}
	return false;
}

// Does a version index that the object defines have this name?
static bool defined_version_is(struct elf_access *access, const struct elf_object *object,
			       uint16_t index, const char *name)
{
	uint64_t at = object->verdef;

	for (size_t i = 0; at && i < VERSION_LIMIT; i++) {
		Elf64_Verdef version;
		Elf64_Verdaux entry;

		if (!elf_read(access, at, &version, sizeof(version)))
			return false;
		if (version.vd_ndx == index)
			return elf_read(access, at + version.vd_aux, &entry, sizeof(entry)) &&
			       name_equals(access, object, entry.vda_name, name);
		at = version.vd_next ? at + version.vd_next : 0;
	}
	return false;
}

bool elf_object_relocation(struct elf_access *access, const struct elf_object *object,
			   uint64_t index, struct elf_wanted *wanted)
{
	Elf64_Rela relocation;
	Elf64_Sym symbol;

	*wanted = (struct elf_wanted){0};
	if (index >= object->jmprel_size / sizeof(relocation) ||
	    !elf_read(access, object->jmprel + index * sizeof(relocation), &relocation,
		      sizeof(relocation)) ||
	    ELF64_R_TYPE(relocation.r_info) != R_X86_64_JUMP_SLOT)
		return false;
	uint32_t number = ELF64_R_SYM(relocation.r_info);
	if (!read_symbol(access, object, number, &symbol) ||
	    !read_name(access, object, symbol.st_name, wanted->name))
		return false;
	uint16_t version = symbol_version(access, object, number) & ~VERSION_HIDDEN;
	// A symbol of the object's own has a version that it defines, and needs none.
	if (version >= VERSION_BASE && symbol.st_shndx == SHN_UNDEF)
		return needed_version(access, object, version, wanted->version);
	return true;
}

/*
 * Whether a definition answers a reference, as glibc decides it (elf/dl-lookup.c check_match): a
 * reference with a version takes that version, or a definition without any; one without takes the
 * default.
 */
static bool version_fits(struct elf_access *access, const struct elf_object *object, uint32_t index,
			 const struct elf_wanted *wanted)
{
	uint16_t version = symbol_version(access, object, index);
	bool hidden = version & VERSION_HIDDEN;

	version &= ~VERSION_HIDDEN;
	if (wanted->any_version || !object->versym)
		return true;
	if (!wanted->version[0])
		return !hidden;
	return (version < VERSION_BASE && !hidden) ||
	       defined_version_is(access, object, version, wanted->version);
}

static bool symbol_fits(struct elf_access *access, const struct elf_object *object, uint32_t index,
			const struct elf_wanted *wanted, struct elf_symbol *found)
{
	Elf64_Sym symbol;

	if (!read_symbol(access, object, index, &symbol) || symbol.st_shndx == SHN_UNDEF ||
	    ELF64_ST_BIND(symbol.st_info) == STB_LOCAL)
		return false;
	unsigned type = ELF64_ST_TYPE(symbol.st_info);
	if (type != STT_FUNC && type != STT_NOTYPE && type != STT_GNU_IFUNC)
		return false;
	*found = (struct elf_symbol){.address = object->bias + symbol.st_value,
				     .is_ifunc = type == STT_GNU_IFUNC};
	return name_equals(access, object, symbol.st_name, wanted->name) &&
	       version_fits(access, object, index, wanted);
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (uint8_t)*name;
	return hash;
}

static uint32_t sysv_hash(const char *name)
{
	uint32_t hash = 0;

	for (; *name; name++) {
		hash = (hash << 4) + (uint8_t)*name;
		hash ^= hash >> 24 & 0xf0;
	}
	return hash & 0x0fffffff;
}

// The table: nbuckets, symoffset, bloom_size, bloom_shift, bloom words, buckets, chains.
static size_t find_gnu(struct elf_access *access, const struct elf_object *object,
		       const struct elf_wanted *wanted, struct elf_symbol *symbols, size_t capacity)
{
	uint32_t header[4], hash = gnu_hash(wanted->name), index, chained;
	size_t count = 0;

	if (!elf_read(access, object->gnu_hash, header, sizeof(header)) || !header[0])
		return 0;
	uint64_t buckets = object->gnu_hash + sizeof(header) + 8 * (uint64_t)header[2];
	uint64_t chains = buckets + 4 * (uint64_t)header[0];
	if (!elf_read(access, buckets + 4 * (uint64_t)(hash % header[0]), &index, 4) ||
	    index < header[1])
		return 0;
	for (size_t i = 0; i < CHAIN_LIMIT && count < capacity; i++, index++) {
		if (!elf_read(access, chains + 4 * (uint64_t)(index - header[1]), &chained, 4))
			break;
		if ((chained | 1) == (hash | 1) &&
		    symbol_fits(access, object, index, wanted, &symbols[count]))
			count++;
		if (chained & 1)
			break;
	}
	return count;
}

// The table: nbucket, nchain, buckets, chains.
static size_t find_sysv(struct elf_access *access, const struct elf_object *object,
			const struct elf_wanted *wanted, struct elf_symbol *symbols,
			size_t capacity)
{
	uint32_t header[2], index;
	size_t count = 0;

	if (!elf_read(access, object->sysv_hash, header, sizeof(header)) || !header[0])
		return 0;
	uint64_t buckets = object->sysv_hash + sizeof(header);
	uint64_t chains = buckets + 4 * (uint64_t)header[0];
	if (!elf_read(access, buckets + 4 * (uint64_t)(sysv_hash(wanted->name) % header[0]), &index,
		      4))
		return 0;
	for (size_t i = 0; index && i < CHAIN_LIMIT && count < capacity; i++) {
		if (symbol_fits(access, object, index, wanted, &symbols[count]))
			count++;
		if (!elf_read(access, chains + 4 * (uint64_t)index, &index, 4))
			break;
	}
	return count;
}

size_t elf_object_find(struct elf_access *access, const struct elf_object *object,
		       const struct elf_wanted *wanted, struct elf_symbol *symbols, size_t capacity)
{
	size_t limit = wanted->any_version ? capacity : 1;

	if (object->gnu_hash)
		return find_gnu(access, object, wanted, symbols, limit);
	if (object->sysv_hash)
		return find_sysv(access, object, wanted, symbols, limit);
	return 0;
}
