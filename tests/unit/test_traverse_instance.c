/*
 * Instances of Python classes on every layout row: __slots__ of a class and its bases, the __dict__
 * wherever the release keeps it, the class, and the part that a builtin base traverses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/traverse_fixture.h"

/* Own slots first, then those of the base class, then the class. */
static void check_slots(struct fixture *fixture)
{
	const uint64_t base_offsets[] = {16}, offsets[] = {24, 32};
	uint64_t base = fixture_class(fixture, "Base", 0, 0, 24), class, object;
	uint64_t a = fixture_target(fixture), b = fixture_target(fixture);

	fixture_slots(fixture, base, base_offsets, 1);
	class = fixture_class(fixture, "Class", base, 0, 40);
	fixture_slots(fixture, class, offsets, 2);
	object = fixture_object(fixture, class, 40);
	fake_put64(fixture->fake, object + 16, a);
	fake_put64(fixture->fake, object + 32, b);
	EXPECT(fixture, object, b, a, class);
	fixture_expect_label(fixture, object, 0, EDGE_ATTRIBUTE, "b");
	fixture_expect_label(fixture, object, 1, EDGE_ATTRIBUTE, "a");
	fixture_expect_label(fixture, object, 2, EDGE_TYPE, "__class__");
}

/* A slot outside of the object: the type is damaged, and with it all its objects. */
static void check_damaged_slots(struct fixture *fixture)
{
	const uint64_t offsets[] = {24}, negative[] = {(uint64_t)-8};
	uint64_t class = fixture_class(fixture, "Outside", 0, 0, 24);

	fixture_slots(fixture, class, offsets, 1);
	fixture_expect_result(fixture, fixture_object(fixture, class, 24), TRAVERSE_DAMAGED);
	class = fixture_class(fixture, "Before", 0, 0, 24);
	fixture_slots(fixture, class, negative, 1);
	fixture_expect_result(fixture, fixture_object(fixture, class, 24), TRAVERSE_DAMAGED);
}

static void check_dict_at_offset(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t class = fixture_class(fixture, "Class", 0, 0, 32);
	uint64_t object, dict = fixture_target(fixture);

	fixture_put(fixture, class, layout->PyTypeObject_tp_dictoffset, 16);
	object = fixture_object(fixture, class, 32);
	EXPECT(fixture, object, class);
	fake_put64(fixture->fake, object + 16, dict);
	EXPECT(fixture, object, dict, class);
	fixture_expect_label(fixture, object, 0, EDGE_INTERNAL, "__dict__");
}

/* Behind the items of a var-sized object, which are five bytes here. */
static void check_dict_at_end(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t class = fixture_class(fixture, "Bytes", 0, 0, 32 + 8);
	uint64_t object, dict = fixture_target(fixture);

	fixture_put(fixture, class, layout->PyTypeObject_tp_dictoffset, (uint64_t)-8);
	fixture_put(fixture, class, layout->PyTypeObject_tp_itemsize, 1);
	object = fixture_object(fixture, class, 48);
	fixture_put(fixture, object, layout->PyVarObject_ob_size, 5);
	fake_put64(fixture->fake, object + 40, dict);
	EXPECT(fixture, object, dict, class);
	fixture_put(fixture, object, layout->PyVarObject_ob_size, INT64_MAX);
	fixture_expect_result(fixture, object, TRAVERSE_DAMAGED);
}

/* The base's function visits its own part; a static base leaves the class to the instance. */
static void check_builtin_base(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t base = fixture_static_type(fixture, "list", 40);
	uint64_t class = fixture_class(fixture, "List", base, 0, 48);
	uint64_t object = fixture_object(fixture, class, 48), items = fake_alloc(fixture->fake, 8);
	uint64_t dict = fixture_target(fixture), item = fixture_target(fixture);

	fixture_put(fixture, class, layout->PyTypeObject_tp_dictoffset, 40);
	fake_put64(fixture->fake, object + 40, dict);
	fake_put64(fixture->fake, items, item);
	fixture_put(fixture, object, layout->PyVarObject_ob_size, 1);
	fixture_put(fixture, object, layout->PyListObject_ob_item, items);
	EXPECT(fixture, object, dict, class, item);
	fixture_expect_label(fixture, object, 2, EDGE_INDEX, "");
}

/* From 3.9 on a heap type made by C code visits the class of the object itself, and first. */
static void check_heap_base(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t base = fixture_static_type(fixture, "functools.partial", 80);
	uint64_t class = fixture_class(fixture, "Partial", base, 0, 80);
	uint64_t object = fixture_object(fixture, class, 80), fn = fixture_target(fixture);

	fixture_put(fixture, base, layout->PyTypeObject_tp_flags,
		    TPFLAGS_HAVE_GC | TPFLAGS_HEAPTYPE);
	fixture_put(fixture, object, layout->partialobject_fn, fn);
	EXPECT(fixture, object, class, fn);
}

/* A base that only its own code knows: what the instance adds is known all the same. */
static void check_unknown_base(struct fixture *fixture)
{
	const uint64_t offsets[] = {40};
	uint64_t base = fixture_static_type(fixture, "extension.Base", 40);
	uint64_t class = fixture_class(fixture, "Class", base, 0, 48), object;
	const struct reference *found;
	size_t count;

	fixture_slots(fixture, class, offsets, 1);
	object = fixture_object(fixture, class, 48);
	fake_put64(fixture->fake, object + 40, fixture_target(fixture));
	assert_int_equal(traverse_object(fixture->traverser, object,
					 type_get(fixture->runtime->types, &fixture->reader, class),
					 &found, &count),
			 TRAVERSE_PARTIAL);
	assert_int_equal(count, 2);
}

/*
 * Managed dicts, 3.11+
 */

/* A class whose instances share the names "a" and "b"; the values stand in `values`. */
static uint64_t make_managed(struct fixture *fixture, uint64_t flags)
{
	uint64_t names[2] = {fake_str(fixture->fake, "a"), fake_str(fixture->fake, "b")};
	uint64_t class = fixture_class(fixture, "Managed", 0, TPFLAGS_MANAGED_DICT | flags, 16);

	fixture_put(fixture, class, fixture->layout->PyTypeObject_tp_dictoffset, (uint64_t)-1);
	fixture_put(fixture, class, fixture->layout->PyHeapTypeObject_ht_cached_keys,
		    fixture_keys(fixture, TABLE_SPLIT, names, NULL, 2));
	return class;
}

/* 3.11 has a pointer to the dict and one to the values, 3.12 one word for either. */
static void check_managed_dict(struct fixture *fixture)
{
	uint64_t class, object, values, a, b;
	int minor = fixture->runtime->minor;

	if (minor != 11 && minor != 12)
		return;
	class = make_managed(fixture, 0);
	object = fixture_object(fixture, class, 16);
	values = fake_alloc(fixture->fake, 16);
	a = fixture_target(fixture);
	b = fixture_target(fixture);
	EXPECT(fixture, object, class);
	fake_put64(fixture->fake, values, a);
	fake_put64(fixture->fake, values + 8, b);
	fake_put64(fixture->fake, object - (minor == 11 ? 32 : 24),
		   minor == 11 ? values : values - 1);
	EXPECT(fixture, object, a, b, class);
	fixture_expect_label(fixture, object, 1, EDGE_ATTRIBUTE, "b");
	fake_put64(fixture->fake, object - 32, 0);
	fake_put64(fixture->fake, object - 24, a);
	EXPECT(fixture, object, a, class);
	fixture_expect_label(fixture, object, 0, EDGE_INTERNAL, "__dict__");
	fake_put64(fixture->fake, object - (minor == 11 ? 32 : 24), minor == 11 ? 8 : 7);
	fixture_expect_result(fixture, object, TRAVERSE_DAMAGED);
}

/* 3.13+: values behind the object, and a dict that may have taken them over. */
static void check_inline_values(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t class, object, values, a, dict;
	struct object_size size;

	if (!layout_has(layout->PyDictValues_embedded))
		return;
	class = make_managed(fixture, TPFLAGS_INLINE_VALUES);
	object = fixture_object(fixture, class, 128);
	values = object + 16;
	a = fixture_target(fixture);
	dict = fixture_target(fixture);
	fake_put8(fixture->fake, values + layout->PyDictValues_capacity, 3);
	fake_put8(fixture->fake, values + layout->PyDictValues_valid, 1);
	fixture_put(fixture, values, layout->PyDictValues_values + 8, a);
	EXPECT(fixture, object, a, class);
	fixture_expect_label(fixture, object, 0, EDGE_ATTRIBUTE, "b");
	fake_put64(fixture->fake, object - 24, dict);
	traverser_set_managed_dict_rule(fixture->traverser, MANAGED_DICT_VALUES, "test");
	EXPECT(fixture, object, a, class);
	traverser_set_managed_dict_rule(fixture->traverser, MANAGED_DICT_DICT, "test");
	EXPECT(fixture, object, dict, class);
	fake_put8(fixture->fake, values + layout->PyDictValues_valid, 0);
	traverser_set_managed_dict_rule(fixture->traverser, MANAGED_DICT_VALUES, "test");
	EXPECT(fixture, object, dict, class);
	object_measure(fixture->traverser, object,
		       type_get(fixture->runtime->types, &fixture->reader, class), &size);
	assert_int_equal(size.object, 16);
	assert_int_equal(size.header, 32);
	assert_int_equal(size.out_of_line, layout->PyDictValues_values + 3 * 8 + 8);
}

/* Without its code at hand the version decides: each row has the rule of its release. */
static void check_rule_of_version(struct fixture *fixture)
{
	const char *source;
	enum managed_dict_rule rule = traverser_managed_dict_rule(fixture->traverser, &source);

	if (fixture->runtime->minor < 13)
		return;
	assert_string_equal(source, "the version");
	assert_int_equal(rule, fixture->row->hexversion < 0x030d0d00 ? MANAGED_DICT_VALUES
								     : MANAGED_DICT_DICT);
}

#define ON_EACH_ROW(name, check)         \
	static void name(void **state)   \
	{                                \
		(void)state;             \
		fixture_each_row(check); \
	}

ON_EACH_ROW(test_slots, check_slots)
ON_EACH_ROW(test_damaged_slots, check_damaged_slots)
ON_EACH_ROW(test_dict_at_offset, check_dict_at_offset)
ON_EACH_ROW(test_dict_at_end, check_dict_at_end)
ON_EACH_ROW(test_builtin_base, check_builtin_base)
ON_EACH_ROW(test_heap_base, check_heap_base)
ON_EACH_ROW(test_unknown_base, check_unknown_base)
ON_EACH_ROW(test_managed_dict, check_managed_dict)
ON_EACH_ROW(test_inline_values, check_inline_values)
ON_EACH_ROW(test_rule_of_version, check_rule_of_version)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots),	       cmocka_unit_test(test_damaged_slots),
		cmocka_unit_test(test_dict_at_offset), cmocka_unit_test(test_dict_at_end),
		cmocka_unit_test(test_builtin_base),   cmocka_unit_test(test_heap_base),
		cmocka_unit_test(test_unknown_base),   cmocka_unit_test(test_managed_dict),
		cmocka_unit_test(test_inline_values),  cmocka_unit_test(test_rule_of_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
