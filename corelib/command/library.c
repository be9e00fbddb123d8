/*
 * libpymem's API: a session that stays open while commands come and go.
 */
#include "analysis/search.h"
#include "analysis/sizes.h"
#include "command/command.h"
#include "command/fail_on.h"
#include "command/front_end.h"
#include "command/run.h"
#include "pymem.h"

#include <stdlib.h>
#include <string.h>

struct pymem {
	struct pymem_options options; /**< its strings are owned */
	struct session session;
	struct pymem_io io;
	bool opened;
	bool fresh;  /**< nothing was asked yet */
	char *error; /**< of the last call; NULL: none */
	struct pymem_problem problem;
};

/** Never written to. */
static char out_of_memory[] = "out of memory";

const char *pymem_version(void)
{
	return PYMEM_VERSION;
}

/*
 * Errors
 */

static void clear_error(struct pymem *process)
{
	if (process->error != out_of_memory)
		free(process->error);
	process->error = NULL;
}

/** Takes the place of the error before. @param text owned from now on; NULL: out of memory */
static void set_error(struct pymem *process, char *text)
{
	clear_error(process);
	process->error = text ? text : out_of_memory;
}

/** An error's text is kept; once the caller has asked to stop, every error is that end. */
static int fail(struct pymem *process, struct error *err)
{
	const struct pymem_io *io = &process->io;
	bool stopped = io->interrupted && io->interrupted(io->context);
	int status = stopped ? PYMEM_INTERRUPTED : (int)err->code;

	set_error(process, utf8_clean_copy(err->message, io->utf8));
	error_free(err);
	return status;
}

/** Answers that are partial say in the error what comes first of what is missing. */
static int succeed(struct pymem *process)
{
	const struct coverage *coverage = &process->session.target->coverage;
	size_t i = 0;

	if (coverage_complete(coverage))
		return PYMEM_OK;
	while (coverage->problems[i].level != PROBLEM_PARTIAL)
		i++;
	set_error(process, utf8_clean_copy(coverage->problems[i].detail, process->io.utf8));
	return PYMEM_PARTIAL;
}

const char *pymem_error(const struct pymem *process)
{
	if (!process)
		return out_of_memory;
	return process->error ? process->error : "";
}

const struct pymem_problem *pymem_problem_at(struct pymem *process, size_t index)
{
	const struct target *target = process ? process->session.target : NULL;
	const struct problem *problem;

	if (!target || index >= target->coverage.count)
		return NULL;
	problem = &target->coverage.problems[index];
	process->problem = (struct pymem_problem){
		.partial = problem->level == PROBLEM_PARTIAL,
		.kind = problem->kind,
		.detail = problem->detail,
	};
	return &process->problem;
}

/*
 * Opening
 */

/** Copies what a caller gave whose struct may be older or newer than ours. */
static struct error *read_options(const struct pymem_options *given, struct pymem_options *options)
{
	const char *bytes = (const char *)given;
	size_t size = given ? given->size : sizeof(*given);

	*options = (struct pymem_options){.size = sizeof(*options)};
	if (!given)
		return NULL;
	if (size < offsetof(struct pymem_options, context) + sizeof(given->context))
		return error_create(ERROR_USAGE, "options: size is %zu: set it to their sizeof",
				    size);
	for (size_t i = sizeof(*options); i < size; i++)
		if (bytes[i])
			return error_create(ERROR_USAGE,
					    "options: this libpymem, %s, does not "
					    "know all that are set",
					    PYMEM_VERSION);
	*options = *given;
	return NULL;
}

static bool copy_string(const char **place)
{
	if (*place)
		*place = strdup(*place);
	return *place != NULL;
}

static struct error *copy_strings(struct pymem_options *options)
{
	const struct pymem_options given = *options;
	bool copied = (copy_string(&options->executable) || !given.executable);

	copied = (copy_string(&options->sysroot) || !given.sysroot) && copied;
	copied = (copy_string(&options->debuginfo_path) || !given.debuginfo_path) && copied;
	return copied ? NULL : &error_no_memory;
}

/** The options of a session: those of the words, and those of the handle. */
static void apply_options(struct pymem *process)
{
	struct options *options = &process->session.options;

	options->executable = process->options.executable;
	options->sysroot = process->options.sysroot;
	options->debuginfo_path = process->options.debuginfo_path;
	options->no_stop = process->options.no_stop;
	options->redact |= process->options.redact;
}

static struct error *open_session(struct pymem *process, const char *path, pid_t pid)
{
	struct session *session = &process->session;
	struct error *err;

	process->io = (struct pymem_io){
		.columns = process->options.columns ? (int)process->options.columns : 0,
		.utf8 = process->options.utf8,
		.interrupted = process->options.interrupted,
		.progress = process->options.progress,
		.context = process->options.context,
	};
	session->front_end = FRONT_END_LIBRARY;
	session->io = &process->io;
	apply_options(process);
	session->options.core = path;
	session->options.pid = pid;
	progress_line_begin(&session->progress, &process->io, false);
	if (!path && pid <= 0)
		return error_create(ERROR_USAGE, "no core file and no process to open");
	err = request_check_target(&session->options);
	return err ? err : session_open(session, NULL);
}

static int open_process(const char *path, pid_t pid, const struct pymem_options *options,
			struct pymem **process)
{
	struct error *err;

	*process = calloc(1, sizeof(**process));
	if (!*process)
		return PYMEM_ERROR;
	err = read_options(options, &(*process)->options);
	if (!err)
		err = copy_strings(&(*process)->options);
	if (!err)
		err = open_session(*process, path, pid);
	// Commands ask of this process, and of no other: as in a debugger.
	session_clear_request(&(*process)->session);
	(*process)->opened = (*process)->fresh = !err;
	return err ? fail(*process, err) : PYMEM_OK;
}

int pymem_open_core(const char *path, const struct pymem_options *options, struct pymem **process)
{
	return open_process(path, 0, options, process);
}

int pymem_open_pid(pid_t pid, const struct pymem_options *options, struct pymem **process)
{
	return open_process(NULL, pid, options, process);
}

void pymem_close(struct pymem *process)
{
	if (!process)
		return;
	session_close(&process->session);
	clear_error(process);
	free((char *)process->options.executable);
	free((char *)process->options.sysroot);
	free((char *)process->options.debuginfo_path);
	free(process);
}

/*
 * Asking
 */

/**
 * Forgets the call before, but for the target: what one answer says must not depend on what was
 * asked before it, as it would by the types that CPython's runtime has met.
 */
static struct error *begin(struct pymem *process)
{
	struct session *session = &process->session;

	clear_error(process);
	if (!process->opened)
		return error_create(ERROR_USAGE, "this process could not be opened");
	progress_line_begin(&session->progress, &process->io, false);
	if (process->fresh) {
		process->fresh = false;
		return NULL;
	}
	session_renew(session);
	return runtime_open(session->target, &session->runtime);
}

/** The status of an answer: --fail-on may say why it could not be looked for something. */
static struct error *judge(struct pymem *process, int *status)
{
	char *message = NULL;
	size_t size;

	process->io.err = open_memstream(&message, &size);
	if (!process->io.err)
		return &error_no_memory;
	*status = fail_on_status(&process->session, "", succeed(process));
	fclose(process->io.err);
	process->io.err = NULL;
	if (*status == PYMEM_PARTIAL && message && *message)
		set_error(process, strndup(message, strcspn(message, "\n")));
	free(message);
	return NULL;
}

/** Parses and runs; argv may be reordered. */
static struct error *run(struct pymem *process, int argc, char **argv, int *status)
{
	struct session *session = &process->session;
	struct request request;
	struct error *err = options_parse(FRONT_END_LIBRARY, argc, argv, &session->options);

	if (!err)
		err = request_resolve(FRONT_END_LIBRARY, &session->options, &request);
	if (err)
		return err;
	apply_options(process);
	if (run_help(FRONT_END_LIBRARY, &session->options, &request, session->io->out))
		return NULL;
	err = run_check(&session->options, &request, false);
	if (!err)
		err = run_request(session, &request);
	return err ? err : judge(process, status);
}

int pymem_write(struct pymem *process, const char *const *words, FILE *out)
{
	char **argv;
	char name[] = "pymem";
	struct error *err = begin(process);
	int count = 0, status = PYMEM_OK;

	if (err)
		return fail(process, err);
	while (words && words[count])
		count++;
	argv = calloc((size_t)count + 2, sizeof(*argv));
	if (!argv)
		return fail(process, &error_no_memory);
	argv[0] = name;
	for (int i = 0; i < count; i++)
		argv[i + 1] = (char *)words[i];
	process->io.out = out;
	err = run(process, count + 1, argv, &status);
	// The words are the caller's: nothing may point at them any more.
	session_clear_request(&process->session);
	free(argv);
	return err ? fail(process, err) : status;
}

int pymem_ask(struct pymem *process, const char *const *words, char **text, size_t *length)
{
	size_t size = 0;
	FILE *out;
	int status;

	*text = NULL;
	if (length)
		*length = 0;
	out = open_memstream(text, &size);
	if (!out)
		return fail(process, &error_no_memory);
	status = pymem_write(process, words, out);
	if (fclose(out))
		status = fail(process, &error_no_memory);
	if (status == PYMEM_OK || status == PYMEM_PARTIAL || status == PYMEM_FINDINGS) {
		if (length)
			*length = size;
		return status;
	}
	free(*text);
	*text = NULL;
	return status;
}

/*
 * Objects
 */

static struct error *find_objects(struct session *session, const char *type)
{
	const struct search_filter filter = {
		.type = type,
		.max_size = UINT64_MAX,
		.end = UINT64_MAX,
		.generation = -1,
	};
	struct error *err = session_objects(session);

	if (!err && session->no_census)
		err = error_create(ERROR_GENERAL, "objects cannot be listed: %s",
				   session->no_census);
	return err ? err
		   : search_run(session->objects, &filter, &session->progress.progress,
				&session->search);
}

static struct pymem_object describe(const struct session *session, uint32_t number)
{
	const struct objects *objects = session->objects;
	const struct type *type = objects_type(objects, number);
	struct object_header header = {0};

	object_header(session->runtime, &session->heap->reader, objects->addresses[number],
		      &header);
	return (struct pymem_object){
		.address = objects->addresses[number],
		.size = object_bytes(objects, number),
		.type = type ? type->name : NULL,
		.refcount = header.immortal ? -1 : header.refcount,
		.tracked = objects->places[number] == OBJECT_TRACKED,
	};
}

int pymem_each_object(struct pymem *process, const char *type,
		      bool (*visit)(void *context, const struct pymem_object *object),
		      void *context)
{
	const struct session *session = &process->session;
	const struct search *search = &session->search;
	struct error *err = begin(process);

	if (!err)
		err = find_objects(&process->session, type);
	if (err)
		return fail(process, err);
	for (uint32_t i = 0; i < search->count; i++) {
		const struct pymem_object object = describe(session, search->objects[i]);

		if (!visit(context, &object))
			break;
	}
	target_recheck(session->target);
	return succeed(process);
}

const struct pymem_command *pymem_command_at(size_t index)
{
	return command_at(index) ? &pymem_commands()[index] : NULL;
}
