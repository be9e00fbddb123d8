/**
 * @file
 * Where CPython keeps things: sizes and offsets of one build, as data. A release of CPython is a
 * file in layouts/ and a line in layout.c; no decoder asks for a version number to find a field.
 */
#ifndef PYMEM_CPYTHON_LAYOUT_H
#define PYMEM_CPYTHON_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A type or member that this build does not have. */
#define LAYOUT_ABSENT UINT32_MAX

/** Every fact of layout_fields.def, in bytes (LAYOUT_BIT: in bits); LAYOUT_ABSENT where the build
 * lacks it. */
struct layout {
#define LAYOUT_SIZE(name, types)	   uint32_t name;
#define LAYOUT_FIELD(name, types, members) uint32_t name;
#define LAYOUT_BIT(name, types, members)   uint32_t name;
#include "cpython/layout_fields.def"
#undef LAYOUT_SIZE
#undef LAYOUT_FIELD
#undef LAYOUT_BIT
};

/** One line of layout_fields.def, for code that handles the facts as a list. */
struct layout_field {
	const char *name;    /**< C name in struct layout */
	const char *types;   /**< spellings of the type, separated by '|' */
	const char *members; /**< spellings of the member path; NULL for a sizeof */
	bool bits;	     /**< the value is in bits, not bytes */
	size_t offset;	     /**< of the uint32_t in struct layout */
};

/** All facts, in the order of layout_fields.def. */
extern const struct layout_field layout_fields[];
extern const size_t layout_field_count;

/** @return the fact's place in a layout */
static inline uint32_t *layout_value(struct layout *layout, const struct layout_field *field)
{
	return (uint32_t *)((char *)layout + field->offset);
}

/** @return true if the build has the field */
static inline bool layout_has(uint32_t value)
{
	return value != LAYOUT_ABSENT;
}

/** A known build. */
struct layout_row {
	const char *name;    /**< the release it was taken from, such as "3.13.0" */
	uint32_t hexversion; /**< PY_VERSION_HEX of that release */
	bool debug;	     /**< Py_DEBUG */
	struct layout layout;
};

/** The known builds, oldest first. */
extern const struct layout_row layout_rows[];
extern const size_t layout_row_count;

#endif
