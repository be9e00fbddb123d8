/**
 * @file
 * The attributes that an instance has of its own: __slots__, then __dict__ or the values that stand
 * for it. Class attributes, properties and members of C types are not among them.
 */
#ifndef PYMEM_TRAVERSE_ATTRIBUTES_H
#define PYMEM_TRAVERSE_ATTRIBUTES_H

#include "traverse/traverse.h"

/** One attribute that has a value. */
struct attribute {
	char name[96];	/**< UTF-8, cut with "…" */
	uint64_t value; /**< the object */
	uint64_t slot;	/**< address of the word that holds it */
};

/** Goes through the attributes of one object. Members are internal. */
struct attributes {
	struct traverser *traverser;
	uint64_t object;
	const struct type *slots_of; /**< class whose slots come next; NULL: all done */
	size_t slot;
	struct dict_view dict; /**< names, and values where `values` is 0 */
	uint64_t values;       /**< first of the values that stand outside of a dict; 0: none */
	uint64_t next, count;
};

/** Starts at the first attribute. */
void attributes_begin(struct attributes *attributes, struct traverser *traverser, uint64_t object,
		      const struct type *type);

/** The next attribute. @return false behind the last */
bool attributes_next(struct attributes *attributes, struct attribute *attribute);

/** The value of the attribute with a name. @return 0 if there is none */
uint64_t attribute_find(struct traverser *traverser, uint64_t object, const struct type *type,
			const char *name);

/** The __dict__ of an object. @return 0 if it has none, or none was made yet */
uint64_t object_dict(struct traverser *traverser, uint64_t object, const struct type *type);

/**
 * The classes in the order of look-up (tp_mro), the type itself first.
 * @param max of them are written at most
 * @return how many were written; 0 if the tuple is damaged
 */
size_t type_mro(struct traverser *traverser, const struct type *type, const struct type **classes,
		size_t max);

/** The value of a class attribute, looked up along the MRO in the dicts of heap types.
 * @return 0 if there is none */
uint64_t class_attribute(struct traverser *traverser, const struct type *type, const char *name);

#endif
