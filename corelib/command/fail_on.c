/*
 * --fail-on=KIND[:N],...: the list is read twice, to check it before there is a target and to
 * count afterwards; nothing is kept in between.
 */
#include "command/fail_on.h"

#include "command/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	enum finding_kind kind;
} kinds[] = {
	{"cycles", FINDING_CYCLES}, {"excess", FINDING_EXCESS},
	{"lost", FINDING_LOST},	    {"over-released", FINDING_OVER_RELEASED},
	{"damage", FINDING_DAMAGE},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/** One entry of the list. */
struct entry {
	char name[32];
	size_t kind; /**< index in kinds; KINDS: there is none of this name */
	uint64_t threshold;
	bool wrong_number;
};

/** Reads the entry at *list and moves *list behind it. @return false at the end */
static bool next_entry(const char **list, struct entry *entry)
{
	char text[64];
	size_t length = strcspn(*list, ",");
	char *number;

	if (!**list)
		return false;
	*entry = (struct entry){.threshold = 1};
	snprintf(text, sizeof(text), "%.*s", (int)length, *list);
	number = strchr(text, ':');
	if (number) {
		*number++ = '\0';
		entry->wrong_number = !units_parse(number, &entry->threshold) || !entry->threshold;
	}
	snprintf(entry->name, sizeof(entry->name), "%.31s", text);
	while (entry->kind < KINDS && strcmp(kinds[entry->kind].name, entry->name))
		entry->kind++;
	*list += length + ((*list)[length] == ',');
	return true;
}

static struct error *unknown_kind(const char *name)
{
	struct suggestion near = {0};

	for (size_t i = 0; i < KINDS; i++)
		suggestion_offer(&near, name, kinds[i].name);
	if (near.word)
		return error_create(ERROR_USAGE,
				    "--fail-on: nothing is called '%s'; did you mean "
				    "%s?",
				    name, near.word);
	return error_create(ERROR_USAGE,
			    "--fail-on: nothing is called '%s'; there are cycles, excess, lost, "
			    "over-released and damage",
			    name);
}

struct error *fail_on_check(const struct options *options, const struct command *command)
{
	const struct option_value *value = &options->values[OPTION_FAIL_ON];
	const char *list = value->text;
	struct entry entry;

	while (value->given && next_entry(&list, &entry)) {
		if (entry.kind == KINDS)
			return unknown_kind(entry.name);
		if (entry.wrong_number)
			return error_create(ERROR_USAGE,
					    "--fail-on: %s: needs a number from 1 behind the colon",
					    entry.name);
		if (!(command->finds & kinds[entry.kind].kind))
			return error_create(ERROR_USAGE,
					    "--fail-on: %s does not look for %s; leaks does",
					    command_names(command)->name, entry.name);
	}
	return NULL;
}

static uint64_t count_leaked(const struct session *session, enum anomaly_kind kind)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < session->leaked->head_count; i++)
		count += session->leaked->heads[i].kind == kind;
	return count;
}

/** How many there are; not for what could not be looked for. */
static uint64_t count_findings(const struct session *session, enum finding_kind kind)
{
	switch (kind) {
	case FINDING_CYCLES:
		return session->cycles->cycle_count;
	case FINDING_EXCESS:
		return count_leaked(session, ANOMALY_EXCESS);
	case FINDING_LOST:
		return count_leaked(session, ANOMALY_LOST);
	case FINDING_OVER_RELEASED:
		return session->check->over_released_count;
	case FINDING_DAMAGE:
		return session->check->total;
	default:
		return 0;
	}
}

int fail_on_status(const struct session *session, const char *prefix, int status)
{
	const struct option_value *value = &session->options.values[OPTION_FAIL_ON];
	const char *list = value->text;
	struct entry entry;

	while (value->given && next_entry(&list, &entry)) {
		enum finding_kind kind = kinds[entry.kind].kind;

		if (kind & FINDINGS_OF_HEAP && !session->leaked) {
			fprintf(session->io->err, "%s--fail-on: %s cannot be looked for: %s\n",
				prefix, entry.name, session->no_census);
			status = status == PYMEM_FINDINGS ? status : PYMEM_PARTIAL;
		} else if (count_findings(session, kind) >= entry.threshold) {
			status = PYMEM_FINDINGS;
		}
	}
	return status;
}
