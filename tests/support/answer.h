/**
 * @file
 * JSON answers of the tool and of GDB, without what may differ between them: "target", and what
 * `diff` says of its targets and their times.
 */
#ifndef PYMEM_TESTS_ANSWER_H
#define PYMEM_TESTS_ANSWER_H

#include "support/gdb.h"

/** The answer in a file. All answers are text, freed by the caller. */
char *answer_of_file(const char *path);

/** What pycore-inspect answers to the arguments. */
char *answer_of_tool(const char *const *arguments);

/**
 * What "pymem COMMAND" answers in GDB on a target.
 * @param folder to write a file in
 * @param command with --json
 * @param target GDB's arguments, "-p" and the pid for example
 */
char *answer_of_gdb(const struct gdb *gdb, const char *folder, const char *command,
		    const char *const *target);

/** The "result" of an answer, which is freed. */
char *answer_result(char *answer);

/** Compares two answers and frees them. */
void assert_same_answer(char *one, char *other);

/** Fails, and shows the text, if the part is not in it. */
void assert_contains(const char *text, const char *part);

/** Fails, and shows the text, if the part is in it. */
void assert_lacks(const char *text, const char *part);

#endif
