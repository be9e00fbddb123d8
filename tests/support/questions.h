/**
 * @file
 * Questions for every command, asked of the tool or of a debugger. The answers, in JSON, are files
 * of a folder, named the same for the same questions.
 */
#ifndef PYMEM_TESTS_QUESTIONS_H
#define PYMEM_TESTS_QUESTIONS_H

#include "support/python_process.h"

#include <stdbool.h>
#include <stddef.h>

/** The JSON Schema of all answers. */
#define SCHEMA_FILE "docs/schema/pymem.schema.json"

enum {
	QUESTION_WORDS_MAX = 5,
	SUBJECT_OBJECTS_MAX = 128,
	ANSWERS_PATH_MAX = 4096 + 300,
};

/**
 * A command with its words. "@name" is the address of an object that the program names, "@before" a
 * core of an earlier state of it.
 */
struct question {
	bool whole_only;     /**< asked only where everything is */
	const char *command; /**< NULL ends a list */
	const char *words[QUESTION_WORDS_MAX + 1];
};

/** Of every command but diff, and all there is in the schema; for contract.py. */
extern const struct question questions_all[];

/** A program that is asked about. */
struct subject {
	struct python_process *process;
	char pid[16];
	char *before;				  /**< path of an earlier core, owned; NULL: none */
	char objects[SUBJECT_OBJECTS_MAX][2][32]; /**< address, name */
	size_t object_count;
};

/** Takes a program that is running. Such as contract.py has a file of its objects. */
void subject_start(struct subject *subject, struct python_process *process);

/** Ends the program. */
void subject_end(struct subject *subject);

/** A folder of answers: COMMAND.N.json and COMMAND.N.ndjson. */
struct answers {
	char folder[ANSWERS_PATH_MAX];
	size_t count;			   /**< of what was asked */
	char script[ANSWERS_PATH_MAX + 8]; /**< see ask_script() */
};

/** Makes an empty folder among the program's files, which goes with them. */
void answers_start(struct answers *answers, const struct subject *subject, const char *name);

/** Which of a list of questions are asked. */
enum asked_part {
	ASK_DOCUMENTS = 1, /**< --json */
	ASK_LINES = 2,	   /**< --ndjson, of commands that have it */
	ASK_WHOLE = 4,	   /**< also what is `whole_only` */
};

/** Has the tool answer. A status but 0 and 4 fails the test. @param target its options and files */
void ask_tool(const struct subject *subject, const char *const *target,
	      const struct question *questions, unsigned int parts, struct answers *answers);

/** The same for one question. */
void ask_tool_one(const struct subject *subject, const char *const *target,
		  const struct question *question, enum asked_part format, struct answers *answers);

/**
 * Writes a file of a debugger's commands, which have it answer the same questions.
 * @return its path, valid as long as the answers
 */
const char *ask_script(const struct subject *subject, const struct question *questions,
		       unsigned int parts, struct answers *answers);

/** Both folders have the same answers, but for "target" and what diff says of its snapshots. */
void answers_compare(const struct answers *one, const struct answers *other);

/**
 * All answers fit the schema, closed so that they may hold nothing else.
 * @param unseen the list of what need not occur of the schema, whose rest must; NULL: nothing must
 */
void answers_validate(const struct answers *answers, const char *unseen);

/** Fails if a command of the library is not among the questions. */
void questions_check_all(void);

#endif
