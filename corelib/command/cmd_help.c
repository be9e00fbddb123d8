/*
 * `help` itself: run.c prints it without a target.
 */
#include "command/command.h"

static bool takes(const char *word)
{
	return command_by_name(word) != NULL;
}

const struct command command_help = {
	.description = "",
	.takes = takes,
};
