/*
 * The two ways in: pymem_main() for the tool, pymem_run() for debuggers. Both read the words, run
 * one command, and turn what happened into a status.
 */
#include "command/command.h"
#include "command/fail_on.h"
#include "command/handle_core.h"
#include "command/report.h"
#include "command/run.h"
#include "command/schema.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

_Static_assert((int)ERROR_GENERAL == (int)PYMEM_ERROR && (int)ERROR_USAGE == (int)PYMEM_USAGE &&
		       (int)ERROR_NOT_PYTHON == (int)PYMEM_NOT_PYTHON &&
		       (int)ERROR_INTERRUPTED == (int)PYMEM_INTERRUPTED,
	       "an error's code is the exit code");

enum { PROBLEMS_WITH_ERROR = 3 };

static const char *message_prefix(enum front_end front_end)
{
	return front_end == FRONT_END_TOOL ? "pycore-inspect: " : "pymem: ";
}

/** What the errors that followed are worth nothing beside; NULL: nothing. */
static struct error *check_lost(const struct session *session)
{
	const struct pymem_io *io = session->io;
	const void *page = io->lost ? io->lost(io->context) : NULL;
	const char *name = page && session->target ? target_file_at(session->target, page) : NULL;
	const char *core = session->options.core;

	if (!page && session->progress.timed_out)
		return error_create(ERROR_GENERAL, "not done within the time limit of %s",
				    units_duration((double)session->progress.limit / 1000).text);
	if (!page)
		return NULL;
	// A part of a mapped file was gone when it was read.
	if (name)
		return error_create(ERROR_GENERAL,
				    "%s: got shorter while it was read; start again when it is "
				    "whole",
				    name);
	// While the core is being opened it is not known yet which file was mapped where.
	return error_create(ERROR_GENERAL,
			    "%s, or a file that it names, got shorter while it was read; start "
			    "again when it is whole",
			    core ? core : "the core");
}

/**
 * Prints an error as one line. Once the user has asked to stop, every error is taken as the end
 * that was asked for: a system call that the signal interrupted fails anywhere.
 * @return its status
 */
static int fail(const struct session *session, struct error *err)
{
	enum front_end front_end = session->front_end;
	const struct pymem_io *io = session->io;
	struct error *lost = check_lost(session);
	bool stopped = !lost && io->interrupted && io->interrupted(io->context);
	int status = stopped ? PYMEM_INTERRUPTED : (int)(lost ? lost : err)->code;
	char *message = utf8_clean_copy((lost ? lost : err)->message, io->utf8);

	if (status != PYMEM_INTERRUPTED)
		fprintf(io->err, "%s%s\n", message_prefix(front_end),
			message ? message : "out of memory");
	free(message);
	error_free(lost);
	error_free(err);
	return status;
}

static struct screen make_screen(const struct session *session, FILE *out)
{
	const struct pymem_io *io = session->io;
	const struct options *options = &session->options;
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	bool terminal = io->out_is_terminal && !options->output && !(no_color && *no_color) &&
			term && strcmp(term, "dumb");

	return (struct screen){
		.out = out,
		.columns = io->columns > 20 ? (unsigned)io->columns : 100,
		.color = options->color == COLOR_ALWAYS ||
			 (options->color == COLOR_AUTO && terminal),
		.utf8 = io->utf8,
	};
}

static struct error *write_document(struct session *session, const struct command *command,
				    const struct output *output)
{
	struct document document;
	struct error *err;
	json_t *child;

	document_init(&document);
	document_set_count(&document, document.root, "schema_version", DOCUMENT_SCHEMA_VERSION);
	document_set_string(&document, document.root, "version", PYMEM_VERSION);
	document_set_string(&document, document.root, "command", command_names(command)->name);
	document_set_bool(&document, document.root, "redacted", session->options.redact);
	child = document_set_object(&document, document.root, "target");
	report_target_json(session, &document, child);
	child = document_set_object(&document, document.root, "coverage");
	report_coverage_json(session, &document, child);
	child = document_set_object(&document, document.root, "result");
	err = command->json(session, &document, child);
	if (!err && document.failed)
		err = &error_no_memory;
	if (!err && !document_write(&document, output->file))
		err = output_status(output);
	document_clear(&document);
	return err;
}

static struct error *write_answer(struct session *session, const struct command *command)
{
	struct screen screen;
	struct output output;
	const struct options *options = &session->options;
	struct error *err = options->handle_core && options->output
				    ? output_open_private(&output, options->output)
				    : output_open(&output, options->output, session->io->out);

	if (err)
		return err;
	switch (session->options.format) {
	case FORMAT_TEXT:
		screen = make_screen(session, output.file);
		err = command->text(session, &screen);
		break;
	case FORMAT_JSON:
		err = write_document(session, command, &output);
		break;
	case FORMAT_NDJSON:
		err = command->ndjson(session, &output);
		break;
	}
	progress_line_erase(&session->progress);
	if (!err)
		err = check_lost(session);
	if (!err)
		return output_commit(&output);
	output_discard(&output);
	return err;
}

/** Says on the error stream that an answer is partial; the answer itself says so too. */
static void note_partial(enum front_end front_end, const struct session *session)
{
	struct screen screen = {.out = session->io->err, .utf8 = session->io->utf8};
	const struct coverage *coverage = &session->target->coverage;
	uint64_t total = 0;

	fprintf(screen.out, "%sanswered in part: ", message_prefix(front_end));
	for (size_t i = 0; i < coverage->count; i++)
		if (coverage->problems[i].level == PROBLEM_PARTIAL && !total++)
			screen_text(&screen, coverage->problems[i].detail);
	if (total > 1)
		fprintf(screen.out, " (and %s more)", units_count(total - 1).text);
	fprintf(screen.out, "\n");
}

/** Says which file of the command line is not used. */
static void note_left_out(enum front_end front_end, const struct pymem_io *io,
			  const struct error *why)
{
	struct screen screen = {.out = io->err, .utf8 = io->utf8};

	fprintf(screen.out, "%snote: not used: ", message_prefix(front_end));
	screen_text(&screen, why->message);
	fprintf(screen.out, "\n");
}

/** Prints what a target lacks beside an error that this may have caused. */
static void note_problems(enum front_end front_end, const struct session *session)
{
	struct screen screen = {.out = session->io->err, .utf8 = session->io->utf8};
	const struct coverage *coverage = &session->target->coverage;
	unsigned shown = 0;

	for (size_t i = 0; i < coverage->count && shown < PROBLEMS_WITH_ERROR; i++) {
		if (coverage->problems[i].level != PROBLEM_PARTIAL)
			continue;
		fprintf(screen.out, "%snote: ", message_prefix(front_end));
		screen_text(&screen, coverage->problems[i].detail);
		fprintf(screen.out, "\n");
		shown++;
	}
}

struct error *run_check(const struct options *options, const struct request *request,
			bool needs_target)
{
	const struct command *command = request->command;
	struct error *err = fail_on_check(options, command);

	if (err)
		return err;

	if (options->format == FORMAT_NDJSON && !command->ndjson)
		return error_create(ERROR_USAGE, "%s has no --ndjson; use --json",
				    command_names(command)->name);
	if (needs_target) {
		err = request_check_target(options);
		if (err)
			return err;
	}
	// A core that is to be kept is worth more than an answer that has no place.
	return options->output && !options->handle_core ? output_check(options->output) : NULL;
}

/** What the command does on an open session, but for writing. */
static struct error *compute(struct session *session, const struct request *request)
{
	struct error *err;

	session->argument = request->argument;
	session->argument_first = request->argument_first;
	progress_line_limit(&session->progress, session->options.time_limit);
	err = request->command->prepare(session);
	progress_line_erase(&session->progress);
	return err ? err : check_lost(session);
}

static struct error *write_computed(struct session *session, const struct request *request)
{
	target_recheck(session->target);
	return write_answer(session, request->command);
}

struct error *run_request(struct session *session, const struct request *request)
{
	struct error *err = compute(session, request), *lost;

	if (!err)
		return write_computed(session, request);
	lost = check_lost(session);
	if (!lost)
		return err;
	error_free(err);
	return lost;
}

/** Opens the target and computes. */
static struct error *prepare(struct session *session, const struct request *request,
			     const struct pymem_debugger *debugger, struct handled_core *handled)
{
	struct error *err = run_check(&session->options, request, !debugger);

	if (!err && request->left_out)
		note_left_out(session->front_end, session->io, request->left_out);
	if (!err && debugger && debugger->unavailable)
		err = error_create(ERROR_GENERAL, "%s", debugger->unavailable);
	if (!err && debugger)
		err = request_check_files(&session->options);
	if (!err)
		err = handle_core_begin(session, handled);
	if (!err)
		err = session_open(session, debugger);
	if (err)
		return err;
	handle_core_opened(session);
	return compute(session, request);
}

/** Prints why there is no answer. @return its status */
static int end_without(const struct session *session, struct error *err)
{
	int status = fail(session, err);

	if (session->target && status == PYMEM_NOT_PYTHON)
		note_problems(session->front_end, session);
	return status;
}

/** Opens the target, computes, writes. */
static int run(enum front_end front_end, struct session *session, const struct request *request,
	       const struct pymem_debugger *debugger)
{
	const struct pymem_io *io = session->io;
	struct handled_core handled = HANDLED_CORE_NONE;
	struct error *err;
	bool answered;
	int status = PYMEM_OK;

	progress_line_begin(&session->progress, io,
			    io->err_is_terminal && !session->options.no_progress);
	err = prepare(session, request, debugger, &handled);
	progress_line_erase(&session->progress);
	if (!err)
		err = write_computed(session, request);
	answered = !err;
	if (!answered) {
		status = end_without(session, err);
	} else {
		if (!coverage_complete(&session->target->coverage)) {
			note_partial(front_end, session);
			status = PYMEM_PARTIAL;
		}
		status = fail_on_status(session, message_prefix(front_end), status);
	}
	handle_core_end(session, &handled, answered);
	return status;
}

bool run_help(enum front_end front_end, const struct options *options,
	      const struct request *request, FILE *out)
{
	bool is_help = !request->command->prepare;

	if (options->version) {
		fprintf(out, "%s %s\n", front_end == FRONT_END_TOOL ? "pycore-inspect" : "pymem",
			PYMEM_VERSION);
		return true;
	}
	if (is_help)
		help_print(front_end, request->argument ? command_by_name(request->argument) : NULL,
			   out);
	else if (options->help)
		help_print(front_end, request->command_named ? request->command : NULL, out);
	return is_help || options->help;
}

/** The schema needs none either. */
static struct error *answer_schema(const struct session *session, const struct request *request)
{
	const struct options *options = &session->options;
	struct output output;
	struct error *err = output_open(&output, options->output, session->io->out);

	if (err)
		return err;
	err = schema_print(request->command_named ? request->command : NULL,
			   options->format == FORMAT_NDJSON, &output);
	if (!err)
		return output_commit(&output);
	output_discard(&output);
	return err;
}

/** A debugger's own setting holds where the words say nothing, if there is such a folder. */
static void take_sysroot(const struct pymem_debugger *debugger, struct options *options)
{
	struct stat status;

	if (options->sysroot || !debugger || !debugger->sysroot)
		return;
	if (!stat(debugger->sysroot, &status) && S_ISDIR(status.st_mode))
		options->sysroot = debugger->sysroot;
}

static int start(enum front_end front_end, int argc, char **argv,
		 const struct pymem_debugger *debugger, const struct pymem_io *io)
{
	struct session session = {.front_end = front_end, .io = io};
	struct request request = {0};
	struct error *err = options_parse(front_end, argc, argv, &session.options);
	int status = PYMEM_OK;

	if (!err)
		err = request_resolve(front_end, &session.options, &request);
	take_sysroot(debugger, &session.options);
	if (!err && run_help(front_end, &session.options, &request, io->out))
		err = output_commit(&(struct output){.file = io->out});
	else if (!err && session.options.schema)
		err = answer_schema(&session, &request);
	else if (!err)
		status = run(front_end, &session, &request, debugger);
	if (err)
		status = fail(&session, err);
	error_free(request.left_out);
	session_close(&session);
	return status;
}

int pymem_main(int argc, char **argv, const struct pymem_io *io)
{
	return start(FRONT_END_TOOL, argc, argv, NULL, io);
}

int pymem_run(const struct pymem_debugger *debugger, int count, char **words,
	      const struct pymem_io *io)
{
	char name[] = "pymem";
	char **argv = calloc((size_t)count + 2, sizeof(*argv));
	int status;

	if (!argv) {
		fprintf(io->err, "pymem: out of memory\n");
		return PYMEM_ERROR;
	}
	argv[0] = name;
	if (count)
		memcpy(argv + 1, words, (size_t)count * sizeof(*argv));
	status = start(FRONT_END_DEBUGGER, count + 1, argv, debugger, io);
	free(argv);
	return status;
}
