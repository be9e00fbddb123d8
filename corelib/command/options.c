/*
 * Options, read by argp with all its printing and exiting turned off: the library may live in a
 * debugger. argp then says only that something is wrong, so options_wrong_word() below finds out
 * which word it was and what the user probably meant.
 */
#include "command/options.h"

#include "command/option_tables.h"
#include "command/suggest.h"
#include "command/units.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/** What parse_option() needs beside the options. */
struct parse {
	struct options *options;
	struct error *error;
	int next; /**< index of the word after the one at which argp gave up */
};

static error_t fail(struct parse *parse, struct error *err)
{
	parse->error = err;
	return EINVAL;
}

static error_t set_string(struct parse *parse, const char **place, const char *name, char *arg)
{
	if (!*arg)
		return fail(parse, error_create(ERROR_USAGE, "%s needs a value", name));
	*place = arg;
	return 0;
}

static error_t set_pid(struct parse *parse, pid_t *place, const char *name, const char *arg)
{
	uint64_t number;

	if (!units_parse(arg, &number) || !number || number > INT_MAX)
		return fail(parse, error_create(ERROR_USAGE, "%s needs a process id, not '%s'",
						name, arg));
	*place = (pid_t)number;
	return 0;
}

static error_t set_time_limit(struct parse *parse, const char *arg)
{
	if (!units_parse_duration(arg, &parse->options->time_limit))
		return fail(parse,
			    error_create(ERROR_USAGE,
					 "--time-limit needs a time (30s, 5m), not '%s'", arg));
	return 0;
}

static error_t set_limit(struct parse *parse, const char *arg)
{
	if (!units_parse(arg, &parse->options->limit))
		return fail(parse,
			    error_create(ERROR_USAGE, "--limit needs a number, not '%s'", arg));
	parse->options->limit_given = true;
	return 0;
}

static error_t set_color(struct parse *parse, const char *arg)
{
	static const char *const names[] = {
		[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};

	if (!arg)
		arg = "always";
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(arg, names[i])) {
			parse->options->color = (enum color_when)i;
			return 0;
		}
	}
	return fail(parse,
		    error_create(ERROR_USAGE, "--color is auto, always or never, not '%s'", arg));
}

static error_t set_format(struct parse *parse, enum output_format format)
{
	if (parse->options->format != FORMAT_TEXT && parse->options->format != format)
		return fail(parse,
			    error_create(ERROR_USAGE, "--json and --ndjson exclude each other"));
	parse->options->format = format;
	return 0;
}

static error_t add_word(struct parse *parse, const char *text, bool literal)
{
	struct options *options = parse->options;
	struct word *words =
		realloc(options->words, (options->word_count + 1) * sizeof(*options->words));

	if (!words)
		return fail(parse, &error_no_memory);
	options->words = words;
	words[options->word_count++] = (struct word){text, literal};
	return 0;
}

static error_t parse_target_option(int key, char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;
	struct options *options = parse->options;

	switch (key) {
	case 'p':
		return set_pid(parse, &options->pid, "-p", arg);
	case 'c':
		return set_string(parse, &options->core, "--core", arg);
	case KEY_NO_STOP:
		options->no_stop = true;
		return 0;
	case KEY_HANDLE_CORE:
		return set_pid(parse, &options->handle_core, "--handle-core", arg);
	case KEY_KEEP_CORE:
		return set_string(parse, &options->keep_core, "--keep-core", arg);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_file_option(int key, char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;
	struct options *options = parse->options;

	switch (key) {
	case 'e':
		return set_string(parse, &options->executable, "--executable", arg);
	case KEY_SYSROOT:
		return set_string(parse, &options->sysroot, "--sysroot", arg);
	case KEY_DEBUGINFO_PATH:
		return set_string(parse, &options->debuginfo_path, "--debuginfo-path", arg);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_common_option(int key, char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;
	struct options *options = parse->options;

	switch (key) {
	case ARGP_KEY_INIT:
		// Children get the input of their parent.
		for (size_t i = 0; state->root_argp->children[i].argp; i++)
			state->child_inputs[i] = state->input;
		return 0;
	case ARGP_KEY_ERROR:
		parse->next = state->next;
		return 0;
	case ARGP_KEY_ARG:
		return add_word(parse, arg, state->quoted && state->next > state->quoted);
	case KEY_JSON:
		return set_format(parse, FORMAT_JSON);
	case KEY_NDJSON:
		return set_format(parse, FORMAT_NDJSON);
	case KEY_LIMIT:
		return set_limit(parse, arg);
	case KEY_TIME_LIMIT:
		return set_time_limit(parse, arg);
	case 'o':
		return set_string(parse, &options->output, "--output", arg);
	case KEY_COLOR:
		return set_color(parse, arg);
	case KEY_REDACT:
		options->redact = true;
		return 0;
	case KEY_NO_PROGRESS:
		options->no_progress = true;
		return 0;
	case 'v':
		options->verbose = true;
		return 0;
	case 'h':
		options->help = true;
		return 0;
	case KEY_SCHEMA:
		options->schema = true;
		return 0;
	case 'V':
		options->version = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static bool parse_value(enum option_kind kind, const char *arg, uint64_t *number)
{
	switch (kind) {
	case OPTION_FLAG:
		return true;
	case OPTION_TEXT:
		return *arg != '\0';
	case OPTION_NUMBER:
		return units_parse(arg, number);
	case OPTION_SIZE:
		return units_parse_size(arg, number);
	case OPTION_ADDRESS:
		return units_parse_address(arg, number);
	case OPTION_DURATION:
		return units_parse_duration(arg, number);
	}
	return false;
}

static error_t parse_command_option(int key, char *arg, struct argp_state *state)
{
	static const char *const wanted[] = {
		[OPTION_TEXT] = "a value",
		[OPTION_NUMBER] = "a number",
		[OPTION_SIZE] = "a size (64K, 1.5M)",
		[OPTION_ADDRESS] = "an address",
		[OPTION_DURATION] = "a time (500ms, 30s, 5m)",
	};
	struct parse *parse = state->input;
	struct option_value *value;
	enum option_kind kind;
	int id = key - KEY_COMMAND_OPTION;

	if (id < 0 || id >= OPTION_COUNT)
		return ARGP_ERR_UNKNOWN;
	kind = option_kinds[id];
	value = &parse->options->values[id];
	*value = (struct option_value){.given = true, .text = arg};
	if (!parse_value(kind, arg, &value->number))
		return fail(parse, error_create(ERROR_USAGE, "--%s needs %s, not '%s'",
						option_table_commands[id].name, wanted[kind], arg));
	return 0;
}

static const struct argp target_argp = {.options = option_table_target,
					.parser = parse_target_option};
static const struct argp file_argp = {.options = option_table_files, .parser = parse_file_option};
static const struct argp command_argp = {.options = option_table_commands,
					 .parser = parse_command_option};

/** Those of the tool; the debuggers' and then the library's are less of them, see option_tables().
 */
static const struct argp_child children[] = {
	{&target_argp, 0, NULL, 0}, {&file_argp, 0, NULL, 0}, {&command_argp, 0, NULL, 0}, {0}};
static const struct argp_child *const children_of[] = {
	[FRONT_END_TOOL] = children,
	[FRONT_END_DEBUGGER] = children + 1,
	[FRONT_END_LIBRARY] = children + 2,
};

/** What is wrong with "--name" or "--name=value"; NULL: nothing. */
static struct error *check_long(enum front_end front_end, const char *word, bool has_next)
{
	const char *value = strchrnul(word, '=');
	size_t length = (size_t)(value - word) - 2;
	const struct argp_option *found = NULL, *second = NULL;
	struct suggestion near = {0};
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)(length < 63 ? length : 63), word + 2);
	option_for_each(option, front_end)
	{
		suggestion_offer(&near, name, option->name);
		if (strncmp(option->name, word + 2, length))
			continue;
		if (strlen(option->name) == length) {
			found = option;
			second = NULL;
			break;
		}
		second = found;
		found = option;
	}
	if (!found && near.word)
		return error_create(ERROR_USAGE, "no option --%s; did you mean --%s?", name,
				    near.word);
	if (!found)
		return error_create(ERROR_USAGE, "no option --%s", name);
	if (second)
		return error_create(ERROR_USAGE, "--%s is short for --%s and --%s", name,
				    second->name, found->name);
	if (!found->arg && *value)
		return error_create(ERROR_USAGE, "--%s takes no value", found->name);
	if (found->arg && !(found->flags & OPTION_ARG_OPTIONAL) && !*value && !has_next)
		return error_create(ERROR_USAGE, "--%s needs a value: %s", found->name, found->arg);
	return NULL;
}

/** What is wrong with "-xyz"; NULL: nothing. */
static struct error *check_short(enum front_end front_end, const char *word, bool has_next)
{
	for (const char *letter = word + 1; *letter; letter++) {
		const struct argp_option *found = NULL;

		option_for_each(option, front_end)
		{
			if (option->key == (unsigned char)*letter)
				found = option;
		}
		if (!found)
			return error_create(ERROR_USAGE, "no option -%c", *letter);
		if (found->arg && !letter[1] && !has_next)
			return error_create(ERROR_USAGE, "-%c needs a value: %s", *letter,
					    found->arg);
		if (found->arg)
			return NULL;
	}
	return NULL;
}

/** Finds the word that argp did not take: the one before `next`, or `next` in a group of letters.
 */
static struct error *wrong_word(enum front_end front_end, int argc, char **argv, int next)
{
	for (int i = next > 1 ? next - 1 : 1; i <= next && i < argc; i++) {
		struct error *err = NULL;

		if (!strncmp(argv[i], "--", 2))
			err = check_long(front_end, argv[i], i + 1 < argc);
		else if (argv[i][0] == '-')
			err = check_short(front_end, argv[i], i + 1 < argc);
		if (err)
			return err;
	}
	return error_create(ERROR_USAGE, "wrong option");
}

struct error *options_parse(enum front_end front_end, int argc, char **argv,
			    struct options *options)
{
	struct parse parse = {.options = options};
	const struct argp argp = {.options = option_table_common,
				  .parser = parse_common_option,
				  .children = children_of[front_end]};

	// In order: argp would else move the words in front of "--" behind it.
	const unsigned int flags = ARGP_NO_HELP | ARGP_NO_EXIT | ARGP_NO_ERRS | ARGP_IN_ORDER;

	*options = (struct options){0};
	if (!argp_parse(&argp, argc, argv, flags, NULL, &parse))
		return NULL;
	return parse.error ? parse.error : wrong_word(front_end, argc, argv, parse.next);
}

struct error *options_check(const struct options *options, const char *command, uint64_t taken)
{
	for (int id = 0; id < OPTION_COUNT; id++)
		if (options->values[id].given && !(taken >> id & 1))
			return error_create(ERROR_USAGE,
					    "%s takes no option --%s; `help %s` lists its own",
					    command, option_table_commands[id].name, command);
	return NULL;
}

void options_clear(struct options *options)
{
	free(options->words);
	free(options->arguments);
	options->words = NULL;
	options->word_count = 0;
}
