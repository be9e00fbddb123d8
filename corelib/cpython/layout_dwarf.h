/**
 * @file
 * Layouts read from DWARF: how the rows in layouts/ are made, and what is used at run time for a
 * build that no row fits when its debug information is at hand.
 */
#ifndef PYMEM_CPYTHON_LAYOUT_DWARF_H
#define PYMEM_CPYTHON_LAYOUT_DWARF_H

#include "cpython/layout.h"

#include <elfutils/libdw.h>

/**
 * Fills a layout from debug information. A type that several files define is taken from the first.
 * @param dwarfs of libpython or the executable, then of extension modules
 * @return how many facts were found; the others are LAYOUT_ABSENT. 0 when out of memory
 */
size_t layout_from_dwarf(Dwarf **dwarfs, size_t count, struct layout *layout);

#endif
