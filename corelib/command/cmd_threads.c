/*
 * Where everything is: threads, and what waits to go on.
 */
#include "command/command.h"
#include "command/report.h"
#include "command/stack_view.h"
#include "command/thread_report.h"

enum { JSON_GROUPS_USUALLY = 1000 };

static struct error *prepare(struct session *session)
{
	if (session->options.values[OPTION_LOCALS].given &&
	    session->options.values[OPTION_NO_LOCALS].given)
		return error_create(ERROR_USAGE, "--locals and --no-locals cannot both be given");
	return session_stacks(session, STACKS_ALL);
}

static struct error *text(struct session *session, struct screen *screen)
{
	char next[48];

	report_header(session, screen);
	report_problems(session, PROBLEM_PARTIAL, screen);
	if (session->options.verbose)
		report_problems(session, PROBLEM_NOTE, screen);
	screen_print(screen, "\n");
	threads_summary(session, screen);
	threads_text(session, screen);
	suspended_text(session, screen);
	threads_next(session, next, sizeof(next));
	report_next(session, screen,
		    (const char *[]){session->options.values[OPTION_LOCALS].given
					     ? NULL
					     : "threads --locals",
				     *next ? next : NULL},
		    2);
	return NULL;
}

static struct error *json(struct session *session, struct document *document, json_t *result)
{
	threads_json(session, document, result);
	suspended_json(session, command_limit(session, JSON_GROUPS_USUALLY), document, result);
	return NULL;
}

static struct error *ndjson(struct session *session, const struct output *output)
{
	return threads_ndjson(session, output);
}

const struct command command_threads = {
	.description =
		"The Python stack of each thread, the most recent call last, as a traceback "
		"writes it, with\n"
		"the variables of the newest two frames: --locals for those of all. Which thread "
		"holds the\n"
		"GIL, which wait for it, which system call the others are in, which exception is "
		"being\n"
		"handled, and in the core of a crash which thread took the signal, in which "
		"native\n"
		"function, and for which address. Threads at the same place are shown once.\n"
		"\n"
		"Then what waits to go on: tasks of asyncio with the chain of what they await, "
		"coroutines,\n"
		"generators and greenlets; those that wait at the same place together, with an "
		"example.\n"
		"\n"
		"With --ndjson, one line for each thread and for each thing that waits.\n",
	.options = OPTION_BIT(LOCALS) | OPTION_BIT(NO_LOCALS),
	.prepare = prepare,
	.text = text,
	.json = json,
	.ndjson = ndjson,
};
