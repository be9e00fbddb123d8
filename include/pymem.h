/**
 * @file
 * libpymem: the memory of a CPython process, read from outside.
 *
 *	const char *const words[] = {"leaks", "--json", NULL};
 *	struct pymem *process;
 *	char *answer = NULL;
 *	int status = pymem_open_core("core.1234", NULL, &process);
 *
 *	if (status == PYMEM_OK)
 *		status = pymem_ask(process, words, &answer, NULL);
 *	if (answer)
 *		puts(answer);
 *	else
 *		fprintf(stderr, "%s\n", pymem_error(process));
 *	free(answer);
 *	pymem_close(process);
 *
 * `pkg-config --cflags --libs pymem` says how to compile it. The commands, their options and their
 * JSON are those of pycore-inspect(1); an opened process is looked at as often as wanted, and stays
 * what it was when it was opened.
 *
 * Nothing of the process that is looked at is executed or changed. The library prints nothing,
 * never exits, installs no signal handler and keeps no state beside the handles.
 *
 * Threads: a handle is used by one thread at a time; different handles may be used at once. Close a
 * process in the thread that has opened it: the kernel ties a traced process to a thread. The
 * library may work with a thread of its own meanwhile, which calls nothing of the caller's.
 *
 * Compatibility: programs go on working with every later libpymem.so.0. Structs with a `size` may
 * grow at their end; so may those that the library hands out.
 */
#ifndef PYMEM_H
#define PYMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of this header; pymem_version() is that of the library. */
#define PYMEM_VERSION "0.1.0"

/** Marks what the shared library exports. */
#define PYMEM_API __attribute__((visibility("default")))

/** What every function that returns an int returns, and the exit codes of pycore-inspect. */
enum pymem_status {
	PYMEM_OK = 0,		 /**< answered; findings are not an error */
	PYMEM_ERROR = 1,	 /**< a file, process or system call failed */
	PYMEM_USAGE = 2,	 /**< wrong words or options */
	PYMEM_NOT_PYTHON = 3,	 /**< no CPython, or one that cannot be decoded */
	PYMEM_PARTIAL = 4,	 /**< answered in part; `coverage` says what is missing */
	PYMEM_FINDINGS = 5,	 /**< answered, and there is what --fail-on names */
	PYMEM_INTERRUPTED = 130, /**< Ctrl-C; here: interrupted() said so */
};

/** A process that was opened. */
struct pymem;

/** How to open and ask. Zero all of it but for `size`; strings are copied. */
struct pymem_options {
	size_t size;		    /**< sizeof(struct pymem_options) */
	const char *executable;	    /**< the executable of the process, if its path has changed */
	const char *sysroot;	    /**< folder to look for the files of the process below */
	const char *debuginfo_path; /**< folders of debug files, with ':' between */
	bool no_stop;		    /**< do not stop a live process while it is read */
	bool redact;		    /**< hide all values, as --redact does */
	bool utf8;		    /**< text may hold UTF-8; JSON is ASCII always */
	unsigned columns;	    /**< to break lines of text at; 0: 100 */
	/**
	 * Says every few thousand objects what is going on and how much of it is done (total 0: not
	 * known); NULL: not wanted. `phase` lives as long as the call.
	 */
	void (*progress)(void *context, const char *phase, uint64_t done, uint64_t total);
	/** Asked as often: true ends the call with PYMEM_INTERRUPTED. Be quick; NULL: go on. */
	bool (*interrupted)(void *context);
	void *context; /**< of both, which are called in the thread that calls the library */
};

/** Something that is missing, damaged or worth knowing. */
struct pymem_problem {
	bool partial;	    /**< answers are partial by it; false: a note */
	const char *kind;   /**< stable word for programs: "truncated-core", "missing-file" */
	const char *detail; /**< one line for people */
};

/** An object of the process. */
struct pymem_object {
	uint64_t address;
	uint64_t size;	  /**< bytes, with its header and the storage that it alone owns */
	const char *type; /**< "app.Session"; NULL: its type is damaged */
	int64_t refcount; /**< -1: immortal */
	bool tracked;	  /**< the collector tracks it */
};

/** A command that pymem_ask() knows. */
struct pymem_command {
	const char *name;
	const char *summary; /**< one line, no full stop */
	const char *usage;   /**< arguments behind the name, "[--json] [--limit N]" */
};

/** The library's version, "0.1.0". */
PYMEM_API const char *pymem_version(void);

/**
 * Opens a core file: of the kernel or gcore, also compressed (zstd, lz4, xz, gzip, bzip2) or a
 * pipe. A truncated core opens; pymem_problem_at() says what is missing. The file is mapped: a
 * caller who opens cores that may still get shorter has to handle SIGBUS.
 * @param options NULL: the defaults
 * @param process set also when this fails, for pymem_error(): close it all the same; NULL when out
 *                of memory
 */
PYMEM_API int pymem_open_core(const char *path, const struct pymem_options *options,
			      struct pymem **process);

/**
 * Opens a live process: stops it, copies its memory, lets it go on. It takes the right to trace it.
 * The parameters are those of pymem_open_core().
 */
PYMEM_API int pymem_open_pid(pid_t pid, const struct pymem_options *options,
			     struct pymem **process);

/** Closes a process and frees all that belongs to it. NULL is allowed. */
PYMEM_API void pymem_close(struct pymem *process);

/**
 * Runs a command.
 * @param words the command and its arguments, {"cycles", "1", "--json", NULL} for example, as for
 *              pycore-inspect behind the target; none: the overview
 * @param text set to the answer, which free() frees; NULL if there is none
 * @param length set to its bytes without the closing NUL; may be NULL
 * @return PYMEM_OK, PYMEM_PARTIAL or PYMEM_FINDINGS with an answer, else no answer
 */
PYMEM_API int pymem_ask(struct pymem *process, const char *const *words, char **text,
			size_t *length);

/**
 * The same, written to a stream: for answers that grow with the heap (--ndjson).
 * @return PYMEM_ERROR also if writing failed; part of the answer may have been written then
 */
PYMEM_API int pymem_write(struct pymem *process, const char *const *words, FILE *out);

/**
 * Calls for each object of the heap, tracked by the collector or not, in order of address.
 * @param type pattern of the shell for the whole name of its type, "app.*"; NULL: all
 * @param visit returns false to end; the object lives as long as the call, which may not use the
 *              handle
 * @return PYMEM_OK or PYMEM_PARTIAL, also when visit() ended it
 */
PYMEM_API int pymem_each_object(struct pymem *process, const char *type,
				bool (*visit)(void *context, const struct pymem_object *object),
				void *context);

/**
 * Why the last call did not return PYMEM_OK: one line, "" if it did. It lives until the next call.
 * @param process NULL, as it is when memory ran out while opening, is allowed
 */
PYMEM_API const char *pymem_error(const struct pymem *process);

/**
 * What limits the answers, as far as it was met so far: each call may add to it.
 * @return the index-th; NULL: there are no more; it lives until the next call
 */
PYMEM_API const struct pymem_problem *pymem_problem_at(struct pymem *process, size_t index);

/** The index-th command, in the order of the help; NULL: there are no more. */
PYMEM_API const struct pymem_command *pymem_command_at(size_t index);

#ifdef __cplusplus
}
#endif

#endif
