/**
 * @file
 * Members of C structs by the names that Python code has for them: PyMemberDef tables, which every
 * type carries with it (Include/structmember.h).
 */
#ifndef PYMEM_TRAVERSE_MEMBER_H
#define PYMEM_TRAVERSE_MEMBER_H

#include "traverse/traverse.h"

/**
 * Finds the attribute that gives what stands at an offset in the objects of a type.
 * @param size of the buffer; an attribute with a longer name is not found
 * @return false if there is none
 */
bool member_at(struct traverser *traverser, const struct type *type, uint64_t offset, char *name,
	       size_t size);

#endif
