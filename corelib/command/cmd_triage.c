/*
 * The overview: what is this, can the answer be trusted, what is wrong, what to type next.
 */
#include "command/collector.h"
#include "command/command.h"
#include "command/fail_on.h"
#include "command/findings.h"
#include "command/groups.h"
#include "command/leaked_report.h"
#include "command/thread_report.h"

#include <inttypes.h>

enum { GROUPS_USUALLY = 5, TYPES_USUALLY = 5, INTERPRETERS_USUALLY = 5 };

static struct error *prepare(struct session *session)
{
	struct error *err = session_findings(session);

	return err ? err : session_stacks(session, STACKS_THREADS);
}

static void print_collector(const struct session *session, size_t i, struct screen *screen)
{
	const struct interpreter *interpreter = &session->runtime->interpreters[i];
	const uint64_t *counts = session->heap->list_counts[i];
	struct paragraph paragraph;

	screen_print(screen, "Collector  ");
	paragraph = paragraph_continue(screen, 11, 11);
	if (collector_count(session->runtime) > 1)
		paragraph_add(&paragraph, "", "interpreter %" PRId64 ":", interpreter->id);
	paragraph_add(&paragraph, " ", "%s", collector_state_name(collector_state(interpreter)));
	paragraph_add(&paragraph, "; ", "objects in generations 0, 1, 2: %s, %s, %s",
		      units_count(counts[0]).text, units_count(counts[1]).text,
		      units_count(counts[2]).text);
	if (counts[GENERATION_PERMANENT])
		paragraph_add(&paragraph, "; ", "frozen: %s",
			      units_count(counts[GENERATION_PERMANENT]).text);
	paragraph_end(&paragraph);
}

static void print_collectors(const struct session *session, struct screen *screen)
{
	const struct runtime *runtime = session->runtime;
	uint64_t limit = command_limit(session, INTERPRETERS_USUALLY);
	uint64_t total = 0;

	for (size_t i = 0; i < runtime->interpreter_count; i++)
		if (!runtime->interpreters[i].shares_gc && total++ < limit)
			print_collector(session, i, screen);
	report_more(screen, 11, limit, total, "interpreter");
}

static void print_nothing_found(const struct session *session, struct screen *screen)
{
	struct paragraph paragraph;

	screen_styled(screen, STYLE_HEADING, "No leaks found:");
	screen_text(screen, " ");
	paragraph = paragraph_continue(screen, 0, 16);
	paragraph_add(&paragraph, "", "no unreachable cycles");
	paragraph_add(&paragraph, ", ", "nothing in gc.garbage");
	if (session->leaked) {
		paragraph_add(&paragraph, ", ", "no leaked or over-released references");
		paragraph_add(&paragraph, ", ", "no heap damage");
	}
	paragraph_end(&paragraph);
	if (!session->leaked)
		leaked_summary(session, screen);
}

static void print_next(const struct session *session, struct screen *screen)
{
	const char *const next[] = {
		session->cycles->count ? "cycles 1" : NULL,
		findings_any(session) ? "leaks" : NULL,
		"threads",
		"info",
		"help",
	};

	report_next(session, screen, next, sizeof(next) / sizeof(next[0]));
}

static struct error *text(struct session *session, struct screen *screen)
{
	uint64_t limit = command_limit(session, GROUPS_USUALLY);
	const struct cycles *cycles = session->cycles;
	struct error *err;

	report_header(session, screen);
	report_coverage(session, screen);
	screen_print(screen, "\n");
	if (findings_any(session)) {
		screen_styled(screen, STYLE_ALARM, "Leaks");
		screen_print(screen, "\n");
		err = groups_summary(session, screen);
		if (err)
			return err;
		for (size_t i = 0; i < cycles->count && i < limit; i++)
			groups_line(session, i, screen);
		report_more(screen, 2, limit, cycles->count, "group");
		findings_garbage(session, command_limit(session, TYPES_USUALLY), screen);
		leaked_summary(session, screen);
		for (uint32_t i = 0;
		     session->leaked && i < session->leaked->group_count && i < limit; i++)
			leaked_line(session, i, screen);
		if (session->leaked)
			report_more(screen, 2, limit, session->leaked->group_count, "group");
		over_released_summary(session, command_limit(session, TYPES_USUALLY), screen);
		damage_summary(session, screen);
	} else {
		print_nothing_found(session, screen);
	}
	screen_print(screen, "\n");
	print_collectors(session, screen);
	threads_summary(session, screen);
	print_next(session, screen);
	return NULL;
}

static struct error *json(struct session *session, struct document *document, json_t *result)
{
	json_t *object = document_set_object(document, result, "cycles");

	groups_json(session, document, object, command_limit(session, GROUPS_USUALLY));
	findings_garbage_json(session, command_limit(session, GROUPS_USUALLY), document, result);
	leaked_json(session, command_limit(session, GROUPS_USUALLY), document, result);
	findings_over_released_json(session, command_limit(session, GROUPS_USUALLY), document,
				    result);
	damage_json(session, command_limit(session, GROUPS_USUALLY), document, result);
	threads_summary_json(session, document, document_set_object(document, result, "threads"));
	return collector_json(session, document, result);
}

const struct command command_triage = {
	.description = "A short overview, and the command that runs when none is named: which "
		       "Python this\n"
		       "is, how much of it could be decoded, what leaks, and what to type next.\n",
	.options = OPTION_BIT(FAIL_ON),
	.finds = FINDINGS_ALL,
	.prepare = prepare,
	.text = text,
	.json = json,
};
