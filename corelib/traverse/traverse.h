/**
 * @file
 * What an object references, exactly as its type's tp_traverse would tell the collector.
 *
 * A decoder is chosen by the address of tp_traverse, never by the name of the object's type:
 * subclasses inherit the function, and a class of the target's own may have any name. A function
 * without a decoder is interpreted (emulator.h), and so is one whose decoder was found to differ
 * from it. Where that is not possible either, the object visits nothing and is counted: that can
 * hide garbage, it never invents any.
 */
#ifndef PYMEM_TRAVERSE_TRAVERSE_H
#define PYMEM_TRAVERSE_TRAVERSE_H

#include "cpython/type.h"

/** One reference that tp_traverse visits. */
struct reference {
	uint64_t target;
	uint64_t slot : 63; /**< address of the word it was loaded from; 0: not known */
	/**
	 * A frame's reference that holds no refcount (3.14+, _PyStackRef with Py_TAG_REFCNT): the
	 * collector follows it but never subtracts it (Python/gc.c _PyGC_VisitStackRef).
	 */
	uint64_t borrowed : 1;
};

/** How the references of an object were found. */
enum traverse_result {
	TRAVERSE_EXACT,	  /**< by a decoder that knows the type, or by its own code */
	TRAVERSE_PARTIAL, /**< what is listed is exact, but C code of an extension visits more that
			     could not be interpreted: a module with m_traverse, a subclass of a C
			     type */
	TRAVERSE_NONE,	  /**< the type has no tp_traverse */
	TRAVERSE_UNKNOWN, /**< no decoder, and the code could not be interpreted: visits nothing */
	TRAVERSE_DAMAGED, /**< the object's memory is unreadable or makes no sense: visits nothing
			   */
};

/** What comparing a decoder with the target's own code has shown, see traverser_check(). */
enum traverse_check {
	CHECK_NONE,    /**< nothing was compared yet */
	CHECK_AGREES,  /**< both gave the same for every object compared */
	CHECK_DIFFERS, /**< they did not: the code is interpreted from now on */
	CHECK_NO_CODE, /**< the code is not at hand: the decoder is trusted */
};

/** A function that is some type's tp_traverse, and what stands for it. */
struct traverse_binding {
	uint64_t address;    /**< of the function */
	const char *decoder; /**< name, such as "list"; NULL: none, the code is interpreted */
	const struct type *example; /**< the type that it was met at first */
	uint64_t objects;	    /**< traversed so far */
	uint64_t damaged;	    /**< of them, TRAVERSE_DAMAGED */
	enum traverse_check check;
	uint64_t compared; /**< objects for which decoder and code were compared */
};

/** How the objects of one type were traversed; a count may be more than one for an object. */
struct traverse_usage {
	uint64_t native;    /**< by decoders alone */
	uint64_t emulated;  /**< wholly or in part by interpreting code */
	uint64_t inexact;   /**< TRAVERSE_UNKNOWN, TRAVERSE_PARTIAL */
	const char *reason; /**< why the first of them was inexact; NULL: none was */
};

/** Decodes references. One a thread; not thread-safe itself. */
struct traverser;

/** Makes a traverser. @return NULL when out of memory */
struct traverser *traverser_create(const struct runtime *runtime);

/**
 * Makes another traverser for the same heap, for another thread: it decodes as this one does now,
 * with what its self-check has shown. Nobody may use this one meanwhile.
 * @return NULL when out of memory
 */
struct traverser *traverser_clone(const struct traverser *traverser);

/** Frees it. NULL is allowed. */
void traverser_destroy(struct traverser *traverser);

/**
 * Visits an object.
 * @param references set to the references in the order of tp_traverse, duplicates and objects
 * without GC included; valid until the next call. A decoder may leave out referents that can never
 * be GC objects (names, code).
 */
enum traverse_result traverse_object(struct traverser *traverser, uint64_t object,
				     const struct type *type, const struct reference **references,
				     size_t *count);

/**
 * Whether traverse_object() counts what it does for traverser_usage() and traverser_binding(); at
 * first it does.
 */
void traverser_set_counting(struct traverser *traverser, bool counting);

/** Adds to the usage that a traverser has counted that of a clone, which counts from 0 again. */
void traverser_collect_usage(struct traverser *traverser, struct traverser *clone);

/** Does dict_traverse() visit the keys of this table: may they be other than str? */
bool dict_visits_keys(struct traverser *traverser, const struct dict_view *view);

/**
 * Visits the references that an object holds and its type does not tell the collector, where the
 * type is known to have such: elements of a numpy.ndarray of objects, constants of code. They come
 * on top of those of traverse_object(). For who holds what; never for cycles, which the collector
 * does not see through them either.
 * @param references as for traverse_object()
 * @return false if the type is not known to have any, or the object is damaged; *count is 0 then
 */
bool traverse_hidden(struct traverser *traverser, uint64_t object, const struct type *type,
		     const struct reference **references, size_t *count);

/**
 * May traverse_hidden() visit words of objects of this type that are at no multiple of 8? Records
 * of numpy are packed unless they are made otherwise.
 */
bool traverse_may_be_unaligned(struct traverser *traverser, const struct type *type);

/** Visits only these. @param references as for traverse_object() */
void traverse_unaligned(struct traverser *traverser, uint64_t object, const struct type *type,
			const struct reference **references, size_t *count);

/**
 * The words of an object's C struct, visited or not, where its type is none of those whose
 * references are all known: there, what its tp_traverse leaves out is found by what the words point
 * at. Words of any kind, NULL left out: numbers and borrowed pointers too.
 * @param references as for traverse_object()
 */
void traverse_rest(struct traverser *traverser, uint64_t object, const struct type *type,
		   const struct reference **references, size_t *count);

/** Does traverse_object() visit all that there is: do the two above find nothing for any object of
 * this type? */
bool traverse_is_all(struct traverser *traverser, const struct type *type);

/** How the objects of a type were traversed so far. The reason lives as long as the traverser. */
struct traverse_usage traverser_usage(const struct traverser *traverser, const struct type *type);

/**
 * Compares the decoder of an object's type with the target's own code, if the object is one of the
 * sample: the first of each function and type, some later ones, and such as show which of two rules
 * the build follows. Call it once for every object before any result is used; it costs next to
 * nothing for objects outside of the sample.
 */
void traverser_check(struct traverser *traverser, uint64_t object, const struct type *type);

/** Adds to a coverage what traverser_check() has shown: decoders that differ, code that is missing.
 */
void traverser_report(const struct traverser *traverser, struct coverage *coverage);

/** A binding, by number in order of first sight. @return NULL behind the last */
const struct traverse_binding *traverser_binding(const struct traverser *traverser, size_t index);

/**
 * Who visits the values of an instance with inline values (3.13+) once its __dict__ exists. The
 * rule changed in micro releases and in vendor patches (gh-130327), see managed_dict.c.
 */
enum managed_dict_rule {
	MANAGED_DICT_VALUES, /**< the instance: its values and not the dict, which skips them */
	MANAGED_DICT_DICT,   /**< the instance visits its dict, and that visits them */
};

/** The rule in use, and for people how it was found out. */
enum managed_dict_rule traverser_managed_dict_rule(const struct traverser *traverser,
						   const char **source);

/** Overrides the rule, for someone who knows better, such as the self-check. */
void traverser_set_managed_dict_rule(struct traverser *traverser, enum managed_dict_rule rule,
				     const char *source);

/**
 * Hides all values in what this traverser writes for people from now on: titles, labels, repr. For
 * output that leaves the hands of those who may see what is in the process.
 * @return whether they were hidden before
 */
bool traverser_set_redact(struct traverser *traverser, bool redact);

/** What kind of edge a reference is. */
enum edge_kind {
	EDGE_ATTRIBUTE, /**< .name */
	EDGE_KEY,	/**< ['key'] of a dict */
	EDGE_INDEX,	/**< [3] */
	EDGE_INTERNAL, /**< a field of the object itself: "__dict__", "tb_frame", "cell_contents" */
	EDGE_LOCAL,    /**< a variable of a function, in its frame or generator */
	EDGE_TYPE,     /**< the type of an instance */
	EDGE_UNKNOWN,
};

/** Name of one edge. */
struct edge_label {
	enum edge_kind kind;
	char name[96];	/**< attribute, repr of the key, field; UTF-8, cut with "…" */
	uint64_t index; /**< of EDGE_INDEX */
};

/**
 * Names the edge that an object's reference is: uses the slot, then the object's type. Slow; for
 * objects that are shown.
 */
void edge_label(struct traverser *traverser, uint64_t object, const struct type *type,
		const struct reference *reference, struct edge_label *label);

/**
 * Names a word of a running function's frame (3.11+): which variable, or "stack".
 * @param start where the frames of this chunk of the data stack begin
 * @param function set to "load (app/web.py:41)", or ""
 * @return false if there is no frame
 */
bool frame_slot(struct traverser *traverser, uint64_t start, uint64_t slot,
		struct edge_label *label, char *function, size_t size);

/**
 * Where the references in a code object end (3.11+), from its beginning. Behind co_linetable are
 * its weak references and, in 3.11 alone, a cached bytes object (_co_code). Then come counters and
 * tables, of which _co_unique_id is not initialised (3.14+, but in free-threaded builds), and the
 * bytecode, whose inline caches borrow what they point at (Include/cpython/code.h).
 */
uint32_t code_references_end(const struct layout *layout);

/** Bytes of an object. */
struct object_size {
	uint64_t object;      /**< tp_basicsize + items, as the allocator was asked for without the
				 header */
	uint64_t header;      /**< GC head and pre-header */
	uint64_t out_of_line; /**< list items, dict tables, set tables, inline values, … */
};

/**
 * The size of an object with all storage that it alone owns; keys shared between instances are the
 * type's and are not counted.
 */
void object_measure(struct traverser *traverser, uint64_t object, const struct type *type,
		    struct object_size *size);

/** The first part of it alone, which takes less time: bytes from the object's address on. */
uint64_t object_extent(struct traverser *traverser, uint64_t object, const struct type *type);

/**
 * What len() says of a str, bytes, bytearray, list, tuple, dict, set, deque or of an instance of a
 * subclass, whatever its __len__ would say.
 * @return false for other objects and for those that are damaged
 */
bool object_length(struct traverser *traverser, uint64_t object, const struct type *type,
		   uint64_t *length);

#endif
