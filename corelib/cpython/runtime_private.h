/**
 * @file
 * Between runtime.c, which puts a runtime together, and the files that do the parts:
 * runtime_find.c, version.c, layout_choose.c, interpreter.c.
 */
#ifndef PYMEM_CPYTHON_RUNTIME_PRIVATE_H
#define PYMEM_CPYTHON_RUNTIME_PRIVATE_H

#include "cpython/type.h"

/**
 * Fills address and module: by symbol, by what a debugger said, by the cookie of _Py_DebugOffsets.
 * @param size set to the st_size of the symbol; 0: not known
 */
struct error *runtime_find(struct runtime *runtime, struct reader *reader, uint64_t *size)
	__attribute__((warn_unused_result));

/**
 * Finds _PyRuntime of 3.8 to 3.12 without symbols; fills address, module, the minor version in
 * hexversion, and version_source.
 * @return false if there is none; nothing is filled then
 */
bool runtime_find_shape(struct runtime *runtime, struct reader *reader);

/**
 * Fills hexversion and version_source from what the image itself says: _Py_DebugOffsets (3.13+),
 * Py_Version (3.11+), the size of _PyRuntime, the module's name. hexversion stays 0 if nothing
 * tells.
 */
void version_detect(struct runtime *runtime, struct reader *reader, uint64_t runtime_size);

/** Completes version, build and debug_build from the sys module of the first interpreter. */
void version_refine(struct runtime *runtime, struct reader *reader);

/** Writes "3.11.7" or "3.15.0rc1" for a PY_VERSION_HEX. */
void version_format(uint32_t hexversion, char *buffer, size_t size);

/**
 * Goes through the layouts that may fit, best first: rows of the same minor version, then DWARF.
 * @param attempt starts at 0 and is advanced
 * @return false when there is none left
 */
bool layout_next(struct runtime *runtime, struct reader *reader, unsigned *attempt);

/**
 * Reads all interpreters and their generations with the layout at hand, and verifies them: every
 * list closes on itself, its first objects have types.
 * @return ERROR_NOT_PYTHON with what does not fit
 */
struct error *interpreters_read(struct runtime *runtime, struct reader *reader)
	__attribute__((warn_unused_result));

#endif
