/**
 * @file
 * A Python program with mounts and process ids of its own, as in a container: its files are below a
 * file system that only it sees, and it is known by another pid inside.
 */
#ifndef PYMEM_TESTS_CONTAINER_H
#define PYMEM_TESTS_CONTAINER_H

#include "support/python_process.h"

#include <stdbool.h>

/** A running container. */
struct container {
	pid_t keeper;	 /**< unshare(1), whose end ends all */
	pid_t init;	 /**< its first process, which sees the host's root */
	pid_t pid;	 /**< Python, as this process knows it */
	char root[1024]; /**< Python's root folder, as this process reaches it */
	char folder[400], mount[500];
	char shared[500]; /**< its working directory, which this process sees too */
	int input;
	struct container *next; /**< internal */
};

/**
 * Starts a program of tests/programs in an interpreter that lives in a folder to chroot into.
 * @param user whether it also gets a user namespace
 * @return NULL, with the reason in *why, where that is not possible
 */
struct container *container_start(const struct interpreter_choice *choice, const char *program,
				  bool user, const char **why);

/** Ends it. NULL is allowed. */
void container_end(struct container *container);

#endif
