/*
 * The table of commands and the help made from it.
 */
#include "command/command.h"

#include <string.h>

/*
 * What front ends see. The order is that of the help; `commands` below says for each what it does.
 */
static const struct pymem_command names[] = {
	{"triage", "Overview: what leaks, and whether the answer is whole", "[--json]"},
	{"leaks", "All findings: cycles, gc.garbage, leaked and over-released references",
	 "[--limit N] [--json | --ndjson] [--output FILE]"},
	{"cycles", "Unreachable reference cycles in groups of one shape; N: all about group N",
	 "[N] [--limit N] [--json | --ndjson] [--output FILE]"},
	{"refcounts", "Objects whose refcount does not fit the references that were found",
	 "[--limit N] [--json | --ndjson] [--output FILE]"},
	{"refcount", "Every reference to one object, and what is not explained",
	 "ADDRESS [--limit N] [--json]"},
	{"check", "Damage of the heap: pointers to freed objects, broken lists, damaged pools",
	 "[--limit N] [--json]"},
	{"info", "Python version, interpreters, garbage collector, what could be decoded",
	 "[--verbose] [--json]"},
	{"help", "Help on the tool or on one command", "[COMMAND]"},
	{NULL, NULL, NULL},
};

static bool help_takes(const char *word)
{
	return command_find(word) != NULL;
}

static const struct command commands[] = {
	{
		.names = &names[0],
		.description =
			"A short overview, and the command that runs when none is named: which "
			"Python this\n"
			"is, how much of it could be decoded, what leaks, and what to type next.\n",
		.prepare = triage_prepare,
		.text = triage_text,
		.json = triage_json,
	},
	{
		.names = &names[1],
		.description = "Everything that was found: the cycles that gc.collect() would free "
			       "(see `help\n"
			       "cycles`), and the objects that the collector gave up on or was "
			       "told to keep in\n"
			       "gc.garbage. Then what C code got wrong: references that were "
			       "never given back (see\n"
			       "`help refcounts`), objects that were released too often, and "
			       "damage of the heap (see\n"
			       "`help check`).\n",
		.prepare = leaks_prepare,
		.text = leaks_text,
		.json = leaks_json,
		.ndjson = leaks_ndjson,
	},
	{
		.names = &names[2],
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
		.takes = cycles_takes,
		.prepare = cycles_prepare,
		.text = cycles_text,
		.json = cycles_json,
		.ndjson = cycles_ndjson,
	},
	{
		.names = &names[3],
		.description =
			"For every object, the words that point at it are counted: in objects in "
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
		.prepare = refcounts_prepare,
		.text = refcounts_text,
		.json = refcounts_json,
		.ndjson = refcounts_ndjson,
	},
	{
		.names = &names[4],
		.description =
			"The refcount of an object, and every word in memory and registers that "
			"points at it,\n"
			"each with what it is part of: which object and which attribute, key or "
			"index of it,\n"
			"which variable of which running function, which thread's C stack or "
			"register, which\n"
			"symbol of which module, which raw block. What remains of the refcount was "
			"leaked.\n"
			"An address inside an object stands for the object.\n",
		.takes = refcount_takes,
		.prepare = refcount_prepare,
		.text = refcount_text,
		.json = refcount_json,
	},
	{
		.names = &names[5],
		.description =
			"What cannot be in a healthy heap: objects that refer to freed memory, to "
			"what is no\n"
			"object or to an object with refcount 0; links of the collector's lists "
			"that do not\n"
			"match; types that are none; pools whose free list does not agree with "
			"their header.\n"
			"Each with the address of the word that is wrong, what it should be where "
			"that is\n"
			"known, and the blocks of memory beside it: what was overwritten was often "
			"overwritten\n"
			"from the block before.\n",
		.prepare = check_prepare,
		.text = check_text,
		.json = check_json,
	},
	{
		.names = &names[6],
		.description = "The Python version and how it was found, the build, the "
			       "interpreters with their\n"
			       "threads and generations, whether the collector is enabled, what is "
			       "in gc.garbage,\n"
			       "how many objects there are and how many of them could be decoded. "
			       "--verbose adds\n"
			       "the modules and every type without a decoder.\n",
		.prepare = info_prepare,
		.text = info_text,
		.json = info_json,
	},
	{
		.names = &names[7],
		.description = "",
		.takes = help_takes,
	},
};

_Static_assert(sizeof(names) / sizeof(names[0]) == sizeof(commands) / sizeof(commands[0]) + 1,
	       "each command has a name");

const struct pymem_command *pymem_commands(void)
{
	return names;
}

const struct command *command_at(size_t index)
{
	return index < sizeof(commands) / sizeof(commands[0]) ? &commands[index] : NULL;
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; command_at(i); i++)
		if (!strcmp(commands[i].names->name, name))
			return &commands[i];
	return NULL;
}

const struct command *command_default(void)
{
	return &commands[0];
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
