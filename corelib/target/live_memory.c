/*
 * Reads a live process with process_vm_readv, or through /proc/PID/mem where that is not allowed.
 * /proc/PID/pagemap tells which pages exist: pages that were never touched are zero, and reading
 * them would make us allocate what the process did not.
 */
#include "target/live_memory.h"
#include "target/file.h"
#include "target/module_private.h"
#include "target/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

/** Bits of a pagemap entry, see Documentation/admin-guide/mm/pagemap.rst of Linux. */
static const uint64_t PAGEMAP_PRESENT = 1ull << 63;
static const uint64_t PAGEMAP_SWAPPED = 1ull << 62;
static const uint64_t PAGEMAP_FILE = 1ull << 61;

/** Larger mappings are address space that was reserved, such as the shadow memory of a sanitizer.
 */
static const uint64_t MAPPING_MAX = 1ull << 40;

/** Pages looked up in the pagemap at once. */
enum { PAGEMAP_BATCH = FETCH_SIZE / TARGET_PAGE };

static int open_proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

struct error *live_memory_open(struct live_memory *memory, pid_t pid)
{
	struct error *err;

	*memory = (struct live_memory){.pid = pid, .memory = -1};
	memory->pagemap = open_proc(pid, "pagemap");
	err = proc_mappings(pid, &memory->mappings);
	if (!err)
		proc_enter_root(pid, &memory->mappings);
	return err;
}

void live_memory_close(struct live_memory *memory)
{
	file_close(&memory->memory);
	file_close(&memory->pagemap);
	mappings_clear(&memory->mappings);
}

/** Reads through /proc/PID/mem. */
static size_t read_file(struct live_memory *memory, uint64_t address, void *buffer, size_t length)
{
	ssize_t got;

	if (memory->memory < 0)
		memory->memory = open_proc(memory->pid, "mem");
	if (memory->memory < 0 || address > INT64_MAX)
		return 0;
	got = pread(memory->memory, buffer, length, (off_t)address);
	return got > 0 ? (size_t)got : 0;
}

size_t live_memory_read(void *context, uint64_t address, void *buffer, size_t length)
{
	struct live_memory *memory = context;
	struct iovec local = {buffer, length}, remote = {(void *)address, length};
	ssize_t got;

	if (memory->memory >= 0)
		return read_file(memory, address, buffer, length);
	got = process_vm_readv(memory->pid, &local, 1, &remote, 1, 0);
	if (got >= 0)
		return got;
	if (errno == ESRCH)
		memory->gone = true;
	// A seccomp filter, as containers have it, may forbid the call but not the file.
	if (errno == ENOSYS || errno == EPERM)
		return read_file(memory, address, buffer, length);
	return 0;
}

/** Reads the pagemap entries of `count` pages. */
static bool read_pagemap(const struct live_memory *memory, uint64_t address, uint64_t *entries,
			 size_t count)
{
	return memory->pagemap >= 0 && pread(memory->pagemap, entries, count * sizeof(*entries),
					     (off_t)(address / TARGET_PAGE * sizeof(*entries))) ==
					       (ssize_t)(count * sizeof(*entries));
}

/** Do pages that do not exist hold zeros? */
static bool is_private_anonymous(const struct mapping *mapping)
{
	if (!mapping || mapping->shared || mapping->inode)
		return false;
	return !mapping->path || (mapping->path[0] == '[' && strcmp(mapping->path, "[vdso]"));
}

static bool exists(uint64_t entry)
{
	return entry & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED);
}

/** Fetches the pages that exist. */
static bool fetch_existing(struct live_memory *memory, uint64_t address, uint8_t *buffer,
			   const uint64_t *entries, size_t pages)
{
	for (size_t page = 0; page < pages;) {
		size_t offset = page * TARGET_PAGE, size;

		if (!exists(entries[page])) {
			page++;
			continue;
		}
		while (page < pages && exists(entries[page]))
			page++;
		size = page * TARGET_PAGE - offset;
		// Faulting in a huge page at once takes a third of the time of its small ones.
		if (size == FETCH_SIZE && (uintptr_t)buffer % FETCH_SIZE == 0)
			madvise(buffer, size, MADV_HUGEPAGE);
		if (live_memory_read(memory, address + offset, buffer + offset, size) != size)
			return false;
	}
	return true;
}

bool live_memory_fetch(void *context, uint64_t address, void *buffer, size_t length)
{
	struct live_memory *memory = context;
	uint64_t entries[PAGEMAP_BATCH];
	size_t pages = length / TARGET_PAGE;

	if (length % TARGET_PAGE || pages > PAGEMAP_BATCH ||
	    !is_private_anonymous(mappings_at(&memory->mappings, address)) ||
	    !read_pagemap(memory, address, entries, pages))
		return live_memory_read(memory, address, buffer, length) == length;
	return fetch_existing(memory, address, buffer, entries, pages);
}

bool live_memory_is_written(const struct live_memory *memory, const struct mapping *mapping)
{
	uint64_t entries[PAGEMAP_BATCH];
	uint64_t address = mapping->start;

	while (address < mapping->end) {
		size_t pages = (mapping->end - address) / TARGET_PAGE;

		if (pages > PAGEMAP_BATCH)
			pages = PAGEMAP_BATCH;
		if (!read_pagemap(memory, address, entries, pages))
			return true;
		for (size_t i = 0; i < pages; i++)
			if (entries[i] & PAGEMAP_SWAPPED ||
			    (entries[i] & PAGEMAP_PRESENT && !(entries[i] & PAGEMAP_FILE)))
				return true;
		address += pages * TARGET_PAGE;
	}
	return false;
}

/** Why memory is never read, or NULL if it is. The kernel leaves out of a core what we leave out
 * here. */
static const char *unreadable(const struct mapping *mapping)
{
	static const char *const shared_memory[] = {"/dev/zero", "/dev/shm/", "/SYSV", "/memfd:"};
	const char *path = mapping->path;

	if (!(mapping->flags & PF_R))
		return "not readable";
	if (mapping->start >= (uint64_t)1 << 47)
		return "kernel page";
	if (mapping->end - mapping->start > MAPPING_MAX)
		return "reserved address space";
	if (!path || (path[0] == '[' && strncmp(path, "[vvar", 5)))
		return NULL;
	if (path[0] == '[')
		return "kernel page";
	for (size_t i = 0; i < sizeof(shared_memory) / sizeof(*shared_memory); i++)
		if (!strncmp(path, shared_memory[i], strlen(shared_memory[i])))
			return mapping->shared && !mapping->deleted ? "shared file" : NULL;
	if (path[0] != '/' || !strncmp(path, "/dev/", 5))
		return "device";
	return mapping->shared ? "shared file" : NULL;
}

/** Adds a mapping of a file that is not shared. */
static struct error *add_file(struct live_memory *memory, struct target *target,
			      const struct mapping *mapping)
{
	const struct module *module = modules_at(target->modules, mapping->start);
	bool written = live_memory_is_written(memory, mapping);
	struct elf_view bytes;

	if (module && strcmp(module->path, mapping->path))
		module = NULL;
	if (!module && !written)
		return image_add_hole(target->image, mapping->start, mapping->end, mapping->flags,
				      "data file, not changed");
	if (module && !written && !(mapping->flags & PF_W)) {
		bytes = module_file_bytes(module_state(target->modules, module), mapping,
					  mapping->start, mapping->end);
		if (bytes.size == mapping->end - mapping->start)
			return image_add(target->image, mapping->start, bytes.size, bytes.data,
					 mapping->flags, SEGMENT_FILE);
	}
	return image_add_lazy(target->image, mapping->start, mapping->end - mapping->start,
			      mapping->flags, SEGMENT_LIVE);
}

/** Where the next window with a page that exists begins, and where such windows end. */
static uint64_t next_existing(struct live_memory *memory, uint64_t at, uint64_t end, bool wanted)
{
	uint64_t entries[PAGEMAP_BATCH];

	while (at < end) {
		uint64_t next = (at & ~(uint64_t)(FETCH_SIZE - 1)) + FETCH_SIZE;
		size_t pages, found = 0;

		if (next > end)
			next = end;
		pages = (next - at) / TARGET_PAGE;
		if (!read_pagemap(memory, at, entries, pages))
			return wanted ? at : end;
		while (found < pages && !exists(entries[found]))
			found++;
		if ((found < pages) == wanted)
			return at;
		at = next;
	}
	return end;
}

/**
 * Adds anonymous memory. Of large mappings, most is address space that was reserved and never
 * written: only the windows of it that hold a page become ranges.
 */
static struct error *add_anonymous(struct live_memory *memory, struct target *target,
				   const struct mapping *mapping)
{
	static const uint64_t sparse_min = 64 << 20;
	uint64_t at = mapping->start;
	struct error *err = NULL;

	if (mapping->end - mapping->start < sparse_min || !is_private_anonymous(mapping))
		return image_add_lazy(target->image, mapping->start, mapping->end - mapping->start,
				      mapping->flags, SEGMENT_LIVE);
	while (!err && at < mapping->end) {
		uint64_t start = next_existing(memory, at, mapping->end, true);
		uint64_t end = next_existing(memory, start, mapping->end, false);

		err = image_add_hole(target->image, at, start, mapping->flags, hole_never_written);
		if (!err && start < end)
			err = image_add_lazy(target->image, start, end - start, mapping->flags,
					     SEGMENT_LIVE);
		at = end;
	}
	return err;
}

struct error *live_memory_add(struct live_memory *memory, struct target *target)
{
	struct error *err = NULL;

	for (size_t i = 0; i < memory->mappings.count && !err; i++) {
		const struct mapping *mapping = &memory->mappings.items[i];
		const char *reason = unreadable(mapping);

		if (reason)
			err = image_add_hole(target->image, mapping->start, mapping->end,
					     mapping->flags, reason);
		else if (mapping->path && mapping_path_is_file(mapping->path))
			err = add_file(memory, target, mapping);
		else
			err = add_anonymous(memory, target, mapping);
	}
	return err;
}
