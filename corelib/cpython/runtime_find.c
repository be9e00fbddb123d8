/*
 * Where is _PyRuntime? It is an exported data symbol of every CPython since 3.7, in the executable
 * or in libpython. If no file with symbols is at hand, 3.13 and later are known by the cookie that
 * starts it, and earlier ones by their shape.
 */
#include "cpython/runtime_private.h"

#include <elf.h>
#include <inttypes.h>

static const char cookie[8] = {'x', 'd', 'e', 'b', 'u', 'g', 'p', 'y'};

/* The cookie stands at the start of _PyRuntime, and the version behind it (pycore_debug_offsets.h).
 */
static uint64_t scan_segment(const struct segment *segment, struct reader *reader)
{
	enum { STEP = 1 << 20 };

	for (uint64_t at = segment->start; at < segment->end; at += STEP) {
		uint64_t length = segment->end - at < STEP ? segment->end - at : STEP;
		const uint8_t *bytes = reader_at(reader, at, length);

		for (uint64_t i = 0; bytes && i + 16 <= length; i += 8)
			if (!memcmp(bytes + i, cookie, sizeof(cookie)) && bytes[i + 11] == 3)
				return at + i;
	}
	return 0;
}

/* _PyRuntime is in the data of a module; where no module is known, in a range of a module's size.
 */
static bool may_hold_runtime(const struct target *target, const struct segment *segment)
{
	const struct modules *modules = target->modules;

	if (!(segment->flags & PF_W))
		return false;
	if (!modules || !modules->count)
		return segment->end - segment->start <= 64 << 20;
	for (size_t i = 0; i < modules->count; i++)
		if (segment->start < modules->items[i].end &&
		    modules->items[i].start < segment->end)
			return true;
	return false;
}

static uint64_t scan_image(const struct target *target, struct reader *reader)
{
	for (size_t i = 0; i < target->image->segment_count; i++) {
		const struct segment *segment = &target->image->segments[i];
		uint64_t found;

		if (!may_hold_runtime(target, segment))
			continue;
		found = scan_segment(segment, reader);
		if (found)
			return found;
	}
	return 0;
}

/* Says what the process is instead. */
static struct error *not_found(struct runtime *runtime)
{
	struct modules *modules = runtime->target->modules;
	struct symbol symbol;
	const char *name = runtime->target->name;

	if (modules && modules_symbol(modules, "Py_GetVersion", &symbol))
		return error_create(
			ERROR_NOT_PYTHON,
			"%s: a Python without _PyRuntime in %s: CPython older than 3.7, or "
			"another implementation; 3.8 to 3.15 are supported",
			name, symbol.module->path);
	if (!modules || !modules->count)
		return error_create(ERROR_NOT_PYTHON,
				    "%s: no CPython found: no loaded file is known, and nothing in "
				    "memory looks like the runtime of CPython 3.13 or later",
				    name);
	for (size_t i = 0; i < modules->count; i++) {
		const struct module *module = &modules->items[i];

		if (strstr(module->path, "python") && (module->status == MODULE_FILE_MISSING ||
						       module->status == MODULE_FILE_MISMATCH))
			return error_create(
				ERROR_NOT_PYTHON,
				"%s: cannot find _PyRuntime: %s is %s (give it with --executable "
				"or --sysroot)",
				name, module->path,
				module->status == MODULE_FILE_MISSING ? "not on this machine"
								      : "another build here");
	}
	return error_create(ERROR_NOT_PYTHON,
			    "%s: not a CPython process: none of its %zu modules defines _PyRuntime",
			    name, modules->count);
}

struct error *runtime_find(struct runtime *runtime, struct reader *reader, uint64_t *size)
{
	struct target *target = runtime->target;
	struct symbol symbol;

	*size = 0;
	if (target->modules && modules_symbol(target->modules, "_PyRuntime", &symbol)) {
		runtime->address = symbol.address;
		runtime->module = symbol.module;
		*size = symbol.size;
		return NULL;
	}
	runtime->address = target->runtime_hint;
	if (!runtime->address)
		runtime->address = scan_image(target, reader);
	if (!runtime->address && runtime_find_shape(runtime, reader))
		return NULL;
	if (!runtime->types)
		return &error_no_memory;
	if (!runtime->address)
		return not_found(runtime);
	if (target->modules)
		runtime->module = modules_at(target->modules, runtime->address);
	return NULL;
}
