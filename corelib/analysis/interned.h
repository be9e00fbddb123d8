/**
 * @file
 * The dict of interned str: its references to those that are not immortal do not count in their
 * refcounts, neither as keys nor as values (Objects/unicodeobject.c PyUnicode_InternInPlace).
 */
#ifndef PYMEM_ANALYSIS_INTERNED_H
#define PYMEM_ANALYSIS_INTERNED_H

#include "analysis/objects.h"

/**
 * Finds such dicts by what is in them: every key is interned and its own value. An interpreter has
 * one (3.12+; all share one before), far larger than what a program makes of this kind.
 * @return an array of numbers in objects, that the caller frees; NULL when out of memory
 */
uint32_t *interned_find(const struct objects *objects, size_t *count);

#endif
