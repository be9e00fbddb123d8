/*
 * Which of the mapped files are modules: ELF files that were mapped as their program headers say,
 * with something executable. A file that is mapped as data only is none.
 */
#include "target/file.h"
#include "target/module_private.h"

#include <stdlib.h>

/** Program headers that no real file exceeds. */
enum { PROGRAM_MAX = 4096 };

static uint64_t page_down(uint64_t address)
{
	return address & ~(uint64_t)4095;
}

static bool same_file(const struct mapping *a, const struct mapping *b)
{
	return b->path && !strcmp(a->path, b->path);
}

struct module_state *module_state(const struct modules *modules, const struct module *module)
{
	return &modules->private->states[module - modules->items];
}

/** Reads the program headers through `read`. @return false if they are not readable */
static bool read_programs(struct peek peek, uint64_t base, const Elf64_Ehdr *header,
			  struct module_state *state)
{
	size_t size = header->e_phnum * sizeof(*state->programs);

	if (!header->e_phnum || header->e_phnum > PROGRAM_MAX ||
	    header->e_phentsize != sizeof(*state->programs))
		return false;
	state->programs = malloc(size);
	if (!state->programs)
		return false;
	if (peek.read(peek.context, base + header->e_phoff, state->programs, size) == size) {
		state->program_count = header->e_phnum;
		return true;
	}
	free(state->programs);
	state->programs = NULL;
	return false;
}

/** A `struct peek` over a mapped file; offsets stand for addresses. */
static size_t read_view(void *context, uint64_t address, void *buffer, size_t length)
{
	struct elf_view part = elf_view_part(*(struct elf_view *)context, address, length);

	if (part.size)
		memcpy(buffer, part.data, part.size);
	return part.size;
}

/** Reads header and program headers. @return false if there is no ELF file for a process */
static bool read_header(struct peek peek, uint64_t base, struct module_state *state)
{
	uint8_t bytes[sizeof(Elf64_Ehdr)];
	struct elf_view view = {bytes, peek.read(peek.context, base, bytes, sizeof(bytes))};
	Elf64_Ehdr header;

	if (elf_view_header(view, &header))
		return false;
	if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
		return false;
	return read_programs(peek, base, &header, state);
}

/** Is the mapping part of the main executable? */
static bool is_main(const struct module_search *search, const struct mapping *mapping)
{
	const struct mapping *main = mappings_at(search->mappings, search->program_headers);

	return search->program_headers && main && main->path && same_file(mapping, main);
}

/** Reads the program headers from the file that the mapping names. */
static bool read_header_from_file(const struct module_search *search, const struct mapping *first,
				  struct module_state *state)
{
	__attribute__((cleanup(error_cleanup))) struct error *err = NULL;
	char *path = NULL;
	struct elf_view view;
	bool found;

	if (is_main(search, first) && search->options->executable)
		path = strdup(search->options->executable);
	else if (asprintf(&path, "%s%s", search->root, first->path) < 0)
		path = NULL;
	if (!path)
		return false;
	err = file_map(path, &view);
	free(path);
	found = !err && read_header((struct peek){read_view, &view}, 0, state);
	file_unmap(view);
	return found;
}

/** Sets bias and end from the program headers. @return false if they do not fit the mapping */
static bool place(const struct mapping *first, const struct module_state *state,
		  struct module *module)
{
	const Elf64_Phdr *lowest = NULL;
	uint64_t end = 0;

	for (size_t i = 0; i < state->program_count; i++) {
		const Elf64_Phdr *program = &state->programs[i];
		uint64_t stop;

		if (program->p_type != PT_LOAD)
			continue;
		if (__builtin_add_overflow(program->p_vaddr, program->p_memsz, &stop) ||
		    stop > UINT64_MAX - 4095)
			return false;
		if (!lowest && page_down(program->p_offset) == first->offset)
			lowest = program;
		if (stop > end)
			end = stop;
	}
	if (!lowest)
		return false;
	module->start = first->start;
	module->bias = first->start - page_down(lowest->p_vaddr);
	module->end = module->bias + page_down(end + 4095);
	return module->end > module->start;
}

/** Cuts the module's end where another file begins: program headers may lie. */
static void clip(const struct module_search *search, const struct mapping *first,
		 struct module *module)
{
	const struct mapping *limit = search->mappings->items + search->mappings->count;

	for (const struct mapping *m = first + 1; m < limit && m->start < module->end; m++)
		if (m->path && m->path[0] == '/' && !same_file(first, m))
			module->end = m->start;
}

/** Is every executable segment mapped executable? */
static bool is_executable(const struct module_search *search, const struct module *module,
			  const struct module_state *state)
{
	size_t count = 0;

	for (size_t i = 0; i < state->program_count; i++) {
		const Elf64_Phdr *program = &state->programs[i];
		const struct mapping *mapping;

		if (program->p_type != PT_LOAD || !(program->p_flags & PF_X))
			continue;
		mapping = mappings_at(search->mappings, module->bias + program->p_vaddr);
		if (!mapping || (mapping->flags_known && !(mapping->flags & PF_X)))
			return false;
		count++;
	}
	return count;
}

/** The range of a module of which only the mappings are known. @return false if nothing of it is
 * executable */
static bool place_by_mappings(const struct module_search *search, const struct mapping *first,
			      struct module *module)
{
	const struct mapping *limit = search->mappings->items + search->mappings->count;
	bool executable = false;

	module->start = module->bias = first->start;
	for (const struct mapping *m = first; m < limit; m++) {
		if (!m->path)
			continue;
		if (!same_file(first, m) || (m != first && !m->offset))
			break;
		module->end = m->end;
		executable = executable || m->flags & PF_X;
	}
	return executable;
}

/** Reads the module's build-id from memory, if its notes are there. */
static void read_build_id(const struct module_search *search, struct module *module,
			  const struct module_state *state)
{
	uint8_t bytes[4096];

	for (size_t i = 0; i < state->program_count && !module->build_id_size; i++) {
		const Elf64_Phdr *program = &state->programs[i];
		size_t size = program->p_filesz;
		struct elf_view notes = {bytes, 0};

		if (program->p_type != PT_NOTE)
			continue;
		if (size > sizeof(bytes))
			size = sizeof(bytes);
		notes.size = search->peek.read(search->peek.context,
					       module->bias + program->p_vaddr, bytes, size);
		module->build_id_size = elf_view_build_id(notes, module->build_id, BUILD_ID_MAX);
	}
}

/** Is there a module that starts at the mapping? Fills in both parts of it. */
static bool probe(const struct module_search *search, const struct mapping *first,
		  struct module *module, struct module_state *state)
{
	uint8_t byte;
	bool readable = search->peek.read(search->peek.context, first->start, &byte, 1);

	state->header_in_memory = read_header(search->peek, first->start, state);
	if (state->header_in_memory || (!readable && read_header_from_file(search, first, state))) {
		if (!place(first, state, module))
			return false;
		clip(search, first, module);
		if (!is_executable(search, module, state))
			return false;
	} else if (readable || !place_by_mappings(search, first, module)) {
		return false;
	}
	if (state->header_in_memory)
		read_build_id(search, module, state);
	return true;
}

/** Makes room for one more module, zeroed. @return false when out of memory */
static bool grow(struct modules *modules, size_t *capacity)
{
	size_t larger = *capacity ? *capacity * 2 : 32;
	struct module_state *states;
	struct module *items;

	if (modules->count == *capacity) {
		items = reallocarray(modules->items, larger, sizeof(*items));
		if (!items)
			return false;
		modules->items = items;
		states = reallocarray(modules->private->states, larger, sizeof(*states));
		if (!states)
			return false;
		modules->private->states = states;
		*capacity = larger;
	}
	modules->items[modules->count] = (struct module){0};
	modules->private->states[modules->count] = (struct module_state){0};
	return true;
}

/** Adds the module that starts at the mapping, if there is one. @return the end of it, or of the
 * mapping, in *end */
static struct error *find_at(const struct module_search *search, const struct mapping *first,
			     struct modules *modules, uint64_t *end)
{
	struct module *module = &modules->items[modules->count];
	struct module_state *state = &modules->private->states[modules->count];

	*end = first->end;
	if (!probe(search, first, module, state)) {
		free(state->programs);
		return NULL;
	}
	// Counted from here on, so that modules_destroy() frees it.
	modules->count++;
	state->deleted = first->deleted;
	state->is_main = is_main(search, first);
	module->path = strdup(first->path);
	if (!module->path)
		return &error_no_memory;
	if (module->end > *end)
		*end = module->end;
	return module_find_file(search, first, modules, module, state);
}

/** Where libdwfl looks for debug files: beside the file, below what the user named, and where
 * distributions put them. NULL when out of memory. */
static char *debuginfo_path(const struct target_options *options, const char *root)
{
	const char *named = options->debuginfo_path ? options->debuginfo_path : "";
	char *path;

	if (asprintf(&path, ":.debug%s%s%s%s%s:/usr/lib/debug", *named ? ":" : "", named,
		     *root ? ":" : "", root, *root ? "/usr/lib/debug" : "") < 0)
		return NULL;
	return path;
}

struct modules *modules_create(const struct target_options *options, const char *root)
{
	const char *servers = getenv("DEBUGINFOD_URLS");
	struct modules *modules = calloc(1, sizeof(*modules));

	if (!modules)
		return NULL;
	modules->private = calloc(1, sizeof(*modules->private));
	if (modules->private)
		modules->private->debuginfo_path = debuginfo_path(options, root);
	if (!modules->private || !modules->private->debuginfo_path) {
		free(modules->private);
		free(modules);
		return NULL;
	}
	modules->private->has_debuginfo = options->debuginfo_path || (servers && *servers);
	return modules;
}

/** Where the main executable is if nothing says it: it is mapped below its libraries. */
static uint64_t guess_main(const struct mappings *mappings)
{
	for (size_t i = 0; i < mappings->count; i++)
		if (mappings->items[i].path && mapping_path_is_file(mappings->items[i].path))
			return mappings->items[i].start;
	return 0;
}

struct error *modules_find(const struct module_search *given, struct modules **result)
{
	struct module_search completed = *given;
	const struct module_search *search = &completed;
	struct modules *modules = modules_create(search->options, search->root);
	struct error *err = NULL;
	size_t capacity = 0;
	uint64_t end = 0;

	if (!modules)
		return &error_no_memory;
	if (!search->program_headers)
		completed.program_headers = guess_main(search->mappings);
	for (size_t i = 0; i < search->mappings->count && !err; i++) {
		const struct mapping *mapping = &search->mappings->items[i];

		if (mapping->start < end || mapping->offset || !mapping->path ||
		    !mapping_path_is_file(mapping->path))
			continue;
		err = grow(modules, &capacity) ? find_at(search, mapping, modules, &end)
					       : &error_no_memory;
	}
	if (err)
		modules_destroy(modules);
	else
		*result = modules;
	return err;
}

void modules_attach(struct modules *modules, const struct image *image)
{
	reader_init(&modules->private->reader, image);
}

const struct module *modules_at(const struct modules *modules, uint64_t address)
{
	size_t low = 0, count = modules->count;

	while (count) {
		size_t half = count / 2;

		if (modules->items[low + half].start <= address) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return low && address < modules->items[low - 1].end ? &modules->items[low - 1] : NULL;
}

void modules_destroy(struct modules *modules)
{
	if (!modules)
		return;
	for (size_t i = 0; i < modules->count; i++) {
		struct module_state *state = &modules->private->states[i];

		symbol_index_free(state->index);
		free(state->programs);
		free(state->rejected);
		free(state->dwarf_file);
		free(modules->items[i].path);
		free(modules->items[i].file);
	}
	if (modules->private->dwfl)
		dwfl_end(modules->private->dwfl);
	free(modules->private->debuginfo_path);
	free(modules->private->states);
	free(modules->private);
	free(modules->items);
	free(modules);
}

uint64_t modules_data_end(const struct modules *modules, const struct module *module)
{
	const struct module_state *state = modules->private ? module_state(modules, module) : NULL;
	uint64_t end = 0;

	for (size_t i = 0; state && i < state->program_count; i++) {
		const Elf64_Phdr *program = &state->programs[i];
		uint64_t last = module->bias + program->p_vaddr + program->p_memsz;

		if (program->p_type == PT_LOAD && last > end)
			end = last;
	}
	return end;
}
