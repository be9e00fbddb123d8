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

/** What a code object is called. The texts come from the target and may hold anything. */
struct code_names {
	char file[1024];    /**< co_filename */
	char function[160]; /**< co_name: "load", "<module>" */
	char qualname[256]; /**< co_qualname, "Session.load"; up to 3.10 the same as function */
};

/** Reads them. @return false for what is no code object or damaged; the texts are "?" there */
bool code_names_read(struct traverser *traverser, uint64_t code, struct code_names *names);

/** The last folder and the name of a path: enough to find it, short enough for a line. */
const char *title_short_path(const char *path);

/**
 * Writes the value of an object as repr() does, one level deep and without addresses: "'text'",
 * "42", "['a', 1]"; of an object that has none "<type>". For more see repr.h. Long values are cut.
 * @param size of the buffer, at least 32
 */
void object_repr(struct traverser *traverser, uint64_t object, char *buffer, size_t size);

#endif
