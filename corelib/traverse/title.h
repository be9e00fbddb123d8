/**
 * @file
 * What people call an object whose type says little: which class, which function, which exception.
 */
#ifndef PYMEM_TRAVERSE_TITLE_H
#define PYMEM_TRAVERSE_TITLE_H

#include "traverse/traverse.h"

/**
 * Writes a title: "app.web.Session" for a class, "Session.load (app/web.py:41)" for functions,
 * methods, generators and frames, "json" for a module, "'boom'" (the first argument) for an
 * exception. Slow; for objects that are shown. The text comes from the target and may hold
 * anything.
 * @param size of the buffer; a longer title is cut
 * @return false, and an empty buffer, for all other objects and for those that are damaged
 */
bool object_title(struct traverser *traverser, uint64_t object, const struct type *type,
		  char *buffer, size_t size);

/**
 * Writes the value of an object as repr() does, one level deep and without addresses: "'text'",
 * "42", "['a', 1]"; of an object that has none "<type>". For more see repr.h. Long values are cut.
 * @param size of the buffer, at least 32
 */
void object_repr(struct traverser *traverser, uint64_t object, char *buffer, size_t size);

#endif
