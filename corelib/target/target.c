/*
 * What is common to all kinds of targets: making, filling from files, closing.
 */
#include "target/core_file.h"
#include "target/file.h"
#include "target/target_private.h"

#include <stdlib.h>
#include <sys/stat.h>

struct target *target_create(enum target_kind kind, const char *name)
{
	struct target *target = calloc(1, sizeof(*target));

	if (!target)
		return NULL;
	target->kind = kind;
	target->name = strdup(name);
	target->image = image_create();
	target->private = calloc(1, sizeof(*target->private));
	if (target->private)
		target->private->core_fd = -1;
	if (target->name && target->image && target->private)
		return target;
	target_close(target);
	return NULL;
}

void target_close(struct target *target)
{
	if (!target)
		return;
	if (target->private) {
		live_close(target);
		file_close(&target->private->core_fd);
	}
	modules_destroy(target->modules);
	image_destroy(target->image);
	coverage_clear(&target->coverage);
	mappings_clear(&target->mappings);
	residency_clear(&target->residency);
	free(target->threads);
	free(target->command);
	free(target->compression);
	free(target->name);
	free(target->private);
	free(target);
}

void target_cleanup(struct target **target)
{
	target_close(*target);
	*target = NULL;
}

struct error *target_release(struct target *target)
{
	return live_release(target);
}

void target_forget(struct target *target)
{
	struct image *empty = target->kind == TARGET_LIVE ? image_create() : NULL;

	if (!empty)
		return;
	live_close(target);
	image_destroy(target->image);
	target->image = empty;
}

struct error *target_residency(struct target *target, const struct residency **residency)
{
	*residency = &target->residency;
	if (target->residency.source != RESIDENCY_UNKNOWN || target->private->live)
		return NULL;
	return residency_of_dump(&target->residency, target->image);
}

void target_recheck(struct target *target)
{
	const struct target_private *private = target->private;
	struct stat status;

	if (private->core_fd < 0 || fstat(private->core_fd, &status))
		return;
	if ((uint64_t)status.st_size == target->size &&
	    status.st_mtim.tv_sec == private->core_written.tv_sec &&
	    status.st_mtim.tv_nsec == private->core_written.tv_nsec)
		return;
	coverage_add(&target->coverage, PROBLEM_PARTIAL, "changed-core",
		     "%s: was written to while it was read; start again when it is whole",
		     target->name);
}

static bool holds(struct elf_view file, const void *page)
{
	return (uintptr_t)page - (uintptr_t)file.data < file.size;
}

const char *target_file_at(const struct target *target, const void *page)
{
	const struct modules *modules = target->modules;

	if (holds(target->private->core, page))
		return target->name;
	for (size_t i = 0; modules && i < modules->count; i++)
		if (holds(module_state(modules, &modules->items[i])->file, page))
			return modules->items[i].file;
	return NULL;
}

struct error *target_gone(const struct target *target)
{
	return live_gone(target);
}

/** Does a dynamic segment of a file say that it is a position-independent executable? */
static bool is_pie(struct elf_view file, const Elf64_Ehdr *header)
{
	Elf64_Phdr program;

	for (size_t i = 0; i < header->e_phnum; i++) {
		struct elf_view dynamic;
		Elf64_Dyn entry;

		if (!elf_view_program_header(file, header, i, &program))
			break;
		if (program.p_type == PT_INTERP)
			return true;
		if (program.p_type != PT_DYNAMIC)
			continue;
		dynamic = elf_view_part(file, program.p_offset, program.p_filesz);
		for (size_t at = 0; at + sizeof(entry) <= dynamic.size; at += sizeof(entry)) {
			memcpy(&entry, dynamic.data + at, sizeof(entry));
			if (entry.d_tag == DT_FLAGS_1 && entry.d_un.d_val & DF_1_PIE)
				return true;
		}
	}
	return false;
}

struct error *target_file_type(const char *path, enum target_file *type)
{
	struct elf_view file;
	struct error *err;
	Elf64_Ehdr header;

	*type = TARGET_FILE_CORE;
	if (core_file_is_packed(path))
		return NULL;
	*type = TARGET_FILE_OTHER;
	err = file_map(path, &file);
	if (err)
		return err;
	if (elf_view_header(file, &header))
		*type = elf_view_is_foreign(file) ? TARGET_FILE_OTHER_MACHINE : TARGET_FILE_OTHER;
	else if (header.e_type == ET_CORE)
		*type = TARGET_FILE_CORE;
	else if (header.e_type == ET_EXEC || (header.e_type == ET_DYN && is_pie(file, &header)))
		*type = TARGET_FILE_EXECUTABLE;
	else if (header.e_type == ET_DYN)
		*type = TARGET_FILE_SHARED_OBJECT;
	file_unmap(file);
	return NULL;
}

/**
 * The access rights of a part of a mapping. A core that names a file but has no segment for it, as
 * gcore leaves out code, does not tell them: then they are those of the file's program headers.
 */
static uint32_t mapping_flags(const struct mapping *mapping, const struct module_state *state,
			      uint64_t bias, uint64_t address)
{
	for (size_t i = 0; !mapping->flags_known && state && i < state->program_count; i++) {
		const Elf64_Phdr *program = &state->programs[i];

		if (program->p_type == PT_LOAD &&
		    address - bias - program->p_vaddr < program->p_memsz)
			return program->p_flags;
	}
	return mapping->flags;
}

/** Fills one gap of a file mapping. *needed grows by what only the file has. */
static struct error *fill_gap(struct target *target, const struct mapping *mapping,
			      const struct module *module, uint64_t start, uint64_t end,
			      uint64_t *needed)
{
	const struct module_state *state = module ? module_state(target->modules, module) : NULL;
	uint32_t flags = mapping_flags(mapping, state, module ? module->bias : 0, start);
	struct elf_view bytes = {NULL, 0};
	struct error *err = NULL;

	if (module) {
		// Padding between segments that nobody may read is no loss.
		if (!mapping->flags_known || mapping->flags & PF_R)
			*needed += end - start;
		bytes = module_file_bytes(state, mapping, start, end);
	}
	if (bytes.size)
		err = image_add(target->image, start, bytes.size, bytes.data, flags, SEGMENT_FILE);
	if (!err)
		err = image_add_hole(target->image, start + bytes.size, end, flags,
				     module ? module_hole_reason(module) : "data file, not dumped");
	return err;
}

struct error *target_fill_from_files(struct target *target, const struct mappings *mappings)
{
	struct modules *modules = target->modules;
	uint64_t *needed = calloc(modules->count + 1, sizeof(*needed));
	struct error *err = needed ? NULL : &error_no_memory;

	for (size_t i = 0; i < mappings->count && !err; i++) {
		const struct mapping *mapping = &mappings->items[i];
		const struct module *module = modules_at(modules, mapping->start);
		uint64_t start = mapping->start, end;
		size_t index;

		if (!mapping->path)
			continue;
		if (module && strcmp(module->path, mapping->path))
			module = NULL;
		index = module ? (size_t)(module - modules->items) : modules->count;
		while (!err && image_next_gap(target->image, start, mapping->end, &start, &end)) {
			err = fill_gap(target, mapping, module, start, end, &needed[index]);
			start = end;
		}
	}
	for (size_t i = 0; i < modules->count && !err; i++)
		module_problem(modules, &modules->items[i], needed[i], &target->coverage);
	free(needed);
	return err;
}
