/**
 * @file
 * The memory of a process as sorted ranges with host pointers. A core file, a live process and a
 * debugger's memory look the same from here on; no code above this room knows which it is.
 *
 * An image does not interpret bytes. Every address comes from the target and is hostile: the only
 * way to a byte is through a struct reader, which answers "not there" for everything that is not.
 */
#ifndef PYMEM_TARGET_IMAGE_H
#define PYMEM_TARGET_IMAGE_H

#include "target/error.h"

#include <stddef.h>
#include <string.h>

/** Where the bytes of a segment come from. */
enum segment_source {
	SEGMENT_CORE,	  /**< dumped in the core file */
	SEGMENT_FILE,	  /**< taken from a module's file whose build-id matches */
	SEGMENT_LIVE,	  /**< read from a live process */
	SEGMENT_DEBUGGER, /**< read through a debugger's callback */
};

/** A readable range [start, end) of the target, contiguous on the host. Sorted, never overlapping.
 */
struct segment {
	uint64_t start, end;
	const uint8_t *host;	    /**< byte at start; valid as long as the image */
	uint32_t flags;		    /**< PF_R, PF_W, PF_X of the target's mapping */
	enum segment_source source; /**< tells code that may be trusted from code that may not */
	uint8_t *fetched; /**< NULL: all bytes are there; else only a reader may look, see lazy.c */
};

/**
 * Reason of a hole, told by its address: the process never wrote there, or only zeros. Readers find
 * the zeros; it is no segment because to look through it would take time and find nothing.
 */
extern const char hole_never_written[];

/** The same where a core was cut off. */
extern const char hole_truncated[];

/** A range that the process had mapped but whose bytes are not to be had, or are all zeros, with
 * the reason. */
struct hole {
	uint64_t start, end;
	uint32_t flags;
	const char *reason; /**< static string: "truncated", "not dumped", "file missing", … */
};

/** The memory of one target. Read-only after it was opened; readers of many threads may share it.
 */
struct image {
	struct segment *segments;
	size_t segment_count;
	struct hole *holes;
	size_t hole_count;
	struct image_private *private; /**< see image_private.h; this room only */
};

/** Frees the image and all host memory behind it. */
void image_destroy(struct image *image);

/** May readers of several threads be used? Not where each read goes through a debugger, whose
 * ranges are not known either: then `segments` is empty. */
bool image_is_concurrent(const struct image *image);

/** @return the segment that contains the address, or NULL */
const struct segment *image_segment(const struct image *image, uint64_t address);

/** @return the hole that contains the address, or NULL: the process had nothing mapped there */
const struct hole *image_hole(const struct image *image, uint64_t address);

enum { READER_SLOTS = 64 };

/**
 * A way into the image with a small cache of the ranges used last. Cheap to make, one a thread, on
 * the stack or in a struct; no clean-up needed.
 */
struct reader {
	const struct image *image;
	struct reader_slot {
		uint64_t start, size; /**< size 0: empty */
		const uint8_t *host;
	} slots[READER_SLOTS];
};

/** Makes the reader ready. */
void reader_init(struct reader *reader, const struct image *image);

/** The slow way of reader_at(): searches, fetches, stitches ranges that are apart on the host. */
const void *reader_find(struct reader *reader, uint64_t address, size_t length);

/**
 * Finds `length` bytes of the target.
 * @return a host pointer, valid as long as the image and not necessarily aligned; NULL if any of
 * the bytes is not there
 */
static inline const void *reader_at(struct reader *reader, uint64_t address, size_t length)
{
	const struct reader_slot *slot = &reader->slots[(address >> 20) % READER_SLOTS];
	uint64_t offset = address - slot->start;

	if (offset < slot->size && length <= slot->size - offset)
		return slot->host + offset;
	return reader_find(reader, address, length);
}

/** Copies up to `length` bytes. @return how many contiguous bytes there were from `address` on */
size_t reader_copy(struct reader *reader, uint64_t address, void *buffer, size_t length);

/**
 * Reads a NUL-terminated string.
 * @param size size of the buffer; the result is always terminated
 * @return false if the string is unreadable or longer than size - 1 bytes; the buffer then holds
 *         what there was
 */
bool reader_string(struct reader *reader, uint64_t address, char *buffer, size_t size);

/** Reads a little-endian word; false leaves *value at 0. */
static inline bool reader_u64(struct reader *reader, uint64_t address, uint64_t *value)
{
	const void *bytes = reader_at(reader, address, sizeof(*value));

	*value = 0;
	if (!bytes)
		return false;
	memcpy(value, bytes, sizeof(*value));
	return true;
}

/** Reads 32 bits; false leaves *value at 0. */
static inline bool reader_u32(struct reader *reader, uint64_t address, uint32_t *value)
{
	const void *bytes = reader_at(reader, address, sizeof(*value));

	*value = 0;
	if (!bytes)
		return false;
	memcpy(value, bytes, sizeof(*value));
	return true;
}

/** Reads 8 bits; false leaves *value at 0. */
static inline bool reader_u8(struct reader *reader, uint64_t address, uint8_t *value)
{
	const void *bytes = reader_at(reader, address, sizeof(*value));

	*value = 0;
	if (!bytes)
		return false;
	memcpy(value, bytes, sizeof(*value));
	return true;
}

/*
 * Building an image: for the openers of this room, and for tests that make memory from code.
 */

/** An empty image. @return NULL when out of memory */
struct image *image_create(void);

/**
 * Adds a range whose bytes are at `host`, which stays the caller's and must outlive the image.
 * Where ranges overlap, the one added first wins.
 */
struct error *image_add(struct image *image, uint64_t start, uint64_t size, const void *host,
			uint32_t flags, enum segment_source source)
	__attribute__((warn_unused_result));

/** Notes a range without bytes. */
struct error *image_add_hole(struct image *image, uint64_t start, uint64_t end, uint32_t flags,
			     const char *reason) __attribute__((warn_unused_result));

/**
 * Sorts, cuts overlaps, joins neighbours that are contiguous on the host. What was added since is
 * not read before it is called again, which makes pointers to segments and readers invalid.
 */
struct error *image_finish(struct image *image) __attribute__((warn_unused_result));

#endif
