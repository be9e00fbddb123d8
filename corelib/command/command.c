/*
 * The table of commands.
 */
#include "command/command.h"

#include <string.h>

/* What front ends see. */
static const struct pymem_command names[] = {
#define COMMAND(name, summary, usage) {#name, summary, usage},
#include "command/commands.def"
#undef COMMAND
	{NULL, NULL, NULL},
};

static const struct command *const commands[] = {
#define COMMAND(name, summary, usage) &command_##name,
#include "command/commands.def"
#undef COMMAND
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

const struct pymem_command *pymem_commands(void)
{
	return names;
}

const struct command *command_at(size_t index)
{
	return index < COMMAND_COUNT ? commands[index] : NULL;
}

const struct pymem_command *command_names(const struct command *command)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (commands[i] == command)
			return &names[i];
	return NULL;
}

const struct command *command_by_name(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(names[i].name, name))
			return commands[i];
	return NULL;
}

const struct command *command_default(void)
{
	return &command_triage;
}

uint64_t command_limit(const struct session *session, uint64_t usual)
{
	if (!session->options.limit_given)
		return usual;
	return session->options.limit ? session->options.limit : UINT64_MAX;
}

uint64_t command_inner_limit(const struct session *session, uint64_t usual)
{
	uint64_t limit = command_limit(session, usual);

	return limit > usual ? limit : usual;
}

struct error *command_check_generation(const struct session *session)
{
	const struct option_value *generation = command_option(session, OPTION_GENERATION);

	if (generation->given && generation->number >= GENERATION_LISTS)
		return error_create(ERROR_USAGE, "--generation is 0, 1, 2 or 3 (frozen), not '%s'",
				    generation->text);
	return NULL;
}

int command_generation(const struct session *session)
{
	const struct option_value *generation = command_option(session, OPTION_GENERATION);

	return generation->given ? (int)generation->number : -1;
}
