/**
 * @file
 * Type objects, decoded once and kept: there are thousands of objects of each.
 */
#ifndef PYMEM_CPYTHON_TYPE_H
#define PYMEM_CPYTHON_TYPE_H

#include "cpython/object.h"

/** Bits of tp_flags (Include/object.h). */
enum type_flags {
	TPFLAGS_INLINE_VALUES = 1 << 2,	  /**< 3.13+ */
	TPFLAGS_MANAGED_WEAKREF = 1 << 3, /**< 3.12+ */
	TPFLAGS_MANAGED_DICT = 1 << 4,	  /**< 3.11+ */
	TPFLAGS_IMMUTABLETYPE = 1 << 8,	  /**< 3.10+: no attribute can be set */
	TPFLAGS_HEAPTYPE = 1 << 9,
	TPFLAGS_HAVE_GC = 1 << 14,
	TPFLAGS_LONG_SUBCLASS = 1 << 24,
	TPFLAGS_LIST_SUBCLASS = 1 << 25,
	TPFLAGS_TUPLE_SUBCLASS = 1 << 26,
	TPFLAGS_BYTES_SUBCLASS = 1 << 27,
	TPFLAGS_UNICODE_SUBCLASS = 1 << 28,
	TPFLAGS_DICT_SUBCLASS = 1 << 29,
	TPFLAGS_BASE_EXC_SUBCLASS = 1 << 30,
};
#define TPFLAGS_TYPE_SUBCLASS (1u << 31)

/** A type object of the target. Owned by the cache, never changes once it is made. */
struct type {
	uint64_t address;
	const char
		*name; /**< module-qualified: "app.web.Session"; builtins without module: "dict" */
	const char *module;	/**< "app.web", "builtins"; "" if not known */
	const char *short_name; /**< __qualname__ of it: "Session" */
	uint32_t index;		/**< dense number in order of first sight, from 0 */
	uint64_t flags;		/**< tp_flags */
	int64_t basicsize, itemsize, dictoffset, weaklistoffset;
	uint64_t traverse;    /**< tp_traverse; 0: none */
	uint64_t dealloc;     /**< tp_dealloc */
	uint64_t is_gc;	      /**< tp_is_gc */
	uint64_t del;	      /**< tp_del, the legacy finalizer */
	uint64_t finalize;    /**< tp_finalize */
	uint64_t dict;	      /**< tp_dict; 0 for static types of 3.12+ */
	uint64_t cached_keys; /**< ht_cached_keys; 0: none */
	uint64_t metatype;
	const struct type *base; /**< tp_base; NULL for object, or if it is damaged */
	/** Slots of this very class, not of its bases: offsets of T_OBJECT_EX members. */
	struct type_slot {
		const char *name;
		int64_t offset;
		uint64_t member; /**< address of its PyMemberDef */
	} * slots;
	size_t slot_count;
	uint32_t presize; /**< bytes in front of the object: GC head and, 3.11+, pre-header */
	bool has_del;	  /**< __del__ (a Python class's tp_finalize or a legacy tp_del) */
};

/** The cache of a runtime. Safe from many threads; look-ups by index never lock it. */
struct type_cache;

/** Makes an empty cache. @return NULL when out of memory */
struct type_cache *type_cache_create(const struct runtime *runtime);

/** Frees it with all types. */
void type_cache_destroy(struct type_cache *cache);

/**
 * The type at an address.
 * @return NULL if there is no plausible type object: unreadable, no name, absurd sizes, its own
 * type is no type
 */
const struct type *type_get(struct type_cache *cache, struct reader *reader, uint64_t address);

/** How many types the cache holds; their indexes are below that. */
size_t type_count(struct type_cache *cache);

/** A type by its index. */
const struct type *type_by_index(struct type_cache *cache, uint32_t index);

/** The types known by now, by index: quicker than one at a time. @return to be freed; NULL when out
 * of memory */
const struct type **type_table(struct type_cache *cache);

/**
 * Does the collector see an object of this type: Py_TPFLAGS_HAVE_GC, and tp_is_gc agrees
 * (Python/gc.c visit_decref; tp_is_gc: `type` says no for static types).
 */
bool type_object_is_gc(const struct runtime *runtime, struct reader *reader,
		       const struct type *type, uint64_t object);

#endif
