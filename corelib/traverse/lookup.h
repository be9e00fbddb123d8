/**
 * @file
 * How `object.name` is looked up (Objects/object.c _PyObject_GenericGetAttrWithDict): what a class
 * and its bases say of a name decides whether an instance's own value is what people get.
 */
#ifndef PYMEM_TRAVERSE_LOOKUP_H
#define PYMEM_TRAVERSE_LOOKUP_H

#include "traverse/traverse.h"

/** What the classes of an object have under a name. */
enum lookup_result {
	LOOKUP_NONE,  /**< nothing, or a value that an instance's own goes before */
	LOOKUP_DATA,  /**< a data descriptor (a slot, a member of C, a property) */
	LOOKUP_OTHER, /**< the class has a __getattribute__ of its own, or is damaged */
};

/** Looks a name up in the classes of an object of this type, in the order of the MRO. */
enum lookup_result attribute_lookup(struct traverser *traverser, const struct type *type,
				    const char *name);

/**
 * Does a class of Python code among these define the name, such as "__getitem__"?
 * @param base name of the type whose own definition is the usual one; it ends the search
 */
bool class_overrides(struct traverser *traverser, const struct type *type, const char *base,
		     const char *name);

/**
 * Does `Class.name` give the value that is in the class's own dict: no descriptor, and nothing of
 * the metaclass goes before it?
 */
bool class_value_is_plain(struct traverser *traverser, const struct type *metatype, uint64_t value,
			  const char *name);

#endif
