/**
 * @file
 * A process to look at: its memory, its modules, its threads' registers. Opened from a core file,
 * from a live pid, or from the callbacks of a debugger.
 */
#ifndef PYMEM_TARGET_TARGET_H
#define PYMEM_TARGET_TARGET_H

#include "target/coverage.h"
#include "target/image.h"
#include "target/mapping.h"
#include "target/module.h"
#include "target/progress.h"
#include "target/residency.h"

#include <signal.h>
#include <sys/types.h>
#include <sys/user.h>

/** Where a target came from. */
enum target_kind {
	TARGET_CORE,
	TARGET_LIVE,
	TARGET_DEBUGGER,
};

/** A thread as the kernel saw it when the process was dumped or stopped. */
struct target_thread {
	pid_t tid;
	struct user_regs_struct registers; /**< fs_base included; all 0 if they could not be had */
	bool stack_missing;		   /**< its stack was dumped as zeros */
};

/** One process. Not thread-safe but for its image. */
struct target {
	enum target_kind kind;
	char *name;	   /**< path of the core, "stdin", or "pid 1234" */
	pid_t pid;	   /**< 0: not known */
	pid_t inner_pid;   /**< that it has in its own pid namespace; 0: the same, or not known */
	char *command;	   /**< command line or executable's name as the process gave it; NULL: not
			      known */
	int signal;	   /**< that killed it; 0: none or not known */
	siginfo_t siginfo; /**< of that signal; si_signo 0: not known */
	uint64_t size;	   /**< of the core file in bytes, unpacked; 0 for others */
	char *compression; /**< of the core file, "zstd" for example; NULL: none */
	struct image *image;
	struct modules *modules;
	struct target_thread *threads;
	size_t thread_count;
	struct coverage coverage;
	struct mappings mappings;   /**< sorted; none behind a debugger's callback alone */
	struct residency residency; /**< see target_residency() */
	uint64_t runtime_hint;	    /**< address of _PyRuntime that a debugger knows, or 0 */
	struct target_private *private;
};

/** How to find what the target itself does not contain; zero-initialised is the default. */
struct target_options {
	const char *executable;	    /**< -e: the main executable */
	const char *sysroot;	    /**< put in front of every path that the target names */
	const char *debuginfo_path; /**< as in GDB: directories separated by ':' */
	bool no_stop;		    /**< live: do not stop the process */
	const char *keep;	    /**< core: where to keep a copy of it; NULL: nowhere */
	pid_t dumped;		    /**< core: of this process, which is still there; 0: none */
	const struct progress *progress;
};

/** What a file on a command line is. */
enum target_file {
	TARGET_FILE_CORE,	/**< also a pipe, and a compressed file: nothing else comes so */
	TARGET_FILE_EXECUTABLE, /**< also a position-independent one */
	TARGET_FILE_SHARED_OBJECT,
	TARGET_FILE_OTHER_MACHINE, /**< an ELF file, but not for x86-64 */
	TARGET_FILE_OTHER,	   /**< no ELF file, or one that no process maps */
};

/**
 * Tells what a file is, to tell arguments apart; "-" is the standard input; target_open_core() says
 * what is wrong with one.
 * @return an error that names the path if it cannot be read
 */
struct error *target_file_type(const char *path, enum target_file *type)
	__attribute__((warn_unused_result));

/**
 * Opens a core file, which is mapped, not copied; a compressed one, or one that comes through a
 * pipe or the standard input ("-"), is unpacked into a temporary file first.
 * @return ERROR_GENERAL for a file that cannot be read or is no x86-64 Linux core; a truncated core
 *         opens, with a problem in its coverage
 */
struct error *target_open_core(const char *path, const struct target_options *options,
			       struct target **target) __attribute__((warn_unused_result));

/**
 * Opens a live process: seizes and stops all threads (unless no_stop), reads lazily until
 * target_release(). The process goes on when this process ends, however it ends. The thread that
 * calls this must also call target_release() and target_close(): the kernel knows the tracer by it.
 * options->progress must live until then.
 */
struct error *target_open_pid(pid_t pid, const struct target_options *options,
			      struct target **target) __attribute__((warn_unused_result));

/** Memory that a debugger hands over. */
struct target_callbacks {
	/** Reads exactly `length` bytes. @return false if any of them is not readable */
	bool (*read)(void *context, uint64_t address, void *buffer, size_t length);
	/** Reads a thread's registers, see pymem_debugger; NULL: by ptrace, if the caller traces */
	bool (*registers)(void *context, pid_t thread, struct user_regs_struct *registers);
	void *context;		/**< of read(), which is called by the thread that reads, never
				   by two at once; it may throw C++ exceptions */
	pid_t pid;		/**< process behind the debugger that this host can reach, or 0 */
	const char *core;	/**< path of the core behind the debugger, or NULL */
	uint64_t stack_pointer; /**< of the selected thread, to check pid and core by */
	uint64_t r_debug;	/**< address of the dynamic linker's _r_debug, or 0 */
};

/**
 * Opens what a debugger has: through its core file or process_vm_readv when they give the same
 * bytes as the callback, else through the callback alone. Never stops or resumes anything.
 */
struct error *target_open_debugger(const struct target_callbacks *callbacks,
				   const struct target_options *options, struct target **target)
	__attribute__((warn_unused_result));

/**
 * Takes what is left to take of a live process and lets it go on; nothing for other kinds. No other
 * thread may be reading. If there is no room for a copy the process stays stopped until
 * target_close(), and the coverage says so.
 * @return ERROR_INTERRUPTED, or that the process has gone; it is let go all the same
 */
struct error *target_release(struct target *target) __attribute__((warn_unused_result));

/**
 * Lets a live process go and frees the copy of its memory; what is known of the process stays.
 * Nothing may be read from the target any more. Nothing for other kinds.
 */
void target_forget(struct target *target);

/**
 * Which pages are in memory: of a live process as it was opened; a core is looked through when this
 * is called first. It may be unknown.
 */
struct error *target_residency(struct target *target, const struct residency **residency)
	__attribute__((warn_unused_result));

/**
 * Adds to the coverage that the core was written to since it was opened. What was read of it then
 * may be of two states. Nothing for other kinds.
 */
void target_recheck(struct target *target);

/** The name of the file that a page of host memory was mapped from; NULL: of none that is known. */
const char *target_file_at(const struct target *target, const void *page);

/** Did a live process end before all was read? @return the error that says so, or NULL */
struct error *target_gone(const struct target *target) __attribute__((warn_unused_result));

/** Resumes a process that is still stopped, frees everything. NULL is allowed. */
void target_close(struct target *target);

#endif
