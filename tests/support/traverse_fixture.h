/**
 * @file
 * A fake process with a traverser on it, and makers of the objects that decoders read. Types are
 * known to the traverser by their tp_name, as in a stripped CPython; the classes of Python code
 * have the tp_traverse of a ModuleSpec that stands in sys.modules.
 */
#ifndef PYMEM_TESTS_TRAVERSE_FIXTURE_H
#define PYMEM_TESTS_TRAVERSE_FIXTURE_H

#include "support/fake_python.h"
#include "traverse/decoder.h"

/** tp_traverse of classes of Python code in the fixture. */
#define FIXTURE_SUBTYPE_TRAVERSE UINT64_C(0x7f1200000100)

/** A process and what looks at it. */
struct fixture {
	const struct layout_row *row;
	const struct layout *layout;
	struct fake_python *fake;
	struct runtime *runtime;
	struct traverser *traverser;
	struct reader reader;
	uint64_t next_traverse; /**< an address of a function for the next type */
	uint64_t int_type, object_type;
};

/** Opens a fixture with the layout of a row. */
void fixture_open(struct fixture *fixture, const struct layout_row *row);
void fixture_close(struct fixture *fixture);

/** Runs a test on each row. */
void fixture_each_row(void (*test)(struct fixture *fixture));

/** Something that may be referred to: an object of type int. */
uint64_t fixture_target(struct fixture *fixture);

/** A static type with a tp_traverse of its own. */
uint64_t fixture_static_type(struct fixture *fixture, const char *name, uint64_t basicsize);

/** A heap type of Python code, below a base; bases have no tp_traverse where `base` is 0. */
uint64_t fixture_class(struct fixture *fixture, const char *name, uint64_t base, uint64_t flags,
		       uint64_t basicsize);

/** Gives a class __slots__: T_OBJECT_EX members at these offsets, named "a", "b", … */
void fixture_slots(struct fixture *fixture, uint64_t class, const uint64_t *offsets, size_t count);

/** Room for an object, zeroed but for its header. */
uint64_t fixture_object(struct fixture *fixture, uint64_t type, size_t size);

/** Kinds of dict tables. */
enum fixture_table { TABLE_GENERAL, TABLE_UNICODE, TABLE_SPLIT };

/** A PyDictKeysObject with room for eight slots; a key of 0 is a deleted entry. */
uint64_t fixture_keys(struct fixture *fixture, enum fixture_table kind, const uint64_t *keys,
		      const uint64_t *values, size_t count);

/** A dict of such a table; the values of a split one stand apart. */
uint64_t fixture_dict(struct fixture *fixture, enum fixture_table kind, const uint64_t *keys,
		      const uint64_t *values, size_t count);

/** Writes a word of an object; an absent field fails the test. */
void fixture_put(struct fixture *fixture, uint64_t object, uint32_t field, uint64_t value);

/** The object must visit these targets, in this order. */
void fixture_expect(struct fixture *fixture, uint64_t object, const uint64_t *targets,
		    size_t count);

/** The same for a result other than TRAVERSE_EXACT; nothing is visited. */
void fixture_expect_result(struct fixture *fixture, uint64_t object, enum traverse_result result);

/** The i-th reference of an object must have this label. */
void fixture_expect_label(struct fixture *fixture, uint64_t object, size_t i, enum edge_kind kind,
			  const char *name);

#define EXPECT(fixture, object, ...)                                     \
	fixture_expect(fixture, object, (const uint64_t[]){__VA_ARGS__}, \
		       sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

#endif
