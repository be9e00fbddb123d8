/*
 * The views of `retained`.
 */
#include "command/retained_view.h"

#include "command/command.h"

#include <string.h>

enum { ROWS_USUALLY = 20, JSON_USUALLY = 1000 };

static const struct retained_view views[] = {
	{"holder", "holder", NULL},
	{"global", "global", retained_by_global},
	{"module", "module", retained_by_module},
	{"type", "type", retained_by_type},
};

const struct retained_view *retained_view_of(const struct session *session)
{
	const struct option_value *by = &session->options.values[OPTION_BY];

	for (size_t i = 0; by->given && i < sizeof(views) / sizeof(views[0]); i++)
		if (!strcmp(by->text, views[i].key))
			return &views[i];
	return by->given ? NULL : &views[0];
}

bool retained_is_under(const struct session *session)
{
	return session->argument || session->options.values[OPTION_UNDER].given;
}

uint64_t retained_limit(const struct session *session)
{
	return command_limit(session,
			     session->options.format == FORMAT_TEXT ? ROWS_USUALLY : JSON_USUALLY);
}

uint64_t retained_address(const struct session *session, uint32_t object)
{
	return session->objects->addresses[object];
}
