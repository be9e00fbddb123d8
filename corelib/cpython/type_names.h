/**
 * @file
 * Names of static types that the dump does not hold: tp_name points into .rodata, which the kernel
 * leaves to the file. The dicts of modules do name them.
 */
#ifndef PYMEM_CPYTHON_TYPE_NAMES_H
#define PYMEM_CPYTHON_TYPE_NAMES_H

#include "cpython/type.h"

struct type_names;

/**
 * Collects names for static types whose tp_name is not readable, from the dicts of the modules of
 * the first interpreter. Names are tp_names as CPython's sources have them where the dict says so.
 * @param names NULL if tp_names are readable
 */
struct error *type_names_collect(const struct runtime *runtime, struct reader *reader,
				 struct type_names **names) __attribute__((warn_unused_result));

/** Frees them. NULL is allowed. */
void type_names_free(struct type_names *names);

/**
 * Reads the tp_name of a type, or what the modules call it if that is not there; of a heap type its
 * module and name. @return false if nothing names it
 */
bool type_tp_name(const struct runtime *runtime, struct reader *reader, uint64_t type, char *buffer,
		  size_t size);

#endif
