/*
 * The file of a module on this machine: found by the path that the process knew, and used only if
 * it is the build that was mapped.
 */
#include "target/file.h"
#include "target/module_private.h"

#include <stdlib.h>

/** The places where a module's file is looked for, in this order. */
enum candidate {
	CANDIDATE_OPTION,   /**< what the user named */
	CANDIDATE_PATH,	    /**< what the process named, below its root */
	CANDIDATE_OUTSIDE,  /**< live: the same as seen from here */
	CANDIDATE_MAP_FILE, /**< the mapped file itself, which root can open */
	CANDIDATE_EXE,	    /**< the same for the main executable, which its user can open */
	CANDIDATES,
};

/** Reads the build-id of a file. @return its size, 0: none */
static size_t file_build_id(struct elf_view file, uint8_t *build_id)
{
	Elf64_Ehdr header;
	Elf64_Phdr program;
	size_t size = 0;

	if (elf_view_header(file, &header))
		return 0;
	for (size_t i = 0; i < header.e_phnum && !size; i++) {
		if (!elf_view_program_header(file, &header, i, &program))
			break;
		if (program.p_type == PT_NOTE)
			size = elf_view_build_id(
				elf_view_part(file, program.p_offset, program.p_filesz), build_id,
				BUILD_ID_MAX);
	}
	return size;
}

/** Was the file mapped where its program headers want it? */
static bool fits_mappings(const struct module_search *search, struct elf_view file,
			  const struct mapping *first, const struct module *module)
{
	const struct mapping *limit = search->mappings->items + search->mappings->count;
	Elf64_Ehdr header;
	Elf64_Phdr program;

	if (elf_view_header(file, &header))
		return false;
	for (const struct mapping *m = first; m < limit && m->start < module->end; m++) {
		uint64_t address = m->start - module->bias;
		bool found = false;

		if (!m->path || strcmp(m->path, first->path))
			continue;
		for (size_t i = 0; i < header.e_phnum && !found; i++) {
			if (!elf_view_program_header(file, &header, i, &program))
				return false;
			found = program.p_type == PT_LOAD &&
				address >= (program.p_vaddr & ~(uint64_t)4095) &&
				address < program.p_vaddr + program.p_memsz &&
				address - m->offset == program.p_vaddr - program.p_offset;
		}
		if (!found)
			return false;
	}
	return true;
}

/** Is the dumped page of the ELF header that of the file? */
static bool same_header(const struct module_search *search, struct elf_view file,
			const struct module *module)
{
	uint8_t bytes[4096];
	size_t size = search->peek.read(search->peek.context, module->start, bytes, sizeof(bytes));

	if (size > file.size)
		size = file.size;
	return size >= sizeof(Elf64_Ehdr) && !memcmp(bytes, file.data, size);
}

/** Compares a file with the mapped module. */
static enum module_file verify(const struct module_search *search, struct elf_view file,
			       const struct mapping *first, const struct module *module,
			       const struct module_state *state, const uint8_t *id, size_t id_size)
{
	if (module->build_id_size && id_size)
		return module->build_id_size == id_size && !memcmp(module->build_id, id, id_size)
			       ? MODULE_FILE_MATCHES
			       : MODULE_FILE_MISMATCH;
	if (module->build_id_size)
		return MODULE_FILE_MISMATCH;
	if (state->header_in_memory && !same_header(search, file, module))
		return MODULE_FILE_MISMATCH;
	if (!fits_mappings(search, file, first, module))
		return MODULE_FILE_MISMATCH;
	return MODULE_FILE_UNVERIFIED;
}

/** Remembers a file that is another build; the first one is the one to name. */
static void reject(struct module_state *state, const char *path, const uint8_t *id, size_t id_size)
{
	if (state->rejected)
		return;
	state->rejected = strdup(path);
	memcpy(state->rejected_id, id, id_size);
	state->rejected_id_size = id_size;
}

/** Tries one file. @return true if it is used from now on */
static bool try_file(const struct module_search *search, const char *path,
		     const struct mapping *first, struct module *module, struct module_state *state)
{
	__attribute__((cleanup(error_cleanup))) struct error *err = NULL;
	struct elf_view file;
	uint8_t id[BUILD_ID_MAX];
	size_t id_size;
	Elf64_Ehdr header;

	err = file_map(path, &file);
	if (err)
		return false;
	id_size = file_build_id(file, id);
	module->status = elf_view_header(file, &header)
				 ? MODULE_FILE_MISMATCH
				 : verify(search, file, first, module, state, id, id_size);
	if (module->status == MODULE_FILE_MISMATCH) {
		reject(state, path, id, id_size);
		file_unmap(file);
		return false;
	}
	state->file = file;
	return true;
}

/** The n-th path to try for a module, in *path; NULL when there is none of this kind. @return false
 * when out of memory */
static bool candidate(const struct module_search *search, const struct mapping *first,
		      const struct module_state *state, enum candidate kind, char **path)
{
	int length = 0;

	*path = NULL;
	switch (kind) {
	case CANDIDATE_OPTION:
		if (state->is_main && search->options->executable)
			length = asprintf(path, "%s", search->options->executable);
		break;
	case CANDIDATE_PATH:
		length = asprintf(path, "%s%s", search->root, first->path);
		break;
	case CANDIDATE_OUTSIDE:
		if (*search->root && search->pid)
			length = asprintf(path, "%s", first->path);
		break;
	case CANDIDATE_MAP_FILE:
		if (search->pid)
			length = asprintf(path, "/proc/%d/map_files/%llx-%llx", (int)search->pid,
					  (unsigned long long)first->start,
					  (unsigned long long)first->end);
		break;
	case CANDIDATE_EXE:
		if (search->pid && state->is_main)
			length = asprintf(path, "/proc/%d/exe", (int)search->pid);
		break;
	default:
		break;
	}
	if (length < 0)
		*path = NULL;
	return length >= 0;
}

/** Tries all candidates, then what is kept by build-id. *path is NULL if none is right. @return
 * false when out of memory */
static bool try_all(const struct module_search *search, const struct mapping *first,
		    struct modules *modules, struct module *module, struct module_state *state,
		    char **path)
{
	for (enum candidate kind = 0; kind < CANDIDATES; kind++) {
		if (!candidate(search, first, state, kind, path))
			return false;
		if (*path && try_file(search, *path, first, module, state))
			return true;
		free(*path);
	}
	*path = module_find_by_build_id(modules, module);
	if (*path && !try_file(search, *path, first, module, state)) {
		free(*path);
		*path = NULL;
	}
	return true;
}

struct error *module_find_file(const struct module_search *search, const struct mapping *first,
			       struct modules *modules, struct module *module,
			       struct module_state *state)
{
	struct error *err;

	module->status = MODULE_FILE_MISSING;
	if (!try_all(search, first, modules, module, state, &module->file))
		return &error_no_memory;
	if (!module->file)
		return NULL;
	err = image_own(search->image->private, (void *)state->file.data, state->file.size);
	if (err)
		state->file = (struct elf_view){NULL, 0};
	return err;
}

struct elf_view module_file_bytes(const struct module_state *state, const struct mapping *mapping,
				  uint64_t start, uint64_t end)
{
	// The last page is mapped whole, by the process as by us: zeros behind the end.
	struct elf_view whole = {state->file.data, (state->file.size + 4095) & ~(size_t)4095};
	uint64_t offset;

	if (!state->file.size ||
	    __builtin_add_overflow(mapping->offset, start - mapping->start, &offset))
		return (struct elf_view){NULL, 0};
	return elf_view_part(whole, offset, end - start);
}

/** A build-id in hexadecimal; "none" if it is empty. */
static void format_build_id(const uint8_t *id, size_t size, char text[2 * BUILD_ID_MAX + 1])
{
	static const char digits[] = "0123456789abcdef";

	if (!size)
		strcpy(text, "none");
	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[id[i] >> 4];
		text[2 * i + 1] = digits[id[i] & 15];
		text[2 * i + 2] = '\0';
	}
}

void module_problem(const struct modules *modules, const struct module *module, uint64_t needed,
		    struct coverage *coverage)
{
	const struct module_state *state = module_state(modules, module);
	enum problem_level level = needed && !module->file ? PROBLEM_PARTIAL : PROBLEM_NOTE;
	char mapped[2 * BUILD_ID_MAX + 1], found[2 * BUILD_ID_MAX + 1];

	format_build_id(module->build_id, module->build_id_size, mapped);
	format_build_id(state->rejected_id, state->rejected_id_size, found);
	if (state->rejected)
		coverage_add(coverage, level, "build-id-mismatch",
			     "%s is another build: build-id %s, but the process had %s; not used",
			     state->rejected, found, mapped);
	else if (module->status == MODULE_FILE_MISSING && needed)
		coverage_add(coverage, level, "missing-file", "%s: %s (build-id %s)", module->path,
			     state->deleted ? "was deleted while in use" : "not found", mapped);
	else if (module->status == MODULE_FILE_UNVERIFIED && needed)
		coverage_add(coverage, PROBLEM_NOTE, "unverified-file",
			     "%s: used without a build-id to check it by", module->file);
}

const char *module_hole_reason(const struct module *module)
{
	switch (module->status) {
	case MODULE_FILE_MISSING:
		return "file missing";
	case MODULE_FILE_MISMATCH:
		return "file is another build";
	default:
		return "behind the end of the file";
	}
}
