/**
 * @file
 * Literals: Python source that makes an object equal to one of the target's, exactly.
 */
#ifndef PYMEM_TRAVERSE_LITERAL_H
#define PYMEM_TRAVERSE_LITERAL_H

#include "traverse/traverse.h"

/**
 * Writes the literal of a str, bytes, int, float, bool, None, Ellipsis or a tuple of these: of
 * exactly these types, for a subclass may compare as it likes.
 * @param size of the buffer
 * @return false, and an empty buffer, for all other objects, for values that do not equal their
 * literal (NaN, lone surrogates), for those that do not fit, and where values are to be hidden
 */
bool object_literal(struct traverser *traverser, uint64_t object, char *buffer, size_t size);

/** Writes the literal of a str with this text, which is UTF-8. @return false if it does not fit */
bool text_literal(const char *text, char *buffer, size_t size);

/** Can a text stand behind a dot: an ASCII identifier that is no keyword? */
bool is_identifier(const char *text);

#endif
