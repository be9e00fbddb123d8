/**
 * @file
 * What snapshots of a process keep of it once it is closed: how many objects of which type and
 * bytes each holder has, which groups of cycles are unreachable, which references leak. Small, and
 * without addresses, but for an example of each: a later snapshot, or one of another process of the
 * same program, is counted in the same rows.
 */
#ifndef PYMEM_ANALYSIS_HISTORY_H
#define PYMEM_ANALYSIS_HISTORY_H

#include "analysis/cycles.h"
#include "analysis/holders.h"
#include "analysis/leaked.h"
#include "analysis/series.h"

/** What a snapshot was taken of. Strings are owned. */
struct history_facts {
	char *name;    /**< path of the core, or "pid 1234" */
	char *command; /**< NULL: not known */
	char version[32];
	pid_t pid;	/**< 0: not known */
	double seconds; /**< since 1970: when it was taken; of a core its file's time; 0: not known
			 */
	/** Collections that the collector of the main interpreter has finished: the age of a
	 * process. -1: not known */
	int64_t collections;
	uint64_t interpreter; /**< address of the main interpreter */
	bool complete;	      /**< nothing of it is missing */
	uint64_t objects, bytes;
};

/** A group of unreachable cycles, or of objects with leaked references. */
struct history_group {
	char *text;	 /**< "Request.session -> Session.request -> Request", the type "bytes" */
	char *modules;	 /**< of a cycle: "app.web, app.user"; else "" */
	uint64_t excess; /**< of a leak: references of each that nobody holds */
	bool lost;	 /**< of a leak: nothing points at them at all */
};

/** Groups that are alike in every snapshot. */
struct history_groups {
	struct names keys;
	struct history_group *items; /**< by number of the key */
	size_t capacity;
	struct series series; /**< objects: cycles, or heads; items: all objects of them */
};

/** The snapshots, oldest first. Zero-initialised is empty. */
struct history {
	struct history_facts *facts;
	size_t count;
	size_t begun; /**< one more than `count` if the last could not be finished */
	struct holders holders;
	struct series series; /**< by node of the holders */
	struct history_groups cycles, leaks;
};

/** What a snapshot is made of. */
struct history_parts {
	const struct roots *roots;
	const uint64_t *sizes; /**< by object */
	const struct cycles *cycles;
	const struct leaked *leaked; /**< NULL: not known */
	double seconds;		     /**< see struct history_facts */
};

/** Adds a snapshot. Nothing of the parts is kept. */
struct error *history_add(struct history *history, const struct history_parts *parts,
			  const struct progress *progress) __attribute__((warn_unused_result));

/** Is the last snapshot of two older than the first, as far as the process itself tells? */
bool history_is_reversed(const struct history *history);

/** Are all snapshots of one process? */
bool history_one_process(const struct history *history);

/** Makes the last snapshot the first. */
void history_rotate(struct history *history);

/** Frees all. */
void history_clear(struct history *history);

#endif
