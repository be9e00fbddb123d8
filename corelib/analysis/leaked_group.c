/* Heads that look like one bug, brought together by sorting. */
#include "analysis/content.h"
#include "analysis/leaked_private.h"
#include "analysis/sizes.h"

#include <stdlib.h>

/* Fewer equal or similar contents than that are no group of their own. */
enum { REPEATED = 4 };

/* More contents that occur once than that, or more bytes, are no constants of modules. */
enum { CONSTANTS_MAX = 2000, CONSTANT_BYTES_MAX = 1 << 20 };

/* What makes two heads one group. */
struct key {
	uint32_t type;
	enum anomaly_kind kind;
	bool in_cycle;
	uint64_t excess;
	enum leaked_content content;
	uint64_t value; /* of the content */
};

struct keyed {
	struct key key;
	struct content read;
	uint32_t head;
};

#define COMPARE(a, b)                              \
	do {                                       \
		if ((a) != (b))                    \
			return (a) < (b) ? -1 : 1; \
	} while (0)

static int compare_keys(const struct key *a, const struct key *b)
{
	COMPARE(a->type, b->type);
	COMPARE(a->kind, b->kind);
	COMPARE(a->in_cycle, b->in_cycle);
	COMPARE(a->excess, b->excess);
	COMPARE(a->content, b->content);
	COMPARE(a->value, b->value);
	return 0;
}

static int compare_keyed(const void *left, const void *right)
{
	const struct keyed *a = left, *b = right;
	int order = compare_keys(&a->key, &b->key);

	if (order)
		return order;
	COMPARE(a->head, b->head);
	return 0;
}

/* The next head with another key. */
static uint32_t run_end(const struct keyed *keyed, uint32_t count, uint32_t start)
{
	uint32_t end = start + 1;

	while (end < count && !compare_keys(&keyed[start].key, &keyed[end].key))
		end++;
	return end;
}

static void sort(struct keyed *keyed, uint32_t count)
{
	qsort(keyed, count, sizeof(*keyed), compare_keyed);
}

/* Heads of a content that is rare are offered the next, looser one. */
static void loosen(struct keyed *keyed, uint32_t count, enum leaked_content from)
{
	for (uint32_t start = 0, end; start < count; start = end) {
		end = run_end(keyed, count, start);
		if (keyed[start].key.content != from || end - start >= REPEATED)
			continue;
		for (uint32_t i = start; i < end; i++) {
			struct key *key = &keyed[i].key;

			key->content = from == CONTENT_SAME && keyed[i].read.has_prefix
					       ? CONTENT_SIMILAR
					       : CONTENT_ONCE;
			key->value = key->content == CONTENT_SIMILAR ? keyed[i].read.prefix : 0;
		}
	}
	sort(keyed, count);
}

static struct keyed *make_keys(const struct leaked *leaked)
{
	struct keyed *keyed = calloc(leaked->head_count, sizeof(*keyed));
	const struct objects *objects = leaked->census->objects;

	for (uint32_t i = 0; keyed && i < leaked->head_count; i++) {
		const struct leaked_head *head = &leaked->heads[i];
		struct content content = content_read(objects, head->object);

		keyed[i] = (struct keyed){
			.key = {.type = objects->types[head->object],
				.kind = head->kind,
				.in_cycle = head->in_cycle && head->is_freed,
				.excess = head->excess,
				.content = content.known ? CONTENT_SAME : CONTENT_NONE,
				.value = content.hash},
			.read = content,
			.head = i,
		};
	}
	if (!keyed)
		return NULL;
	sort(keyed, leaked->head_count);
	loosen(keyed, leaked->head_count, CONTENT_SAME);
	loosen(keyed, leaked->head_count, CONTENT_SIMILAR);
	return keyed;
}

static void fill_group(struct leaked *leaked, struct leaked_group *group, const struct keyed *keyed,
		       uint32_t count)
{
	*group = (struct leaked_group){
		.type = keyed->key.type,
		.kind = keyed->key.kind,
		.excess = keyed->key.excess,
		.in_cycle = keyed->key.in_cycle,
		.content = keyed->key.content,
		.heads = count,
		.example = keyed->head,
	};
	for (uint32_t i = 0; i < count; i++) {
		struct leaked_head *head = &leaked->heads[keyed[i].head];

		head->group = (uint32_t)(group - leaked->groups);
		group->kept_objects += head->kept_objects;
		group->kept_bytes += head->kept_bytes;
	}
	if (group->content == CONTENT_ONCE &&
	    (count > CONSTANTS_MAX || group->kept_bytes > CONSTANT_BYTES_MAX))
		group->content = CONTENT_NONE;
}

/* Groups with their number before they were ranked. */
struct ranked {
	struct leaked_group group;
	const char *name;
	uint32_t number;
};

static int compare_ranked(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;
	int order;

	COMPARE(a->group.content == CONTENT_ONCE, b->group.content == CONTENT_ONCE);
	COMPARE(b->group.kept_bytes, a->group.kept_bytes);
	COMPARE(b->group.heads, a->group.heads);
	order = strcmp(a->name, b->name);
	if (order)
		return order;
	COMPARE(a->group.example, b->group.example);
	return 0;
}

static struct error *rank(struct leaked *leaked)
{
	struct type_cache *cache = leaked->census->objects->heap->runtime->types;
	struct ranked *ranked = calloc(leaked->group_count + 1, sizeof(*ranked));
	uint32_t *place = calloc(leaked->group_count + 1, sizeof(*place));
	struct error *err = ranked && place ? NULL : &error_no_memory;

	for (uint32_t i = 0; !err && i < leaked->group_count; i++) {
		ranked[i] = (struct ranked){.group = leaked->groups[i], .number = i};
		ranked[i].name = type_by_index(cache, leaked->groups[i].type)->name;
	}
	if (!err)
		qsort(ranked, leaked->group_count, sizeof(*ranked), compare_ranked);
	for (uint32_t i = 0; !err && i < leaked->group_count; i++) {
		leaked->groups[i] = ranked[i].group;
		place[ranked[i].number] = i;
	}
	for (uint32_t i = 0; !err && i < leaked->head_count; i++)
		leaked->heads[i].group = place[leaked->heads[i].group];
	free(ranked);
	free(place);
	return err;
}

/* What the heads of a group keep, by type. */
struct kept_type {
	uint32_t group, type;
	uint64_t objects, bytes;
};

static int compare_kept(const void *left, const void *right)
{
	const struct kept_type *a = left, *b = right;

	COMPARE(a->group, b->group);
	COMPARE(a->type, b->type);
	return 0;
}

static int compare_tallies(const void *left, const void *right)
{
	const struct type_tally *a = left, *b = right;
	int order;

	COMPARE(b->bytes, a->bytes);
	order = strcmp(a->type->name, b->type->name);
	if (order)
		return order;
	COMPARE(a->type->address, b->type->address);
	return 0;
}

/* Adds equal neighbours up. @return how many are left */
static size_t sum_up(struct kept_type *types, size_t count)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		if (used && !compare_kept(&types[used - 1], &types[i])) {
			types[used - 1].objects += types[i].objects;
			types[used - 1].bytes += types[i].bytes;
		} else {
			types[used++] = types[i];
		}
	}
	return used;
}

static struct error *set_tallies(struct leaked *leaked, const struct kept_type *types, size_t count)
{
	struct type_cache *cache = leaked->census->objects->heap->runtime->types;

	for (size_t start = 0, end; start < count; start = end) {
		struct leaked_group *group = &leaked->groups[types[start].group];

		end = start + 1;
		while (end < count && types[end].group == types[start].group)
			end++;
		group->kept_types = calloc(end - start, sizeof(*group->kept_types));
		if (!group->kept_types)
			return &error_no_memory;
		group->kept_type_count = end - start;
		for (size_t i = start; i < end; i++)
			group->kept_types[i - start] = (struct type_tally){
				.type = type_by_index(cache, types[i].type),
				.objects = types[i].objects,
				.bytes = types[i].bytes,
			};
		qsort(group->kept_types, end - start, sizeof(*group->kept_types), compare_tallies);
	}
	return NULL;
}

static struct error *tally_kept(struct leaked *leaked, const struct kept_objects *kept)
{
	const struct objects *objects = leaked->census->objects;
	struct kept_type *types = calloc(kept->count + 1, sizeof(*types));
	struct error *err;
	size_t count = 0;

	if (!types)
		return &error_no_memory;
	for (size_t i = 0; i < kept->count; i++) {
		uint32_t object = kept->items[i].object, type = objects->types[object];

		if (type != HEAP_NONE)
			types[count++] =
				(struct kept_type){leaked->heads[kept->items[i].head].group, type,
						   1, object_bytes(objects, object)};
	}
	qsort(types, count, sizeof(*types), compare_kept);
	err = set_tallies(leaked, types, sum_up(types, count));
	free(types);
	return err;
}

struct error *leaked_group(struct leaked *leaked, const struct kept_objects *kept)
{
	struct keyed *keyed = make_keys(leaked);
	struct error *err;

	if (!keyed)
		return &error_no_memory;
	leaked->groups = calloc(leaked->head_count, sizeof(*leaked->groups));
	for (uint32_t start = 0, end; leaked->groups && start < leaked->head_count; start = end) {
		end = run_end(keyed, leaked->head_count, start);
		fill_group(leaked, &leaked->groups[leaked->group_count++], keyed + start,
			   end - start);
	}
	free(keyed);
	err = leaked->groups ? rank(leaked) : &error_no_memory;
	return err ? err : tally_kept(leaked, kept);
}
