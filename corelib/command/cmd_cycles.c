/*
 * The groups of unreachable cycles, or all about one of them.
 */
#include "command/collector.h"
#include "command/command.h"
#include "command/fail_on.h"
#include "command/groups.h"
#include "command/group_detail.h"
#include "command/records.h"

#include <string.h>

enum {
	GROUPS_USUALLY = 20,
	TYPES_USUALLY = 6,
	JSON_USUALLY = 100,
	DETAIL_USUALLY = 50,
};

static bool takes(const char *word)
{
	return *word && word[strspn(word, "0123456789")] == '\0';
}

/** Reads the number of a group. @param group set to its index; the number of groups: all */
static struct error *chosen_group(const struct session *session, size_t *group)
{
	size_t count = session->cycles->count;
	uint64_t number;

	*group = count;
	if (!session->argument)
		return NULL;
	if (!units_parse(session->argument, &number) || !number || number > count)
		return error_create(ERROR_USAGE,
				    count ? "no group %s: there are 1 to %zu"
					  : "no group %s: there are no cycles",
				    session->argument, count);
	*group = (size_t)number - 1;
	return NULL;
}

static struct error *prepare(struct session *session)
{
	struct error *err = session_cycles(session);
	size_t group;

	return err ? err : chosen_group(session, &group);
}

static struct error *text_all(struct session *session, struct screen *screen)
{
	static const char *const next[] = {"cycles 1", "cycles --ndjson"};
	uint64_t limit = command_limit(session, GROUPS_USUALLY);
	struct error *err = groups_summary(session, screen);

	if (err)
		return err;
	for (size_t i = 0; i < session->cycles->count && i < limit; i++)
		groups_block(session, i, command_inner_limit(session, TYPES_USUALLY), screen);
	report_more(screen, 2, limit, session->cycles->count, "group");
	if (session->cycles->count)
		report_next(session, screen, next, sizeof(next) / sizeof(next[0]));
	return NULL;
}

static struct error *text(struct session *session, struct screen *screen)
{
	size_t group;
	struct error *err = chosen_group(session, &group);

	if (err)
		return err;
	report_header(session, screen);
	report_coverage(session, screen);
	screen_print(screen, "\n");
	if (group == session->cycles->count)
		return text_all(session, screen);
	groups_block(session, group, UINT64_MAX, screen);
	return group_detail_text(session, group, command_limit(session, DETAIL_USUALLY), screen);
}

static struct error *json(struct session *session, struct document *document, json_t *result)
{
	uint64_t limit = command_limit(session, JSON_USUALLY);
	size_t group;
	struct error *err = chosen_group(session, &group);

	if (err)
		return err;
	if (group == session->cycles->count) {
		groups_json(session, document, result, limit);
		return collector_json(session, document, result);
	}
	groups_one_json(session, group, document, result, UINT64_MAX);
	return group_detail_json(session, group, limit, document, result);
}

static struct error *ndjson(struct session *session, const struct output *output)
{
	size_t group;
	struct error *err = chosen_group(session, &group);

	if (err)
		return err;
	return records_cycles(session, NULL,
			      group == session->cycles->count ? RECORDS_ALL : (uint32_t)group,
			      output);
}

const struct command command_cycles = {
	.description = "The objects that gc.collect() would find unreachable if it ran "
		       "now. Cycles of equal\n"
		       "shape (the same types that refer to each other in the same way) "
		       "are one group, the\n"
		       "group with the most bytes comes first. 'Attached' are objects that "
		       "are in no cycle\n"
		       "but are kept alive by one. Bytes are those of the object, its GC "
		       "header and the\n"
		       "storage that it alone owns.\n"
		       "\n"
		       "With a number, all about one group: every type and reference, the "
		       "objects of one\n"
		       "cycle, and more addresses.\n"
		       "\n"
		       "With --ndjson, one line for each unreachable object: address, "
		       "type, size in bytes,\n"
		       "group, member (false: attached), generation, refcount.\n",
	.options = OPTION_BIT(FAIL_ON),
	.finds = FINDING_CYCLES,
	.takes = takes,
	.prepare = prepare,
	.text = text,
	.json = json,
	.ndjson = ndjson,
};
