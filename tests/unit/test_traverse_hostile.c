/*
 * Objects of random words: every decoder on every layout row must come back, with references that
 * fit into the memory there is. The words are likely lies: small counts, large ones, addresses of
 * the memory itself, so that chains meet, and of nowhere. Run it under the sanitizers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "analysis/contents.h"
#include "support/traverse_fixture.h"
#include "traverse/repr.h"

#include <stdio.h>

enum { OBJECT_WORDS = 96, ROUNDS = 6, LABELS = 8 };

static const struct decoder *const tables[] = {
	container_decoders, callable_decoders,	descriptor_decoders,
	object_decoders,    exception_decoders, iterator_decoders,
	context_decoders,   module_decoders,	frame_decoders,
};

static uint64_t random_state;

/* xorshift64*: the same numbers in each run. */
static uint64_t random_word(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static uint64_t likely_lie(const struct segment *memory)
{
	uint64_t size = memory->end - memory->start;

	switch (random_word() % 8) {
	case 0:
		return 0;
	case 1:
		return random_word() % 64;
	case 2:
		return random_word() % size;
	case 3:
		return random_word();
	case 4:
		return memory->end - random_word() % 256;
	default:
		return memory->start + (random_word() % size & ~UINT64_C(7));
	}
}

static void scramble(struct fixture *fixture, const struct segment *memory, uint64_t object)
{
	for (uint64_t i = 0; i < OBJECT_WORDS; i++)
		if (i * 8 != fixture->layout->PyObject_ob_type)
			fake_put64(fixture->fake, object + i * 8, likely_lie(memory));
}

/* What `show` reads of an object that nobody enumerated: bounded, and as many as were asked for. */
static void show(struct fixture *fixture, uint64_t object, const struct type *type)
{
	const struct repr_options options = {.depth = 3, .items = 5, .text = 50};
	struct heap heap = {.runtime = fixture->runtime, .traverser = fixture->traverser};
	const struct objects objects = {.heap = &heap};
	struct contents contents = {0};
	uint64_t length;
	char text[256];

	reader_init(&heap.reader, fake_target(fixture->fake)->image);
	repr_object(fixture->traverser, object, &options, text, sizeof(text));
	assert_true(strlen(text) < sizeof(text));
	if (object_length(fixture->traverser, object, type, &length))
		assert_true(length <= INT64_MAX);
	assert_true(contents_read(&objects, HEAP_NONE, object, type, LABELS, &contents));
	for (size_t i = 0; i < CONTENTS_PARTS; i++) {
		assert_true(contents.parts[i].count <= LABELS);
		assert_true(contents.parts[i].count <= contents.parts[i].total);
	}
	contents_clear(&contents);
}

static void look_at(struct fixture *fixture, const struct segment *memory, uint64_t object,
		    const struct type *type)
{
	struct reference some[LABELS];
	const struct reference *found;
	enum traverse_result result;
	struct edge_label label;
	struct object_size size;
	size_t count;

	result = traverse_object(fixture->traverser, object, type, &found, &count);
	if (result != TRAVERSE_EXACT && result != TRAVERSE_PARTIAL)
		assert_int_equal(count, 0);
	/* A key, a result and a type for each link are the most that one place in memory gives. */
	assert_true(count <= 3 * (memory->end - memory->start));
	if (count > LABELS)
		count = LABELS;
	memcpy(some, found, count * sizeof(*some));
	for (size_t i = 0; i < count; i++)
		edge_label(fixture->traverser, object, type, &some[i], &label);
	object_measure(fixture->traverser, object, type, &size);
	show(fixture, object, type);
}

static void check_decoder(struct fixture *fixture, const struct decoder *decoder)
{
	const struct segment *memory = &fake_target(fixture->fake)->image->segments[0];
	const struct type *type;
	uint64_t address, object;
	char name[128];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(decoder->types, "|"), decoder->types);
	address = fixture_static_type(fixture, name, 64);
	object = fixture_object(fixture, address, OBJECT_WORDS * 8);
	type = type_get(fixture->runtime->types, &fixture->reader, address);
	assert_non_null(type);
	for (int round = 0; round < ROUNDS; round++) {
		scramble(fixture, memory, object);
		look_at(fixture, memory, object, type);
	}
}

static void check_row(struct fixture *fixture)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct decoder *decoder = tables[i]; decoder->name; decoder++)
			check_decoder(fixture, decoder);
}

static void test_random_objects(void **state)
{
	(void)state;
	random_state = 1;
	fixture_each_row(check_row);
}

/* Instances, whose class and values lie as well: slots anywhere, dictoffsets of any sign. */
static void check_random_classes(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	const struct segment *memory = &fake_target(fixture->fake)->image->segments[0];

	for (int round = 0; round < 100; round++) {
		uint64_t flags = random_word() & (TPFLAGS_MANAGED_DICT | TPFLAGS_INLINE_VALUES);
		uint64_t class = fixture_class(fixture, "Lies", 0, flags, 16 + random_word() % 64);
		uint64_t slot = random_word() % 128, object;

		fixture_slots(fixture, class, &slot, 1);
		fixture_put(fixture, class, layout->PyTypeObject_tp_dictoffset,
			    random_word() % 64 - 32);
		fixture_put(fixture, class, layout->PyTypeObject_tp_itemsize, random_word() % 3);
		fixture_put(fixture, class, layout->PyHeapTypeObject_ht_cached_keys,
			    likely_lie(memory));
		object = fixture_object(fixture, class, OBJECT_WORDS * 8);
		scramble(fixture, memory, object);
		fake_put64(fixture->fake, object - 24, likely_lie(memory));
		fake_put64(fixture->fake, object - 32, likely_lie(memory));
		look_at(fixture, memory, object,
			type_get(fixture->runtime->types, &fixture->reader, class));
	}
}

static void test_random_classes(void **state)
{
	(void)state;
	random_state = 2;
	fixture_each_row(check_random_classes);
}

/* A list that holds itself, and one that says to hold more than there is memory. */
static void check_loop(struct fixture *fixture)
{
	const struct layout *layout = fixture->layout;
	uint64_t address = fixture_static_type(fixture, "list", 40);
	uint64_t list = fixture_object(fixture, address, 64), items;
	struct heap heap = {.runtime = fixture->runtime, .traverser = fixture->traverser};
	const struct objects objects = {.heap = &heap};
	struct contents contents = {0};
	const struct contents_list *part = &contents.parts[CONTENTS_ITEMS];
	const struct type *type;
	uint64_t length;

	fake_put64(fixture->fake, address + layout->PyTypeObject_tp_flags,
		   fake_get64(fixture->fake, address + layout->PyTypeObject_tp_flags) |
			   TPFLAGS_LIST_SUBCLASS);
	items = fake_alloc(fixture->fake, 32);
	for (int i = 0; i < 3; i++)
		fake_put64(fixture->fake, items + (uint64_t)i * 8, list);
	fixture_put(fixture, list, layout->PyListObject_ob_item, items);
	fixture_put(fixture, list, layout->PyVarObject_ob_size, 3);
	reader_init(&heap.reader, fake_target(fixture->fake)->image);
	type = type_get(fixture->runtime->types, &fixture->reader, address);
	assert_true(contents_read(&objects, HEAP_NONE, list, type, 2, &contents));
	assert_int_equal(part->total, 3);
	assert_int_equal(part->count, 2);
	assert_int_equal(part->items[1].object, list);
	assert_int_equal(part->items[1].label.index, 1);
	show(fixture, list, type);

	fixture_put(fixture, list, layout->PyVarObject_ob_size, INT64_MAX / 16);
	assert_true(contents_read(&objects, HEAP_NONE, list, type, 2, &contents));
	assert_int_equal(part->count, 0);
	show(fixture, list, type);
	fixture_put(fixture, list, layout->PyVarObject_ob_size, UINT64_MAX);
	assert_false(object_length(fixture->traverser, list, type, &length));
	show(fixture, list, type);
	contents_clear(&contents);
}

static void test_loops_and_lies(void **state)
{
	(void)state;
	fixture_each_row(check_loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_objects),
		cmocka_unit_test(test_random_classes),
		cmocka_unit_test(test_loops_and_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
