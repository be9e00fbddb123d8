/*
 * Parses the request that the commands of script/pymem.gdb.in write. See channel.h for its form.
 */
#include "request.h"

#include "channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void request_unquote(char *word)
{
	char *to = word, quote = 0;

	for (const char *from = word; *from; from++) {
		if (*from == '\\' && from[1])
			*to++ = *++from;
		else if (quote ? *from == quote : (*from == '\'' || *from == '"'))
			quote = quote ? 0 : *from;
		else
			*to++ = *from;
	}
	*to = 0;
}

// The record at or behind `at`, past the zero bytes before it; NULL at the end of the request.
static char *next_record(char *at, const char *end)
{
	while (at < end && !*at)
		at++;
	return at < end && strcmp(at, CHANNEL_END) != 0 ? at : NULL;
}

static bool parse_values(struct request *request, char *record)
{
	request_unquote(record);
	return sscanf(record, CHANNEL_VALUES, &request->stack_pointer, &request->fs_base,
		      &request->runtime, &request->r_debug, &request->columns) == 5;
}

// "target:" stands for where the process runs; so does "remote:", its former name.
static bool parse_sysroot(struct request *request, const char *record)
{
	const char *folder = record + 1;

	if (*folder && strcmp(folder, "/") != 0 && strncmp(folder, "target:", 7) != 0 &&
	    strncmp(folder, "remote:", 7) != 0)
		request->sysroot = folder;
	return *record == '=';
}

static bool add_word(struct request *request, char *word)
{
	size_t length = strlen(word);

	if (!length || word[length - 1] != '.')
		return false;
	word[length - 1] = 0;
	request_unquote(word);
	request->words[request->count++] = word;
	return true;
}

bool request_parse(struct request *request, char *bytes, size_t size)
{
	char *at = bytes + sizeof(CHANNEL_MAGIC);
	const char *end = bytes + size;
	char *record = next_record(at, end);

	request->bytes = bytes;
	// A word takes two bytes at least, and one more pointer ends the list.
	request->words = calloc(size / 2 + 1, sizeof(*request->words));
	if (!request->words || !record)
		return false;
	at = record + strlen(record);
	if (!parse_values(request, record))
		return false;
	record = next_record(at, end);
	if (!record || !parse_sysroot(request, record))
		return false;
	at = record + strlen(record);
	while ((record = next_record(at, end))) {
		at = record + strlen(record);
		if (!add_word(request, record))
			return false;
	}
	return true;
}

void request_clear(struct request *request)
{
	free(request->words);
	free(request->bytes);
	*request = (struct request){0};
}
