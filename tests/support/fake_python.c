/* Lays out the least of a CPython process that runtime_open() accepts. */
#include "support/fake_python.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>

enum { MEMORY_SIZE = 8 << 20, PRESIZE = 32 };

static const uint64_t memory_base = UINT64_C(0x7f1200000000);

struct fake_python {
	const struct layout *layout;
	const struct layout_row *row;
	uint8_t *memory;
	uint64_t used;
	uint64_t runtime, interpreter, gc, metatype, str_type;
	struct target target;
	struct module module;
	struct modules modules;
	char module_path[64];
};

static uint8_t *host(struct fake_python *fake, uint64_t address, size_t size)
{
	uint64_t offset = address - memory_base;

	if (offset > MEMORY_SIZE || size > MEMORY_SIZE - offset)
		abort();
	return fake->memory + offset;
}

uint64_t fake_alloc(struct fake_python *fake, size_t size)
{
	uint64_t address = memory_base + fake->used;

	size = (size + 15) & ~(size_t)15;
	if (size > MEMORY_SIZE - fake->used)
		abort();
	fake->used += size;
	return address;
}

void fake_put64(struct fake_python *fake, uint64_t address, uint64_t value)
{
	memcpy(host(fake, address, 8), &value, 8);
}

void fake_put32(struct fake_python *fake, uint64_t address, uint32_t value)
{
	memcpy(host(fake, address, 4), &value, 4);
}

void fake_put8(struct fake_python *fake, uint64_t address, uint8_t value)
{
	*host(fake, address, 1) = value;
}

uint64_t fake_get64(struct fake_python *fake, uint64_t address)
{
	uint64_t value;

	memcpy(&value, host(fake, address, 8), 8);
	return value;
}

uint64_t fake_string(struct fake_python *fake, const char *text)
{
	size_t size = strlen(text) + 1;
	uint64_t address = fake_alloc(fake, size);

	memcpy(host(fake, address, size), text, size);
	return address;
}

uint64_t fake_object(struct fake_python *fake, uint64_t type, size_t size, int64_t refcount)
{
	uint64_t object = fake_alloc(fake, PRESIZE + size) + PRESIZE;

	fake_put64(fake, object + fake->layout->PyObject_ob_refcnt, (uint64_t)refcount);
	fake_put64(fake, object + fake->layout->PyObject_ob_type, type);
	return object;
}

uint64_t fake_type(struct fake_python *fake, const char *name, uint64_t flags, uint64_t basicsize,
		   uint64_t traverse)
{
	const struct layout *layout = fake->layout;
	uint64_t type = fake_object(fake, fake->metatype, layout->PyHeapTypeObject_size, 1);

	if (!fake->metatype)
		fake_put64(fake, type + layout->PyObject_ob_type, type);
	fake_put64(fake, type + layout->PyTypeObject_tp_name, fake_string(fake, name));
	fake_put64(fake, type + layout->PyTypeObject_tp_flags, flags);
	fake_put64(fake, type + layout->PyTypeObject_tp_basicsize, basicsize);
	fake_put64(fake, type + layout->PyTypeObject_tp_traverse, traverse);
	return type;
}

uint64_t fake_str(struct fake_python *fake, const char *text)
{
	const struct layout *layout = fake->layout;
	size_t length = strlen(text);
	uint64_t object =
		fake_object(fake, fake->str_type, layout->PyASCIIObject_size + length + 1, 1);
	uint32_t base = layout->PyASCIIObject_state * 8;

	fake_put64(fake, object + layout->PyASCIIObject_length, length);
	fake_put32(fake, object + layout->PyASCIIObject_state,
		   1u << (layout->PyASCIIObject_kind - base) |
			   1u << (layout->PyASCIIObject_compact - base) |
			   1u << (layout->PyASCIIObject_ascii - base));
	memcpy(host(fake, object + layout->PyASCIIObject_size, length + 1), text, length + 1);
	return object;
}

uint64_t fake_list(struct fake_python *fake, int generation)
{
	const struct layout *layout = fake->layout;

	if (generation == GENERATION_PERMANENT)
		return fake->gc + layout->gc_permanent_generation;
	return fake->gc + layout->gc_generations +
	       (uint64_t)generation * layout->gc_generation_size;
}

uint64_t fake_gc(struct fake_python *fake)
{
	return fake->gc;
}

uint64_t fake_interpreter(struct fake_python *fake)
{
	return fake->interpreter;
}

uint64_t fake_runtime(struct fake_python *fake)
{
	return fake->runtime;
}

void fake_track(struct fake_python *fake, uint64_t object, int generation)
{
	const struct layout *layout = fake->layout;
	uint64_t head = fake_list(fake, generation), node = object - layout->PyGC_Head_size;
	uint64_t last = fake_get64(fake, head + layout->PyGC_Head__gc_prev);

	fake_put64(fake, last + layout->PyGC_Head__gc_next, node);
	fake_put64(fake, node + layout->PyGC_Head__gc_prev, last);
	fake_put64(fake, node + layout->PyGC_Head__gc_next, head);
	fake_put64(fake, head + layout->PyGC_Head__gc_prev, node);
}

/* The process's own table of offsets (3.13+), as the row has them. */
static void write_debug_offsets(struct fake_python *fake)
{
	static const char prefix[] = "DebugOffsets_";
	struct layout layout = *fake->layout;

	if (!layout_has(layout.DebugOffsets_cookie))
		return;
	for (size_t i = 0; i < layout_field_count; i++)
		for (size_t k = 0; k < layout_field_count; k++)
			if (!strncmp(layout_fields[i].name, prefix, sizeof(prefix) - 1) &&
			    !strcmp(layout_fields[i].name + sizeof(prefix) - 1,
				    layout_fields[k].name))
				fake_put64(fake,
					   fake->runtime +
						   *layout_value(&layout, &layout_fields[i]),
					   *layout_value(&layout, &layout_fields[k]));
	memcpy(host(fake, fake->runtime, 8), "xdebugpy", 8);
	fake_put64(fake, fake->runtime + layout.DebugOffsets_version, fake->row->hexversion);
}

static void write_lists(struct fake_python *fake)
{
	const struct layout *layout = fake->layout;

	for (int i = 0; i < GENERATION_LISTS; i++) {
		uint64_t head = fake_list(fake, i);

		fake_put64(fake, head + layout->PyGC_Head__gc_next, head);
		fake_put64(fake, head + layout->PyGC_Head__gc_prev, head);
	}
	if (layout_has(layout->gc_generation0))
		fake_put64(fake, fake->gc + layout->gc_generation0, fake_list(fake, 0));
}

struct fake_python *fake_create(const struct layout_row *row)
{
	struct fake_python *fake = calloc(1, sizeof(*fake));
	const struct layout *layout = &row->layout;

	if (!fake || !(fake->memory = calloc(1, MEMORY_SIZE)))
		abort();
	fake->row = row;
	fake->layout = layout;
	fake->runtime = fake_alloc(fake, layout->PyRuntime_size);
	fake->interpreter = fake_alloc(fake, layout->PyInterpreterState_size);
	fake_put64(fake, fake->runtime + layout->PyRuntime_interpreters_head, fake->interpreter);
	fake->gc = layout_has(layout->PyRuntime_gc)
			   ? fake->runtime + layout->PyRuntime_gc
			   : fake->interpreter + layout->PyInterpreterState_gc;
	write_debug_offsets(fake);
	write_lists(fake);
	fake->metatype = fake_type(fake, "type", TPFLAGS_TYPE_SUBCLASS | TPFLAGS_HAVE_GC,
				   layout->PyHeapTypeObject_size, 0);
	fake->str_type = fake_type(fake, "str", TPFLAGS_UNICODE_SUBCLASS,
				   layout->PyCompactUnicodeObject_size, 0);
	return fake;
}

struct target *fake_target(struct fake_python *fake)
{
	struct target *target = &fake->target;
	struct error *err;

	if (target->image)
		return target;
	target->name = "fake";
	target->runtime_hint = fake->runtime;
	target->image = image_create();
	err = image_add(target->image, memory_base, MEMORY_SIZE, fake->memory, PF_R | PF_W,
			SEGMENT_CORE);
	if (!err)
		err = image_finish(target->image);
	if (err)
		abort();
	snprintf(fake->module_path, sizeof(fake->module_path), "/usr/lib/libpython3.%u.so.1.0",
		 fake->row->hexversion >> 16 & 0xff);
	fake->module = (struct module){.path = fake->module_path,
				       .start = memory_base,
				       .end = memory_base + MEMORY_SIZE,
				       .status = MODULE_FILE_MISSING};
	fake->modules = (struct modules){.items = &fake->module, .count = 1};
	target->modules = &fake->modules;
	return target;
}

void fake_destroy(struct fake_python *fake)
{
	coverage_clear(&fake->target.coverage);
	image_destroy(fake->target.image);
	free(fake->memory);
	free(fake);
}
