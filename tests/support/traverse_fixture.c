/* Making objects by the layout at hand, and looking at what the traverser makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/traverse_fixture.h"

#include <inttypes.h>

enum { WORD = 8, TABLE_SLOTS = 8, TABLE_ENTRIES = 5, MEMBER_OBJECT_EX = 16 };

/*
 * The process
 */

/* sys.modules = {"_frozen_importlib": module with a class ModuleSpec} */
static void make_importlib(struct fixture *fixture)
{
	uint64_t module_type = fixture_static_type(fixture, "module", 96);
	uint64_t module = fixture_object(fixture, module_type, 96);
	uint64_t names = fake_str(fixture->fake, "ModuleSpec");
	uint64_t class = fixture_class(fixture, "ModuleSpec", 0, 0, 16);
	uint64_t modules;

	fixture_put(fixture, module, fixture->layout->PyModuleObject_md_dict,
		    fixture_dict(fixture, TABLE_UNICODE, &names, &class, 1));
	names = fake_str(fixture->fake, "_frozen_importlib");
	modules = fixture_dict(fixture, TABLE_UNICODE, &names, &module, 1);
	fake_put64(fixture->fake,
		   fake_interpreter(fixture->fake) + fixture->layout->PyInterpreterState_modules,
		   modules);
}

void fixture_open(struct fixture *fixture, const struct layout_row *row)
{
	struct error *err;

	*fixture = (struct fixture){.row = row, .layout = &row->layout};
	fixture->fake = fake_create(row);
	fixture->next_traverse = FIXTURE_SUBTYPE_TRAVERSE + 16;
	fixture->object_type = fake_type(fixture->fake, "object", 0, 16, 0);
	fixture->int_type = fake_type(fixture->fake, "int", TPFLAGS_LONG_SUBCLASS, 32, 0);
	make_importlib(fixture);
	err = runtime_open(fake_target(fixture->fake), &fixture->runtime);
	if (err)
		fail_msg("%s: %s", row->name, err->message);
	fixture->traverser = traverser_create(fixture->runtime);
	assert_non_null(fixture->traverser);
	reader_init(&fixture->reader, fake_target(fixture->fake)->image);
}

void fixture_close(struct fixture *fixture)
{
	traverser_destroy(fixture->traverser);
	runtime_close(fixture->runtime);
	fake_destroy(fixture->fake);
}

void fixture_each_row(void (*test)(struct fixture *fixture))
{
	for (size_t i = 0; i < layout_row_count; i++) {
		struct fixture fixture;

		if (layout_rows[i].debug)
			continue;
		fixture_open(&fixture, &layout_rows[i]);
		test(&fixture);
		fixture_close(&fixture);
	}
}

/*
 * Types and objects
 */

void fixture_put(struct fixture *fixture, uint64_t object, uint32_t field, uint64_t value)
{
	if (!layout_has(field))
		fail_msg("%s has no such field", fixture->row->name);
	fake_put64(fixture->fake, object + field, value);
}

uint64_t fixture_object(struct fixture *fixture, uint64_t type, size_t size)
{
	return fake_object(fixture->fake, type, size, 1);
}

uint64_t fixture_target(struct fixture *fixture)
{
	return fixture_object(fixture, fixture->int_type, 32);
}

uint64_t fixture_static_type(struct fixture *fixture, const char *name, uint64_t basicsize)
{
	uint64_t type =
		fake_type(fixture->fake, name, TPFLAGS_HAVE_GC, basicsize, fixture->next_traverse);

	fixture->next_traverse += 16;
	fixture_put(fixture, type, fixture->layout->PyTypeObject_tp_base, fixture->object_type);
	return type;
}

uint64_t fixture_class(struct fixture *fixture, const char *name, uint64_t base, uint64_t flags,
		       uint64_t basicsize)
{
	uint64_t type = fake_type(fixture->fake, name, TPFLAGS_HEAPTYPE | TPFLAGS_HAVE_GC | flags,
				  basicsize, FIXTURE_SUBTYPE_TRAVERSE);

	fixture_put(fixture, type, fixture->layout->PyTypeObject_tp_base,
		    base ? base : fixture->object_type);
	return type;
}

void fixture_slots(struct fixture *fixture, uint64_t class, const uint64_t *offsets, size_t count)
{
	const struct layout *layout = fixture->layout;
	uint64_t members = class + layout->PyHeapTypeObject_size;

	/* fake_alloc() hands memory out in a row: the members come right behind the class. */
	assert_int_equal(fake_alloc(fixture->fake, count * layout->PyMemberDef_size) >= members, 1);
	fixture_put(fixture, class, layout->PyVarObject_ob_size, count);
	for (size_t i = 0; i < count; i++) {
		uint64_t member = members + i * layout->PyMemberDef_size;
		char name[2] = {(char)('a' + i), '\0'};

		fixture_put(fixture, member, layout->PyMemberDef_name,
			    fake_string(fixture->fake, name));
		fake_put32(fixture->fake, member + layout->PyMemberDef_type, MEMBER_OBJECT_EX);
		fixture_put(fixture, member, layout->PyMemberDef_offset, offsets[i]);
	}
}

/*
 * Dicts
 */

static uint64_t new_keys(struct fixture *fixture, enum fixture_table kind, size_t count,
			 size_t entry_size)
{
	const struct layout *layout = fixture->layout;
	uint64_t keys = fake_alloc(fixture->fake, layout->PyDictKeysObject_dk_indices +
							  TABLE_SLOTS + TABLE_ENTRIES * entry_size);

	fixture_put(fixture, keys, layout->PyDictKeysObject_dk_refcnt, kind == TABLE_SPLIT ? 2 : 1);
	if (layout_has(layout->PyDictKeysObject_dk_size)) {
		fixture_put(fixture, keys, layout->PyDictKeysObject_dk_size, TABLE_SLOTS);
	} else {
		fake_put8(fixture->fake, keys + layout->PyDictKeysObject_dk_log2_size, 3);
		fake_put8(fixture->fake, keys + layout->PyDictKeysObject_dk_log2_index_bytes, 3);
		fake_put8(fixture->fake, keys + layout->PyDictKeysObject_dk_kind, (uint8_t)kind);
	}
	fixture_put(fixture, keys, layout->PyDictKeysObject_dk_usable, TABLE_ENTRIES - count);
	fixture_put(fixture, keys, layout->PyDictKeysObject_dk_nentries, count);
	return keys;
}

uint64_t fixture_keys(struct fixture *fixture, enum fixture_table kind, const uint64_t *keys,
		      const uint64_t *values, size_t count)
{
	bool three_words =
		kind == TABLE_GENERAL || layout_has(fixture->layout->PyDictKeysObject_dk_size);
	size_t entry_size = three_words ? 24 : 16;
	uint64_t table, entry;

	assert_true(count <= TABLE_ENTRIES);
	table = new_keys(fixture, kind, count, entry_size);
	entry = table + fixture->layout->PyDictKeysObject_dk_indices + TABLE_SLOTS;
	for (size_t i = 0; i < count; i++, entry += entry_size) {
		fake_put64(fixture->fake, entry + entry_size - 16, keys[i]);
		fake_put64(fixture->fake, entry + entry_size - 8, values ? values[i] : 0);
	}
	return table;
}

/* The array of values: a header in front where the release has one. */
static uint64_t new_values(struct fixture *fixture, const uint64_t *values, size_t count)
{
	const struct layout *layout = fixture->layout;
	uint64_t array = fake_alloc(fixture->fake, 16 + TABLE_ENTRIES * WORD);
	uint64_t first = array;

	if (layout_has(layout->PyDictValues_values))
		first += layout->PyDictValues_values;
	if (layout_has(layout->PyDictValues_capacity))
		fake_put8(fixture->fake, array + layout->PyDictValues_capacity, TABLE_ENTRIES);
	for (size_t i = 0; i < count; i++)
		fake_put64(fixture->fake, first + i * WORD, values[i]);
	return array;
}

uint64_t fixture_dict(struct fixture *fixture, enum fixture_table kind, const uint64_t *keys,
		      const uint64_t *values, size_t count)
{
	const struct layout *layout = fixture->layout;
	uint64_t dict = fixture_object(fixture, fixture->object_type, layout->PyDictObject_size);
	bool split = kind == TABLE_SPLIT;

	fixture_put(fixture, dict, layout->PyDictObject_ma_used, count);
	fixture_put(fixture, dict, layout->PyDictObject_ma_keys,
		    fixture_keys(fixture, kind, keys, split ? NULL : values, count));
	if (split)
		fixture_put(fixture, dict, layout->PyDictObject_ma_values,
			    new_values(fixture, values, count));
	return dict;
}

/*
 * Expectations
 */

static const struct type *type_of(struct fixture *fixture, uint64_t object)
{
	struct object_header header;
	const struct type *type;

	assert_true(object_header(fixture->runtime, &fixture->reader, object, &header));
	type = type_get(fixture->runtime->types, &fixture->reader, header.type);
	assert_non_null(type);
	return type;
}

void fixture_expect(struct fixture *fixture, uint64_t object, const uint64_t *targets, size_t count)
{
	const struct type *type = type_of(fixture, object);
	const struct reference *found;
	enum traverse_result result;
	size_t found_count;

	result = traverse_object(fixture->traverser, object, type, &found, &found_count);
	if (result != TRAVERSE_EXACT)
		fail_msg("%s: %s gives result %d", fixture->row->name, type->name, (int)result);
	if (found_count != count)
		fail_msg("%s: %s visits %zu, not %zu", fixture->row->name, type->name, found_count,
			 count);
	for (size_t i = 0; i < count; i++) {
		if (found[i].target != targets[i])
			fail_msg("%s: %s visits 0x%" PRIx64 " as number %zu, not 0x%" PRIx64,
				 fixture->row->name, type->name, (uint64_t)found[i].target, i,
				 targets[i]);
		assert_int_equal(fake_get64(fixture->fake, found[i].slot) & ~UINT64_C(3),
				 found[i].target);
	}
}

void fixture_expect_result(struct fixture *fixture, uint64_t object, enum traverse_result expected)
{
	const struct type *type = type_of(fixture, object);
	const struct reference *found;
	enum traverse_result result;
	size_t found_count;

	result = traverse_object(fixture->traverser, object, type, &found, &found_count);
	if (result != expected || found_count)
		fail_msg("%s: %s gives result %d and %zu references", fixture->row->name,
			 type->name, (int)result, found_count);
}

void fixture_expect_label(struct fixture *fixture, uint64_t object, size_t i, enum edge_kind kind,
			  const char *name)
{
	const struct type *type = type_of(fixture, object);
	const struct reference *found;
	struct edge_label label;
	size_t count;

	traverse_object(fixture->traverser, object, type, &found, &count);
	assert_true(i < count);
	edge_label(fixture->traverser, object, type, &found[i], &label);
	if (label.kind != kind || strcmp(label.name, name))
		fail_msg("%s: %s has edge %d '%s', not %d '%s'", fixture->row->name, type->name,
			 (int)label.kind, label.name, (int)kind, name);
}
