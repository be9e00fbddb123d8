/*
 * _PyRuntime without a symbol, before 3.13: by its shape. It holds the list of interpreters and,
 * in the next words, the main one, whose id is 0 and whose threads point back at it, and the id
 * that the next one will get (struct pyinterpreters, the same in 3.8 to 3.12). What looks like one
 * is read with that release's layout, lists and types included, and has to say of itself, in
 * sys.version, that it is of that release.
 */
#include "cpython/runtime_private.h"

#include <elf.h>
#include <stdio.h>

/** The static data of all that CPython was ever linked into is less: the rest is another's. */
static const uint64_t SCAN_MAX = 64 << 20;

/** Forged memory can hold any number of what looks like interpreters: a real one has one. */
enum { WORD = sizeof(uint64_t), ADDRESS_BITS = 47, TRIES_MAX = 64, IDS_MAX = 1 << 20 };

static bool is_pointer(uint64_t word)
{
	return word >= 0x1000 && !(word & 7) && !(word >> ADDRESS_BITS);
}

/** Is there a main interpreter with a thread behind this pointer? */
static bool is_interpreter(const struct layout *layout, struct reader *reader, uint64_t address)
{
	uint64_t id, thread, interpreter, next;

	return reader_u64(reader, address + layout->PyInterpreterState_id, &id) && !id &&
	       reader_u64(reader, address + layout->PyInterpreterState_next, &next) && !next &&
	       reader_u64(reader, address + layout->PyInterpreterState_threads_head, &thread) &&
	       is_pointer(thread) &&
	       reader_u64(reader, thread + layout->PyThreadState_interp, &interpreter) &&
	       interpreter == address;
}

/** Does the process say that it is of the layout's release? */
static bool is_runtime(struct runtime *runtime, struct reader *reader, const struct layout_row *row,
		       uint64_t address)
{
	uint64_t sysdict, version;
	unsigned minor;
	struct error *err;
	char text[16] = "";

	runtime->address = address;
	runtime->layout = row->layout;
	err = interpreters_read(runtime, reader);
	if (!err) {
		sysdict = runtime->interpreters[0].sysdict;
		version = sysdict ? dict_find(runtime, reader, sysdict, "version") : 0;
		// A longer text is cut, which does not matter here.
		if (version && object_is_str(runtime, reader, version))
			object_str(runtime, reader, version, text, sizeof(text));
	}
	// What was decoded of types was a trial.
	type_cache_destroy(runtime->types);
	runtime->types = type_cache_create(runtime);
	if (err) {
		error_free(err);
		return false;
	}
	return runtime->types && sscanf(text, "3.%u", &minor) == 1 &&
	       minor == (row->hexversion >> 16 & 0xff);
}

/** Looks at every word of a range for the pair of interpreters. */
static bool scan(struct runtime *runtime, struct reader *reader, const struct layout_row *row,
		 uint64_t start, uint64_t end)
{
	uint32_t head = row->layout.PyRuntime_interpreters_head;
	uint64_t words[3]; // head, main, next_id
	unsigned tries = 0;

	end = end - start < SCAN_MAX ? end : start + SCAN_MAX;
	for (uint64_t at = start;
	     runtime->types && tries < TRIES_MAX && at + head + sizeof(words) <= end; at += WORD) {
		const uint8_t *bytes = reader_at(reader, at + head, sizeof(words));

		if (!bytes)
			continue;
		memcpy(words, bytes, sizeof(words));
		if (!is_pointer(words[0]) || !is_pointer(words[1]) || !words[2] ||
		    words[2] > IDS_MAX || !is_interpreter(&row->layout, reader, words[1]))
			continue;
		if (is_runtime(runtime, reader, row, at))
			return true;
		tries++;
	}
	return false;
}

/** The module in whose data, or in the .bss behind it, a range is. */
static const struct module *module_near(const struct modules *modules,
					const struct segment *segment)
{
	for (size_t i = 0; modules && i < modules->count; i++)
		if (segment->start <= modules->items[i].end &&
		    modules->items[i].start < segment->end)
			return &modules->items[i];
	return NULL;
}

bool runtime_find_shape(struct runtime *runtime, struct reader *reader)
{
	const struct target *target = runtime->target;

	for (size_t k = 0; k < layout_row_count; k++) {
		const struct layout_row *row = &layout_rows[k];

		if (layout_has(row->layout.DebugOffsets_cookie))
			continue;
		for (size_t i = 0; i < target->image->segment_count; i++) {
			const struct segment *segment = &target->image->segments[i];
			const struct module *module = module_near(target->modules, segment);

			if (!(segment->flags & PF_W) || !module ||
			    !scan(runtime, reader, row, segment->start, segment->end))
				continue;
			runtime->module = module;
			runtime->hexversion = row->hexversion & 0xffff0000;
			runtime->version_source = "sys.version; _PyRuntime by its shape in memory";
			return true;
		}
	}
	runtime->address = 0;
	return false;
}
