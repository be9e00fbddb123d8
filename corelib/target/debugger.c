/*
 * The memory of a debugger. Asking it for every byte is slow and tells no ranges, so the core file
 * or the process behind it is used instead, once it has shown the same bytes as the debugger.
 */
#include "target/link_map.h"
#include "target/live_memory.h"
#include "target/proc.h"
#include "target/target_private.h"

#include <stdlib.h>
#include <sys/ptrace.h>

/** How much of the stack is compared, and how many words of it must not be zero: a page that was
 * never written looks the same everywhere. */
enum { COMPARE_BYTES = 1024, COMPARE_WORDS = 4 };

/** The top of the stack as the debugger shows it. */
struct sample {
	uint64_t address;
	uint8_t bytes[COMPARE_BYTES];
	size_t size; /**< 0: nothing to compare with */
};

/** Takes what there is above the stack pointer, up to the end of its pages. */
static void take_sample(const struct target_callbacks *callbacks, struct sample *sample)
{
	uint64_t nonzero = 0;

	sample->address = callbacks->stack_pointer & ~(uint64_t)7;
	for (sample->size = COMPARE_BYTES; sample->size; sample->size /= 2)
		if (callbacks->read(callbacks->context, sample->address, sample->bytes,
				    sample->size))
			break;
	for (size_t i = 0; i + sizeof(uint64_t) <= sample->size; i += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, sample->bytes + i, sizeof(word));
		nonzero += word != 0;
	}
	if (nonzero < COMPARE_WORDS)
		sample->size = 0;
}

/** Does the target show the same bytes as the debugger? */
static bool is_same(const struct target *target, const struct sample *sample)
{
	uint8_t bytes[COMPARE_BYTES];
	struct reader reader;

	reader_init(&reader, target->image);
	return sample->size &&
	       reader_copy(&reader, sample->address, bytes, sample->size) == sample->size &&
	       !memcmp(bytes, sample->bytes, sample->size);
}

/** A debugger that does not tell the system call of a thread leaves -1, "in none": LLDB. */
static void complete_registers(struct target_thread *thread)
{
	int64_t number;

	if ((int64_t)thread->registers.orig_rax == -1 && proc_system_call(thread->tid, &number))
		thread->registers.orig_rax = (uint64_t)number;
}

/**
 * Reads the registers of a process, from the debugger if it tells them, or else as the very thread
 * that traces the process; they stay at 0 otherwise.
 */
static void take_registers(const struct target_callbacks *callbacks, struct target *target)
{
	for (size_t i = 0; i < target->thread_count; i++) {
		struct target_thread *thread = &target->threads[i];
		bool good =
			callbacks->registers
				? callbacks->registers(callbacks->context, thread->tid,
						       &thread->registers)
				: !ptrace(PTRACE_GETREGS, thread->tid, NULL, &thread->registers);

		if (good)
			complete_registers(thread);
		else
			thread->registers = (struct user_regs_struct){0};
	}
}

/** Keeps an opened target if it is what the debugger shows, else closes it. */
static struct error *accept(struct target **target, const struct sample *sample)
{
	struct error *err;

	if (is_same(*target, sample)) {
		(*target)->kind = TARGET_DEBUGGER;
		return NULL;
	}
	err = error_create(ERROR_GENERAL, "%s: is not what the debugger shows", (*target)->name);
	target_cleanup(target);
	return err;
}

/** Opens what is behind the debugger. @return why that cannot be used; NULL also if there is
 * nothing, then *target is NULL */
static struct error *open_behind(const struct target_callbacks *callbacks,
				 const struct target_options *options, const struct sample *sample,
				 struct target **target)
{
	// The debugger has stopped it.
	struct target_options stopped = *options;
	struct error *err = NULL;

	*target = NULL;
	stopped.no_stop = true;
	if (callbacks->core)
		err = target_open_core(callbacks->core, options, target);
	else if (callbacks->pid > 0)
		err = target_open_pid(callbacks->pid, &stopped, target);
	if (!err && *target)
		err = accept(target, sample);
	if (*target && !callbacks->core)
		take_registers(callbacks, *target);
	return err;
}

static size_t peek(void *context, uint64_t address, void *buffer, size_t length)
{
	return reader_copy(context, address, buffer, length);
}

/** Finds the modules through the dynamic linker's list, if the debugger knows where it is. */
static struct error *find_modules(const struct target_callbacks *callbacks,
				  const struct target_options *options, struct target *target)
{
	__attribute__((cleanup(mappings_clear))) struct mappings mappings = {0};
	struct reader reader;
	struct module_search search = {.mappings = &mappings,
				       .peek = {peek, &reader},
				       .options = options,
				       .root = options->sysroot ? options->sysroot : "",
				       .image = target->image};
	struct error *err = NULL;

	reader_init(&reader, target->image);
	if (callbacks->r_debug)
		err = link_map_list(search.peek, callbacks->r_debug, &mappings,
				    &search.program_headers);
	return err ? err : modules_find(&search, &target->modules);
}

/** Everything through the callback. */
static struct error *open_callback(const struct target_callbacks *callbacks,
				   const struct target_options *options, const struct error *reason,
				   struct target **result)
{
	__attribute__((cleanup(target_cleanup))) struct target *target =
		target_create(TARGET_DEBUGGER, "debugger");
	struct error *err;

	if (!target)
		return &error_no_memory;
	err = demand_enable(target->image, (struct fetcher){callbacks->read, callbacks->context});
	if (!err)
		err = find_modules(callbacks, options, target);
	if (err)
		return err;
	modules_attach(target->modules, target->image);
	coverage_add(&target->coverage, PROBLEM_NOTE, "slow-memory",
		     target->modules->count ? "memory is read through the debugger: slow"
					    : "memory is read through the debugger: slow, and "
					      "modules are not known");
	if (reason)
		coverage_add(&target->coverage, PROBLEM_NOTE, "not-used", "%s", reason->message);
	*result = target;
	target = NULL;
	return NULL;
}

struct error *target_open_debugger(const struct target_callbacks *callbacks,
				   const struct target_options *options, struct target **target)
{
	static const struct target_options defaults;
	__attribute__((cleanup(error_cleanup))) struct error *reason = NULL;
	struct sample sample;

	if (!options)
		options = &defaults;
	take_sample(callbacks, &sample);
	reason = open_behind(callbacks, options, &sample, target);
	return *target ? NULL : open_callback(callbacks, options, reason, target);
}
