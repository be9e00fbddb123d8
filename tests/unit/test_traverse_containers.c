/* list, tuple, struct sequences, set and dict on every layout row, sound and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/traverse_fixture.h"

/*
 * list and tuple
 */

static uint64_t make_list(struct fixture *fixture, uint64_t items, uint64_t count)
{
	const struct layout *layout = fixture->layout;
	uint64_t type = fixture_static_type(fixture, "list", 40);
	uint64_t list = fixture_object(fixture, type, 40);

	fixture_put(fixture, list, layout->PyVarObject_ob_size, count);
	fixture_put(fixture, list, layout->PyListObject_ob_item, items);
	fixture_put(fixture, list, layout->PyListObject_allocated, 4);
	return list;
}

/* From the last to the first, without what stands behind ob_size. */
static void check_list(struct fixture *fixture)
{
	uint64_t a = fixture_target(fixture), b = fixture_target(fixture);
	uint64_t items = fake_alloc(fixture->fake, 32), list;
	struct object_size size;

	fake_put64(fixture->fake, items, a);
	fake_put64(fixture->fake, items + 8, 0);
	fake_put64(fixture->fake, items + 16, b);
	fake_put64(fixture->fake, items + 24, fixture_target(fixture));
	list = make_list(fixture, items, 3);
	EXPECT(fixture, list, b, a);
	fixture_expect_label(fixture, list, 0, EDGE_INDEX, "");
	object_measure(fixture->traverser, list,
		       type_get(fixture->runtime->types, &fixture->reader,
				fake_get64(fixture->fake, list + 8)),
		       &size);
	assert_int_equal(size.object, 40);
	assert_int_equal(size.header, 16);
	assert_int_equal(size.out_of_line, 32);
}

static void check_damaged_list(struct fixture *fixture)
{
	uint64_t items = fake_alloc(fixture->fake, 16);

	fixture_expect_result(fixture, make_list(fixture, items, UINT64_MAX), TRAVERSE_DAMAGED);
	fixture_expect_result(fixture, make_list(fixture, items, UINT64_C(1) << 40),
			      TRAVERSE_DAMAGED);
	fixture_expect_result(fixture, make_list(fixture, items, UINT64_C(1) << 61),
			      TRAVERSE_DAMAGED);
	fixture_expect_result(fixture, make_list(fixture, 0x10, 1), TRAVERSE_DAMAGED);
	EXPECT(fixture, make_list(fixture, 0, 0));
}

static void check_tuple(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t type = fixture_static_type(fixture, "tuple", 24);
	uint64_t tuple = fixture_object(fixture, type, 64);
	uint64_t a = fixture_target(fixture), b = fixture_target(fixture);

	fixture_put(fixture, tuple, layout->PyVarObject_ob_size, 2);
	fixture_put(fixture, tuple, layout->PyTupleObject_ob_item, a);
	fixture_put(fixture, tuple, layout->PyTupleObject_ob_item + 8, b);
	EXPECT(fixture, tuple, b, a);
	fixture_expect_label(fixture, tuple, 1, EDGE_INDEX, "");
	fixture_put(fixture, tuple, layout->PyVarObject_ob_size, INT64_MAX);
	fixture_expect_result(fixture, tuple, TRAVERSE_DAMAGED);
}

/* Two visible items, and a third that only tp_members knows of. */
static void check_structseq(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t type = fixture_static_type(fixture, "time.struct_time", 24);
	uint64_t members = fake_alloc(fixture->fake, 3 * layout->PyMemberDef_size);
	uint64_t object = fixture_object(fixture, type, 64);
	uint64_t targets[3];

	for (uint64_t i = 0; i < 3; i++) {
		targets[i] = fixture_target(fixture);
		fixture_put(fixture, object, layout->PyTupleObject_ob_item + (uint32_t)i * 8,
			    targets[i]);
	}
	fixture_put(fixture, object, layout->PyVarObject_ob_size, 2);
	for (uint64_t i = 0; i < 2; i++) {
		uint64_t member = members + i * layout->PyMemberDef_size;

		fixture_put(fixture, member, layout->PyMemberDef_name,
			    fake_string(fixture->fake, "field"));
		fixture_put(fixture, member, layout->PyMemberDef_offset,
			    layout->PyTupleObject_ob_item + (i + 1) * 8);
	}
	fixture_put(fixture, type, layout->PyTypeObject_tp_members, members);
	fixture_expect(fixture, object, targets, 3);
}

/*
 * set
 */

static uint64_t make_set(struct fixture *fixture, uint64_t table, uint64_t mask)
{
	const struct layout *layout = fixture->layout;
	uint64_t type = fixture_static_type(fixture, "set", 200);
	uint64_t set = fixture_object(fixture, type, 200);

	fixture_put(fixture, set, layout->PySetObject_mask, mask);
	fixture_put(fixture, set, layout->PySetObject_table, table);
	return set;
}

/* Empty slots and dummies are passed over; a dummy has a key, and the hash that none has. */
static void check_set(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t table = fake_alloc(fixture->fake, 8 * layout->setentry_size);
	uint64_t a = fixture_target(fixture), b = fixture_target(fixture), set;
	uint64_t dummy = fixture_target(fixture);

	fixture_put(fixture, table + layout->setentry_size, layout->setentry_key, a);
	fixture_put(fixture, table + 3 * layout->setentry_size, layout->setentry_key, dummy);
	fixture_put(fixture, table + 3 * layout->setentry_size, layout->setentry_hash, UINT64_MAX);
	fixture_put(fixture, table + 7 * layout->setentry_size, layout->setentry_key, b);
	set = make_set(fixture, table, 7);
	EXPECT(fixture, set, a, b);
	fixture_expect_label(fixture, set, 0, EDGE_INTERNAL, "element");
	fixture_expect_result(fixture, make_set(fixture, table, UINT64_MAX), TRAVERSE_DAMAGED);
	fixture_expect_result(fixture, make_set(fixture, table, UINT64_C(1) << 59),
			      TRAVERSE_DAMAGED);
	fixture_expect_result(fixture, make_set(fixture, 8, 7), TRAVERSE_DAMAGED);
}

/*
 * dict
 */

static uint64_t make_dict(struct fixture *fixture, enum fixture_table kind, const uint64_t *keys,
			  const uint64_t *values, size_t count)
{
	uint64_t dict = fixture_dict(fixture, kind, keys, values, count);

	fixture_put(fixture, dict, fixture->layout->PyObject_ob_type,
		    fixture_static_type(fixture, "dict", fixture->layout->PyDictObject_size));
	return dict;
}

/* Up to 3.10 it is not known without code which tables are general: all visit their keys. */
static bool tells_tables_apart(const struct fixture *fixture)
{
	return layout_has(fixture->layout->PyDictKeysObject_dk_kind);
}

static void check_general_dict(struct fixture *fixture)
{
	uint64_t keys[3] = {fixture_target(fixture), 0, fixture_target(fixture)};
	uint64_t values[3] = {fixture_target(fixture), 0, fixture_target(fixture)};
	uint64_t dict = make_dict(fixture, TABLE_GENERAL, keys, values, 3);

	EXPECT(fixture, dict, values[0], keys[0], values[2], keys[2]);
	fixture_expect_label(fixture, dict, 0, EDGE_KEY, "0");
	fixture_expect_label(fixture, dict, 1, EDGE_INTERNAL, "key");
}

static void check_unicode_dict(struct fixture *fixture)
{
	uint64_t keys[3] = {fake_str(fixture->fake, "first"), 0,
			    fake_str(fixture->fake, "it's\nhere")};
	uint64_t values[3] = {fixture_target(fixture), 0, fixture_target(fixture)};
	uint64_t dict = make_dict(fixture, TABLE_UNICODE, keys, values, 3);

	if (!tells_tables_apart(fixture)) {
		EXPECT(fixture, dict, values[0], keys[0], values[2], keys[2]);
		return;
	}
	EXPECT(fixture, dict, values[0], values[2]);
	fixture_expect_label(fixture, dict, 0, EDGE_KEY, "'first'");
	fixture_expect_label(fixture, dict, 1, EDGE_KEY, "\"it's\\nhere\"");
}

static void check_split_dict(struct fixture *fixture)
{
	uint64_t keys[3] = {fake_str(fixture->fake, "a"), fake_str(fixture->fake, "b"),
			    fake_str(fixture->fake, "c")};
	uint64_t values[3] = {fixture_target(fixture), 0, fixture_target(fixture)};
	uint64_t dict = make_dict(fixture, TABLE_SPLIT, keys, values, 3);

	EXPECT(fixture, dict, values[0], values[2]);
	fixture_expect_label(fixture, dict, 1, EDGE_KEY, "'c'");
}

/* Values embedded in an instance are the instance's to visit under the older rule of 3.13+. */
static void check_embedded_values(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t key = fake_str(fixture->fake, "a"), value = fixture_target(fixture), dict;

	if (!layout_has(layout->PyDictValues_embedded))
		return;
	dict = make_dict(fixture, TABLE_SPLIT, &key, &value, 1);
	fake_put8(fixture->fake,
		  fake_get64(fixture->fake, dict + layout->PyDictObject_ma_values) +
			  layout->PyDictValues_embedded,
		  1);
	traverser_set_managed_dict_rule(fixture->traverser, MANAGED_DICT_DICT, "test");
	EXPECT(fixture, dict, value);
	traverser_set_managed_dict_rule(fixture->traverser, MANAGED_DICT_VALUES, "test");
	EXPECT(fixture, dict);
}

static void check_damaged_dict(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t key = fixture_target(fixture), value = fixture_target(fixture);
	uint64_t dict = make_dict(fixture, TABLE_GENERAL, &key, &value, 1);
	uint64_t keys = fake_get64(fixture->fake, dict + layout->PyDictObject_ma_keys);

	fixture_put(fixture, keys, layout->PyDictKeysObject_dk_nentries, UINT64_MAX);
	fixture_expect_result(fixture, dict, TRAVERSE_DAMAGED);
	fixture_put(fixture, keys, layout->PyDictKeysObject_dk_nentries, UINT64_C(1) << 40);
	fixture_expect_result(fixture, dict, TRAVERSE_DAMAGED);
	fixture_put(fixture, keys, layout->PyDictKeysObject_dk_nentries, 1);
	fixture_put(fixture, dict, layout->PyDictObject_ma_values, 24);
	fixture_expect_result(fixture, dict, TRAVERSE_DAMAGED);
	fixture_put(fixture, dict, layout->PyDictObject_ma_values, 0);
	EXPECT(fixture, dict, value, key);
	fixture_put(fixture, dict, layout->PyDictObject_ma_keys, 24);
	fixture_expect_result(fixture, dict, TRAVERSE_DAMAGED);
}

#define ON_EACH_ROW(name, check)         \
	static void name(void **state)   \
	{                                \
		(void)state;             \
		fixture_each_row(check); \
	}

ON_EACH_ROW(test_list, check_list)
ON_EACH_ROW(test_damaged_list, check_damaged_list)
ON_EACH_ROW(test_tuple, check_tuple)
ON_EACH_ROW(test_structseq, check_structseq)
ON_EACH_ROW(test_set, check_set)
ON_EACH_ROW(test_general_dict, check_general_dict)
ON_EACH_ROW(test_unicode_dict, check_unicode_dict)
ON_EACH_ROW(test_split_dict, check_split_dict)
ON_EACH_ROW(test_embedded_values, check_embedded_values)
ON_EACH_ROW(test_damaged_dict, check_damaged_dict)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_damaged_list),
		cmocka_unit_test(test_tuple),
		cmocka_unit_test(test_structseq),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_general_dict),
		cmocka_unit_test(test_unicode_dict),
		cmocka_unit_test(test_split_dict),
		cmocka_unit_test(test_embedded_values),
		cmocka_unit_test(test_damaged_dict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
