/**
 * @file
 * What the parts of repr share; not for other rooms. A part writes one kind of object with the
 * functions below; each is bounded by the options and the buffer.
 */
#ifndef PYMEM_TRAVERSE_REPR_PRIVATE_H
#define PYMEM_TRAVERSE_REPR_PRIVATE_H

#include "traverse/decoder.h"
#include "traverse/repr.h"

/** Entries of one container that are looked at, deleted ones included. */
enum { REPR_SCAN_MAX = 1 << 16 };

/** The text in the making. */
struct repr {
	struct traverser *traverser;
	struct repr_options options; /**< `redact` includes the traverser's */
	char *buffer;
	size_t size, used;
	bool full;			   /**< cut: nothing is added any more */
	uint64_t open[REPR_DEPTH_MAX + 1]; /**< objects being written, outermost first */
	unsigned level;			   /**< how many there are */
	uint64_t python_dealloc; /**< tp_dealloc of classes of Python code; 0: not known */
};

/** Writes an object of a kind that the function knows. @return false if it is damaged */
typedef bool repr_function(struct repr *repr, uint64_t object, const struct type *type);

/** Adds text. */
void repr_add(struct repr *repr, const char *text);
void repr_addf(struct repr *repr, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Adds one character as UTF-8. */
void repr_add_character(struct repr *repr, uint32_t character);

/** Adds " at 0x…", if addresses are wanted. */
void repr_add_address(struct repr *repr, uint64_t object);

/** Adds the class as repr() names it: short for types of `builtins` and `collections`, in full for
 * others. */
void repr_add_class(struct repr *repr, const struct type *type);

/**
 * Begins an object of a subclass: "app.Token(".
 * @param name of the type that is written without its class
 * @return for repr_end_class()
 */
bool repr_begin_class(struct repr *repr, const struct type *type, const char *name);
void repr_end_class(struct repr *repr, bool begun);

/** Adds the value of an object: the way down. */
void repr_value(struct repr *repr, uint64_t object);

/** The type of an object; NULL: it is none. */
const struct type *repr_type(struct repr *repr, uint64_t object);

/** Reads a word of an object. @return false if it is not readable */
bool repr_u64(struct repr *repr, uint64_t address, uint64_t *value);

/** ob_size as a count. @return false if it is not readable or negative */
bool repr_count(struct repr *repr, uint64_t object, uint64_t *count);

/**
 * Starts the content of a container. If it may not be opened, because the depth is used up or it
 * is open already, what stands for it is written instead.
 * @param marks such as "[]"
 * @param shape such as "list", written with `count` where the depth is used up
 * @return false if it may not be opened
 */
bool repr_open(struct repr *repr, uint64_t object, const char *marks, const char *shape,
	       uint64_t count);

/** Ends it. */
void repr_close(struct repr *repr);

/**
 * Separates items. Call it before each, with the number of items written so far.
 * @return false if the limit is reached: what is left out has been written, stop
 */
bool repr_next(struct repr *repr, uint64_t written, uint64_t total);

/** A type of CPython's own code, and not a class of Python code by the same name. */
bool repr_is_native(const struct repr *repr, const struct type *type);

/** The row of items of a list or tuple, without marks. */
void repr_items(struct repr *repr, uint64_t items, uint64_t count);

/** "<kind object at 0x…>" */
bool repr_plain(struct repr *repr, uint64_t object, const struct type *type);

/* The parts: str, bytes, int and float. */
repr_function repr_str, repr_bytes, repr_bytearray, repr_int, repr_float, repr_complex, repr_bool;

/** Adds characters as repr() writes those of a str, with the marks. */
void repr_quoted(struct repr *repr, const struct str_view *view);

/** Number of 30-bit digits of an int, and its sign. @return false if they are not readable */
bool repr_open_int(struct repr *repr, uint64_t object, uint64_t *digits, bool *negative);

/** Adds a float as float.__repr__() does. */
void repr_double(struct repr *repr, double value);

/* Containers. */
repr_function repr_list, repr_tuple, repr_dict, repr_set;

/** An array of numpy: "numpy.ndarray(shape=(3, 4), dtype=float64)". @return false if it is none, or
 * damaged: nothing is written then */
repr_function repr_numpy;

/* Instances of Python classes, and exceptions. */
repr_function repr_instance, repr_exception;

/** Is it an enum member, a dataclass, a namedtuple, a class of the standard library written in
 * Python? Writes it then, or says that it is damaged. */
bool repr_known_class(struct repr *repr, uint64_t object, const struct type *type, bool *ok);

/** One type of C code and what writes its objects. */
struct repr_kind {
	const char *type; /**< module-qualified name of the type that defines the layout */
	repr_function *write;
};

/** Tables that end with one without a type. */
extern const struct repr_kind repr_container_kinds[], repr_callable_kinds[], repr_library_kinds[],
	repr_number_kinds[];

#endif
