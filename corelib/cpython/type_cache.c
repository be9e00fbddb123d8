/*
 * The types of a runtime: a hash table from address to type, and the types in order of first sight.
 * What is no type is remembered too, so that damage is looked at once.
 */
#include "cpython/type_private.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 1024, BASES_MAX = 256, PAGE_TYPES = 1024, PAGES_MAX = 1 << 16 };

/* type NULL in a used entry: nothing plausible is there. */
struct entry {
	uint64_t address;
	struct type *type;
	bool used;
};

struct type_cache {
	const struct runtime *runtime;
	pthread_mutex_t lock;
	struct entry *entries;
	size_t capacity; /* a power of two */
	size_t used;
	/* Of PAGE_TYPES each; they stay where they are, so that readers need no lock. */
	struct type **pages[PAGES_MAX];
	_Atomic uint32_t count;
};

struct type_cache *type_cache_create(const struct runtime *runtime)
{
	struct type_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->runtime = runtime;
	cache->capacity = FIRST_CAPACITY;
	cache->entries = calloc(cache->capacity, sizeof(*cache->entries));
	if (!cache->entries) {
		free(cache);
		return NULL;
	}
	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

static void type_free(struct type *type)
{
	if (!type)
		return;
	for (size_t i = 0; i < type->slot_count; i++)
		free((char *)type->slots[i].name);
	free(type->slots);
	free((char *)type->name);
	free((char *)type->module);
	free(type);
}

void type_cache_destroy(struct type_cache *cache)
{
	if (!cache)
		return;
	for (uint32_t i = 0; i < cache->count; i++)
		type_free(cache->pages[i / PAGE_TYPES][i % PAGE_TYPES]);
	for (size_t i = 0; i < PAGES_MAX; i++)
		free(cache->pages[i]);
	free(cache->entries);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static struct entry *find_entry(struct entry *entries, size_t capacity, uint64_t address)
{
	size_t i = (size_t)((address >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (capacity - 1);

	while (entries[i].used && entries[i].address != address)
		i = (i + 1) & (capacity - 1);
	return &entries[i];
}

static bool grow(struct type_cache *cache)
{
	size_t capacity = cache->capacity * 2;
	struct entry *entries = calloc(capacity, sizeof(*entries));

	if (!entries)
		return false;
	for (size_t i = 0; i < cache->capacity; i++)
		if (cache->entries[i].used)
			*find_entry(entries, capacity, cache->entries[i].address) =
				cache->entries[i];
	free(cache->entries);
	cache->entries = entries;
	cache->capacity = capacity;
	return true;
}

/* Numbers a type. Whoever reads the new count finds the type in its page. */
static bool append(struct type_cache *cache, struct type *type)
{
	uint32_t index = cache->count;
	struct type ***page = &cache->pages[index / PAGE_TYPES];

	if (index == PAGE_TYPES * PAGES_MAX - 1)
		return false;
	if (!*page)
		*page = calloc(PAGE_TYPES, sizeof(**page));
	if (!*page)
		return false;
	type->index = index;
	(*page)[index % PAGE_TYPES] = type;
	atomic_store_explicit(&cache->count, index + 1, memory_order_release);
	return true;
}

static bool remember(struct type_cache *cache, uint64_t address, struct type *type)
{
	struct entry *entry;

	if (cache->used * 2 >= cache->capacity && !grow(cache))
		return false;
	if (type && !append(cache, type))
		return false;
	entry = find_entry(cache->entries, cache->capacity, address);
	*entry = (struct entry){address, type, true};
	cache->used++;
	return true;
}

/* Decodes a type whose base is already known. */
static struct type *decode(struct type_cache *cache, struct reader *reader, uint64_t address,
			   const struct type *base)
{
	const struct runtime *runtime = cache->runtime;
	struct type *type = calloc(1, sizeof(*type));
	uint64_t base_address;

	if (!type)
		return NULL;
	if (!type_read_fields(runtime, reader, address, type, &base_address) ||
	    !type_read_name(runtime, reader, type) || !type_read_slots(runtime, reader, type)) {
		type_free(type);
		return NULL;
	}
	type->base = base;
	type->presize = type_presize(&runtime->layout, type->flags);
	type->has_del = type_has_del(runtime, reader, type);
	return type;
}

/*
 * Decodes the bases first, from the root down, so that nothing recurses over the target's data. A
 * chain that is longer than any sane one, or runs in a circle, ends with a NULL base.
 */
static const struct type *make(struct type_cache *cache, struct reader *reader, uint64_t address)
{
	uint64_t chain[BASES_MAX];
	size_t length = 0;
	const struct type *type = NULL;

	while (address && length < BASES_MAX) {
		struct entry *entry = find_entry(cache->entries, cache->capacity, address);

		if (entry->used) {
			type = entry->type;
			break;
		}
		chain[length++] = address;
		if (!reader_u64(reader, address + cache->runtime->layout.PyTypeObject_tp_base,
				&address))
			break;
	}
	while (length--) {
		struct entry *entry = find_entry(cache->entries, cache->capacity, chain[length]);
		struct type *next;

		if (entry->used) {
			type = entry->type;
			continue;
		}
		next = decode(cache, reader, chain[length], type);
		if (!remember(cache, chain[length], next)) {
			type_free(next);
			return NULL;
		}
		type = next;
	}
	return type;
}

const struct type *type_get(struct type_cache *cache, struct reader *reader, uint64_t address)
{
	const struct type *type;
	struct entry *entry;

	if (!address)
		return NULL;
	pthread_mutex_lock(&cache->lock);
	entry = find_entry(cache->entries, cache->capacity, address);
	type = entry->used ? entry->type : make(cache, reader, address);
	pthread_mutex_unlock(&cache->lock);
	return type;
}

size_t type_count(struct type_cache *cache)
{
	return atomic_load_explicit(&cache->count, memory_order_acquire);
}

const struct type *type_by_index(struct type_cache *cache, uint32_t index)
{
	if (index >= atomic_load_explicit(&cache->count, memory_order_acquire))
		return NULL;
	return cache->pages[index / PAGE_TYPES][index % PAGE_TYPES];
}

const struct type **type_table(struct type_cache *cache)
{
	size_t count = type_count(cache);
	const struct type **table = malloc((count + 1) * sizeof(*table));

	for (size_t i = 0; table && i < count; i++)
		table[i] = type_by_index(cache, (uint32_t)i);
	return table;
}
