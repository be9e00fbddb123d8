/*
 * Frames and generators on every layout row: what a suspended one holds, that a running one shows
 * nothing of its stack, and references without a refcount (3.14+).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/traverse_fixture.h"

enum { FRAME_OBJECT_SIZE = 640, OWNED_BY_FRAME_OBJECT = 2, OWNED_BY_THREAD = 0 };

/*
 * Frame objects up to 3.10: two locals, two stack items
 */

static void check_old_frame(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t type, frame, targets[6], stack;

	if (layout_has(layout->PyFrameObject_f_frame))
		return;
	type = fixture_static_type(fixture, "frame", layout->PyFrameObject_size);
	frame = fixture_object(fixture, type, FRAME_OBJECT_SIZE);
	for (size_t i = 0; i < 6; i++)
		targets[i] = fixture_target(fixture);
	stack = frame + layout->PyFrameObject_f_localsplus + 16;
	fixture_put(fixture, frame, layout->PyFrameObject_f_back, targets[0]);
	fixture_put(fixture, frame, layout->PyFrameObject_f_globals, targets[1]);
	fixture_put(fixture, frame, layout->PyFrameObject_f_localsplus, targets[2]);
	fixture_put(fixture, frame, layout->PyFrameObject_f_localsplus + 8, targets[3]);
	fake_put64(fixture->fake, stack, targets[4]);
	fake_put64(fixture->fake, stack + 8, targets[5]);
	fixture_put(fixture, frame, layout->PyFrameObject_f_valuestack, stack);
	/* Running: f_stacktop is NULL, or there is no depth. */
	fixture_expect(fixture, frame, targets, 4);
	if (layout_has(layout->PyFrameObject_f_stacktop))
		fixture_put(fixture, frame, layout->PyFrameObject_f_stacktop, stack + 16);
	else
		fake_put32(fixture->fake, frame + layout->PyFrameObject_f_stackdepth, 2);
	fixture_expect(fixture, frame, targets, 6);
	fixture_put(fixture, frame, layout->PyFrameObject_f_valuestack, 8);
	fixture_expect_result(fixture, frame, TRAVERSE_DAMAGED);
	fixture_put(fixture, frame, layout->PyFrameObject_f_valuestack, INT64_MAX);
	fixture_expect_result(fixture, frame, TRAVERSE_DAMAGED);
}

/*
 * Interpreter frames, 3.11+
 */

/* How many of localsplus are in use; -1: the frame runs. */
static void set_depth(struct fixture *fixture, uint64_t frame, int64_t depth)
{
	const struct layout *layout = fixture->layout;

	if (layout_has(layout->_PyInterpreterFrame_stackpointer))
		fixture_put(fixture, frame, layout->_PyInterpreterFrame_stackpointer,
			    depth < 0 ? 0
				      : frame + layout->_PyInterpreterFrame_localsplus +
						(uint64_t)depth * 8);
	else
		fake_put32(fixture->fake, frame + layout->_PyInterpreterFrame_stacktop,
			   (uint32_t)depth);
}

/* A function, its code, a local and a stack item; in the order of their visits. */
static void fill_frame(struct fixture *fixture, uint64_t frame, uint64_t targets[4])
{
	const struct layout *layout = fixture->layout;

	for (size_t i = 0; i < 4; i++)
		targets[i] = fixture_target(fixture);
	fixture_put(fixture, frame, layout->_PyInterpreterFrame_f_funcobj, targets[0]);
	fixture_put(fixture, frame, layout->_PyInterpreterFrame_f_executable, targets[1]);
	fixture_put(fixture, frame, layout->_PyInterpreterFrame_localsplus, targets[2]);
	fixture_put(fixture, frame, layout->_PyInterpreterFrame_localsplus + 16, targets[3]);
	set_depth(fixture, frame, 3);
}

static void check_frame_object(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t type, object, frame, targets[4];

	if (!layout_has(layout->PyFrameObject_f_frame))
		return;
	type = fixture_static_type(fixture, "frame", layout->PyFrameObject_size);
	object = fixture_object(fixture, type, FRAME_OBJECT_SIZE);
	frame = object + layout->PyFrameObject__f_frame_data;
	fixture_put(fixture, object, layout->PyFrameObject_f_frame, frame);
	fill_frame(fixture, frame, targets);
	fake_put8(fixture->fake, frame + layout->_PyInterpreterFrame_owner, OWNED_BY_FRAME_OBJECT);
	fixture_expect(fixture, object, targets, 4);
	fixture_expect_label(fixture, object, 0, EDGE_INTERNAL, "f_func");
	fixture_expect_label(fixture, object, 2, EDGE_INTERNAL, "stack");
	set_depth(fixture, frame, -1);
	fixture_expect(fixture, object, targets, 2);
	/* On a thread's stack: the thread's, not the object's. */
	fake_put8(fixture->fake, frame + layout->_PyInterpreterFrame_owner, OWNED_BY_THREAD);
	EXPECT(fixture, object);
	fixture_put(fixture, object, layout->PyFrameObject_f_frame, 8);
	fixture_expect_result(fixture, object, TRAVERSE_DAMAGED);
}

static uint64_t make_generator(struct fixture *fixture)
{
	uint64_t type = fixture_static_type(fixture, "generator", 200);

	return fixture_object(fixture, type, FRAME_OBJECT_SIZE);
}

static void check_generator(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t object = make_generator(fixture), targets[5];

	if (!layout_has(layout->PyGenObject_gi_iframe))
		return;
	fill_frame(fixture, object + layout->PyGenObject_gi_iframe, targets);
	targets[4] = fixture_target(fixture);
	fixture_put(fixture, object, layout->PyGenObject_exc_value, targets[4]);
	fixture_expect(fixture, object, targets, 5);
	fixture_expect_label(fixture, object, 4, EDGE_INTERNAL, "exc_value");
	/* Finished: no frame, but 3.14+ still have its code. */
	fake_put8(fixture->fake, object + layout->PyGenObject_gi_frame_state,
		  fixture->runtime->minor >= 15 ? 5 : 4);
	if (layout_has(layout->_PyInterpreterFrame_stackpointer))
		EXPECT(fixture, object, targets[1], targets[4]);
	else
		EXPECT(fixture, object, targets[4]);
}

static void check_old_generator(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t object = make_generator(fixture), targets[5];

	if (!layout_has(layout->PyGenObject_gi_frame))
		return;
	for (size_t i = 0; i < 5; i++)
		targets[i] = fixture_target(fixture);
	fixture_put(fixture, object, layout->PyGenObject_gi_frame, targets[0]);
	fixture_put(fixture, object, layout->PyGenObject_gi_code, targets[1]);
	fixture_put(fixture, object, layout->PyGenObject_exc_type, targets[2]);
	fixture_put(fixture, object, layout->PyGenObject_exc_value, targets[3]);
	fixture_put(fixture, object, layout->PyGenObject_exc_traceback, targets[4]);
	fixture_expect(fixture, object, targets, 5);
	fixture_expect_label(fixture, object, 0, EDGE_ATTRIBUTE, "gi_frame");
}

/* Borrowed references are marked, integers and NULL are no references. */
static void check_stackrefs(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t object = make_generator(fixture), frame, strong, borrowed;
	const struct reference *found;
	const struct type *type;
	size_t count;

	if (!layout_has(layout->_PyInterpreterFrame_stackpointer))
		return;
	frame = object + layout->PyGenObject_gi_iframe;
	strong = fixture_target(fixture);
	borrowed = fixture_target(fixture);
	fixture_put(fixture, frame, layout->_PyInterpreterFrame_localsplus, strong);
	fixture_put(fixture, frame, layout->_PyInterpreterFrame_localsplus + 8, borrowed | 1);
	fixture_put(fixture, frame, layout->_PyInterpreterFrame_localsplus + 16, 1);
	fixture_put(fixture, frame, layout->_PyInterpreterFrame_localsplus + 24, 7 << 2 | 3);
	set_depth(fixture, frame, 4);
	EXPECT(fixture, object, strong, borrowed);
	type = type_get(fixture->runtime->types, &fixture->reader,
			fake_get64(fixture->fake, object + layout->PyObject_ob_type));
	traverse_object(fixture->traverser, object, type, &found, &count);
	assert_false(found[0].borrowed);
	assert_true(found[1].borrowed);
	set_depth(fixture, frame, INT64_C(1) << 40);
	fixture_expect_result(fixture, object, TRAVERSE_DAMAGED);
}

#define ON_EACH_ROW(name, check)         \
	static void name(void **state)   \
	{                                \
		(void)state;             \
		fixture_each_row(check); \
	}

ON_EACH_ROW(test_old_frame, check_old_frame)
ON_EACH_ROW(test_frame_object, check_frame_object)
ON_EACH_ROW(test_generator, check_generator)
ON_EACH_ROW(test_old_generator, check_old_generator)
ON_EACH_ROW(test_stackrefs, check_stackrefs)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_old_frame), cmocka_unit_test(test_frame_object),
		cmocka_unit_test(test_generator), cmocka_unit_test(test_old_generator),
		cmocka_unit_test(test_stackrefs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
