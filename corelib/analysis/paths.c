/*
 * One pass from all roots gives each object its level: how many references lead to it at least. A
 * search (path_search.c) is made for each path; what the paths before it went through is excluded.
 */
#include "analysis/paths_private.h"
#include "target/huge.h"
#include "traverse/expression.h"

#include <stdlib.h>
#include <string.h>

enum {
	PROGRESS_STEP = 1 << 20,
	TRIES_MORE = 16,     /* for paths that are no others */
	LEVELS_OF_ROOTS = 3, /* what path_root_level() says is below that */
};

/*
 * Levels
 */

/* Variables of functions come after the globals of modules, which are two references away. */
uint32_t path_root_level(const struct path_search *search, const struct root *root)
{
	const struct layout *layout = &search->objects->heap->runtime->layout;

	if (root->kind == ROOT_FRAME)
		return layout_has(layout->PyThreadState_datastack_chunk) ? 2 : 1;
	return root->kind == ROOT_INTERPRETER ? 1 : 0;
}

static bool is_root(const struct root *root)
{
	return root->kind != ROOT_GARBAGE && root->kind != ROOT_NOTHING;
}

static bool may_have_dict(const struct path_search *search, uint32_t object)
{
	uint32_t type = search->objects->types[object];

	return type != HEAP_NONE && search->has_dict[type];
}

static bool is_dict(const struct path_search *search, uint32_t object)
{
	return search->objects->types[object] == search->dict_type;
}

uint32_t path_least_cost(const struct path_search *search, uint32_t from, uint32_t to)
{
	return may_have_dict(search, from) && is_dict(search, to) ? 0 : EXPRESSION_COST_STEP;
}

static bool list_types(struct path_search *search)
{
	struct type_cache *types = search->objects->heap->runtime->types;

	search->dict_type = HEAP_NONE;
	search->has_dict = calloc(type_count(types) + 1, 1);
	for (uint32_t i = 0; search->has_dict && i < type_count(types); i++) {
		const struct type *type = type_by_index(types, i);

		search->has_dict[i] = type->dictoffset || (type->flags & TPFLAGS_MANAGED_DICT);
		if (!(type->flags & TPFLAGS_HEAPTYPE) && !strcmp(type->name, "dict"))
			search->dict_type = i;
	}
	return search->has_dict;
}

/* The objects of one level, and of the next, that are still to be followed. */
struct wave {
	uint32_t *now, *next; /* room for all objects in each */
	uint32_t now_count, next_count;
};

static void reach(struct path_search *search, struct wave *wave, uint32_t object, uint32_t level,
		  bool is_now)
{
	if (search->levels[object] <= level)
		return;
	search->levels[object] = level;
	if (is_now)
		wave->now[wave->now_count++] = object;
	else
		wave->next[wave->next_count++] = object;
}

static void follow(struct path_search *search, struct wave *wave, uint32_t at, uint32_t level)
{
	const struct graph *graph = search->graph;
	bool has_dict = may_have_dict(search, at);

	for (uint64_t e = graph->first[at]; e < graph->first[at + 1]; e++) {
		uint32_t target = graph->targets[e];
		bool is_free = has_dict && is_dict(search, target);

		reach(search, wave, target, is_free ? level : level + 1, is_free);
	}
}

static void add_roots(struct path_search *search, struct wave *wave, uint32_t level)
{
	for (uint32_t i = 0; i < search->root_count; i++) {
		const struct root *root = &search->roots->items[search->by_object[i]];

		if (path_root_level(search, root) == level)
			reach(search, wave, root->object, level, true);
	}
}

/* Level by level. What was put off until the next may have been reached in this one since. */
static struct error *find_levels(struct path_search *search, struct wave *wave,
				 const struct progress *progress)
{
	uint64_t done = 0;

	for (uint32_t level = 0; level < LEVELS_OF_ROOTS || wave->next_count; level++) {
		uint32_t *swap = wave->now;

		wave->now = wave->next;
		wave->next = swap;
		wave->now_count = wave->next_count;
		wave->next_count = 0;
		if (level < LEVELS_OF_ROOTS)
			add_roots(search, wave, level);
		while (wave->now_count) {
			uint32_t at = wave->now[--wave->now_count];
			struct error *err = done++ % PROGRESS_STEP
						    ? NULL
						    : progress_step(progress, "measuring distances",
								    done, search->graph->count);

			if (err)
				return err;
			if (search->levels[at] == level)
				follow(search, wave, at, level);
		}
	}
	return NULL;
}

static int compare_roots(const void *left, const void *right, void *roots)
{
	const struct root *items = ((const struct roots *)roots)->items;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	if (items[a].object != items[b].object)
		return items[a].object < items[b].object ? -1 : 1;
	return a < b ? -1 : a > b;
}

static void list_roots(struct path_search *search)
{
	const struct roots *roots = search->roots;

	for (uint32_t i = 0; i < roots->count; i++)
		if (is_root(&roots->items[i]))
			search->by_object[search->root_count++] = i;
	qsort_r(search->by_object, search->root_count, sizeof(*search->by_object), compare_roots,
		(void *)roots);
}

static struct error *prepare(struct path_search *search, const struct progress *progress)
{
	size_t count = (size_t)search->graph->count + 1;
	struct wave wave = {.next = huge_array(count, sizeof(*wave.next))};
	struct error *err = &error_no_memory;

	search->levels = huge_array(count, sizeof(*search->levels));
	search->by_object = malloc(((size_t)search->roots->count + 1) * sizeof(*search->by_object));
	search->marks = huge_zeroed(count, 1);
	search->touched = wave.now = huge_array(count, sizeof(*search->touched));
	if (search->levels && search->by_object && search->marks && search->touched && wave.next &&
	    list_types(search)) {
		memset(search->levels, 0xff, count * sizeof(*search->levels));
		list_roots(search);
		err = find_levels(search, &wave, progress);
		search->touched = wave.now;
	}
	free(wave.next);
	return err;
}

struct error *path_search_open(struct graph *graph, const struct roots *roots,
			       const struct progress *progress, struct path_search **out)
{
	struct path_search *search = calloc(1, sizeof(*search));
	struct error *err;

	*out = NULL;
	if (!search)
		return &error_no_memory;
	search->graph = graph;
	search->roots = roots;
	search->objects = graph->objects;
	err = graph_reverse(graph, progress);
	if (!err)
		err = prepare(search, progress);
	if (err) {
		path_search_close(search);
		return err;
	}
	*out = search;
	return NULL;
}

void path_search_close(struct path_search *search)
{
	if (!search)
		return;
	free(search->levels);
	free(search->has_dict);
	free(search->by_object);
	free(search->marks);
	free(search->touched);
	free(search->entries);
	free(search->heap);
	free(search->banned);
	owned_clear(&search->references);
	free(search);
}

/*
 * Paths
 */

static bool fill(const struct path_search *search, uint32_t at, struct path *path)
{
	const struct entry *root = &search->entries[at];

	path->root = &search->roots->items[root->root];
	at = root->next;
	path->count = 1;
	for (uint32_t i = at; search->entries[i].next != i; i = search->entries[i].next)
		path->count++;
	path->objects = malloc(path->count * sizeof(*path->objects));
	path->references = malloc(path->count * sizeof(*path->references));
	if (!path->objects || !path->references)
		return false;
	for (size_t i = 0; i < path->count; i++, at = search->entries[at].next) {
		path->objects[i] = search->entries[at].object;
		path->references[i] = search->entries[at].reference;
	}
	return path_write(search->roots, path);
}

static bool is_named(const struct path_search *search, const struct path *path, size_t i,
		     const char *name)
{
	const struct type *type = objects_type(search->objects, path->objects[i]);

	return type && !strcmp(type->name, name);
}

/* How many objects at its beginning a path may share with others: up to the globals of a module,
 * or the frames of a thread. */
static size_t shared_objects(const struct path_search *search, const struct path *path)
{
	size_t i = 1;

	if (path->root->kind == ROOT_FRAME && is_named(search, path, 0, "frame")) {
		while (i < path->count && is_named(search, path, i, "frame"))
			i++;
		return i;
	}
	if (path->root->kind != ROOT_MODULES)
		return path->root->word ? 0 : 1;
	if (i < path->count && is_named(search, path, i, "module"))
		i++;
	return i == 2 && i < path->count && is_named(search, path, i, "dict") ? 3 : i;
}

/* Lets the next search find something else. */
static void exclude(struct path_search *search, const struct path *path)
{
	size_t shared = shared_objects(search, path);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < search->touched_count; i++) {
		uint32_t object = search->touched[i];

		search->marks[object] &= ~MARK_CLOSED;
		if (search->marks[object])
			search->touched[kept++] = object;
	}
	search->touched_count = kept;
	if (!shared)
		path_ban(search, path->root->word);
	else if (shared < path->count)
		path_ban(search, path->references[shared - 1].slot);
	else if (path->count > 1)
		path_ban(search, path->references[path->count - 2].slot);
	for (size_t i = shared; i + 1 < path->count; i++)
		path_mark(search, path->objects[i], MARK_EXCLUDED);
}

static void forget(struct path_search *search)
{
	for (uint32_t i = 0; i < search->touched_count; i++)
		search->marks[search->touched[i]] = 0;
	search->touched_count = 0;
	search->banned_count = 0;
}

static void clear(struct path *path)
{
	free(path->objects);
	free(path->references);
	free(path->expression);
	free(path->readable);
}

/* Two words may hold an object in a way that is typed alike: the second says nothing new. */
static bool is_said(const struct paths *paths, const struct path *path)
{
	for (size_t i = 0; path->evaluable && &paths->items[i] != path; i++)
		if (!strcmp(paths->items[i].expression, path->expression))
			return true;
	return false;
}

struct error *paths_find(struct path_search *search, uint32_t object, size_t max,
			 struct paths *paths)
{
	*paths = (struct paths){0};
	if (search->levels[object] == LEVEL_NONE || !max)
		return NULL;
	for (size_t tries = 0; paths->count < max && tries < max + TRIES_MORE; tries++) {
		struct path *items = realloc(paths->items, (paths->count + 1) * sizeof(*items));
		uint32_t at = items ? path_search_once(search, object) : HEAP_NONE;
		struct path *path;

		search->failed |= !items;
		paths->items = items ? items : paths->items;
		if (at == HEAP_NONE)
			break;
		path = &items[paths->count];
		*path = (struct path){0};
		if (!fill(search, at, path)) {
			paths->count++;
			search->failed = true;
			break;
		}
		/* What a root holds itself, and no word is known of, there is no second way to. */
		if (path->count == 1 && (!path->root->word || path->root->kind == ROOT_MODULES)) {
			paths->count++;
			break;
		}
		exclude(search, path);
		if (is_said(paths, path))
			clear(path);
		else
			paths->count++;
		if (search->failed)
			break;
	}
	forget(search);
	if (!search->failed)
		return NULL;
	search->failed = false;
	paths_clear(paths);
	return &error_no_memory;
}

void paths_clear(struct paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		clear(&paths->items[i]);
	free(paths->items);
	*paths = (struct paths){0};
}
