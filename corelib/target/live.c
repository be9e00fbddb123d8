/*
 * Opens a live process: stops it, learns its mappings and modules, and lets it go again once what
 * may change has been copied.
 */
#include "target/live_memory.h"
#include "target/proc.h"
#include "target/stop.h"
#include "target/target_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/** A live process behind a target. */
struct live {
	struct live_memory memory;
	struct stop *stop; /**< NULL: it runs */
	bool released;
	const struct progress *progress;
};

/** A thread of the process that still has memory: the first one may have ended before the others.
 * @return 0 if there is none */
static pid_t living_thread(pid_t pid)
{
	struct proc_status status;
	pid_t living = 0;
	struct dirent *entry;
	DIR *tasks = proc_tasks(pid);

	while (tasks && !living && (entry = readdir(tasks)))
		if (atoi(entry->d_name) > 0 && proc_status(atoi(entry->d_name), &status) &&
		    status.has_memory)
			living = atoi(entry->d_name);
	if (tasks)
		closedir(tasks);
	return living;
}

/** The process behind a pid, which may be that of a thread, and whether it can be looked at. */
static struct error *check_process(pid_t pid, const struct target_options *options, pid_t *process)
{
	struct proc_status status;

	if (pid <= 0 || !proc_status(pid, &status))
		return error_create(ERROR_GENERAL, "pid %d: no such process", (int)pid);
	*process = status.process;
	if (*process == getpid())
		return error_create(ERROR_GENERAL, "pid %d: cannot look at itself", (int)pid);
	if (!status.has_memory && !living_thread(*process))
		return stop_refused(pid, EPERM);
	if (status.tracer && !options->no_stop)
		return stop_refused(pid, EPERM);
	return NULL;
}

/** Refuses processes of another architecture, as far as that can be seen. */
static struct error *check_architecture(pid_t pid)
{
	__attribute__((cleanup(proc_close))) FILE *file = proc_open(pid, "exe");
	uint8_t bytes[sizeof(Elf64_Ehdr)];
	struct elf_view view = {bytes, 0};
	Elf64_Ehdr header;
	const char *wrong;

	if (file)
		view.size = fread(bytes, 1, sizeof(bytes), file);
	wrong = view.size ? elf_view_header(view, &header) : NULL;
	return wrong ? error_create(ERROR_GENERAL, "pid %d: its executable is no x86-64 one: %s",
				    (int)pid, wrong)
		     : NULL;
}

/** Lists the threads of a process that is not stopped, without registers. */
static struct error *list_threads(struct target *target)
{
	struct target_thread *threads;
	struct dirent *entry;
	DIR *tasks = proc_tasks(target->pid);

	while (tasks && (entry = readdir(tasks))) {
		pid_t tid = atoi(entry->d_name);

		if (tid <= 0)
			continue;
		threads = reallocarray(target->threads, target->thread_count + 1, sizeof(*threads));
		if (!threads) {
			closedir(tasks);
			return &error_no_memory;
		}
		target->threads = threads;
		threads[target->thread_count++] = (struct target_thread){.tid = tid};
	}
	if (tasks)
		closedir(tasks);
	return NULL;
}

/** Stops the process, or only lists its threads. */
static struct error *take_threads(struct target *target, struct live *live,
				  const struct target_options *options)
{
	struct error *err;

	if (options->no_stop)
		return list_threads(target);
	err = stop_process(target->pid, options->progress, &live->stop);
	if (err)
		return err;
	target->threads = stop_threads(live->stop, &target->thread_count);
	if (!target->threads)
		return &error_no_memory;
	if (stop_unstopped(live->stop))
		coverage_add(&target->coverage, PROBLEM_NOTE, "running-threads",
			     "pid %d: %zu threads wait in the kernel: without their registers",
			     (int)target->pid, stop_unstopped(live->stop));
	return NULL;
}

static struct error *find_modules(struct target *target, struct live *live,
				  const struct target_options *options)
{
	char *root = options->sysroot ? strdup(options->sysroot) : proc_root(live->memory.pid);
	struct module_search search = {.mappings = &live->memory.mappings,
				       .peek = {live_memory_read, &live->memory},
				       .program_headers = proc_auxv(live->memory.pid, AT_PHDR),
				       .options = options,
				       .root = root,
				       .image = target->image,
				       .pid = live->memory.pid};

	struct error *err = root ? modules_find(&search, &target->modules) : &error_no_memory;

	free(root);
	return err;
}

/** Can any byte be read? */
static struct error *check_access(struct live *live, pid_t pid)
{
	uint8_t byte;

	for (size_t i = 0; i < live->memory.mappings.count; i++) {
		const struct mapping *mapping = &live->memory.mappings.items[i];

		errno = 0;
		if (mapping->flags & PF_R &&
		    live_memory_read(&live->memory, mapping->start, &byte, 1))
			return NULL;
		if (errno == EPERM || errno == EACCES || errno == ESRCH)
			return stop_refused(pid, errno);
	}
	return stop_refused(pid, EPERM);
}

/** Learns what memory there is. */
static struct error *assemble(struct target *target, struct live *live,
			      const struct target_options *options)
{
	pid_t thread = living_thread(target->pid);
	struct error *err =
		thread ? live_memory_open(&live->memory, thread) : stop_refused(target->pid, ESRCH);

	if (!err)
		err = check_access(live, target->pid);
	if (!err)
		err = find_modules(target, live, options);
	if (!err)
		err = live_memory_add(&live->memory, target);
	if (err)
		return err;
	err = residency_read(&target->residency, live->memory.pagemap, &live->memory.mappings);
	if (err)
		return err;
	if (!mappings_copy(&target->mappings, &live->memory.mappings))
		return &error_no_memory;
	target->image->private->fetcher = (struct fetcher){live_memory_fetch, &live->memory};
	err = image_finish(target->image);
	if (err)
		return err;
	modules_attach(target->modules, target->image);
	for (size_t i = 0; i < target->modules->count; i++)
		module_problem(target->modules, &target->modules->items[i], 0, &target->coverage);
	return NULL;
}

struct error *target_open_pid(pid_t pid, const struct target_options *options,
			      struct target **result)
{
	static const struct target_options defaults;
	__attribute__((cleanup(target_cleanup))) struct target *target = NULL;
	struct error *err;
	char name[32];

	if (!options)
		options = &defaults;
	err = check_process(pid, options, &pid);
	if (!err)
		err = check_architecture(pid);
	if (err)
		return err;
	snprintf(name, sizeof(name), "pid %d", (int)pid);
	target = target_create(TARGET_LIVE, name);
	if (!target)
		return &error_no_memory;
	target->private->live = calloc(1, sizeof(*target->private->live));
	if (!target->private->live)
		return &error_no_memory;
	target->private->live->memory.memory = target->private->live->memory.pagemap = -1;
	target->private->live->progress = options->progress;
	target->pid = pid;
	target->inner_pid = proc_inner_pid(pid);
	target->command = proc_command(pid);
	err = take_threads(target, target->private->live, options);
	if (!err)
		err = assemble(target, target->private->live, options);
	if (err)
		return err;
	*result = target;
	target = NULL;
	return NULL;
}

/** Lets the process go on; nothing is read from it any more. */
static void let_go(struct target *target)
{
	struct live *live = target->private->live;

	target->image->private->closed = true;
	stop_release(live->stop);
	live->stop = NULL;
	live->released = true;
}

/** Is there room for a copy of all that the process has in memory? */
static bool has_room(struct target *target)
{
	uint64_t available = proc_number(0, "meminfo", "MemAvailable:");
	uint64_t resident = proc_number(target->pid, "status", "VmRSS:") +
			    proc_number(target->pid, "status", "VmSwap:");

	if (!available || resident < available / 10 * 9)
		return true;
	coverage_add(&target->coverage, PROBLEM_NOTE, "kept-stopped",
		     "pid %d: stopped until the end: no room for a copy of its %llu MiB",
		     (int)target->pid, (unsigned long long)(resident >> 10));
	return false;
}

/** The bytes of all lazy segments. */
static uint64_t lazy_size(const struct image *image)
{
	uint64_t size = 0;

	for (size_t i = 0; i < image->segment_count; i++)
		if (image->segments[i].fetched)
			size += image->segments[i].end - image->segments[i].start;
	return size;
}

/** Copies all that was not read yet. */
static struct error *copy_all(struct image *image, const struct progress *progress)
{
	static const uint64_t step = 64 << 20;
	uint64_t total = lazy_size(image), done = 0;

	for (size_t i = 0; i < image->segment_count; i++) {
		struct segment *segment = &image->segments[i];
		uint64_t at = segment->start;

		while (segment->fetched && at < segment->end) {
			uint64_t left = segment->end - at;
			struct error *err = progress_step(progress, "copying memory", done, total);

			if (err)
				return err;
			done -= at;
			at = lazy_fetch(image->private, segment, at,
					at + (left < step ? left : step));
			done += at;
		}
		if (segment->fetched)
			lazy_settle(segment);
	}
	return NULL;
}

struct error *live_gone(const struct target *target)
{
	const struct live *live = target->private->live;

	if (target->kind != TARGET_LIVE || !live || !live->memory.gone)
		return NULL;
	return error_create(ERROR_GENERAL, "pid %d: exited while its memory was read",
			    (int)target->pid);
}

struct error *live_release(struct target *target)
{
	struct live *live = target->private->live;
	struct error *err;

	if (target->kind != TARGET_LIVE || live->released || !has_room(target))
		return NULL;
	err = copy_all(target->image, live->progress);
	let_go(target);
	return err ? err : live_gone(target);
}

void live_close(struct target *target)
{
	struct live *live = target->private->live;

	if (!live)
		return;
	let_go(target);
	live_memory_close(&live->memory);
	free(live);
	target->private->live = NULL;
}
