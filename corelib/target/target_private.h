/**
 * @file
 * What target.c and the openers share.
 */
#ifndef PYMEM_TARGET_TARGET_PRIVATE_H
#define PYMEM_TARGET_TARGET_PRIVATE_H

#include "target/image_private.h"
#include "target/module_private.h"
#include "target/target.h"

struct live;

/** The part of a target that only its opener sees. */
struct target_private {
	struct live *live;	      /**< a live process; NULL for others */
	struct elf_view core;	      /**< the mapped core, or what was unpacked of it */
	int core_fd;		      /**< of a core that is a file; -1: none */
	struct timespec core_written; /**< when it was written to last, as it was opened */
};

/** A target with an empty image. @return NULL when out of memory */
struct target *target_create(enum target_kind kind, const char *name);

/** For the `cleanup` attribute: closes the target that a variable still holds. */
void target_cleanup(struct target **target);

/*
 * live.c; nothing for targets of other kinds.
 */

/** See target_release(). */
struct error *live_gone(const struct target *target) __attribute__((warn_unused_result));
struct error *live_release(struct target *target) __attribute__((warn_unused_result));

/** Lets the process go on and frees what belongs to it. */
void live_close(struct target *target);

/*
 * target.c
 */

/**
 * Fills the gaps of file mappings from the modules' files and notes as holes what stays. Reports
 * what is wrong with the files that would be needed. image_finish() has to be called afterwards.
 */
struct error *target_fill_from_files(struct target *target, const struct mappings *mappings)
	__attribute__((warn_unused_result));

#endif
