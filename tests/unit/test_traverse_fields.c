/*
 * Decoders that are lines of tables: on every layout row each visits the members that the build
 * has, in the order of the table, and none of an object that ends before its last member.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/traverse_fixture.h"

#include <stdio.h>

enum { FIELDS_MAX = 32 };

static const struct decoder *const tables[] = {
	callable_decoders, descriptor_decoders, object_decoders, exception_decoders,
	iterator_decoders, context_decoders,	module_decoders, frame_decoders,
};

static bool is_member(const struct field *field)
{
	return field->fact != FIELD_FACT_TYPE && field->fact != FIELD_FACT_MANAGED_DICT;
}

static uint32_t offset_of(const struct fixture *fixture, const struct field *field)
{
	uint32_t offset;

	memcpy(&offset, (const char *)fixture->layout + field->fact, sizeof(offset));
	return offset;
}

/* A decoder of members only, that the build has. */
static bool is_plain(const struct fixture *fixture, const struct decoder *decoder)
{
	size_t present = 0;

	for (size_t i = 0; i < decoder->field_count; i++)
		if (is_member(&decoder->fields[i]))
			present += layout_has(offset_of(fixture, &decoder->fields[i]));
	return present && !decoder->decode;
}

/* A static type with the name by which the decoder is known. */
static uint64_t type_for(struct fixture *fixture, const struct decoder *decoder)
{
	char name[128];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(decoder->types, "|"), decoder->types);
	return fixture_static_type(fixture, name, 512);
}

static void check_decoder(struct fixture *fixture, const struct decoder *decoder)
{
	uint64_t type = type_for(fixture, decoder);
	uint64_t object = fixture_object(fixture, type, 1024);
	uint64_t targets[FIELDS_MAX], labels = 0;
	size_t count = 0;

	EXPECT(fixture, object);
	for (size_t i = 0; i < decoder->field_count; i++) {
		uint32_t offset;

		if (!is_member(&decoder->fields[i]))
			continue;
		offset = offset_of(fixture, &decoder->fields[i]);
		if (!layout_has(offset))
			continue;
		targets[count] = fixture_target(fixture);
		fixture_put(fixture, object, offset, targets[count++]);
	}
	fixture_expect(fixture, object, targets, count);
	for (size_t i = 0; i < decoder->field_count; i++)
		if (is_member(&decoder->fields[i]) &&
		    layout_has(offset_of(fixture, &decoder->fields[i])))
			fixture_expect_label(fixture, object, labels++,
					     decoder->fields[i].attribute ? EDGE_ATTRIBUTE
									  : EDGE_INTERNAL,
					     decoder->fields[i].label);
}

static void check_row(struct fixture *fixture)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct decoder *decoder = tables[i]; decoder->name; decoder++)
			if (is_plain(fixture, decoder) && decoder->types)
				check_decoder(fixture, decoder);
}

static void test_members_are_visited_in_order(void **state)
{
	(void)state;
	fixture_each_row(check_row);
}

/* The whole image ends in the middle of the object. */
static void check_cut(struct fixture *fixture)
{
	uint64_t type = fixture_static_type(fixture, "slice", 40);
	const struct type *known = type_get(fixture->runtime->types, &fixture->reader, type);
	uint64_t end = fake_target(fixture->fake)->image->segments[0].end;
	const struct reference *found;
	size_t count;

	assert_non_null(known);
	assert_int_equal(traverse_object(fixture->traverser, end - 24, known, &found, &count),
			 TRAVERSE_DAMAGED);
	assert_int_equal(count, 0);
	assert_int_equal(
		traverse_object(fixture->traverser, UINT64_MAX - 15, known, &found, &count),
		TRAVERSE_DAMAGED);
	assert_int_equal(traverse_object(fixture->traverser, 0, known, &found, &count),
			 TRAVERSE_DAMAGED);
}

static void test_cut_object_is_damaged(void **state)
{
	(void)state;
	fixture_each_row(check_cut);
}

/* A heap type made by C code is visited by its objects, from 3.9 on. */
static void check_heap_type(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t type = fixture_static_type(fixture, "functools.partial", 80);
	uint64_t object = fixture_object(fixture, type, 80), fn = fixture_target(fixture);

	fixture_put(fixture, type, layout->PyTypeObject_tp_flags,
		    TPFLAGS_HAVE_GC | TPFLAGS_HEAPTYPE);
	fixture_put(fixture, object, layout->partialobject_fn, fn);
	if (fixture->runtime->minor >= 9)
		EXPECT(fixture, object, type, fn);
	else
		EXPECT(fixture, object, fn);
}

static void test_heap_type_is_visited(void **state)
{
	(void)state;
	fixture_each_row(check_heap_type);
}

/* The name alone binds nothing: the function must be of CPython's own file. */
static void check_foreign(struct fixture *fixture)
{
	uint64_t type = fixture_static_type(fixture, "functools.partial", 80);
	uint64_t object = fixture_object(fixture, type, 80);

	fixture_put(fixture, type, fixture->layout->PyTypeObject_tp_traverse, 0x5000);
	fixture_put(fixture, object, fixture->layout->partialobject_fn, fixture_target(fixture));
	fixture_expect_result(fixture, object, TRAVERSE_UNKNOWN);
}

static void test_foreign_function_is_not_bound(void **state)
{
	(void)state;
	fixture_each_row(check_foreign);
}

static void check_no_traverse(struct fixture *fixture)
{
	uint64_t type = fake_type(fixture->fake, "atom", 0, 32, 0);

	fixture_expect_result(fixture, fixture_object(fixture, type, 32), TRAVERSE_NONE);
}

static void test_type_without_traverse(void **state)
{
	(void)state;
	fixture_each_row(check_no_traverse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_are_visited_in_order),
		cmocka_unit_test(test_cut_object_is_damaged),
		cmocka_unit_test(test_heap_type_is_visited),
		cmocka_unit_test(test_foreign_function_is_not_bound),
		cmocka_unit_test(test_type_without_traverse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
