/**
 * @file
 * What /proc says of a process.
 */
#ifndef PYMEM_TARGET_PROC_H
#define PYMEM_TARGET_PROC_H

#include "target/error.h"
#include "target/mapping.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/types.h>

/** The lines of /proc/PID/status that matter. */
struct proc_status {
	char name[64];
	char state;	 /**< R, S, D, T, t, Z, X, … */
	pid_t process;	 /**< Tgid: differs from the pid asked for if that is a thread */
	pid_t tracer;	 /**< 0: none */
	bool has_memory; /**< false: a kernel thread or a zombie */
};

/** Opens /proc/PID/NAME, or /proc/NAME if pid is 0. @return NULL with errno set */
FILE *proc_open(pid_t pid, const char *name);

/** Opens /proc/PID/task, the list of its threads. @return NULL with errno set */
DIR *proc_tasks(pid_t pid);

/** Reads the status. @return false with errno set if there is no such process */
bool proc_status(pid_t pid, struct proc_status *status);

/** The number behind a word at the start of a line of /proc/PID/NAME, or of /proc/NAME if pid is 0;
 * 0 if it is not there. */
uint64_t proc_number(pid_t pid, const char *name, const char *word);

/** Reads the mappings, sorted. */
struct error *proc_mappings(pid_t pid, struct mappings *mappings)
	__attribute__((warn_unused_result));

/** The pid that a process has in its own pid namespace; 0: the same, or not known. */
pid_t proc_inner_pid(pid_t pid);

/** The command line with spaces between the arguments, one line; NULL if there is none. Owned by
 * the caller. */
char *proc_command(pid_t pid);

/** The value of an entry of the auxiliary vector, 0 if it is not there. */
uint64_t proc_auxv(pid_t pid, uint64_t type);

/**
 * The number of the system call that a thread is in, -1 if it is in none.
 * @return false if the kernel does not say, as of a thread that runs
 */
bool proc_system_call(pid_t thread, int64_t *number);

/**
 * What to put in front of the process's paths: "" or "/proc/PID/root" if it sees other files than
 * we do. Owned by the caller; NULL when out of memory.
 */
char *proc_root(pid_t pid);

/** Gives mapped files the paths that the process itself sees, if it lives in a chroot. */
void proc_enter_root(pid_t pid, struct mappings *mappings);

/** The same with its root as "/proc/PID/root" or another link; a path that is none does nothing. */
void proc_enter_link(const char *link, struct mappings *mappings);

/** For the `cleanup` attribute: closes a stream that is not NULL. */
void proc_close(FILE **file);

#endif
