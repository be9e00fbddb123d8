/*
 * What grew between two cores, or while a process runs.
 */
#include "command/command.h"
#include "command/diff.h"

#include <unistd.h>

static bool takes(const char *word)
{
	return !command_by_name(word) || !access(word, F_OK);
}

static struct error *check_options(const struct session *session)
{
	const struct options *options = &session->options;
	bool over_time = options->values[OPTION_EVERY].given || options->values[OPTION_TIMES].given;

	if (session->argument && over_time)
		return error_create(ERROR_USAGE, "diff compares with a core or over time: no "
						 "--every and --times with a core");
	if (session->argument || options->pid)
		return NULL;
	if (session->front_end == FRONT_END_DEBUGGER)
		return error_create(ERROR_USAGE,
				    "the process stands still in the debugger: name an older core, "
				    "`pymem diff CORE`, or run `pycore-inspect -p PID diff`");
	if (session->front_end == FRONT_END_LIBRARY)
		return error_create(ERROR_USAGE, "an opened process stands still: name an older "
						 "core, such as {\"diff\", \"core.old\"}");
	return error_create(ERROR_USAGE, "diff needs a second core: `pycore-inspect OLD diff NEW`");
}

static struct error *prepare(struct session *session)
{
	struct error *err = check_options(session);

	if (!err)
		err = session->argument ? diff_cores(session) : diff_live(session);
	return err ? err : growth_find(&session->history, &session->growth);
}

const struct command command_diff = {
	.description =
		"What grew from an older state of a process to a newer one, and who holds it:\n"
		"\n"
		"  pycore-inspect OLD diff NEW                       two cores\n"
		"  pycore-inspect -p PID diff OLD                    a process, and a core of "
		"before\n"
		"  pycore-inspect -p PID diff --every 30s --times 4  snapshots of a process\n"
		"\n"
		"Objects are matched by type and by the path of who holds them, with keys and "
		"indexes\n"
		"left out, not by address: cores of two runs of a program can be compared too. Of "
		"two\n"
		"cores of one process the one is older in which its collector has run less; else "
		"the\n"
		"one that is named first. A process is always newer than a core.\n"
		"\n"
		"Unreachable cycles and leaked references are listed where there are more than "
		"before.\n"
		"With more than two snapshots what grew in every step comes first: what only "
		"warms up\n"
		"grows once. Ctrl-C ends the waiting; two snapshots are enough for an answer.\n"
		"\n"
		"With --ndjson, one line for each: row (holder, type, cycles, leaked), its name, "
		"and\n"
		"objects and bytes before, after and by snapshot.\n",
	.options = OPTION_BIT(EVERY) | OPTION_BIT(TIMES),
	.takes = takes,
	.prepare = prepare,
	.text = diff_text,
	.json = diff_json,
	.ndjson = diff_ndjson,
};
