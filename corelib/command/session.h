/**
 * @file
 * One command at work: the target that it looks at and what was computed of it so far. Each step is
 * taken once, when the first part of the command asks for it.
 */
#ifndef PYMEM_COMMAND_SESSION_H
#define PYMEM_COMMAND_SESSION_H

#include "analysis/contents.h"
#include "analysis/cycles.h"
#include "analysis/dominators.h"
#include "analysis/growth.h"
#include "analysis/heap_check.h"
#include "analysis/histogram.h"
#include "analysis/leaked.h"
#include "analysis/memory_map.h"
#include "analysis/referents.h"
#include "analysis/search.h"
#include "analysis/stacks.h"
#include "command/garbage.h"
#include "command/options.h"
#include "command/places.h"
#include "command/progress_line.h"
#include "command/retained_rows.h"
#include "command/retainers.h"

struct path_answers;

/** A session. Zero-initialised is closed. Not thread-safe. */
struct session {
	enum front_end front_end;
	const struct pymem_io *io;
	const char *argument;	/**< of the command, such as the group of `cycles 3`; or NULL */
	bool argument_first;	/**< it was typed in front of the target */
	struct options options; /**< owned */
	struct progress_line progress; /**< hand &progress.progress to the rooms below */
	struct target *target;	       /**< these are owned; NULL: not there yet */
	struct runtime *runtime;
	struct heap *heap;
	struct deduction *deduction; /**< begun with the graph, for the next; or NULL */
	struct unreachable *unreachable;
	struct tally inexact; /**< objects whose references are not all known */
	struct cycles *cycles;
	struct garbage garbage; /**< of gc.garbage; read by session_findings() */
	bool has_garbage;
	struct allocators *allocators; /**< for session_objects(), which takes them over; or NULL */
	struct objects *objects;       /**< session_objects() */
	struct census *census;	       /**< session_census(); not counted: its first half */
	struct heap_checking *checking; /**< begun with the graph, for the next; or NULL */
	struct heap_check *check;	/**< these two: session_leaked() */
	struct leaked *leaked;
	struct graph *graph;	       /**< these two: session_basis_of_roots() */
	uint64_t *sizes;	       /**< by object */
	struct roots *roots;	       /**< session_roots() */
	struct dominators *dominators; /**< these two: session_retained() */
	struct anchors *anchors;
	struct retainers retainers; /**< of `triage` and `retained` */
	struct path_answers *paths; /**< of `path`, by address */
	struct histogram histogram; /**< of `types` */
	struct retained_rows rows;  /**< of `retained` */
	struct search search;	    /**< of `find` */
	struct contents contents;   /**< of `show` */
	struct place place;	    /**< of `show`: of an address where no object is */
	struct places places;	    /**< of `refcount` */
	struct memory_map *memory;  /**< session_memory() */
	struct referents referents; /**< of the command of that name */
	struct referrers referrers; /**< the same */
	/** By group of leaked: who holds the example; session_holders(), else NULL. */
	struct places *group_holders;
	struct stacks *stacks;	/**< session_stacks() */
	struct history history; /**< these two of `diff`: they outlive their targets */
	struct growth growth;
	const char *no_census; /**< why the census cannot be taken, static; NULL: it can */
};

/**
 * Opens the target that the options name, or the debugger's, finds CPython in it and lets a live
 * process go on.
 * @param debugger NULL: what the options name
 */
struct error *session_open(struct session *session, const struct pymem_debugger *debugger)
	__attribute__((warn_unused_result));

/** Lists the tracked objects. */
struct error *session_heap(struct session *session) __attribute__((warn_unused_result));

/** The same, and reads the allocators for session_objects() if that can be done at once. */
struct error *session_heap_and_allocators(struct session *session)
	__attribute__((warn_unused_result));

/** Finds the unreachable ones among them. */
struct error *session_unreachable(struct session *session) __attribute__((warn_unused_result));

/** Groups those. */
struct error *session_cycles(struct session *session) __attribute__((warn_unused_result));

/** Enumerates all objects, tracked or not, unless no_census says why not. */
struct error *session_objects(struct session *session) __attribute__((warn_unused_result));

/** Both of these at once. */
struct error *session_basis(struct session *session) __attribute__((warn_unused_result));

/** Says what all memory is used for, unless no_census says why not. */
struct error *session_memory(struct session *session) __attribute__((warn_unused_result));

/** Begins the census, as far as census_scan() needs it, unless no_census says why not. */
struct error *session_census_begin(struct session *session) __attribute__((warn_unused_result));

/** Enumerates all objects and counts the references to each, unless no_census says why not. */
struct error *session_census(struct session *session) __attribute__((warn_unused_result));

/**
 * Takes the census, checks the heap, groups leaked references. Where the target does not allow it,
 * no_census says why, and these parts stay NULL.
 */
struct error *session_leaked(struct session *session) __attribute__((warn_unused_result));

/** What the roots are found with: the graph, the sizes of all objects, the collector's verdict and
 * a census that is begun; or no_census says why not. */
struct error *session_basis_of_roots(struct session *session) __attribute__((warn_unused_result));

/** Finds what holds the graph, unless no_census says why not. */
struct error *session_roots(struct session *session, enum roots_depth depth)
	__attribute__((warn_unused_result));

/** All of that, and what each object retains. */
struct error *session_retained(struct session *session, enum roots_depth depth)
	__attribute__((warn_unused_result));

/** Finds who holds the examples of the first groups, as far as anybody does. */
struct error *session_holders(struct session *session, uint64_t groups)
	__attribute__((warn_unused_result));

/** All that `leaks` shows: the groups, gc.garbage, leaked references, the check of the heap. */
struct error *session_findings(struct session *session) __attribute__((warn_unused_result));

/** A step of these. */
typedef struct error *session_step(struct session *session);

/**
 * session_findings(), session_memory() and session_retained() with all roots, in less time.
 * @param also what is done when the retained sizes are known, while the rest is still at work; it
 * is left out where they cannot be known
 */
struct error *session_overview(struct session *session, session_step *also)
	__attribute__((warn_unused_result));

/** Reads the stacks of threads, and of all that waits as well. */
struct error *session_stacks(struct session *session, enum stacks_extent extent)
	__attribute__((warn_unused_result));

/** Frees what was computed of the objects, but for what report_coverage() shows. */
void session_forget(struct session *session);

/** Frees all that was computed of the target, its runtime too; the target stays open. */
void session_renew(struct session *session);

/** Closes the target with all that was computed of it; session_open() may follow. */
void session_reset(struct session *session);

/** Frees what belongs to one command: its words and what `diff` gathered for it. */
void session_clear_request(struct session *session);

/** Closes everything. */
void session_close(struct session *session);

#endif
