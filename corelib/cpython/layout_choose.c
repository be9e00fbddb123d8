/*
 * Which layout fits the process: a row of the same minor version, corrected by what the process
 * says in its _Py_DebugOffsets; else the debug information of the python module.
 */
#include "cpython/layout_dwarf.h"
#include "cpython/runtime_private.h"

static const char overlay_prefix[] = "DebugOffsets_";

static const struct layout_field *field_by_name(const char *name)
{
	for (size_t i = 0; i < layout_field_count; i++)
		if (!strcmp(layout_fields[i].name, name))
			return &layout_fields[i];
	return NULL;
}

/*
 * Takes over every fact that the process's own table states. @return false if the table contradicts
 * the row in the size of a struct of which the table does not name all members: the row is of
 * another build.
 */
static bool overlay(struct runtime *runtime, struct reader *reader)
{
	struct layout *layout = &runtime->layout;
	uint32_t type_size = layout->PyTypeObject_size;

	if (!layout_has(layout->DebugOffsets_cookie))
		return true;
	for (size_t i = 0; i < layout_field_count; i++) {
		const struct layout_field *fact = &layout_fields[i], *real;
		uint32_t offset = *layout_value(layout, fact);
		uint64_t value;

		if (strncmp(fact->name, overlay_prefix, sizeof(overlay_prefix) - 1) ||
		    !layout_has(offset))
			continue;
		real = field_by_name(fact->name + sizeof(overlay_prefix) - 1);
		if (!real)
			continue;
		/* What is not in the dump is missed, by name, when the interpreters are read. */
		if (!reader_u64(reader, runtime->address + offset, &value))
			return true;
		if (value >= INT32_MAX)
			return false;
		*layout_value(layout, real) = (uint32_t)value;
	}
	return layout->PyTypeObject_size == type_size;
}

/*
 * 3.14.0 to 3.14.4 collect incrementally: no pointer to generation 0, and 24 bytes less
 * (pycore_gc.h of those releases). The four lists, the statistics and the flags are where the later
 * ones have them.
 */
static void adapt_incremental(struct runtime *runtime, uint32_t row_gc_size)
{
	enum { INCREMENTAL_GC_SIZE = 240, VISITED_SPACE = 232 };
	struct layout *layout = &runtime->layout;

	if (!layout_has(layout->gc_heap_size) || layout->gc_size != INCREMENTAL_GC_SIZE ||
	    row_gc_size == INCREMENTAL_GC_SIZE)
		return;
	runtime->incremental_gc = true;
	layout->gc_generation0 = LAYOUT_ABSENT;
	layout->gc_visited_space = VISITED_SPACE;
}

static unsigned distance(uint32_t left, uint32_t right)
{
	/* A later row before an earlier one at the same distance never matters: micros are ordered.
	 */
	return left > right ? left - right : right - left;
}

/* The n-th nearest row of the runtime's minor version. */
static const struct layout_row *row_at(const struct runtime *runtime, unsigned n)
{
	const struct layout_row *best = NULL;
	unsigned last = 0;
	bool first = true;

	for (unsigned i = 0; i <= n; i++) {
		best = NULL;
		for (size_t k = 0; k < layout_row_count; k++) {
			const struct layout_row *row = &layout_rows[k];
			unsigned away = distance(row->hexversion, runtime->hexversion);

			if (row->hexversion >> 16 != runtime->hexversion >> 16)
				continue;
			if (!first && away <= last)
				continue;
			if (!best || away < distance(best->hexversion, runtime->hexversion))
				best = row;
		}
		if (!best)
			return NULL;
		last = distance(best->hexversion, runtime->hexversion);
		first = false;
	}
	return best;
}

/* Are the facts there without which nothing can be decoded? */
static bool is_usable(const struct layout *layout)
{
	return layout_has(layout->PyRuntime_interpreters_head) &&
	       layout_has(layout->PyInterpreterState_next) && layout_has(layout->gc_generations) &&
	       layout_has(layout->gc_permanent_generation) &&
	       layout_has(layout->PyObject_ob_type) &&
	       layout_has(layout->PyTypeObject_tp_traverse) && layout_has(layout->PyGC_Head_size) &&
	       layout_has(layout->PyDictObject_ma_keys);
}

static bool from_dwarf(struct runtime *runtime)
{
	struct modules *modules = runtime->target->modules;
	uint64_t bias;
	Dwarf *dwarf;

	if (!modules || !runtime->module)
		return false;
	dwarf = modules_dwarf(modules, runtime->module, &bias);
	if (!dwarf || !layout_from_dwarf(&dwarf, 1, &runtime->layout))
		return false;
	runtime->layout_source = "debug information (DWARF) of the python module";
	return is_usable(&runtime->layout);
}

bool layout_next(struct runtime *runtime, struct reader *reader, unsigned *attempt)
{
	const struct layout_row *row;

	while ((row = row_at(runtime, *attempt))) {
		(*attempt)++;
		runtime->layout = row->layout;
		runtime->layout_source = row->name;
		runtime->incremental_gc = false;
		if (overlay(runtime, reader)) {
			adapt_incremental(runtime, row->layout.gc_size);
			return true;
		}
	}
	if (*attempt == UINT32_MAX)
		return false;
	*attempt = UINT32_MAX;
	return from_dwarf(runtime) && overlay(runtime, reader);
}
