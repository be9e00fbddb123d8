/**
 * @file
 * What repr() would show of an object, read from its memory. No code of the target runs, so a class
 * with a __repr__ of its own is shown by its attributes. What comes out is bounded, and so is the
 * work: depth, items, length of text and the caller's buffer all have a limit.
 *
 * The form is Python's own for built-in types and those of the standard library that people meet
 * most. Where it is not: an instance of a subclass of a built-in type is shown with its class,
 * "app.Stack([1, 2])"; an instance with attributes as "<app.Session at 0x7f… user='x'>"; what is
 * left out is "…"; an array of numpy as "numpy.ndarray(shape=(3, 4), dtype=float64)". A container
 * below the depth is shown by its shape: "list[3]", "dict{3}".
 */
#ifndef PYMEM_TRAVERSE_REPR_H
#define PYMEM_TRAVERSE_REPR_H

#include "traverse/traverse.h"

/** The deepest that containers are opened, whatever is asked for. */
enum { REPR_DEPTH_MAX = 16 };

/** How much to show. */
struct repr_options {
	unsigned depth; /**< levels of containers and instances that are opened; 0: shapes alone */
	unsigned items; /**< of one container */
	unsigned text;	/**< characters of a str, bytes of a bytes, digits of an int */
	bool addresses; /**< write " at 0x…" where repr() does; without, equal things look equal */
	/** Hides every value: "str[12]", "int". Shapes, lengths, types and names of attributes,
	 * functions and modules stay. Redaction of the traverser counts as well. */
	bool redact;
};

/** For a line of a report: one level, some items. */
#define REPR_LINE ((struct repr_options){.depth = 1, .items = 6, .text = 60, .addresses = true})

/**
 * Writes an object's repr as UTF-8. The text comes from the target: control characters are escaped
 * inside of values, but names may hold anything, so clean it before it goes to a terminal.
 * Memory that is not there or makes no sense is "<unreadable at 0x…>"; an object that contains
 * itself is "[...]", "{...}" or "(...)" there.
 * @param size of the buffer, at least 32; a longer text is cut at a character and ends in "…"
 * @return false if the object itself could not be read
 */
bool repr_object(struct traverser *traverser, uint64_t object, const struct repr_options *options,
		 char *buffer, size_t size);

#endif
