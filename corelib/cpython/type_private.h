/**
 * @file
 * Between type.c, which decodes a type object, and type_cache.c, which keeps it.
 */
#ifndef PYMEM_CPYTHON_TYPE_PRIVATE_H
#define PYMEM_CPYTHON_TYPE_PRIVATE_H

#include "cpython/type.h"

/** Fills all plain fields. @return false if there is no plausible type at the address */
bool type_read_fields(const struct runtime *runtime, struct reader *reader, uint64_t address,
		      struct type *type, uint64_t *base);

/** Fills name, module and short_name. @return false when out of memory */
bool type_read_name(const struct runtime *runtime, struct reader *reader, struct type *type);

/** Fills slots. @return false when out of memory */
bool type_read_slots(const struct runtime *runtime, struct reader *reader, struct type *type);

/** Bytes in front of an object of a type with these flags. */
uint32_t type_presize(const struct layout *layout, uint64_t flags);

/** @return whether instances have a finalizer that Python code can see: __del__ or tp_del */
bool type_has_del(const struct runtime *runtime, struct reader *reader, const struct type *type);

#endif
