/**
 * @file
 * "Did you mean": the known word that is nearest to a mistyped one.
 */
#ifndef PYMEM_COMMAND_SUGGEST_H
#define PYMEM_COMMAND_SUGGEST_H

/** The search for the nearest word; zero-initialise it, then offer every known word. */
struct suggestion {
	const char *word; /**< nearest so far; NULL: none is near enough */
	unsigned distance;
};

/** Compares a known word with what was typed; keeps it if it is the nearest yet. */
void suggestion_offer(struct suggestion *suggestion, const char *typed, const char *known);

#endif
