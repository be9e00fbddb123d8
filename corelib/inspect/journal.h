/**
 * @file
 * Messages of a program that nobody watches: the kernel starts its handler of cores without a
 * standard output and error stream.
 */
#ifndef PYMEM_INSPECT_JOURNAL_H
#define PYMEM_INSPECT_JOURNAL_H

#include <stdio.h>

/**
 * A stream whose lines go to the system's log, or to that of the kernel where no daemon takes them.
 * @param priority of syslog(3)
 * @return NULL when out of memory
 */
FILE *journal_open(int priority);

#endif
