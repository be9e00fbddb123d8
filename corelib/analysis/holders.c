/* The tree of paths and their text. */
#include "analysis/holders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEPTH_MAX = 24,
	CHILDREN_MAX = 2000, /* beyond, names are generalised too */
	NODES_MAX = 1 << 22,
	LEVELS_BACK = 3, /* how far above a container of containers is recognised */
};

/* A node being looked up, with its names as numbers. */
struct wanted {
	const struct holders *holders;
	struct holder_node node;
};

static uint64_t hash_node(const struct holder_node *node)
{
	const uint32_t key[] = {node->parent, node->label, node->type, node->title, node->step};

	return hash_bytes(HASH_BEGIN, key, sizeof(key));
}

static bool same_node(const void *context, uint32_t number)
{
	const struct wanted *wanted = context;
	const struct holder_node *a = &wanted->holders->nodes[number], *b = &wanted->node;

	return a->parent == b->parent && a->label == b->label && a->type == b->type &&
	       a->title == b->title && a->step == b->step;
}

static uint64_t rehash_node(const void *context, uint32_t number)
{
	const struct holders *holders = context;

	return hash_node(&holders->nodes[number]);
}

static uint32_t append(struct holders *holders, const struct holder_node *node)
{
	uint32_t number;

	if (holders->table.count == holders->capacity) {
		size_t capacity = holders->capacity ? holders->capacity * 2 : 1024;
		struct holder_node *nodes = realloc(holders->nodes, capacity * sizeof(*nodes));

		if (!nodes)
			return HOLDER_NONE;
		holders->nodes = nodes;
		holders->capacity = capacity;
	}
	number = number_add(&holders->table, hash_node(node), rehash_node, holders);
	if (number != NAME_NONE)
		holders->nodes[number] = *node;
	return number;
}

static bool open_tree(struct holders *holders)
{
	struct holder_node outside = {.step = HOLDER_ROOT};

	if (holders->table.count)
		return true;
	outside.label = outside.type = outside.title = names_add(&holders->names, "");
	return outside.label != NAME_NONE && append(holders, &outside) != HOLDER_NONE;
}

static bool is_instance(const struct holders *holders, const struct holder_node *node)
{
	// Types of builtins have no module in their name.
	return strchr(holders->names.texts[node->type], '.') != NULL;
}

/*
 * The node above that a recursive structure has for all its levels: of the same class, or for
 * builtin containers of the same kind of step a few levels up.
 */
static uint32_t find_above(const struct holders *holders, const struct holder_node *node)
{
	bool instance = is_instance(holders, node);
	uint32_t above = node->parent;

	for (int level = 0; above != HOLDER_OUTSIDE && (instance || level < LEVELS_BACK); level++) {
		const struct holder_node *at = &holders->nodes[above];

		if (at->type == node->type && at->title == node->title && at->step != HOLDER_ROOT &&
		    (instance || (at->step == node->step && at->label == node->label)))
			return above;
		above = at->parent;
	}
	return HOLDER_NONE;
}

static void place(struct holders *holders, struct holder_node *node)
{
	const struct holder_node *parent = &holders->nodes[node->parent];

	if (parent->depth >= DEPTH_MAX)
		node->parent = parent->parent;
	parent = &holders->nodes[node->parent];
	node->depth = (uint8_t)(parent->depth + 1);
	if (node->step != HOLDER_ROOT)
		node->root_kind = parent->root_kind;
}

uint32_t holders_node(struct holders *holders, const struct holder_key *key)
{
	struct wanted wanted = {.holders = holders};
	struct holder_node *node = &wanted.node;
	uint32_t number;

	if (!open_tree(holders))
		return HOLDER_NONE;
	*node = (struct holder_node){
		.parent = key->parent,
		.label = names_add(&holders->names, key->label),
		.type = names_add(&holders->names, key->type),
		.title = names_add(&holders->names, key->title),
		.step = (uint8_t)key->step,
		.root_kind = (uint8_t)key->root_kind,
	};
	if (node->label == NAME_NONE || node->type == NAME_NONE || node->title == NAME_NONE)
		return HOLDER_NONE;
	place(holders, node);
	if (node->step != HOLDER_ROOT) {
		number = find_above(holders, node);
		if (number != HOLDER_NONE)
			return number;
	}
	number = number_find(&holders->table, hash_node(node), same_node, &wanted);
	if (number != NAME_NONE)
		return number;
	if (node->parent != HOLDER_OUTSIDE &&
	    holders->nodes[node->parent].child_count >= CHILDREN_MAX) {
		node->label = holders->nodes[HOLDER_OUTSIDE].label;
		node->title = node->label;
		node->step = HOLDER_ITEM;
		number = number_find(&holders->table, hash_node(node), same_node, &wanted);
		if (number != NAME_NONE)
			return number;
	}
	if (holders->table.count >= NODES_MAX)
		return node->parent;
	holders->nodes[node->parent].child_count++;
	return append(holders, node);
}

/*
 * Text
 */

static void add(char *text, size_t size, const char *before, const char *part, const char *behind)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s%s", before, part, behind);
}

static void add_step(const struct holders *holders, const struct holder_node *node,
		     const char *ellipsis, char *text, size_t size)
{
	const char *label = holders->names.texts[node->label];

	switch ((enum holder_step)node->step) {
	case HOLDER_ROOT:
		add(text, size, "", label, "");
		break;
	case HOLDER_NAME:
		add(text, size, ".", label, "");
		break;
	case HOLDER_ITEM:
		add(text, size, "[", ellipsis, "]");
		break;
	case HOLDER_KEY:
		add(text, size, "[", ellipsis, "] (key)");
		break;
	case HOLDER_LOCAL:
		add(text, size, ": ", label, "");
		break;
	case HOLDER_ALL:
		break;
	}
}

void holders_path(const struct holders *holders, uint32_t node, const char *ellipsis, char *text,
		  size_t size)
{
	uint32_t steps[DEPTH_MAX + 2];
	size_t count = 0;

	*text = '\0';
	for (; node != HOLDER_OUTSIDE && count < DEPTH_MAX + 2; node = holders->nodes[node].parent)
		steps[count++] = node;
	while (count)
		add_step(holders, &holders->nodes[steps[--count]], ellipsis, text, size);
}

void holders_kind(const struct holders *holders, uint32_t node, char *text, size_t size)
{
	const char *title = holders->names.texts[holders->nodes[node].title];

	snprintf(text, size, "%s%s%s", holders->names.texts[holders->nodes[node].type],
		 *title ? " " : "", title);
}

void holders_clear(struct holders *holders)
{
	names_clear(&holders->names);
	number_clear(&holders->table);
	free(holders->nodes);
	*holders = (struct holders){0};
}
