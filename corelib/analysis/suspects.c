/*
 * From the outside down: namespaces are looked through, each large object below one is followed as
 * long as a single child keeps nearly all of what it keeps, and divided where a few do.
 */
#include "analysis/suspects.h"

#include "traverse/attributes.h"

#include <stdlib.h>
#include <string.h>

enum {
	NEARLY = 90,	  /* per cent of what is kept: one child that has so much is followed */
	DIVIDED = 80,	  /* the same for a few children together */
	PARTS_MAX = 4,	  /* so many are a few */
	DEPTH_MAX = 24,	  /* references followed from where the descent began */
	SAMPLE = 4096,	  /* objects of a group whose holders are counted */
	SOURCES_MAX = 64, /* holders of one of them */
	NAMESPACES_MAX = 1 << 20,
	PROGRESS_STEP = 1 << 18,
};

/* Small objects of one type, children of namespaces. */
struct pile {
	uint64_t objects, bytes;
	uint32_t example; /* node */
};

/* The search. */
struct search {
	const struct dominators *tree;
	const struct objects *objects;
	const struct anchors *anchors;
	const struct progress *progress;
	uint64_t least;
	struct suspects *suspects;
	struct pile *piles; /* by type */
	uint32_t *piled;    /* nodes of namespaces with small children */
	uint32_t *open;	    /* namespaces to look through: a stack */
	size_t open_count, open_capacity;
	size_t piled_count, piled_capacity;
	bool failed;
};

/* Each node is looked at once, but for the parts of a division, which are below each other. */
struct descent {
	uint32_t node;
	unsigned depth;
};

static const struct type *type_of(const struct search *search, uint32_t node)
{
	return objects_type(search->objects, search->tree->object_of[node]);
}

static bool is_type(const struct type *type, const char *name)
{
	return type && !strcmp(type->name, name);
}

/* Modules, their dicts, sys.modules and the like, frames up to 3.10. */
static bool is_namespace(const struct search *search, uint32_t node)
{
	uint32_t object = search->tree->object_of[node];
	const struct type *type;
	const struct root *root;

	if (node == NODE_OUTSIDE || anchors_module(search->anchors, object))
		return true;
	root = anchors_root(search->anchors, object);
	if (root && root->kind <= ROOT_INTERPRETER && strcmp(root->name, "gc.garbage"))
		return true;
	type = type_of(search, node);
	return is_type(type, "module") || is_type(type, "frame");
}

static bool push(uint32_t **items, size_t *count, size_t *capacity, uint32_t value)
{
	if (*count == *capacity) {
		size_t larger = *capacity ? *capacity * 2 : 64;
		uint32_t *grown = realloc(*items, larger * sizeof(*grown));

		if (!grown)
			return false;
		*items = grown;
		*capacity = larger;
	}
	(*items)[(*count)++] = value;
	return true;
}

static void add_suspect(struct search *search, const struct suspect *suspect)
{
	struct suspects *suspects = search->suspects;

	if (suspects->count == suspects->capacity) {
		size_t capacity = suspects->capacity ? suspects->capacity * 2 : 16;
		struct suspect *items = realloc(suspects->items, capacity * sizeof(*items));

		if (!items) {
			search->failed = true;
			return;
		}
		suspects->items = items;
		suspects->capacity = capacity;
	}
	suspects->items[suspects->count++] = *suspect;
}

static void add_node(struct search *search, uint32_t node)
{
	uint32_t object = search->tree->object_of[node];

	add_suspect(search, &(struct suspect){
				    .object = object,
				    .retained = search->tree->retained[node],
				    .own = search->tree->own[object],
				    .type = HEAP_NONE,
				    .example = object,
			    });
}

/* A list whose nodes each keep the rest has its answer at the head. */
static bool is_link(const struct search *search, uint32_t from, uint32_t to)
{
	uint32_t type = search->objects->types[search->tree->object_of[to]];

	for (unsigned i = 0; i < DEPTH_MAX && from != NODE_OUTSIDE; i++) {
		const struct type *same = type_of(search, from);

		if (search->objects->types[search->tree->object_of[from]] == type && same &&
		    !(same->flags & (TPFLAGS_DICT_SUBCLASS | TPFLAGS_LIST_SUBCLASS)))
			return true;
		from = search->tree->parent[from];
	}
	return false;
}

/* The children that keep most, most first. @return how many */
static size_t largest_children(const struct search *search, uint32_t node, uint32_t *largest)
{
	const struct dominators *tree = search->tree;
	size_t count = 0;

	for (uint32_t child = tree->first[node]; child != NODE_NONE; child = tree->next[child]) {
		size_t at = count;

		if (tree->retained[child] < search->least)
			continue;
		while (at && tree->retained[child] > tree->retained[largest[at - 1]])
			at--;
		if (at == PARTS_MAX)
			continue;
		count += count < PARTS_MAX;
		memmove(largest + at + 1, largest + at, (count - at - 1) * sizeof(*largest));
		largest[at] = child;
	}
	return count;
}

/*
 * How many of the largest children stand for a node: one that keeps nearly all, a few that do
 * together and are worth being named, or none: the node is where it piles up.
 */
static size_t parts_of(const struct search *search, uint32_t node, const uint32_t *largest,
		       size_t count)
{
	const struct dominators *tree = search->tree;
	uint64_t all = tree->retained[node], sum = 0;

	if (count && tree->retained[largest[0]] >= all / 100 * NEARLY)
		return is_link(search, node, largest[0]) ? 0 : 1;
	for (size_t i = 0; i < count; i++) {
		if (tree->retained[largest[i]] < all / 100 * (100 - NEARLY) ||
		    is_link(search, node, largest[i]))
			return 0;
		sum += tree->retained[largest[i]];
	}
	return sum >= all / 100 * DIVIDED ? count : 0;
}

/* Is a node the dict in which the object above it has its attributes? That one is named then. */
static bool is_attributes(const struct search *search, uint32_t above, uint32_t node)
{
	struct heap *heap = search->objects->heap;
	uint64_t holder = search->objects->addresses[search->tree->object_of[above]];
	uint64_t dict = search->objects->addresses[search->tree->object_of[node]];
	const struct type *type = type_of(search, above), *class;

	if (!type || !(type_of(search, node)->flags & TPFLAGS_DICT_SUBCLASS))
		return false;
	if (!(type->flags & TPFLAGS_TYPE_SUBCLASS))
		return object_dict(heap->traverser, holder, type) == dict;
	class = type_get(heap->runtime->types, &heap->reader, holder);
	return class && class->dict == dict;
}

/* Follows a large object down to where its bytes pile up. */
static void descend(struct search *search, uint32_t top)
{
	struct descent stack[DEPTH_MAX * PARTS_MAX];
	size_t count = 1;

	stack[0] = (struct descent){.node = top};
	while (count) {
		struct descent at = stack[--count];
		uint32_t largest[PARTS_MAX + 1];
		size_t parts = largest_children(search, at.node, largest);

		parts = at.depth < DEPTH_MAX ? parts_of(search, at.node, largest, parts) : 0;
		if (!parts && at.node != top && type_of(search, at.node) &&
		    is_attributes(search, search->tree->parent[at.node], at.node))
			at.node = search->tree->parent[at.node];
		if (!parts)
			add_node(search, at.node);
		for (size_t i = parts; i-- > 0;)
			stack[count++] = (struct descent){largest[i], at.depth + 1};
	}
}

static void pile_up(struct search *search, uint32_t node)
{
	uint32_t type = search->objects->types[search->tree->object_of[node]];
	struct pile *pile;

	if (type == HEAP_NONE)
		return;
	pile = &search->piles[type];
	if (!pile->objects++ ||
	    search->tree->retained[node] > search->tree->retained[pile->example])
		pile->example = node;
	pile->bytes += search->tree->retained[node];
}

/* Findings of their own: the collector would free it, or nothing holds it. */
static bool is_left_out(const struct search *search, uint32_t node)
{
	uint8_t reached = search->tree->roots->reached[search->tree->object_of[node]];

	return reached == ROOT_GARBAGE || reached == ROOT_NOTHING;
}

static struct error *look_through(struct search *search, uint32_t node)
{
	const struct dominators *tree = search->tree;
	bool piled = false;
	uint64_t done = 0;

	for (uint32_t child = tree->first[node]; child != NODE_NONE; child = tree->next[child]) {
		if (++done % PROGRESS_STEP == 0) {
			struct error *err = progress_step(search->progress,
							  "looking for what keeps most", 0, 0);

			if (err)
				return err;
		}
		if (is_left_out(search, child))
			continue;
		if (tree->retained[child] < search->least) {
			pile_up(search, child);
			piled = true;
		} else if (is_namespace(search, child) && search->open_count < NAMESPACES_MAX) {
			if (!push(&search->open, &search->open_count, &search->open_capacity,
				  child))
				return &error_no_memory;
		} else {
			descend(search, child);
		}
	}
	if (piled && !push(&search->piled, &search->piled_count, &search->piled_capacity, node))
		return &error_no_memory;
	return search->failed ? &error_no_memory : NULL;
}

/*
 * Groups
 */

static int compare_numbers(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return a < b ? -1 : a > b;
}

/* The objects that refer to some of a type's small objects. @return how many were looked at */
static size_t sample_holders(const struct search *search, uint32_t type, uint32_t *holders,
			     size_t *holder_count)
{
	const struct dominators *tree = search->tree;
	const struct graph *graph = tree->roots->graph;
	uint64_t step = search->piles[type].objects / SAMPLE + 1, met = 0;
	size_t looked_at = 0;

	*holder_count = 0;
	for (size_t i = 0; i < search->piled_count; i++)
		for (uint32_t child = tree->first[search->piled[i]]; child != NODE_NONE;
		     child = tree->next[child]) {
			uint32_t object = tree->object_of[child];
			uint64_t end = graph->source_first[object + 1];

			if (search->objects->types[object] != type ||
			    tree->retained[child] >= search->least || is_left_out(search, child) ||
			    met++ % step || looked_at == SAMPLE)
				continue;
			looked_at++;
			if (end - graph->source_first[object] > SOURCES_MAX)
				end = graph->source_first[object] + SOURCES_MAX;
			for (uint64_t e = graph->source_first[object]; e < end; e++)
				if (e == graph->source_first[object] ||
				    graph->sources[e] != graph->sources[e - 1])
					holders[(*holder_count)++] = graph->sources[e];
		}
	return looked_at;
}

/* The object that refers to at least half of them; HEAP_NONE: none does. */
static uint32_t common_holder(const struct search *search, uint32_t type, uint32_t *holders)
{
	uint32_t best = HEAP_NONE;
	size_t count, looked_at = sample_holders(search, type, holders, &count), most = 0;

	if (count)
		qsort(holders, count, sizeof(*holders), compare_numbers);
	for (size_t i = 0, start = 0; i < count; i++) {
		if (holders[i] != holders[start])
			start = i;
		if (i - start + 1 > most) {
			most = i - start + 1;
			best = holders[i];
		}
	}
	return most * 2 >= looked_at ? best : HEAP_NONE;
}

static struct error *add_groups(struct search *search, size_t types)
{
	uint32_t *holders = malloc((size_t)SAMPLE * SOURCES_MAX * sizeof(*holders));

	if (!holders)
		return &error_no_memory;
	for (size_t i = 0; i < types; i++) {
		const struct pile *pile = &search->piles[i];
		uint32_t holder;

		if (!pile->objects || pile->bytes < search->least)
			continue;
		holder = common_holder(search, (uint32_t)i, holders);
		if (holder == HEAP_NONE || is_namespace(search, search->tree->node_of[holder]))
			continue;
		add_suspect(search, &(struct suspect){
					    .object = holder,
					    .retained = pile->bytes,
					    .own = search->tree->own[holder],
					    .group = pile->objects,
					    .type = (uint32_t)i,
					    .example = search->tree->object_of[pile->example],
				    });
	}
	free(holders);
	return search->failed ? &error_no_memory : NULL;
}

static int compare_suspects(const void *left, const void *right)
{
	const struct suspect *a = left, *b = right;

	if (a->retained != b->retained)
		return a->retained > b->retained ? -1 : 1;
	return a->example < b->example ? -1 : a->example > b->example;
}

struct error *suspects_find(const struct dominators *tree, const struct anchors *anchors,
			    uint64_t least, const struct progress *progress,
			    struct suspects *suspects)
{
	const struct objects *objects = tree->roots->graph->objects;
	size_t types = type_count(objects->heap->runtime->types);
	struct search search = {
		.tree = tree,
		.objects = objects,
		.anchors = anchors,
		.progress = progress,
		.least = least ? least : 1,
		.suspects = suspects,
		.piles = calloc(types + 1, sizeof(*search.piles)),
	};
	struct error *err = search.piles ? look_through(&search, NODE_OUTSIDE) : &error_no_memory;

	while (!err && search.open_count)
		err = look_through(&search, search.open[--search.open_count]);
	if (!err)
		err = add_groups(&search, types);
	if (!err && suspects->count)
		qsort(suspects->items, suspects->count, sizeof(*suspects->items), compare_suspects);
	free(search.piles);
	free(search.piled);
	free(search.open);
	if (err)
		suspects_clear(suspects);
	return err;
}

void suspects_clear(struct suspects *suspects)
{
	free(suspects->items);
	*suspects = (struct suspects){0};
}
