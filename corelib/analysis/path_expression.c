/*
 * A path as a Python expression, and as people say it of a running function.
 */
#include "analysis/paths_private.h"
#include "analysis/root_expression.h"
#include "cpython/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Goes along the references of a path from one of its objects on. */
static void walk(const struct roots *roots, const struct path *path, size_t from,
		 struct expression *expression)
{
	const struct objects *objects = roots->graph->objects;
	struct traverser *traverser = objects->heap->traverser;

	for (size_t i = from; i + 1 < path->count; i++)
		expression_step(traverser, expression, objects->addresses[path->objects[i]],
				objects_type(objects, path->objects[i]), &path->references[i]);
	expression_end(traverser, expression);
}

static bool has_type(const struct roots *roots, const struct path *path, size_t i, const char *name)
{
	const struct type *type =
		i < path->count ? objects_type(roots->graph->objects, path->objects[i]) : NULL;

	return type && !strcmp(type->name, name);
}

/* The variable of a running function that a path begins with. */
struct beginning {
	char function[192];
	struct edge_label label;
	size_t next; /* what the variable holds, as a place in the path */
};

/* 3.11+: the word that is the root is the variable. */
static bool begins_on_stack(const struct roots *roots, const struct path *path,
			    struct beginning *beginning)
{
	struct root_frame frame;

	if (path->root->kind != ROOT_FRAME || !root_frame_find(roots, path->root, &frame))
		return false;
	memcpy(beginning->function, frame.function, sizeof(beginning->function));
	beginning->label = frame.label;
	beginning->next = 0;
	return true;
}

/* Frame objects, of which the last of a chain has it: up to 3.10, and where somebody asked for
 * them. */
static bool begins_in_objects(const struct roots *roots, const struct path *path,
			      struct beginning *beginning)
{
	const struct objects *objects = roots->graph->objects;
	const struct type *type;
	size_t frame = 0;

	if (path->root->kind != ROOT_FRAME || !has_type(roots, path, 0, "frame"))
		return false;
	while (has_type(roots, path, frame + 1, "frame"))
		frame++;
	if (frame + 1 == path->count)
		return false;
	type = objects_type(objects, path->objects[frame]);
	edge_label(objects->heap->traverser, objects->addresses[path->objects[frame]], type,
		   &path->references[frame], &beginning->label);
	root_frame_words(objects->heap,
			 frame_of_object(objects->heap->runtime, &objects->heap->reader,
					 objects->addresses[path->objects[frame]]),
			 beginning->function, sizeof(beginning->function));
	beginning->next = frame + 1;
	return true;
}

/* "load() line 41 in app/web.py: batch[2]". @return false when out of memory */
static bool write_readable(const struct roots *roots, struct path *path)
{
	struct expression expression;
	struct beginning beginning;
	int length;

	if (!begins_in_objects(roots, path, &beginning) &&
	    !begins_on_stack(roots, path, &beginning))
		return true;
	if (beginning.label.kind != EDGE_LOCAL || !*beginning.function)
		return true;
	/* A variable in a cell is read through it. */
	if (has_type(roots, path, beginning.next, "cell") && beginning.next + 1 < path->count)
		beginning.next++;
	expression_begin(&expression, beginning.label.name, true);
	walk(roots, path, beginning.next, &expression);
	length = asprintf(&path->readable, "%s: %s", beginning.function,
			  expression.text ? expression.text : "");
	if (length < 0)
		path->readable = NULL;
	expression_clear(&expression);
	return length >= 0;
}

bool path_write(const struct roots *roots, struct path *path)
{
	struct expression expression = {0};

	root_expression(roots, path->root, &expression);
	walk(roots, path, 0, &expression);
	path->expression = expression.text;
	path->evaluable = expression.evaluable && !expression.failed;
	return path->expression && write_readable(roots, path);
}
