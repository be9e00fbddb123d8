/**
 * @file
 * Between expression.c, which goes from step to step, and those that write one: expression_items.c,
 * expression_attributes.c.
 */
#ifndef PYMEM_TRAVERSE_EXPRESSION_PRIVATE_H
#define PYMEM_TRAVERSE_EXPRESSION_PRIVATE_H

#include "traverse/decoder.h"
#include "traverse/expression.h"

enum { LITERAL_MAX = 1024 };

/** Gives up: what is written stays, the rest is left out. */
void expression_fail(struct expression *expression);

/** Puts text behind what is written. */
void expression_append(struct expression *expression, const char *text);

/** The same. */
void expression_format(struct expression *expression, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Puts text in front of what is written. */
void expression_prepend(struct expression *expression, const char *text);

/** Leaves it to the next step how the text goes on. */
void expression_set_pending(struct expression *expression, enum expression_pending pending,
			    uint64_t holder, const struct type *type, uint64_t target);

/** Writes what is pending out, as something that stands for the object itself. */
void expression_settle(struct traverser *traverser, struct expression *expression);

/** Writes `[index]`, or `class.__getitem__(…, index)`. @param class NULL: nothing overrides it */
void expression_item(struct expression *expression, const char *class, const char *index);

/** Goes on to a key or value of a dict. @return false if the word is in no entry */
bool expression_dict(struct traverser *traverser, struct expression *expression, uint64_t object,
		     const struct type *type, const struct reference *reference);

/** Goes on to an element of a set. @return false if it is none */
bool expression_set(struct traverser *traverser, struct expression *expression, uint64_t object,
		    const struct type *type, const struct reference *reference);

/** Goes on to an item of a sequence. @return false if there is no index for it */
bool expression_index(struct traverser *traverser, struct expression *expression, uint64_t object,
		      const struct type *type, uint64_t index);

/** Goes on to an attribute. @return false if the attribute is not how people get the object */
bool expression_attribute(struct traverser *traverser, struct expression *expression,
			  uint64_t object, const struct type *type,
			  const struct reference *reference, const char *name);

/** Goes on to a variable of a frame or generator. @return false if the object is neither */
bool expression_local(struct traverser *traverser, struct expression *expression, uint64_t object,
		      const struct type *type, const struct reference *reference, const char *name);

/** Writes a variable, which f_locals has by name; through its cell, if it is in one.
 * @param frame what leads from the text to the frame: ".gi_frame" */
bool expression_write_variable(struct traverser *traverser, struct expression *expression,
			       const char *frame, const char *name, uint64_t object,
			       const struct type *type, uint64_t target);

/** Goes on to a name of the pending names of variables. @return false if no attribute has it */
bool expression_name(struct traverser *traverser, struct expression *expression, uint64_t index);

/** Goes on to a member of the C struct. @return false if there is no attribute for it */
bool expression_internal(struct expression *expression, uint64_t object, const struct type *type,
			 const struct reference *reference, const char *name);

#endif
