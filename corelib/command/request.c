/*
 * Words that are no options: `leaks core.1`, `core.1 leaks`, `python core.1`, `core.1 python`.
 */
#include "command/request.h"

#include "command/suggest.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/** Could the word be a mistyped command: letters only, no such file, and not "core"? */
static bool like_command(const char *word)
{
	return word[strspn(word, "abcdefghijklmnopqrstuvwxyz-")] == '\0' &&
	       strncmp(word, "core", 4) && access(word, F_OK);
}

static struct error *unknown_command(const char *word)
{
	struct suggestion near = {0};

	for (size_t i = 0; command_at(i); i++)
		suggestion_offer(&near, word, command_at(i)->names->name);
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

static void find_command(struct options *options, struct request *request)
{
	*request = (struct request){.command = command_default()};
	for (size_t i = 0; i < options->word_count; i++) {
		const struct command *command;

		if (options->words[i].literal)
			continue;
		command = command_find(options->words[i].text);
		if (!command)
			continue;
		take_word(options, i);
		request->command = command;
		request->command_named = true;
		if (i < options->word_count && command->takes &&
		    command->takes(options->words[i].text))
			request->argument = take_word(options, i);
		return;
	}
}

/** Why a file is no ELF file, where that helps: cores are often kept compressed. */
static struct error *not_elf(const char *path, const unsigned char *bytes, size_t length)
{
	static const struct {
		const char *magic, *tool;
	} compressed[] = {
		{"\x28\xb5\x2f\xfd", "zstd -d"},
		{"\x1f\x8b", "gunzip"},
		{"\xfd\x37zXZ", "unxz"},
		{"\x04\x22\x4d\x18", "lz4 -d"},
	};

	if (!length)
		return error_create(ERROR_GENERAL, "%s is empty", path);
	for (size_t i = 0; i < sizeof(compressed) / sizeof(compressed[0]); i++) {
		size_t size = strlen(compressed[i].magic);

		if (length >= size && !memcmp(bytes, compressed[i].magic, size))
			return error_create(ERROR_GENERAL,
					    "%s is compressed: decompress it first (%s)", path,
					    compressed[i].tool);
	}
	return error_create(ERROR_GENERAL, "%s is no ELF file", path);
}

/** Reads the type of an ELF file, ET_CORE and so on, of either byte order. */
static struct error *elf_type(const char *path, unsigned *type)
{
	unsigned char bytes[EI_NIDENT + sizeof(Elf64_Half)];
	// A pipe must not block: it is rejected when nothing can be read from it.
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct error *err = NULL;
	ssize_t length;

	if (fd < 0)
		return error_system(errno, "%s", path);
	length = read(fd, bytes, sizeof(bytes));
	if (length < 0)
		err = error_system(errno, "%s", path);
	close(fd);
	if (err)
		return err;
	if (length < (ssize_t)sizeof(bytes) || memcmp(bytes, ELFMAG, SELFMAG))
		return not_elf(path, bytes, (size_t)length);
	*type = bytes[EI_DATA] == ELFDATA2MSB
			? (unsigned)bytes[EI_NIDENT] << 8 | bytes[EI_NIDENT + 1]
			: (unsigned)bytes[EI_NIDENT + 1] << 8 | bytes[EI_NIDENT];
	return NULL;
}

static struct error *add_file(struct options *options, const char *path)
{
	unsigned type = ET_NONE;
	struct error *err = elf_type(path, &type);

	if (err)
		return err;
	if (type == ET_CORE && options->core)
		return error_create(ERROR_USAGE, "two core files: %s and %s", options->core, path);
	if (type != ET_CORE && options->executable)
		return error_create(ERROR_USAGE, "two executables: %s and %s", options->executable,
				    path);
	if (type == ET_CORE)
		options->core = path;
	else
		options->executable = path;
	return NULL;
}

static struct error *add_files(struct options *options)
{
	for (size_t i = 0; i < options->word_count; i++) {
		const struct word *word = &options->words[i];
		struct error *err;

		if (!word->literal && command_find(word->text) && access(word->text, F_OK))
			return error_create(ERROR_USAGE,
					    "one command at a time: %s is a second one",
					    word->text);
		if (!word->literal && like_command(word->text))
			return unknown_command(word->text);
		err = add_file(options, word->text);
		if (err)
			return err;
	}
	return NULL;
}

struct error *request_resolve(enum front_end front_end, struct options *options,
			      struct request *request)
{
	find_command(options, request);
	if (front_end == FRONT_END_TOOL)
		return add_files(options);
	if (!options->word_count)
		return NULL;
	if (!request->command_named)
		return unknown_command(options->words[0].text);
	return error_create(ERROR_USAGE, "%s does not take '%s'", request->command->names->name,
			    options->words[0].text);
}

struct error *request_check_target(const struct options *options)
{
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
	return NULL;
}
