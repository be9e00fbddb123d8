/*
 * All objects whose refcount does not fit.
 */
#include "command/command.h"
#include "command/leaked_report.h"
#include "command/records.h"

enum { GROUPS_USUALLY = 20, TYPES_USUALLY = 6, JSON_USUALLY = 100 };

struct error *refcounts_prepare(struct session *session)
{
	struct error *err = session_leaked(session);

	return err ? err : session_holders(session, command_limit(session, JSON_USUALLY));
}

struct error *refcounts_text(struct session *session, struct screen *screen)
{
	uint64_t limit = command_limit(session, GROUPS_USUALLY);

	report_header(session, screen);
	report_coverage(session, screen);
	report_enumerated(session, screen);
	screen_print(screen, "\n");
	leaked_summary(session, screen);
	leaked_blocks(session, limit, command_limit(session, TYPES_USUALLY), screen);
	over_released_summary(session, limit, screen);
	leaked_next(session, screen);
	return NULL;
}

struct error *refcounts_json(struct session *session, struct document *document, json_t *result)
{
	uint64_t limit = command_limit(session, JSON_USUALLY);

	leaked_json(session, limit, document, result);
	over_released_json(session, limit, document, result);
	report_enumerated_json(session, document, result);
	return NULL;
}

struct error *refcounts_ndjson(struct session *session, const struct output *output)
{
	return records_refcounts(session, NULL, output);
}
