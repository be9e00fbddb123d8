/**
 * @file
 * The notes of a core: threads, the process, its auxiliary vector, its mapped files.
 */
#ifndef PYMEM_TARGET_NOTES_H
#define PYMEM_TARGET_NOTES_H

#include "target/elf_view.h"
#include "target/mapping.h"
#include "target/target.h"

#include <signal.h>

/** What the notes say; zero-initialised is empty. */
struct core_notes {
	struct target_thread *threads;
	size_t thread_count;
	pid_t pid;
	char *command;
	int signal;
	siginfo_t siginfo;	  /**< the first; si_signo 0: none */
	uint64_t program_headers; /**< AT_PHDR; 0: not known */
	struct mappings files;	  /**< NT_FILE, not sorted, flags not known */
	bool damaged;		  /**< a note is cut or contradicts itself */
};

/** Adds what the notes of one PT_NOTE segment say. */
struct error *core_notes_read(struct core_notes *notes, struct elf_view view)
	__attribute__((warn_unused_result));

/** Frees what the notes still own. */
void core_notes_clear(struct core_notes *notes);

#endif
