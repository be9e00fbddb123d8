/* Each snapshot is a column in every series. */
#include "analysis/history.h"

#include "target/target.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 4096, MODULES_MAX = 4 };

/* A snapshot on its way into the history. */
struct adding {
	struct history *history;
	const struct history_parts *parts;
};

static bool count_object(void *context, uint32_t object, uint32_t node, uint64_t items)
{
	struct adding *adding = context;
	const struct objects *objects = adding->parts->roots->graph->objects;
	struct history_facts *facts = &adding->history->facts[adding->history->count];
	struct series_count *count = series_entry(&adding->history->series, node);

	if (!count)
		return false;
	// The one with most items is worth looking at.
	if (!count->objects || items > count->items)
		count->example = objects->addresses[object];
	count->objects++;
	count->bytes += adding->parts->sizes[object];
	count->items += items;
	facts->objects++;
	facts->bytes += adding->parts->sizes[object];
	return true;
}

/*
 * Groups
 */

static void append(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}

/* The entry of a group in the last column; its texts are set when it is met first. */
static struct series_count *group_entry(struct history_groups *groups, const char *key,
					struct history_group *group)
{
	uint32_t known = groups->keys.table.count, number;

	if (known == groups->capacity) {
		size_t capacity = groups->capacity ? groups->capacity * 2 : 64;
		struct history_group *items = realloc(groups->items, capacity * sizeof(*items));

		if (!items)
			return NULL;
		groups->items = items;
		groups->capacity = capacity;
	}
	number = names_add(&groups->keys, key);
	if (number == NAME_NONE)
		return NULL;
	if (number == known) {
		group->text = strdup(group->text);
		group->modules = strdup(group->modules);
		groups->items[number] = *group;
		if (!group->text || !group->modules)
			return NULL;
	}
	return series_entry(&groups->series, number);
}

static void add_count(struct series_count *count, uint64_t number, uint64_t objects, uint64_t bytes,
		      uint64_t example)
{
	if (!count->objects)
		count->example = example;
	count->objects += number;
	count->items += objects;
	count->bytes += bytes;
}

static const char *full_name(const struct type *type)
{
	return type ? type->name : "(damaged type)";
}

static const char *short_name(const struct type *type)
{
	return type ? type->short_name : "(damaged type)";
}

static int compare_texts(const void *left, const void *right)
{
	return strcmp(left, right);
}

/* Which object of a cycle its description begins at depends on addresses: the key must not. */
static void cycle_key(const struct cycle_group *group, char *key)
{
	enum { EDGES_MAX = 16, EDGE_MAX = 256 };
	char edges[EDGES_MAX][EDGE_MAX];
	size_t count = group->edges_cut ? 0 : group->edge_count;

	*key = '\0';
	count = count < EDGES_MAX ? count : EDGES_MAX;
	for (size_t i = 0; i < count; i++) {
		const struct cycle_edge *edge = &group->edges[i];

		snprintf(edges[i], EDGE_MAX, "%s%s -> %s", full_name(edge->from),
			 *edge->label == '[' ? "[]" : edge->label, full_name(edge->to));
	}
	qsort(edges, count, EDGE_MAX, compare_texts);
	for (size_t i = 0; i < count; i++)
		append(key, KEY_MAX, "%s; ", edges[i]);
	if (count)
		return;
	for (size_t i = 0; i < group->member_type_count && i < EDGES_MAX; i++)
		snprintf(edges[count++], EDGE_MAX, "%s", full_name(group->member_types[i].type));
	qsort(edges, count, EDGE_MAX, compare_texts);
	for (size_t i = 0; i < count; i++)
		append(key, KEY_MAX, "%s, ", edges[i]);
}

/* "Request.session -> Session.request -> Request" */
static void cycle_text(const struct cycle_group *group, char *text)
{
	enum { EDGES_MAX = 6 };
	const struct cycle_edge *before = NULL;

	*text = '\0';
	for (size_t i = 0; i < group->edge_count && i < EDGES_MAX; i++) {
		const struct cycle_edge *edge = &group->edges[i];

		if (before)
			append(text, KEY_MAX, " -> ");
		if (before && before->to != edge->from)
			append(text, KEY_MAX, "%s, ", short_name(before->to));
		append(text, KEY_MAX, "%s%s", short_name(edge->from), edge->label);
		before = edge;
	}
	if (before)
		append(text, KEY_MAX, " -> %s", short_name(before->to));
	for (size_t i = 0; !before && i < group->member_type_count && i < EDGES_MAX; i++)
		append(text, KEY_MAX, "%s%s", i ? ", " : "",
		       short_name(group->member_types[i].type));
}

static void cycle_modules(const struct cycle_group *group, char *text)
{
	const char *seen[MODULES_MAX];
	size_t count = 0;

	*text = '\0';
	for (size_t i = 0; i < group->member_type_count && count < MODULES_MAX; i++) {
		const struct type *type = group->member_types[i].type;
		bool skip = !type || !*type->module || !strcmp(type->module, "builtins");

		for (size_t j = 0; !skip && j < count; j++)
			skip = !strcmp(seen[j], type->module);
		if (skip)
			continue;
		append(text, KEY_MAX, "%s%s", count ? ", " : "", type->module);
		seen[count++] = type->module;
	}
}

static bool add_cycles(struct history_groups *groups, const struct cycles *cycles)
{
	char key[KEY_MAX], text[KEY_MAX], modules[KEY_MAX];

	for (size_t i = 0; i < cycles->count; i++) {
		const struct cycle_group *group = &cycles->groups[i];
		struct history_group found = {.text = text, .modules = modules};
		struct series_count *count;

		cycle_key(group, key);
		cycle_text(group, text);
		cycle_modules(group, modules);
		count = group_entry(groups, key, &found);
		if (!count)
			return false;
		add_count(count, group->cycles, group->members + group->attached, group->bytes,
			  group->example);
	}
	return true;
}

static bool add_leaks(struct history_groups *groups, const struct leaked *leaked)
{
	const struct objects *objects = leaked->census->objects;
	char key[KEY_MAX], empty[] = "";

	for (uint32_t i = 0; i < leaked->group_count; i++) {
		const struct leaked_group *group = &leaked->groups[i];
		const struct type *type = type_by_index(objects->heap->runtime->types, group->type);
		char *name = strdup(full_name(type));
		struct history_group found = {
			.text = name,
			.modules = empty,
			.excess = group->excess,
			.lost = group->kind == ANOMALY_LOST,
		};
		struct series_count *count;

		snprintf(key, sizeof(key), "%s %" PRIu64 " %d %d", full_name(type), group->excess,
			 found.lost, group->in_cycle);
		count = name ? group_entry(groups, key, &found) : NULL;
		free(name);
		if (!count)
			return false;
		add_count(count, group->heads, group->kept_objects, group->kept_bytes,
			  objects->addresses[leaked->heads[group->example].object]);
	}
	return true;
}

/*
 * Facts
 */

static int64_t finished_collections(const struct interpreter *interpreter)
{
	int64_t sum = 0;

	for (int i = 0; i < GENERATION_PERMANENT; i++) {
		if (interpreter->generations[i].collections < 0)
			return -1;
		sum += interpreter->generations[i].collections;
	}
	return sum;
}

static bool set_facts(struct history_facts *facts, const struct runtime *runtime, double seconds)
{
	const struct target *target = runtime->target;

	*facts = (struct history_facts){
		.name = strdup(target->name),
		.command = target->command ? strdup(target->command) : NULL,
		.pid = target->pid,
		.seconds = seconds,
		.collections = -1,
		.complete = coverage_complete(&target->coverage),
	};
	snprintf(facts->version, sizeof(facts->version), "%s", runtime->version);
	if (runtime->interpreter_count) {
		facts->interpreter = runtime->interpreters[0].address;
		facts->collections = finished_collections(&runtime->interpreters[0]);
	}
	return facts->name && (!target->command || facts->command);
}

static bool begin(struct history *history, const struct runtime *runtime, double seconds)
{
	struct history_facts *facts =
		realloc(history->facts, (history->count + 1) * sizeof(*facts));

	if (!facts)
		return false;
	history->facts = facts;
	history->begun = history->count + 1;
	return set_facts(&facts[history->count], runtime, seconds) &&
	       series_begin(&history->series) && series_begin(&history->cycles.series) &&
	       series_begin(&history->leaks.series);
}

struct error *history_add(struct history *history, const struct history_parts *parts,
			  const struct progress *progress)
{
	const struct runtime *runtime = parts->roots->graph->objects->heap->runtime;
	struct adding adding = {history, parts};
	struct error *err;

	if (!begin(history, runtime, parts->seconds))
		return &error_no_memory;
	err = holders_walk(&history->holders, parts->roots, progress, count_object, &adding);
	if (!err && (!add_cycles(&history->cycles, parts->cycles) ||
		     (parts->leaked && !add_leaks(&history->leaks, parts->leaked))))
		err = &error_no_memory;
	if (!err)
		history->count++;
	return err;
}

bool history_one_process(const struct history *history)
{
	const struct history_facts *first = history->facts;

	for (size_t i = 1; i < history->count; i++) {
		const struct history_facts *facts = &history->facts[i];

		if (!facts->pid || facts->pid != first->pid ||
		    facts->interpreter != first->interpreter ||
		    strcmp(facts->version, first->version))
			return false;
	}
	return true;
}

bool history_is_reversed(const struct history *history)
{
	return history->count == 2 && history_one_process(history) &&
	       history->facts[1].collections >= 0 &&
	       history->facts[1].collections < history->facts[0].collections;
}

void history_rotate(struct history *history)
{
	struct history_facts last;

	if (history->count < 2)
		return;
	last = history->facts[history->count - 1];
	memmove(history->facts + 1, history->facts, (history->count - 1) * sizeof(last));
	history->facts[0] = last;
	series_rotate(&history->series);
	series_rotate(&history->cycles.series);
	series_rotate(&history->leaks.series);
}

static void clear_groups(struct history_groups *groups)
{
	for (uint32_t i = 0; groups->items && i < groups->keys.table.count; i++) {
		free(groups->items[i].text);
		free(groups->items[i].modules);
	}
	free(groups->items);
	names_clear(&groups->keys);
	series_clear(&groups->series);
}

void history_clear(struct history *history)
{
	for (size_t i = 0; i < history->begun; i++) {
		free(history->facts[i].name);
		free(history->facts[i].command);
	}
	free(history->facts);
	holders_clear(&history->holders);
	series_clear(&history->series);
	clear_groups(&history->cycles);
	clear_groups(&history->leaks);
	*history = (struct history){0};
}
