/*
 * The files of a crashed process lie below /proc/PID/root, perhaps of a container. That goes with
 * the process; a descriptor of it stays.
 */
#include "command/handle_core.h"

#include "command/command.h"
#include "target/core_file.h"
#include "target/file.h"
#include "target/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TIME_LIMIT = 10 * 60 * 1000 /* milliseconds */ };

/** Opens a link of /proc/PID. @return a path to what it leads to that stays valid; false: none */
static bool hold(pid_t pid, const char *name, int *fd, char path[32])
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/%d/%s", (int)pid, name);
	*fd = open(link, O_PATH | O_CLOEXEC);
	if (*fd < 0)
		return false;
	snprintf(path, 32, "/proc/self/fd/%d", *fd);
	return true;
}

static struct error *hold_root(struct session *session, struct handled_core *handled)
{
	struct options *options = &session->options;
	char *root = proc_root(options->handle_core);

	if (!root)
		return &error_no_memory;
	if (*root && !options->sysroot &&
	    hold(options->handle_core, "root", &handled->root, handled->root_path))
		options->sysroot = handled->root_path;
	free(root);
	return NULL;
}

/** An executable that was replaced or deleted can only be had from the process. */
static void hold_executable(struct session *session, struct handled_core *handled)
{
	struct options *options = &session->options;
	struct stat status;

	if (!options->executable &&
	    hold(options->handle_core, "exe", &handled->executable, handled->executable_path) &&
	    !fstat(handled->executable, &status) && !status.st_nlink)
		options->executable = handled->executable_path;
}

struct error *handle_core_begin(struct session *session, struct handled_core *handled)
{
	struct options *options = &session->options;
	char path[32];

	if (!options->handle_core)
		return NULL;
	options->core = CORE_FILE_STDIN;
	if (!options->time_limit)
		options->time_limit = TIME_LIMIT;
	snprintf(path, sizeof(path), "/proc/%d", (int)options->handle_core);
	if (access(path, F_OK))
		fprintf(session->io->err,
			"pycore-inspect: note: pid %d: no such process (%%P in kernel.core_pattern "
			"gives the right one); its files are looked for by their paths\n",
			(int)options->handle_core);
	hold_executable(session, handled);
	return hold_root(session, handled);
}

void handle_core_opened(struct session *session)
{
	struct target *target = session->target;
	pid_t pid = session->options.handle_core;

	if (!pid || target->pid == pid)
		return;
	target->inner_pid = target->pid;
	target->pid = pid;
}

/** Says why the core is not kept, whatever else went wrong. */
static void print_not_kept(const struct coverage *coverage, struct screen *screen)
{
	for (size_t i = 0; i < coverage->count; i++) {
		if (strcmp(coverage->problems[i].kind, "core-not-kept") != 0)
			continue;
		fputs("pycore-inspect: ", screen->out);
		screen_text(screen, coverage->problems[i].detail);
		fputs("\n", screen->out);
	}
}

void handle_core_end(const struct session *session, struct handled_core *handled, bool answered)
{
	const struct options *options = &session->options;
	const struct target *target = session->target;
	struct screen screen = {.out = session->io->err, .utf8 = session->io->utf8};
	bool kept = target && options->keep_core && !strcmp(target->name, options->keep_core);

	file_close(&handled->root);
	file_close(&handled->executable);
	if (target && options->handle_core && !kept)
		print_not_kept(&target->coverage, &screen);
	if (!options->handle_core || (!kept && !(answered && options->output)))
		return;
	fprintf(screen.out, "pycore-inspect: pid %d", (int)options->handle_core);
	if (target && target->command && !options->redact) {
		fputs(" \"", screen.out);
		screen_text(&screen, target->command);
		fputs("\"", screen.out);
	}
	if (answered && options->output) {
		fputs(": answer in ", screen.out);
		screen_text(&screen, options->output);
	}
	if (kept) {
		fputs(answered && options->output ? ", core in " : ": core in ", screen.out);
		screen_text(&screen, options->keep_core);
	}
	fputs("\n", screen.out);
}
