/*
 * Opens ELF core files. The file is mapped and its segments point into the mapping. What the kernel
 * leaves out, the unchanged parts of mapped files, comes from these files.
 */
#include "target/core_file.h"
#include "target/file.h"
#include "target/image_private.h"
#include "target/notes.h"
#include "target/proc.h"
#include "target/target_private.h"

#include <stdlib.h>
#include <sys/stat.h>

/** A core while it is being opened. */
struct core {
	struct target *target;
	struct elf_view file;
	struct core_file source; /**< owns all of the file but its bytes */
	Elf64_Ehdr header;
	size_t program_count; /**< what the header says, or section header 0 in its stead */
	uint64_t whole_size;  /**< how long the file would have to be */
	size_t cut_segments;  /**< segments of which bytes are missing */
	struct core_notes notes;
	struct mappings mappings; /**< files and segments, sorted */
};

static void core_clear(struct core *core)
{
	core_file_clear(&core->source);
	core_notes_clear(&core->notes);
	mappings_clear(&core->mappings);
	target_close(core->target);
}

static struct error *check_header(struct core *core, const char *name)
{
	const char *wrong = elf_view_header(core->file, &core->header);

	if (wrong)
		return error_create(ERROR_GENERAL, "%s: %s", name, wrong);
	if (core->header.e_type != ET_CORE)
		return error_create(ERROR_GENERAL, "%s: not a core file: %s", name,
				    elf_view_type_name(core->file, &core->header));
	return NULL;
}

/** The number of program headers. More than fit 16 bits are in section header 0, at the end of the
 * file; if that is cut off, what stands between the headers and the notes is headers. */
static void count_programs(struct core *core)
{
	const void *bytes = elf_view_at(core->file, core->header.e_shoff, sizeof(Elf64_Shdr));
	Elf64_Shdr section;
	Elf64_Phdr first;

	core->program_count = core->header.e_phnum;
	if (core->header.e_phnum != PN_XNUM)
		return;
	if (core->header.e_shoff && bytes) {
		memcpy(&section, bytes, sizeof(section));
		core->program_count = section.sh_info;
	} else if (elf_view_program_header(core->file, &core->header, 0, &first) &&
		   first.p_offset > core->header.e_phoff) {
		core->program_count = (first.p_offset - core->header.e_phoff) / sizeof(first);
		core->whole_size = UINT64_MAX;
	}
}

/** Notes how far the file would have to reach. @return false if it does not */
static bool reaches(struct core *core, uint64_t offset, uint64_t length)
{
	uint64_t end = length > UINT64_MAX - offset ? UINT64_MAX : offset + length;

	if (length && end > core->whole_size)
		core->whole_size = end;
	return !length || end <= core->file.size;
}

/** Smaller segments are taken whole. */
enum { SPARSE_MIN = 64 << 20 };

/**
 * Adds dumped bytes. Large segments are mostly address space that was reserved and never written,
 * which a core holds as holes: their zeros reference nothing, and reading them all takes its time.
 */
static struct error *add_bytes(struct core *core, const Elf64_Phdr *program, struct elf_view bytes)
{
	struct image *image = core->target->image;
	uint64_t at = program->p_offset, end = at + bytes.size, start, stop;
	int fd = bytes.size < SPARSE_MIN ? -1 : core->source.fd;
	struct error *err = NULL;

	while (!err && at < end) {
		bool data = file_next_data(fd, at, end, &start, &stop);
		uint64_t address = program->p_vaddr + (at - program->p_offset);

		if (!data)
			start = stop = end;
		// Pages are the smallest thing that a process has.
		start &= ~(uint64_t)(TARGET_PAGE - 1);
		start = start < at ? at : start;
		err = image_add_hole(image, address, address + (start - at), program->p_flags,
				     hole_never_written);
		if (!err && start < stop)
			err = image_add(image, address + (start - at), stop - start,
					bytes.data + (start - program->p_offset), program->p_flags,
					SEGMENT_CORE);
		at = stop;
	}
	return err;
}

/** Adds the bytes of one PT_LOAD, and a hole for those that are cut off. */
static struct error *add_load(struct core *core, const Elf64_Phdr *program)
{
	uint64_t room = UINT64_MAX - program->p_vaddr;
	uint64_t memory = program->p_memsz < room ? program->p_memsz : room;
	uint64_t dumped = program->p_filesz < memory ? program->p_filesz : memory;
	struct elf_view bytes = elf_view_part(core->file, program->p_offset, dumped);
	struct mapping mapping = {.start = program->p_vaddr,
				  .end = program->p_vaddr + memory,
				  .flags = program->p_flags,
				  .flags_known = true};
	struct error *err;

	if (!memory)
		return NULL;
	if (!reaches(core, program->p_offset, dumped))
		core->cut_segments++;
	if (!mappings_add(&core->mappings, mapping, NULL))
		return &error_no_memory;
	err = add_bytes(core, program, bytes);
	if (err)
		return err;
	return image_add_hole(core->target->image, program->p_vaddr + bytes.size,
			      program->p_vaddr + dumped, program->p_flags, hole_truncated);
}

/** Reads all program headers. */
static struct error *read_programs(struct core *core)
{
	struct error *err = NULL;
	Elf64_Phdr program;

	reaches(core, core->header.e_phoff, core->program_count * sizeof(program));
	for (size_t i = 0; i < core->program_count && !err; i++) {
		if (!elf_view_program_header(core->file, &core->header, i, &program))
			break;
		if (program.p_type == PT_LOAD)
			err = add_load(core, &program);
		if (program.p_type != PT_NOTE)
			continue;
		reaches(core, program.p_offset, program.p_filesz);
		err = core_notes_read(&core->notes, elf_view_part(core->file, program.p_offset,
								  program.p_filesz));
	}
	return err;
}

/** Adds the files of NT_FILE with the flags of their segments. @return false when out of memory */
static bool join_files(const struct mappings *files, const struct mappings *segments,
		       struct mappings *joined)
{
	uint64_t end = 0;

	for (size_t i = 0; i < files->count; i++) {
		struct mapping file = files->items[i];
		const struct mapping *segment = mappings_at(segments, file.start);

		// Files that overlap are forged.
		if (file.start < end)
			continue;
		end = file.end;
		file.flags_known = segment;
		file.flags = segment ? segment->flags : 0;
		if (!mappings_add(joined, file, file.path))
			return false;
	}
	return true;
}

/** Adds the parts of segments that are no files. @return false when out of memory */
static bool join_segments(const struct mappings *segments, size_t file_count,
			  struct mappings *joined)
{
	size_t file = 0;
	uint64_t done = 0;

	for (size_t i = 0; i < segments->count; i++) {
		struct mapping part = segments->items[i];

		// Segments that overlap are forged.
		if (part.start < done)
			continue;
		done = part.end;
		while (file < file_count && joined->items[file].end <= part.start)
			file++;
		for (size_t at = file; part.start < segments->items[i].end; at++) {
			const struct mapping *next = at < file_count ? &joined->items[at] : NULL;
			uint64_t resume = next ? next->end : UINT64_MAX;

			part.end = segments->items[i].end;
			if (next && next->start < part.end)
				part.end = next->start;
			if (part.start < part.end && !mappings_add(joined, part, NULL))
				return false;
			part.start = resume;
		}
	}
	return true;
}

/** Makes one list of the files of NT_FILE and the segments: a segment that is a file becomes it. */
static struct error *join(struct core *core)
{
	struct mappings *files = &core->notes.files, joined = {0};
	bool fits;

	mappings_sort(&core->mappings);
	mappings_sort(files);
	fits = join_files(files, &core->mappings, &joined) &&
	       join_segments(&core->mappings, joined.count, &joined);
	mappings_clear(&core->mappings);
	core->mappings = joined;
	mappings_sort(&core->mappings);
	return fits ? NULL : &error_no_memory;
}

static size_t peek(void *context, uint64_t address, void *buffer, size_t length)
{
	return reader_copy(context, address, buffer, length);
}

static struct error *find_modules(struct core *core, const struct target_options *options)
{
	struct reader reader;
	struct module_search search = {.mappings = &core->mappings,
				       .peek = {peek, &reader},
				       .program_headers = core->notes.program_headers,
				       .options = options,
				       .root = options->sysroot ? options->sysroot : "",
				       .pid = options->dumped,
				       .image = core->target->image};

	// A core that gcore wrote from outside of a chroot has the paths from outside.
	if (options->sysroot) {
		mappings_enter(&core->mappings, options->sysroot);
		proc_enter_link(options->sysroot, &core->mappings);
	}
	reader_init(&reader, core->target->image);
	return modules_find(&search, &core->target->modules);
}

/** Notes what is neither dumped nor in a file. */
static struct error *add_holes(struct core *core)
{
	struct image *image = core->target->image;
	struct error *err = NULL;

	for (size_t i = 0; i < core->mappings.count && !err; i++) {
		const struct mapping *mapping = &core->mappings.items[i];
		uint64_t start = mapping->start, end;

		while (!err && image_next_gap(image, start, mapping->end, &start, &end)) {
			err = image_add_hole(image, start, end, mapping->flags, "not dumped");
			start = end;
		}
	}
	return err;
}

/** Says what is missing of the core itself. */
static void report_damage(struct core *core)
{
	struct coverage *coverage = &core->target->coverage;

	if (core->source.not_kept)
		coverage_add(coverage, PROBLEM_PARTIAL, "core-not-kept", "%s",
			     core->source.not_kept);
	if (core->source.unfinished)
		coverage_add(coverage, PROBLEM_PARTIAL, "unpacked-in-part", "%s",
			     core->source.unfinished);
	if (core->whole_size == UINT64_MAX)
		coverage_add(coverage, PROBLEM_PARTIAL, "truncated-core",
			     "%s: truncated: it has %zu bytes; segments that are cut: %zu",
			     core->target->name, core->file.size, core->cut_segments);
	else if (core->whole_size > core->file.size)
		coverage_add(coverage, PROBLEM_PARTIAL, "truncated-core",
			     "%s: truncated: it has %zu of %llu bytes; segments that are cut: %zu",
			     core->target->name, core->file.size,
			     (unsigned long long)core->whole_size, core->cut_segments);
	else if (core->notes.damaged)
		coverage_add(coverage, PROBLEM_PARTIAL, "damaged-notes",
			     "%s: its notes are damaged: threads or files may be missing",
			     core->target->name);
}

/** Fills image and modules. */
static struct error *assemble(struct core *core, const struct target_options *options)
{
	struct image *image = core->target->image;
	struct error *err = join(core);

	if (!err)
		err = image_finish(image);
	if (!err)
		err = find_modules(core, options);
	if (!err)
		err = target_fill_from_files(core->target, &core->mappings);
	if (!err)
		err = image_finish(image);
	if (!err)
		err = add_holes(core);
	if (!err)
		err = image_finish(image);
	if (!err)
		modules_attach(core->target->modules, image);
	return err;
}

/**
 * gcore writes zeros for all of a mapping in which it cannot read one page. With glibc 2.42 and a
 * kernel that knows guard regions (MADV_GUARD_INSTALL) that is every stack but the first.
 */
static void look_for_stacks(struct target *target)
{
	enum { WORDS = 128 };
	size_t missing = 0;
	struct reader reader;

	reader_init(&reader, target->image);
	for (size_t i = 0; i < target->thread_count; i++) {
		struct target_thread *thread = &target->threads[i];
		uint64_t words[WORDS], used = 0;
		size_t size = reader_copy(&reader, thread->registers.rsp, words, sizeof(words));

		for (size_t j = 0; j < size / sizeof(*words); j++)
			used |= words[j];
		thread->stack_missing = size && !used;
		missing += thread->stack_missing;
	}
	if (missing)
		coverage_add(&target->coverage, PROBLEM_NOTE, "missing-stacks",
			     "%s: the stacks of %zu of %zu threads are all zeros in it, as gcore "
			     "leaves them with glibc 2.42 and later; a core of the kernel has them",
			     target->name, missing, target->thread_count);
}

/** Hands what the notes say over to the target. */
static void take_notes(struct core *core)
{
	struct target *target = core->target;
	struct core_notes *notes = &core->notes;

	target->pid = notes->pid;
	target->signal = notes->signal;
	// That of another signal tells nothing of this one.
	if (notes->siginfo.si_signo == notes->signal)
		target->siginfo = notes->siginfo;
	target->command = notes->command;
	target->threads = notes->threads;
	target->thread_count = notes->thread_count;
	target->mappings = core->mappings;
	core->mappings = (struct mappings){0};
	notes->command = NULL;
	notes->threads = NULL;
}

/** Nothing of the process is in it, perhaps because it could not be unpacked. */
static struct error *no_memory(const struct core *core)
{
	const char *name = core->target->name;

	if (core->source.unfinished)
		return error_create(ERROR_GENERAL, "%s: there is no memory in it",
				    core->source.unfinished);
	return error_create(ERROR_GENERAL, "%s: %s", name,
			    core->whole_size > core->file.size
				    ? "truncated: there is no memory in it"
				    : "there is no memory in it");
}

/** Maps the file, or what is unpacked of it. */
static struct error *open_file(struct core *core, const char *path,
			       const struct target_options *options)
{
	struct target *target = core->target;
	struct error *err = core_file_open(path, options->keep, options->progress, &core->source);
	struct stat status;

	if (err)
		return err;
	core->file = target->private->core = core->source.view;
	if (!fstat(core->source.fd, &status))
		target->private->core_written = status.st_mtim;
	target->size = core->file.size;
	target->compression = core->source.format;
	if (options->keep && !core->source.not_kept) {
		free(target->name);
		target->name = strdup(options->keep);
		if (!target->name)
			return &error_no_memory;
	}
	core->source.format = NULL;
	err = image_own(target->image->private, (void *)core->file.data, core->file.size);
	return err ? err : check_header(core, target->name);
}

struct error *target_open_core(const char *path, const struct target_options *options,
			       struct target **target)
{
	static const struct target_options defaults;
	__attribute__((cleanup(core_clear))) struct core core = {.source = {.fd = -1}};
	struct error *err;

	if (!options)
		options = &defaults;
	core.target = target_create(TARGET_CORE, core_file_name(path));
	if (!core.target)
		return &error_no_memory;
	err = open_file(&core, path, options);
	if (err)
		return err;
	count_programs(&core);
	err = read_programs(&core);
	if (err)
		return err;
	if (!core.target->image->segment_count)
		return no_memory(&core);
	err = assemble(&core, options);
	if (err)
		return err;
	take_notes(&core);
	report_damage(&core);
	core.target->private->core_fd = core.source.fd;
	core.source.fd = -1;
	look_for_stacks(core.target);
	*target = core.target;
	core.target = NULL;
	return NULL;
}
