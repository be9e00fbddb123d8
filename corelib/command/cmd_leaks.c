/*
 * All findings.
 */
#include "command/collector.h"
#include "command/command.h"
#include "command/fail_on.h"
#include "command/findings.h"
#include "command/groups.h"
#include "command/leaked_report.h"
#include "command/records.h"

enum { GROUPS_USUALLY = 20, TYPES_USUALLY = 6, JSON_USUALLY = 100 };

static struct error *prepare(struct session *session)
{
	struct error *err = session_findings(session);

	return err ? err : session_holders(session, command_limit(session, JSON_USUALLY));
}

static struct error *text(struct session *session, struct screen *screen)
{
	uint64_t limit = command_limit(session, GROUPS_USUALLY);
	uint64_t types = command_inner_limit(session, TYPES_USUALLY);
	struct error *err;

	report_header(session, screen);
	report_coverage(session, screen);
	screen_print(screen, "\n");
	screen_styled(screen, findings_any(session) ? STYLE_ALARM : STYLE_HEADING, "Leaks");
	screen_print(screen, "\n");
	err = groups_summary(session, screen);
	if (err)
		return err;
	for (size_t i = 0; i < session->cycles->count && i < limit; i++)
		groups_block(session, i, types, screen);
	report_more(screen, 2, limit, session->cycles->count, "group");
	findings_garbage(session, types, screen);
	leaked_summary(session, screen);
	leaked_blocks(session, limit, types, screen);
	over_released_summary(session, limit, screen);
	damage_summary(session, screen);
	leaked_next(session, screen);
	return NULL;
}

static struct error *json(struct session *session, struct document *document, json_t *result)
{
	uint64_t limit = command_limit(session, JSON_USUALLY);
	json_t *object = document_set_object(document, result, "cycles");

	groups_json(session, document, object, limit);
	findings_garbage_json(session, limit, document, result);
	leaked_json(session, limit, document, result);
	findings_over_released_json(session, limit, document, result);
	damage_json(session, limit, document, result);
	return collector_json(session, document, result);
}

static struct error *ndjson(struct session *session, const struct output *output)
{
	struct error *err = records_cycles(session, "cycle", RECORDS_ALL, output);

	if (!err)
		err = records_garbage(session, output);
	return err ? err : records_refcounts(session, "refcount", output);
}

const struct command command_leaks = {
	.description = "Everything that was found: the cycles that gc.collect() would free "
		       "(see `help\n"
		       "cycles`), and the objects that the collector gave up on or was "
		       "told to keep in\n"
		       "gc.garbage. Then what C code got wrong: references that were "
		       "never given back (see\n"
		       "`help refcounts`), objects that were released too often, and "
		       "damage of the heap (see\n"
		       "`help check`).\n",
	.options = OPTION_BIT(FAIL_ON),
	.finds = FINDINGS_ALL,
	.prepare = prepare,
	.text = text,
	.json = json,
	.ndjson = ndjson,
};
