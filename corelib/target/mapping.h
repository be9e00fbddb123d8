/**
 * @file
 * What the process had mapped where: the lines of /proc/PID/maps, or the note NT_FILE of a core
 * joined with its PT_LOAD segments.
 */
#ifndef PYMEM_TARGET_MAPPING_H
#define PYMEM_TARGET_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** One mapping [start, end). */
struct mapping {
	uint64_t start, end;
	uint64_t offset;  /**< in the file, bytes */
	uint32_t flags;	  /**< PF_R, PF_W, PF_X */
	bool flags_known; /**< false: a core that names the file but has no segment for it */
	bool shared;	  /**< MAP_SHARED; a core does not say, so false */
	bool deleted;	  /**< the path ended in " (deleted)", which is cut off */
	uint64_t inode;	  /**< 0: none or not known */
	char *path;	  /**< NULL: anonymous; owned by the list */
};

/** A list of mappings; zero-initialised is empty. */
struct mappings {
	struct mapping *items;
	size_t count, capacity;
};

/** Appends a mapping with a copy of `path`, from which " (deleted)" is cut off. @return false when
 * out of memory */
bool mappings_add(struct mappings *mappings, struct mapping mapping, const char *path);

/** Appends copies of all of a list's. @return false when out of memory */
bool mappings_copy(struct mappings *mappings, const struct mappings *from);

/** Sorts by start. */
void mappings_sort(struct mappings *mappings);

/**
 * Cuts the path of a root directory off the paths below it, so that a process in a chroot has the
 * paths that it sees itself, whoever wrote the list down.
 * @param root "" or "/": nothing is cut
 */
void mappings_enter(struct mappings *mappings, const char *root);

/** @return the mapping that contains the address, or NULL; the list must be sorted */
const struct mapping *mappings_at(const struct mappings *mappings, uint64_t address);

/** Frees the list, leaves it empty. */
void mappings_clear(struct mappings *mappings);

/** True if the path can be that of a file on disk, not a device, memfd or the like. */
bool mapping_path_is_file(const char *path);

#endif
