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
	bool general;			   /**< keys may be other than str */
	bool embedded;			   /**< 3.13+: the values stand inside an instance */
};

/** Decodes a dict's header and checks its bounds. @return false if it is damaged or unreadable */
bool dict_open(const struct runtime *runtime, struct reader *reader, uint64_t dict,
	       struct dict_view *view);

/** Decodes a PyDictKeysObject (ht_cached_keys of a type) as a table of names without values. */
bool dict_open_keys(const struct runtime *runtime, struct reader *reader, uint64_t keys,
		    struct dict_view *view);

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
