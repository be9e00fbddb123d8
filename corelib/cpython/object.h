/**
 * @file
 * Object headers and the values of simple objects, read with the layout of the runtime at hand.
 */
#ifndef PYMEM_CPYTHON_OBJECT_H
#define PYMEM_CPYTHON_OBJECT_H

#include "cpython/runtime.h"

/** The header of an object. */
struct object_header {
	uint64_t type;	  /**< address of its PyTypeObject; not checked */
	int64_t refcount; /**< of an immortal object: whatever is stored */
	bool immortal;	  /**< PEP 683, 3.12+ */
};

/**
 * Reads a header (ob_refcnt, ob_type): 64 bits of refcount up to 3.13, the low 32 from 3.14 on
 * (Include/object.h).
 * @return false if it is not readable
 */
bool object_header(const struct runtime *runtime, struct reader *reader, uint64_t object,
		   struct object_header *header);

/**
 * Copies a str as UTF-8.
 * @param size of the buffer; a longer text is cut at a character and ends in "…"
 * @return false if it is no readable str; the caller is to know that it is one (type or position)
 */
bool object_str(const struct runtime *runtime, struct reader *reader, uint64_t object, char *buffer,
		size_t size);

/** The characters of a str; see str_open(). */
struct str_view {
	uint64_t data;	 /**< the first character */
	uint64_t length; /**< in characters */
	uint32_t width;	 /**< bytes of a character: 1 (Latin-1), 2 or 4 */
};

/**
 * Finds the characters of a str: compact or not, and up to 3.11 also those that still are in
 * wchar_t (legacy strings that are not ready, Include/cpython/unicodeobject.h).
 * @return false if it is no readable str; the caller is to know that it is one
 */
bool str_open(const struct runtime *runtime, struct reader *reader, uint64_t object,
	      struct str_view *view);

/** The i-th character. @return false if it is not readable */
bool str_character(struct reader *reader, const struct str_view *view, uint64_t i,
		   uint32_t *character);

/** Writes a character as UTF-8 without a NUL; what is none (a lone surrogate, beyond the range) as
 * U+FFFD.
 * @return how many bytes */
size_t utf8_encode(uint32_t character, char buffer[4]);

/** Is the object a str or of a subclass of it (Py_TPFLAGS_UNICODE_SUBCLASS)? */
bool object_is_str(const struct runtime *runtime, struct reader *reader, uint64_t object);

/** Where the entries of a dict are; see dict_open(). */
struct dict_view {
	uint64_t keys;	     /**< PyDictKeysObject */
	uint64_t entries;    /**< first entry */
	uint64_t values;     /**< split table: first value slot; 0: values stand in the entries */
	uint64_t count;	     /**< entries or value slots in use, deleted ones included */
	uint32_t entry_size; /**< 24 or 16 bytes */
	uint32_t key_offset, value_offset; /**< in an entry */
	uint64_t order; /**< split table, 3.11+: the bytes that keep the order of insertion; 0: none
			 */
	int order_step; /**< from one of them to the next: 1, or -1 */
	uint64_t order_count; /**< how many there are */
	bool general;	      /**< keys may be other than str */
	bool embedded;	      /**< 3.13+: the values stand inside an instance */
};

/** Decodes a dict's header and checks its bounds. @return false if it is damaged or unreadable */
bool dict_open(const struct runtime *runtime, struct reader *reader, uint64_t dict,
	       struct dict_view *view);

/** Decodes a PyDictKeysObject (ht_cached_keys of a type) as a table of names without values. */
bool dict_open_keys(const struct runtime *runtime, struct reader *reader, uint64_t keys,
		    struct dict_view *view);

/**
 * Finds the order in which the values of a split table were set (Include/internal/pycore_dict.h
 * _PyDictValues_AddToInsertionOrder); up to 3.10 it is that of the keys.
 * @param values the first value
 */
void dict_open_order(const struct runtime *runtime, struct reader *reader, uint64_t values,
		     struct dict_view *view);

/** How many entries to ask dict_ordinal() for. */
static inline uint64_t dict_ordinals(const struct dict_view *view)
{
	return view->order ? view->order_count : view->count;
}

/** The entry that comes i-th when a dict is iterated. */
uint64_t dict_ordinal(struct reader *reader, const struct dict_view *view, uint64_t i);

/**
 * The i-th entry.
 * @param value_slot set to the address of the word that holds the value
 * @return false for a deleted or unreadable entry; *key is set even if *value is 0
 */
bool dict_entry(struct reader *reader, const struct dict_view *view, uint64_t i, uint64_t *key,
		uint64_t *value, uint64_t *value_slot);

/** Looks up a key that is a str with this text, by scanning. @return its value, 0 if it is not
 * there */
uint64_t dict_find(const struct runtime *runtime, struct reader *reader, uint64_t dict,
		   const char *key);

#endif
