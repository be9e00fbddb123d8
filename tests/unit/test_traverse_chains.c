/*
 * Types with storage of their own shape on every layout row: deque, OrderedDict, lru_cache, tries,
 * builtin functions, modules. Chains that run in a circle end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/traverse_fixture.h"

/*
 * deque
 */

/* Three items: the last two places of one block and the first of the next. */
static uint64_t make_deque(struct fixture *fixture, uint64_t targets[3])
{
	const struct layout *layout = fixture->layout;
	uint64_t type = fixture_static_type(fixture, "collections.deque", 256);
	uint64_t deque = fixture_object(fixture, type, 256);
	uint64_t left = fake_alloc(fixture->fake, layout->BLOCK_size);
	uint64_t right = fake_alloc(fixture->fake, layout->BLOCK_size);
	uint32_t last = layout->BLOCK_rightlink - 8;

	for (size_t i = 0; i < 3; i++)
		targets[i] = fixture_target(fixture);
	fixture_put(fixture, left, last - 8, targets[0]);
	fixture_put(fixture, left, last, targets[1]);
	fixture_put(fixture, left, layout->BLOCK_rightlink, right);
	fixture_put(fixture, right, layout->BLOCK_data, targets[2]);
	fixture_put(fixture, deque, layout->PyVarObject_ob_size, 3);
	fixture_put(fixture, deque, layout->dequeobject_leftblock, left);
	fixture_put(fixture, deque, layout->dequeobject_rightblock, right);
	fixture_put(fixture, deque, layout->dequeobject_leftindex,
		    (last - 8 - layout->BLOCK_data) / 8);
	return deque;
}

static void check_deque(struct fixture *fixture)
{
	uint64_t targets[3], deque = make_deque(fixture, targets);
	const struct reference *found;
	const struct type *type;
	struct edge_label label;
	struct object_size size;
	size_t count;

	fixture_expect(fixture, deque, targets, 3);
	type = type_get(fixture->runtime->types, &fixture->reader,
			fake_get64(fixture->fake, deque + fixture->layout->PyObject_ob_type));
	traverse_object(fixture->traverser, deque, type, &found, &count);
	edge_label(fixture->traverser, deque, type, &found[2], &label);
	assert_int_equal(label.kind, EDGE_INDEX);
	assert_int_equal(label.index, 2);
	object_measure(fixture->traverser, deque, type, &size);
	assert_int_equal(size.out_of_line, 2 * fixture->layout->BLOCK_size);
}

static void check_damaged_deque(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t targets[3], deque = make_deque(fixture, targets);
	uint64_t left = fake_get64(fixture->fake, deque + layout->dequeobject_leftblock);

	/* A circle of one block, and a size that would go around it for ever. */
	fixture_put(fixture, left, layout->BLOCK_rightlink, left);
	fixture_put(fixture, deque, layout->PyVarObject_ob_size, INT64_MAX);
	fixture_expect_result(fixture, deque, TRAVERSE_DAMAGED);
	fixture_put(fixture, deque, layout->PyVarObject_ob_size, 3);
	fixture_put(fixture, left, layout->BLOCK_rightlink, 8);
	fixture_expect_result(fixture, deque, TRAVERSE_DAMAGED);
	fixture_put(fixture, deque, layout->dequeobject_leftindex, 1000);
	fixture_expect_result(fixture, deque, TRAVERSE_DAMAGED);
	fixture_put(fixture, deque, layout->dequeobject_leftindex, UINT64_MAX);
	fixture_expect_result(fixture, deque, TRAVERSE_DAMAGED);
}

/*
 * OrderedDict: attributes, the keys in its list, then the dict
 */

static void check_odict(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t type = fixture_static_type(fixture, "collections.OrderedDict", 128);
	uint64_t object = fixture_object(fixture, type, 128), key = fixture_target(fixture);
	uint64_t value = fixture_target(fixture), attributes = fixture_target(fixture);
	uint64_t node = fake_alloc(fixture->fake, layout->_ODictNode_size);

	fixture_put(fixture, object, layout->PyDictObject_ma_used, 1);
	fixture_put(fixture, object, layout->PyDictObject_ma_keys,
		    fixture_keys(fixture, TABLE_GENERAL, &key, &value, 1));
	fixture_put(fixture, object, layout->PyODictObject_od_inst_dict, attributes);
	fixture_put(fixture, object, layout->PyODictObject_od_first, node);
	fixture_put(fixture, node, layout->_ODictNode_key, key);
	EXPECT(fixture, object, attributes, key, value, key);
	fixture_expect_label(fixture, object, 0, EDGE_ATTRIBUTE, "__dict__");
	fixture_expect_label(fixture, object, 2, EDGE_KEY, "0");
	fixture_put(fixture, node, layout->_ODictNode_next, node);
	fixture_expect_result(fixture, object, TRAVERSE_DAMAGED);
}

/*
 * functools.lru_cache: a ring of links through the object itself
 */

static void check_lru_cache(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t type = fixture_static_type(fixture, "functools._lru_cache_wrapper", 160);
	uint64_t object = fixture_object(fixture, type, 160);
	uint64_t link = fixture_object(fixture, fixture->object_type, 64);
	uint64_t root = object + layout->lru_cache_object_root_next - layout->lru_list_elem_next;
	uint64_t key = fixture_target(fixture), result = fixture_target(fixture);
	uint64_t function = fixture_target(fixture);

	fixture_put(fixture, object, layout->lru_cache_object_root_next, link);
	fixture_put(fixture, object, layout->lru_cache_object_func, function);
	fixture_put(fixture, link, layout->lru_list_elem_next, root);
	fixture_put(fixture, link, layout->lru_list_elem_key, key);
	fixture_put(fixture, link, layout->lru_list_elem_result, result);
	EXPECT(fixture, object, key, result, function);
	fixture_expect_label(fixture, object, 2, EDGE_ATTRIBUTE, "__wrapped__");
	fixture_put(fixture, link, layout->lru_list_elem_next, link);
	fixture_expect_result(fixture, object, TRAVERSE_DAMAGED);
	fixture_put(fixture, link, layout->lru_list_elem_next, 0);
	fixture_expect_result(fixture, object, TRAVERSE_DAMAGED);
}

/*
 * itertools.tee and tries
 */

static void check_tee_data(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t type = fixture_static_type(fixture, "itertools._tee_dataobject",
					    layout->teedataobject_values + 57 * 8);
	uint64_t object = fixture_object(fixture, type, 1024), it = fixture_target(fixture);
	uint64_t value = fixture_target(fixture), next = fixture_target(fixture);

	fixture_put(fixture, object, layout->teedataobject_it, it);
	fake_put32(fixture->fake, object + layout->teedataobject_numread, 1);
	fixture_put(fixture, object, layout->teedataobject_values, value);
	fixture_put(fixture, object, layout->teedataobject_values + 8, fixture_target(fixture));
	fixture_put(fixture, object, layout->teedataobject_nextlink, next);
	EXPECT(fixture, object, it, value, next);
	fake_put32(fixture->fake, object + layout->teedataobject_numread, 58);
	fixture_expect_result(fixture, object, TRAVERSE_DAMAGED);
}

static void check_tries(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t bitmap =
		fixture_object(fixture, fixture_static_type(fixture, "hamt_bitmap_node", 40), 64);
	uint64_t array =
		fixture_object(fixture, fixture_static_type(fixture, "hamt_array_node", 280), 280);
	uint64_t a = fixture_target(fixture), b = fixture_target(fixture);

	fixture_put(fixture, bitmap, layout->PyVarObject_ob_size, 2);
	fixture_put(fixture, bitmap, layout->PyHamtNode_Bitmap_b_array, a);
	fixture_put(fixture, bitmap, layout->PyHamtNode_Bitmap_b_array + 8, b);
	EXPECT(fixture, bitmap, b, a);
	fixture_put(fixture, bitmap, layout->PyVarObject_ob_size, INT64_MAX);
	fixture_expect_result(fixture, bitmap, TRAVERSE_DAMAGED);
	fixture_put(fixture, array, layout->PyHamtNode_Array_a_array + 8, a);
	fixture_put(fixture, array, layout->PyHamtNode_Array_a_array + 31 * 8, b);
	EXPECT(fixture, array, a, b);
}

/*
 * Builtin functions and modules
 */

static void check_builtin(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t type = fixture_static_type(fixture, "builtin_function_or_method", 56);
	uint64_t object = fixture_object(fixture, type, 64);
	uint64_t definition = fake_alloc(fixture->fake, 32);
	uint64_t self = fixture_target(fixture), module = fixture_target(fixture), class;

	fixture_put(fixture, object, layout->PyCFunctionObject_m_ml, definition);
	fixture_put(fixture, object, layout->PyCFunctionObject_m_self, self);
	fixture_put(fixture, object, layout->PyCFunctionObject_m_module, module);
	EXPECT(fixture, object, self, module);
	fixture_expect_label(fixture, object, 0, EDGE_ATTRIBUTE, "__self__");
	if (!layout_has(layout->PyCMethodObject_mm_class))
		return;
	class = fixture_target(fixture);
	fixture_put(fixture, object, layout->PyCMethodObject_mm_class, class);
	EXPECT(fixture, object, self, module);
	fake_put32(fixture->fake, definition + layout->PyMethodDef_ml_flags, 0x200);
	EXPECT(fixture, object, class, self, module);
}

/* A module with C code of its own is known in part: the code is not there to be interpreted. */
static void check_module(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t type = fixture_static_type(fixture, "module", 96);
	uint64_t object = fixture_object(fixture, type, 128), dict = fixture_target(fixture);
	uint64_t definition = fake_alloc(fixture->fake, 128);
	const struct reference *found;
	size_t count;

	fixture_put(fixture, object, layout->PyModuleObject_md_dict, dict);
	EXPECT(fixture, object, dict);
	fixture_expect_label(fixture, object, 0, EDGE_ATTRIBUTE, "__dict__");
	if (layout_has(layout->PyModuleObject_md_state_traverse)) {
		fixture_put(fixture, object, layout->PyModuleObject_md_state_traverse, 0x5000);
	} else {
		fixture_put(fixture, object, layout->PyModuleObject_md_def, definition);
		fixture_put(fixture, definition, layout->PyModuleDef_m_traverse, 0x5000);
	}
	assert_int_equal(traverse_object(fixture->traverser, object,
					 type_get(fixture->runtime->types, &fixture->reader, type),
					 &found, &count),
			 TRAVERSE_PARTIAL);
	assert_int_equal(count, 1);
}

#define ON_EACH_ROW(name, check)         \
	static void name(void **state)   \
	{                                \
		(void)state;             \
		fixture_each_row(check); \
	}

ON_EACH_ROW(test_deque, check_deque)
ON_EACH_ROW(test_damaged_deque, check_damaged_deque)
ON_EACH_ROW(test_odict, check_odict)
ON_EACH_ROW(test_lru_cache, check_lru_cache)
ON_EACH_ROW(test_tee_data, check_tee_data)
ON_EACH_ROW(test_tries, check_tries)
ON_EACH_ROW(test_builtin, check_builtin)
ON_EACH_ROW(test_module, check_module)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deque),	 cmocka_unit_test(test_damaged_deque),
		cmocka_unit_test(test_odict),	 cmocka_unit_test(test_lru_cache),
		cmocka_unit_test(test_tee_data), cmocka_unit_test(test_tries),
		cmocka_unit_test(test_builtin),	 cmocka_unit_test(test_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
