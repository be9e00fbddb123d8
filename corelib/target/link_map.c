/*
 * The dynamic linker's list of loaded files: struct r_debug and struct link_map of <link.h>, which
 * are ABI. The list tells a file's load bias and its dynamic section; its ELF header is looked for
 * in the pages below that section.
 */
#include "target/link_map.h"

#include <limits.h>
#include <link.h>
#include <string.h>

enum {
	FILES_MAX = 1 << 14,
	PROGRAM_MAX = 64,
	/** Pages that are looked at for headers, for all files together: a list may be forged. */
	SEARCH_MAX = 1 << 16,
};

static const uint64_t PAGE = 4096;

/** Where linkers put an executable that is not position-independent. */
static const uint64_t EXECUTABLE_BASE = 0x400000;

static uint64_t page_down(uint64_t address)
{
	return address & ~(PAGE - 1);
}

static bool read_exactly(struct peek peek, uint64_t address, void *buffer, size_t size)
{
	return peek.read(peek.context, address, buffer, size) == size;
}

/** The part of an ELF file that is in memory. */
struct loaded {
	uint64_t base, bias;
	Elf64_Ehdr header;
	Elf64_Phdr programs[PROGRAM_MAX];
};

/** Reads the headers at a page. @return false if none are there */
static bool read_headers(struct peek peek, uint64_t base, struct loaded *loaded)
{
	uint8_t bytes[sizeof(Elf64_Ehdr)];
	struct elf_view view = {bytes, sizeof(bytes)};
	size_t size;

	if (!read_exactly(peek, base, bytes, sizeof(bytes)) ||
	    elf_view_header(view, &loaded->header) || loaded->header.e_phnum > PROGRAM_MAX ||
	    loaded->header.e_phentsize != sizeof(*loaded->programs))
		return false;
	loaded->base = base;
	size = loaded->header.e_phnum * sizeof(*loaded->programs);
	return read_exactly(peek, base + loaded->header.e_phoff, loaded->programs, size);
}

/** Do the headers belong to the file with this dynamic section? */
static bool has_dynamic(const struct loaded *loaded, uint64_t dynamic)
{
	for (size_t i = 0; i < loaded->header.e_phnum; i++)
		if (loaded->programs[i].p_type == PT_DYNAMIC)
			return loaded->bias + loaded->programs[i].p_vaddr == dynamic;
	return false;
}

/** Finds the headers of a file: at its bias if it was linked at 0, at the usual place if it has no
 * bias, else somewhere below its dynamic section. */
static bool find_headers(struct peek peek, const struct link_map *map, struct loaded *loaded,
			 size_t *search_left)
{
	uint64_t dynamic = (uintptr_t)map->l_ld;
	uint64_t likely = map->l_addr ? page_down(map->l_addr) : EXECUTABLE_BASE;

	loaded->bias = map->l_addr;
	if (read_headers(peek, likely, loaded) && has_dynamic(loaded, dynamic))
		return true;
	for (uint64_t page = page_down(dynamic); page && *search_left; page -= PAGE) {
		uint8_t magic[SELFMAG];

		--*search_left;
		if (!read_exactly(peek, page, magic, sizeof(magic)))
			return false; // the segments of a file are next to each other
		if (!memcmp(magic, ELFMAG, SELFMAG) && read_headers(peek, page, loaded) &&
		    has_dynamic(loaded, dynamic))
			return true;
	}
	return false;
}

/** Adds the segments as the kernel would list them. @return false when out of memory */
static bool add_segments(const struct loaded *loaded, const char *path, struct mappings *mappings)
{
	for (size_t i = 0; i < loaded->header.e_phnum; i++) {
		const Elf64_Phdr *program = &loaded->programs[i];
		uint64_t start = loaded->bias + program->p_vaddr, end;

		if (program->p_type != PT_LOAD ||
		    __builtin_add_overflow(start, program->p_memsz, &end) ||
		    end > UINT64_MAX - PAGE)
			continue;
		if (!mappings_add(mappings,
				  (struct mapping){.start = page_down(start),
						   .end = page_down(end + PAGE - 1),
						   .offset = page_down(program->p_offset),
						   .flags = program->p_flags,
						   .flags_known = true},
				  path))
			return false;
	}
	return true;
}

/** Reads the file's name; false: it has none that can be a path. */
static bool read_name(struct peek peek, uint64_t address, char *name, size_t size)
{
	size_t length = peek.read(peek.context, address, name, size - 1);

	name[length] = '\0';
	return strlen(name) < length && name[0] == '/';
}

struct error *link_map_list(struct peek peek, uint64_t debug, struct mappings *mappings,
			    uint64_t *program_headers)
{
	size_t search_left = SEARCH_MAX;
	struct r_debug list;
	uint64_t next;

	*program_headers = 0;
	if (!read_exactly(peek, debug, &list, sizeof(list)))
		return NULL;
	next = (uintptr_t)list.r_map;
	for (size_t i = 0; next && i < FILES_MAX; i++) {
		struct link_map map;
		struct loaded loaded;
		char name[PATH_MAX] = LINK_MAP_MAIN;

		if (!read_exactly(peek, next, &map, sizeof(map)))
			break;
		next = (uintptr_t)map.l_next;
		// The first one is the main executable; the vDSO has a name that is no path.
		if (i && !read_name(peek, (uintptr_t)map.l_name, name, sizeof(name)))
			continue;
		if (!find_headers(peek, &map, &loaded, &search_left))
			continue;
		if (!i)
			*program_headers = loaded.base + loaded.header.e_phoff;
		if (!add_segments(&loaded, name, mappings))
			return &error_no_memory;
	}
	mappings_sort(mappings);
	return NULL;
}
