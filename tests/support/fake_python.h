/**
 * @file
 * A CPython made of bytes: memory laid out as a row of layout_rows says, with an interpreter, GC
 * lists, types and objects. For tests of everything above target/.
 */
#ifndef PYMEM_TESTS_FAKE_PYTHON_H
#define PYMEM_TESTS_FAKE_PYTHON_H

#include "cpython/type.h"

/** The process in the making. Aborts the test when out of memory. */
struct fake_python;

/** Starts a process with one interpreter and empty lists. */
struct fake_python *fake_create(const struct layout_row *row);

/** Frees it, and the target that was made of it. */
void fake_destroy(struct fake_python *fake);

/** @return the address of zeroed memory, 16-byte aligned */
uint64_t fake_alloc(struct fake_python *fake, size_t size);

/** Writes words and bytes. */
void fake_put64(struct fake_python *fake, uint64_t address, uint64_t value);
void fake_put32(struct fake_python *fake, uint64_t address, uint32_t value);
void fake_put8(struct fake_python *fake, uint64_t address, uint8_t value);

/** @return the word at an address */
uint64_t fake_get64(struct fake_python *fake, uint64_t address);

/** A NUL-terminated string in the process. */
uint64_t fake_string(struct fake_python *fake, const char *text);

/** A type object; flags besides those of the metatype are the caller's. */
uint64_t fake_type(struct fake_python *fake, const char *name, uint64_t flags, uint64_t basicsize,
		   uint64_t traverse);

/** An object with `presize` zero bytes in front (GC head included), not on any list. */
uint64_t fake_object(struct fake_python *fake, uint64_t type, size_t size, int64_t refcount);

/** Puts an object at the end of a list: 0-2 or GENERATION_PERMANENT. */
void fake_track(struct fake_python *fake, uint64_t object, int generation);

/** Address of the head of a list, of the collector's state, of the interpreter, of _PyRuntime. */
uint64_t fake_list(struct fake_python *fake, int generation);
uint64_t fake_gc(struct fake_python *fake);
uint64_t fake_interpreter(struct fake_python *fake);
uint64_t fake_runtime(struct fake_python *fake);

/** An ASCII str. */
uint64_t fake_str(struct fake_python *fake, const char *text);

/** The target; writes go on being seen by it. Owned by the fake. */
struct target *fake_target(struct fake_python *fake);

#endif
