/*
 * Words that are no options: `leaks core.1`, `core.1 leaks`, `python core.1`, `core.1 python`.
 */
#include "command/request.h"

#include "command/suggest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** Could the word be a mistyped command: letters only, no such file, and not "core"? */
static bool like_command(const char *word)
{
	return word[strspn(word, "abcdefghijklmnopqrstuvwxyz-")] == '\0' && strcmp(word, "-") &&
	       strncmp(word, "core", 4) && access(word, F_OK);
}

static struct error *unknown_command(const char *word)
{
	struct suggestion near = {0};

	for (size_t i = 0; command_at(i); i++)
		suggestion_offer(&near, word, pymem_commands()[i].name);
	if (near.word)
		return error_create(ERROR_USAGE, "no command %s; did you mean %s?", word,
				    near.word);
	return error_create(ERROR_USAGE, "no command or file %s; `help` lists the commands", word);
}

/** Takes the i-th word out of the list. */
static const char *take_word(struct options *options, size_t i)
{
	const char *text = options->words[i].text;

	options->word_count--;
	memmove(&options->words[i], &options->words[i + 1],
		(options->word_count - i) * sizeof(*options->words));
	return text;
}

/** Takes the words behind a command that are its arguments. */
static struct error *take_arguments(struct options *options, size_t i, struct request *request)
{
	const struct command *command = request->command;

	options->arguments = calloc(options->word_count + 1, sizeof(*options->arguments));
	if (!options->arguments)
		return &error_no_memory;
	while (i < options->word_count && command->takes &&
	       command->takes(options->words[i].text) &&
	       (command->takes_several || !options->argument_count))
		options->arguments[options->argument_count++] = take_word(options, i);
	request->argument = options->arguments[0];
	return NULL;
}

static struct error *find_command(struct options *options, struct request *request)
{
	*request = (struct request){.command = command_default()};
	for (size_t i = 0; i < options->word_count; i++) {
		const struct command *command;

		if (options->words[i].literal)
			continue;
		command = command_by_name(options->words[i].text);
		if (!command)
			continue;
		take_word(options, i);
		request->command = command;
		request->command_named = true;
		request->argument_first = !i && !options->core;
		return take_arguments(options, i, request);
	}
	return NULL;
}

/** What is wrong with a file that is neither a core nor an executable: what opening it says. */
static struct error *wrong_file(const char *path)
{
	const struct target_options defaults = {0};
	struct target *target = NULL;
	struct error *err = target_open_core(path, &defaults, &target);

	target_close(target);
	return err ? err
		   : error_create(ERROR_GENERAL, "%s: neither a core nor an executable", path);
}

static struct error *add_file(struct options *options, const char *path)
{
	enum target_file type;
	struct error *err = target_file_type(path, &type);
	const char **place;

	if (err)
		return err;
	if (type == TARGET_FILE_OTHER || type == TARGET_FILE_OTHER_MACHINE)
		return wrong_file(path);
	place = type == TARGET_FILE_CORE ? &options->core : &options->executable;
	if (*place)
		return error_create(ERROR_USAGE, "two %s: %s and %s",
				    type == TARGET_FILE_CORE ? "core files" : "executables", *place,
				    path);
	*place = path;
	return NULL;
}

/** Keeps why a path that stands beside --core names no executable, instead of failing. */
static struct error *leave_out(struct request *request, struct error *err)
{
	if (!request->left_out)
		request->left_out = err;
	else
		error_free(err);
	return NULL;
}

static struct error *add_files(struct options *options, struct request *request)
{
	bool core_named = options->core;

	for (size_t i = 0; i < options->word_count; i++) {
		const struct word *word = &options->words[i];
		struct error *err;

		if (!word->literal && command_by_name(word->text) && access(word->text, F_OK))
			return error_create(ERROR_USAGE,
					    "one command at a time: %s is a second one",
					    word->text);
		if (!word->literal && like_command(word->text))
			return unknown_command(word->text);
		err = add_file(options, word->text);
		if (err && err->code == ERROR_GENERAL && core_named && strchr(word->text, '/'))
			err = leave_out(request, err);
		if (err)
			return err;
	}
	return NULL;
}

struct error *request_resolve(enum front_end front_end, struct options *options,
			      struct request *request)
{
	struct error *err = find_command(options, request);

	if (!err)
		err = options_check(options, command_names(request->command)->name,
				    request->command->options);
	if (err)
		return err;
	if (front_end == FRONT_END_TOOL)
		return add_files(options, request);
	if (!options->word_count)
		return NULL;
	if (!request->command_named)
		return unknown_command(options->words[0].text);
	return error_create(ERROR_USAGE, "%s does not take '%s'",
			    command_names(request->command)->name, options->words[0].text);
}

struct error *request_check_files(const struct options *options)
{
	enum target_file type;
	struct stat status;
	struct error *err;

	if (options->sysroot && stat(options->sysroot, &status))
		return error_system(errno, "%s", options->sysroot);
	if (options->sysroot && !S_ISDIR(status.st_mode))
		return error_system(ENOTDIR, "%s", options->sysroot);
	if (!options->executable)
		return NULL;
	err = target_file_type(options->executable, &type);
	// Not every linker marks a position-independent executable as one.
	if (!err && type != TARGET_FILE_EXECUTABLE && type != TARGET_FILE_SHARED_OBJECT)
		err = error_create(ERROR_GENERAL, "%s: not an x86-64 executable",
				   options->executable);
	return err;
}

/** The handler of cores has its target from the kernel. */
static struct error *check_handler(const struct options *options)
{
	if (options->keep_core && !options->handle_core)
		return error_create(ERROR_USAGE, "--keep-core goes with --handle-core");
	if (options->handle_core && (options->pid || options->core))
		return error_create(ERROR_USAGE,
				    "--handle-core reads the core from the standard input; %s is "
				    "too much",
				    options->pid ? "-p" : options->core);
	return NULL;
}

struct error *request_check_target(const struct options *options)
{
	struct error *err = check_handler(options);

	if (err)
		return err;
	if (options->handle_core)
		return request_check_files(options);
	if (options->pid && options->core)
		return error_create(ERROR_USAGE, "both a process and a core: -p %ld and %s",
				    (long)options->pid, options->core);
	if (!options->pid && options->no_stop)
		return error_create(ERROR_USAGE, "--no-stop goes with -p PID");
	if (!options->pid && !options->core && options->executable)
		return error_create(ERROR_USAGE,
				    "%s is an executable; name a core file too, or -p PID",
				    options->executable);
	if (!options->pid && !options->core)
		return error_create(ERROR_USAGE, "name a core file, or a process with -p PID; "
						 "--help shows more");
	return request_check_files(options);
}
