/*
 * The notes that the kernel, or a debugger in its stead, writes into a core.
 */
#include "target/notes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>

/** A thread: struct elf_prstatus. */
static struct error *add_thread(struct core_notes *notes, struct elf_view description)
{
	struct target_thread *threads;
	struct elf_prstatus status;
	size_t count = notes->thread_count;

	if (description.size < sizeof(status)) {
		notes->damaged = true;
		return NULL;
	}
	memcpy(&status, description.data, sizeof(status));
	// Grows by doubling: a power of two is full.
	if (!(count & (count - 1))) {
		threads = reallocarray(notes->threads, count ? count * 2 : 1, sizeof(*threads));
		if (!threads)
			return &error_no_memory;
		notes->threads = threads;
	}
	notes->threads[count].tid = status.pr_pid;
	_Static_assert(sizeof(status.pr_reg) == sizeof(notes->threads->registers),
		       "pr_reg holds struct user_regs_struct");
	memcpy(&notes->threads[count].registers, &status.pr_reg, sizeof(status.pr_reg));
	notes->thread_count++;
	// The kernel writes the thread that took the signal first.
	if (!count)
		notes->signal = status.pr_cursig;
	return NULL;
}

/** What is known of a signal. The kernel writes that of the first thread alone, gcore each
 * thread's, the first one first. */
static void set_siginfo(struct core_notes *notes, struct elf_view description)
{
	if (description.size < sizeof(notes->siginfo))
		notes->damaged = true;
	else if (!notes->siginfo.si_signo)
		memcpy(&notes->siginfo, description.data, sizeof(notes->siginfo));
}

/** The process: struct elf_prpsinfo. */
static struct error *set_process(struct core_notes *notes, struct elf_view description)
{
	struct elf_prpsinfo process;
	size_t length;

	if (description.size < sizeof(process)) {
		notes->damaged = true;
		return NULL;
	}
	memcpy(&process, description.data, sizeof(process));
	notes->pid = process.pr_pid;
	free(notes->command);
	notes->command = strndup(process.pr_psargs[0] ? process.pr_psargs : process.pr_fname,
				 process.pr_psargs[0] ? sizeof(process.pr_psargs)
						      : sizeof(process.pr_fname));
	if (!notes->command)
		return &error_no_memory;
	// One line for people: python -c takes whole programs as an argument.
	for (length = 0; notes->command[length]; length++)
		if (iscntrl((unsigned char)notes->command[length]))
			notes->command[length] = ' ';
	// The kernel puts a space behind each argument.
	while (length && notes->command[length - 1] == ' ')
		notes->command[--length] = '\0';
	return NULL;
}

static uint64_t word_at(struct elf_view view, uint64_t index)
{
	const void *bytes = elf_view_at(view, index * sizeof(uint64_t), sizeof(uint64_t));
	uint64_t word = 0;

	if (bytes)
		memcpy(&word, bytes, sizeof(word));
	return word;
}

static void set_auxv(struct core_notes *notes, struct elf_view description)
{
	for (size_t i = 0; i < description.size / sizeof(Elf64_auxv_t); i++) {
		if (word_at(description, 2 * i) == AT_NULL)
			break;
		if (word_at(description, 2 * i) == AT_PHDR)
			notes->program_headers = word_at(description, 2 * i + 1);
	}
}

/** The mapped files: count, page size, (start, end, page offset) each, then their names. */
static struct error *add_files(struct core_notes *notes, struct elf_view description)
{
	enum { HEADER = 2, ENTRY = 3 };
	uint64_t count = word_at(description, 0), page = word_at(description, 1), names;

	if (description.size < HEADER * 8 || count > description.size / (ENTRY * 8)) {
		notes->damaged = true;
		return NULL;
	}
	names = (HEADER + count * ENTRY) * 8;
	for (uint64_t i = 0; i < count; i++) {
		const char *name = elf_view_string(description, names);
		struct mapping file = {.start = word_at(description, HEADER + ENTRY * i),
				       .end = word_at(description, HEADER + ENTRY * i + 1)};

		if (!name || file.start >= file.end ||
		    __builtin_mul_overflow(word_at(description, HEADER + ENTRY * i + 2), page,
					   &file.offset)) {
			notes->damaged = true;
			return NULL;
		}
		if (!mappings_add(&notes->files, file, name))
			return &error_no_memory;
		names += strlen(name) + 1;
	}
	return NULL;
}

static struct error *read_note(struct core_notes *notes, const struct elf_note *note)
{
	if (!elf_note_is(note, "CORE"))
		return NULL;
	switch (note->type) {
	case NT_PRSTATUS:
		return add_thread(notes, note->description);
	case NT_PRPSINFO:
		return set_process(notes, note->description);
	case NT_SIGINFO:
		set_siginfo(notes, note->description);
		return NULL;
	case NT_FILE:
		return add_files(notes, note->description);
	case NT_AUXV:
		set_auxv(notes, note->description);
		return NULL;
	default:
		return NULL;
	}
}

struct error *core_notes_read(struct core_notes *notes, struct elf_view view)
{
	struct elf_note note;
	size_t offset = 0;

	while (elf_view_note(view, &offset, &note)) {
		struct error *err = read_note(notes, &note);

		if (err)
			return err;
	}
	if (offset < view.size)
		notes->damaged = true;
	return NULL;
}

void core_notes_clear(struct core_notes *notes)
{
	free(notes->threads);
	free(notes->command);
	mappings_clear(&notes->files);
	*notes = (struct core_notes){0};
}
