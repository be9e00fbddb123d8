/**
 * @file
 * The CPython in a target: which version, which build, its interpreters and their collectors.
 */
#ifndef PYMEM_CPYTHON_RUNTIME_H
#define PYMEM_CPYTHON_RUNTIME_H

#include "cpython/layout.h"
#include "target/target.h"

/** The collector's lists of one interpreter. Names as in `gc`: 0 young … 2 old, and frozen objects.
 */
enum {
	GENERATION_COUNT = 3,
	GENERATION_PERMANENT = 3,
	GENERATION_LISTS = 4,
};

/** One list of the collector. */
struct generation {
	uint64_t head;	   /**< address of its PyGC_Head */
	int64_t threshold; /**< of a generation; 0 for the permanent one */
	int64_t count;	   /**< what gc.get_count() shows */
	int64_t collections, collected, uncollectable; /**< gc.get_stats(); -1: not known */
};

/** One interpreter (PyInterpreterState) and its collector (_gc_runtime_state). */
struct interpreter {
	uint64_t address;
	int64_t id;
	uint64_t gc;	   /**< address of its _gc_runtime_state */
	bool gc_enabled;   /**< gc.isenabled() */
	bool collecting;   /**< a collection was under way */
	uint64_t garbage;  /**< the list gc.garbage; 0: none */
	uint64_t modules;  /**< the dict sys.modules; 0: none */
	uint64_t sysdict;  /**< sys.__dict__ */
	uint64_t builtins; /**< builtins.__dict__ */
	struct generation generations[GENERATION_LISTS];
	size_t thread_count; /**< its PyThreadStates */
	bool shares_gc; /**< 3.8: the lists are the runtime's, shown at the first interpreter only
			 */
};

/** The runtime found in a target. Read-only after runtime_open(); may be shared by threads. */
struct runtime {
	struct target *target;
	uint64_t address;	     /**< of _PyRuntime */
	const struct module *module; /**< that holds _PyRuntime; NULL: not known */
	uint32_t hexversion;	     /**< PY_VERSION_HEX, such as 0x030b07f0 */
	int minor;		     /**< 8 … 15 */
	char version[32];	     /**< "3.11.7" */
	char *build;		     /**< what sys.version says after the number; NULL: not known */
	const char *version_source;  /**< how the version was found, for people */
	const char *layout_source;   /**< where the layout comes from, for people */
	bool debug_build;	     /**< Py_DEBUG */
	bool free_threaded;	     /**< Py_GIL_DISABLED */
	bool incremental_gc;	     /**< 3.14.0-3.14.4 */
	struct layout layout;
	struct interpreter *interpreters; /**< by id: the main one is the first */
	size_t interpreter_count;
	struct type_cache *types;      /**< see type.h */
	struct type_names *type_names; /**< NULL: types tell their names, see type_names.h */
};

/**
 * Finds CPython in a target and chooses its layout, which is verified by walking its lists.
 * @return ERROR_NOT_PYTHON, with what was found and what is missing, for a target that is no
 * CPython or one that cannot be decoded
 */
struct error *runtime_open(struct target *target, struct runtime **runtime)
	__attribute__((warn_unused_result));

/** Frees the runtime, not its target. NULL is allowed. */
void runtime_close(struct runtime *runtime);

/** "pyenv", "Debian" and the like are not told apart here; this is true for 3.12 and later. */
bool runtime_has_immortals(const struct runtime *runtime);

#endif
