/* Open addressing with linear probing; at most half full. */
#include "analysis/names.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_MIN = 256 };

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* FNV's low bits are its worst. */
static size_t slot_of(const struct number_table *table, uint64_t hash)
{
	return (size_t)(hash ^ hash >> 29) & (table->size - 1);
}

uint32_t number_find(const struct number_table *table, uint64_t hash, number_equals *equals,
		     const void *context)
{
	if (!table->size)
		return NAME_NONE;
	for (size_t i = slot_of(table, hash); table->slots[i]; i = (i + 1) & (table->size - 1))
		if (equals(context, table->slots[i] - 1))
			return table->slots[i] - 1;
	return NAME_NONE;
}

static void put(struct number_table *table, uint64_t hash, uint32_t number)
{
	size_t i = slot_of(table, hash);

	while (table->slots[i])
		i = (i + 1) & (table->size - 1);
	table->slots[i] = number + 1;
}

static bool enlarge(struct number_table *table,
		    uint64_t (*rehash)(const void *context, uint32_t number), const void *context)
{
	struct number_table larger = {.size = table->size ? table->size * 2 : TABLE_MIN,
				      .count = table->count};

	larger.slots = calloc(larger.size, sizeof(*larger.slots));
	if (!larger.slots)
		return false;
	for (uint32_t i = 0; i < table->count; i++)
		put(&larger, rehash(context, i), i);
	free(table->slots);
	*table = larger;
	return true;
}

uint32_t number_add(struct number_table *table, uint64_t hash,
		    uint64_t (*rehash)(const void *context, uint32_t number), const void *context)
{
	if (table->count == NAME_NONE - 1 ||
	    ((size_t)table->count * 2 >= table->size && !enlarge(table, rehash, context)))
		return NAME_NONE;
	put(table, hash, table->count);
	return table->count++;
}

void number_clear(struct number_table *table)
{
	free(table->slots);
	*table = (struct number_table){0};
}

/* A look-up of a text. */
struct wanted {
	const struct names *names;
	const char *text;
};

static bool has_text(const void *context, uint32_t number)
{
	const struct wanted *wanted = context;

	return !strcmp(wanted->names->texts[number], wanted->text);
}

static uint64_t hash_text(const char *text)
{
	return hash_bytes(HASH_BEGIN, text, strlen(text));
}

static uint64_t rehash_text(const void *context, uint32_t number)
{
	const struct names *names = context;

	return hash_text(names->texts[number]);
}

uint32_t names_add(struct names *names, const char *text)
{
	uint64_t hash = hash_text(text);
	uint32_t number = number_find(&names->table, hash, has_text, &(struct wanted){names, text});
	char *copy;

	if (number != NAME_NONE)
		return number;
	if (names->table.count == names->capacity) {
		size_t capacity = names->capacity ? names->capacity * 2 : TABLE_MIN;
		char **texts = realloc(names->texts, capacity * sizeof(*texts));

		if (!texts)
			return NAME_NONE;
		names->texts = texts;
		names->capacity = capacity;
	}
	copy = strdup(text);
	number = copy ? number_add(&names->table, hash, rehash_text, names) : NAME_NONE;
	if (number == NAME_NONE)
		free(copy);
	else
		names->texts[number] = copy;
	return number;
}

void names_clear(struct names *names)
{
	for (uint32_t i = 0; i < names->table.count; i++)
		free(names->texts[i]);
	free(names->texts);
	number_clear(&names->table);
	*names = (struct names){0};
}
