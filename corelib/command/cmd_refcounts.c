/*
 * All objects whose refcount does not fit.
 */
#include "command/command.h"
#include "command/fail_on.h"
#include "command/findings.h"
#include "command/leaked_report.h"
#include "command/records.h"

enum { GROUPS_USUALLY = 20, TYPES_USUALLY = 6, JSON_USUALLY = 100 };

static struct error *prepare(struct session *session)
{
	struct error *err = session_leaked(session);

	return err ? err : session_holders(session, command_limit(session, JSON_USUALLY));
}

static struct error *text(struct session *session, struct screen *screen)
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

static struct error *json(struct session *session, struct document *document, json_t *result)
{
	uint64_t limit = command_limit(session, JSON_USUALLY);

	leaked_json(session, limit, document, result);
	findings_over_released_json(session, limit, document, result);
	report_enumerated_json(session, document, result);
	return NULL;
}

static struct error *ndjson(struct session *session, const struct output *output)
{
	return records_refcounts(session, NULL, output);
}

const struct command command_refcounts = {
	.description = "For every object, the words that point at it are counted: in objects in "
		       "use, in memory\n"
		       "that malloc handed out, in the data of modules, on stacks, in registers. "
		       "An object with\n"
		       "a higher refcount has references that nobody holds and nobody can give "
		       "back: a lost\n"
		       "Py_DECREF. 'Lost' means that nothing points at it at all. Objects of one "
		       "type with as\n"
		       "many leaked references each, and similar content, are one group; the "
		       "group that keeps\n"
		       "most bytes alive comes first. Over-released is the opposite: more "
		       "references own the\n"
		       "object than its refcount says, it will be freed while in use.\n"
		       "\n"
		       "With --ndjson, one line for each such object: address, type, size in "
		       "bytes, refcount,\n"
		       "found, kind (excess, lost, over-released), excess, group, kept_objects, "
		       "kept_bytes,\n"
		       "suspicion (true: not all memory was dumped).\n",
	.options = OPTION_BIT(FAIL_ON),
	.finds = FINDINGS_OF_HEAP,
	.prepare = prepare,
	.text = text,
	.json = json,
	.ndjson = ndjson,
};
