/*
 * The overview: what is this, can the answer be trusted, what is wrong, what to type next.
 */
#include "command/collector.h"
#include "command/command.h"
#include "command/fail_on.h"
#include "command/findings.h"
#include "command/groups.h"
#include "command/leaked_report.h"
#include "command/memory_report.h"
#include "command/thread_report.h"

#include <inttypes.h>
#include <string.h>

enum { GROUPS_USUALLY = 5, TYPES_USUALLY = 5, INTERPRETERS_USUALLY = 5, RETAINERS_USUALLY = 3 };

/* Where nothing stands out the largest is looked for: among those that keep such a part of all. */
enum { SMALL_PART = 1000 };

static struct error *find_retainers(struct session *session)
{
	uint64_t limit =
		command_limit(session, session->options.format == FORMAT_TEXT ? RETAINERS_USUALLY
									      : GROUPS_USUALLY);
	struct error *err =
		retainers_find(session, retainers_threshold(session), limit, &session->retainers);

	if (err || session->retainers.total)
		return err;
	return retainers_find(session, retainers_heap_bytes(session) / SMALL_PART, 1,
			      &session->retainers);
}

static struct error *prepare(struct session *session)
{
	struct error *err = session_overview(session, find_retainers);

	return err ? err : session_stacks(session, STACKS_ALL);
}

static bool stands_out(const struct session *session)
{
	return session->retainers.count &&
	       session->retainers.items[0].suspect.retained >= retainers_threshold(session);
}

static void print_largest(const struct session *session, struct screen *screen)
{
	const struct retainer *largest = session->retainers.items;
	struct paragraph paragraph;

	screen_text(screen, "  ");
	paragraph = paragraph_continue(screen, 6, 2);
	paragraph_add(&paragraph, "", "nothing stands out among %s of Python objects;",
		      units_bytes(retainers_heap_bytes(session)).text);
	paragraph_add(&paragraph, " ",
		      "the most, %s:", units_bytes(largest->suspect.retained).text);
	retainers_add_name(session, largest, " ", &paragraph);
	paragraph_end(&paragraph);
}

static void print_retainers(const struct session *session, struct screen *screen)
{
	const struct retainers *retainers = &session->retainers;

	if (!retainers->count)
		return;
	screen_heading(screen, "What holds the rest");
	if (!stands_out(session)) {
		print_largest(session, screen);
		return;
	}
	for (size_t i = 0; i < retainers->count; i++) {
		char number[32];

		snprintf(number, sizeof(number), "  %zu  ", i + 1);
		screen_text(screen, number);
		retainers_sentence(session, &retainers->items[i], 6, (unsigned)strlen(number),
				   screen);
	}
	report_more(screen, 2, retainers->count, retainers->total, "holder");
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
	char under[48];
	const char *const next[] = {
		session->cycles->count ? "cycles 1" : NULL,
		findings_any(session) ? "leaks" : NULL,
		stands_out(session) ? under : NULL,
		session->dominators ? "retained" : NULL,
		"threads",
		"info",
		"help",
	};

	if (stands_out(session))
		snprintf(under, sizeof(under), "retained --under 0x%" PRIx64,
			 session->objects->addresses[session->retainers.items[0].suspect.object]);
	report_next(session, screen, next, sizeof(next) / sizeof(next[0]));
}

/* Where something stands out, findings that are next to nothing beside it do not push it down. */
static uint64_t groups_limit(const struct session *session, uint64_t bytes)
{
	bool small = stands_out(session) && bytes < retainers_heap_bytes(session) / SMALL_PART;

	return command_limit(session, small ? 1 : GROUPS_USUALLY);
}

static void print_leaked(const struct session *session, struct screen *screen)
{
	const struct leaked *leaked = session->leaked;
	uint64_t limit;

	leaked_summary(session, screen);
	if (!leaked)
		return;
	limit = groups_limit(session, leaked->kept_bytes);
	for (uint32_t i = 0; i < leaked->group_count && i < limit; i++)
		leaked_line(session, i, screen);
	report_more(screen, 2, limit, leaked->group_count, "group");
}

static struct error *text(struct session *session, struct screen *screen)
{
	const struct cycles *cycles = session->cycles;
	uint64_t limit = groups_limit(session, cycles->bytes);
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
		print_leaked(session, screen);
		over_released_summary(session, command_limit(session, TYPES_USUALLY), screen);
		damage_summary(session, screen);
	} else {
		print_nothing_found(session, screen);
	}
	print_retainers(session, screen);
	screen_print(screen, "\n");
	print_collectors(session, screen);
	memory_line(session, screen);
	threads_summary(session, screen);
	suspended_summary(session, screen);
	print_next(session, screen);
	return NULL;
}

static void suspects_json(struct session *session, struct document *document, json_t *result)
{
	const struct retainers *retainers = &session->retainers;
	json_t *array;

	if (!session->dominators)
		return;
	document_set_count(document, result, "objects", session->objects->count);
	document_set_count(document, result, "bytes", retainers_heap_bytes(session));
	document_set_count(document, result, "suspects_total",
			   stands_out(session) ? retainers->total : 0);
	array = document_set_array(document, result, "suspects");
	for (size_t i = 0; stands_out(session) && i < retainers->count; i++)
		retainers_json(session, &retainers->items[i], document,
			       document_append_object(document, array));
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
	memory_line_json(session, document, result);
	object = document_set_object(document, result, "threads");
	threads_summary_json(session, document, object);
	suspended_json(session, command_limit(session, GROUPS_USUALLY), document, object);
	suspects_json(session, document, result);
	return collector_json(session, document, result);
}

const struct command command_triage = {
	.description =
		"A short overview, and the command that runs when none is named: which "
		"Python this\n"
		"is, how much of it could be decoded, what leaks, which objects keep most of "
		"the rest,\n"
		"and what to type next.\n",
	.options = OPTION_BIT(FAIL_ON),
	.finds = FINDINGS_ALL,
	.prepare = prepare,
	.text = text,
	.json = json,
};
