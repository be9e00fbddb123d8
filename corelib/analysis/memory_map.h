/**
 * @file
 * Where the process's memory is: each byte that it has mapped belongs to exactly one kind, and what
 * nobody knows is a kind of its own.
 */
#ifndef PYMEM_ANALYSIS_MEMORY_MAP_H
#define PYMEM_ANALYSIS_MEMORY_MAP_H

#include "analysis/raw_blocks.h"

/** What a byte is. */
enum memory_kind {
	MEMORY_OBJECT_POOL,    /**< Python object, in a block of pymalloc */
	MEMORY_OBJECT_MALLOC,  /**< in a chunk of malloc's heaps: above 512 bytes */
	MEMORY_OBJECT_MAPPED,  /**< in a chunk that malloc mapped by itself */
	MEMORY_STORAGE_POOL,   /**< table or buffer that a Python object points at, in pymalloc */
	MEMORY_STORAGE_MALLOC, /**< the same in malloc's heaps */
	MEMORY_STORAGE_MAPPED, /**< the same, mapped by itself */
	MEMORY_FREE_POOL,      /**< object on a free list of CPython, in pymalloc */
	MEMORY_FREE_MALLOC,    /**< the same in malloc's heaps: frames up to 3.10 */
	MEMORY_FRAMES,	       /**< data stack of a thread: frames of Python functions (3.11+) */
	MEMORY_POOL_RAW,       /**< pymalloc block in use that is no object and of none */
	MEMORY_POOL_FREE,      /**< free blocks of pools that have some in use */
	MEMORY_POOL_EMPTY,     /**< pools of which no block is in use */
	MEMORY_POOL_HEADER,    /**< headers of pools, rest behind the last block, alignment */
	MEMORY_MALLOC_RAW,     /**< chunk of malloc in use that is no object and of none */
	MEMORY_MALLOC_MAPPED,  /**< the same, mapped by itself */
	MEMORY_MALLOC_FREE,    /**< chunks of malloc in its bins */
	MEMORY_MALLOC_CACHED,  /**< free chunks in the caches of threads */
	MEMORY_MALLOC_TOP,     /**< free at the end of an arena */
	MEMORY_MALLOC_OWN,     /**< headers of malloc's arenas and heaps */
	MEMORY_STACK_USED,     /**< thread's stack from the stack pointer on */
	MEMORY_STACK_UNUSED,   /**< below it */
	MEMORY_FILE_TEXT,      /**< mapped file: code */
	MEMORY_FILE_CONSTANT,  /**< mapped file: read only */
	MEMORY_FILE_DATA,      /**< mapped file: written; and .bss */
	MEMORY_SHARED,	       /**< shared memory, devices */
	MEMORY_KERNEL,	       /**< vdso and the like */
	MEMORY_RESERVED,       /**< address space that nobody may touch */
	MEMORY_UNKNOWN,	       /**< anonymous memory of nobody that is known */
	MEMORY_KINDS,
};

/** How much of something there is. */
struct memory_amount {
	uint64_t mapped;   /**< bytes of address space */
	uint64_t resident; /**< bytes of it in memory, or in the dump: see struct residency */
	uint64_t blocks;   /**< objects, blocks or chunks; 0: no such thing */
};

/** Pools of one size of block. */
struct memory_class {
	uint64_t pools, used, free; /**< pools with blocks in use; blocks */
	uint64_t needed_pools;	    /**< that the blocks in use would fill if they were together */
};

/** What pymalloc's arenas are filled with. */
struct memory_arenas {
	uint64_t count;
	uint64_t bytes;	       /**< all of them */
	uint64_t used;	       /**< of blocks in use */
	uint64_t nearly_empty; /**< arenas of which less than a tenth is in use */
	uint64_t pinned;       /**< bytes of those that are not in use */
	uint64_t needed;       /**< arenas that the pools would fill if blocks were packed */
	struct memory_class classes[PYMALLOC_CLASSES];
};

/** Mapped files of one path. */
struct memory_file {
	const char *path; /**< of the target's mappings */
	struct memory_amount text, constant, data;
};

/** Anonymous memory that nobody knows. */
struct memory_range {
	uint64_t start, end;
	uint64_t resident;
};

/** The map. */
struct memory_map {
	enum residency_source source;
	uint64_t swapped, zeros; /**< see struct residency */
	struct memory_amount kinds[MEMORY_KINDS];
	struct memory_amount total;
	struct memory_arenas arenas;
	struct memory_file *files; /**< most resident first */
	size_t file_count;
	struct memory_range *unknown; /**< the same */
	size_t unknown_count;
	uint64_t stacks;	  /**< threads whose stack was found */
	uint64_t broken_heaps;	  /**< heaps of malloc with a damaged chain of chunks */
	const char *other_malloc; /**< another allocator that is loaded, such as "jemalloc"; NULL */
};

/** Makes the map; objects_open() has found all objects. */
struct error *memory_map_make(struct objects *objects, const struct progress *progress,
			      struct memory_map **map) __attribute__((warn_unused_result));

/** Frees it. NULL is allowed. */
void memory_map_free(struct memory_map *map);

/** The sum of the kinds from `first` to `last`. */
struct memory_amount memory_map_sum(const struct memory_map *map, enum memory_kind first,
				    enum memory_kind last);

#endif
