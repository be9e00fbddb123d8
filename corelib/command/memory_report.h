/**
 * @file
 * What the memory of a process is used for, for people and scripts: the groups of kinds, the
 * verdict, the line of the overview. The session has been taken to session_memory().
 */
#ifndef PYMEM_COMMAND_MEMORY_REPORT_H
#define PYMEM_COMMAND_MEMORY_REPORT_H

#include "command/document.h"
#include "command/screen.h"
#include "command/session.h"

/** One kind in a group. */
struct memory_row {
	enum memory_kind kind;
	const char *word;  /**< for scripts */
	const char *label; /**< for people */
	const char *noun;  /**< of what is counted, singular; NULL: nothing is */
};

/** Kinds that are shown together. */
struct memory_group {
	const char *word, *label;
	enum memory_kind first, last;
};

/** The groups in their order; the last has no label. */
extern const struct memory_group memory_groups[];

/** Names of a kind. */
const struct memory_row *memory_row(enum memory_kind kind);

/** What is compared: bytes in memory, in the dump, or mapped where neither is known. */
uint64_t memory_measure(const struct memory_map *map, const struct memory_amount *amount);

/** "resident", "dumped" or "mapped". */
const char *memory_measure_name(const struct memory_map *map);

/** Where most of the memory is. */
enum memory_verdict {
	VERDICT_OBJECTS,
	VERDICT_POOLS_FREE,
	VERDICT_RAW,
	VERDICT_MALLOC_FREE,
	VERDICT_STACKS,
	VERDICT_FILES,
	VERDICT_UNKNOWN,
	VERDICT_COUNT,
};

/** The verdict with its numbers. */
struct memory_finding {
	enum memory_verdict verdict;
	const char *word;      /**< for scripts */
	uint64_t bytes, total; /**< of what dominates; of everything */
	bool dominates;	       /**< false: it is only the largest of many */
	uint64_t arenas, free; /**< bytes of pymalloc's arenas, and of what is free in them */
	bool fragmented;       /**< much of them, and much memory */
	char text[480];	       /**< the sentence; may hold U+00D7, nothing of the target */
};

/** Judges. */
void memory_judge(const struct memory_map *map, struct memory_finding *finding);

/** Prints the line of the overview; nothing without a map. */
void memory_line(const struct session *session, struct screen *screen);

/** Sets "memory" of the overview: what does not depend on where the memory comes from. */
void memory_line_json(const struct session *session, struct document *document, json_t *result);

#endif
