/*
 * `retained` as JSON: the tables, and the whole dominator tree line by line.
 */
#include "command/command.h"
#include "command/json_text.h"
#include "command/places.h"
#include "command/report.h"
#include "command/retained_view.h"

#include <stdlib.h>

static void row_json(const struct session *session, const struct retained_row *row,
		     struct document *document, json_t *object)
{
	const struct retained_view *view = retained_view_of(session);
	char name[300];

	if (view->rows == retained_by_global || view->rows == retained_by_module) {
		retained_row_name(session, row, name, sizeof(name));
		document_set_string(document, object, "name", name);
	}
	if (view->rows == retained_by_module)
		document_set_count(document, object, "globals", row->objects);
	else
		document_set_string(
			document, object, "type",
			report_type_name(
				row->type == HEAP_NONE
					? NULL
					: type_by_index(session->runtime->types, row->type)));
	if (view->rows == retained_by_type)
		document_set_count(document, object, "objects", row->objects);
	document_set_address(document, object,
			     view->rows == retained_by_type ? "example" : "address",
			     retained_address(session, row->object));
	document_set_count(document, object, "bytes", row->own);
	document_set_count(document, object, "retained_bytes", row->retained);
}

static struct error *children_json(struct session *session, struct document *document,
				   json_t *array)
{
	const struct retained_rows *rows = &session->rows;
	uint64_t limit = retained_limit(session);
	struct retained_edges edges = {0};
	struct error *err =
		retained_edges_read(session, session->retainers.items[0].suspect.object, &edges);

	for (size_t i = 0; !err && i < rows->count && i < limit; i++) {
		json_t *object = document_append_object(document, array);
		struct edge_label label;

		if (retained_edge(session, &edges, rows->items[i].object, &label))
			label_json(&label, document, object);
		row_json(session, &rows->items[i], document, object);
	}
	retained_edges_clear(&edges);
	return err;
}

static void dominator_json(const struct session *session, uint32_t object,
			   struct document *document, json_t *result)
{
	const struct dominators *tree = session->dominators;
	uint32_t parent = tree->parent[tree->node_of[object]];

	if (parent == NODE_OUTSIDE)
		document_set(document, result, "dominator", json_null());
	else
		document_set_address(document, result, "dominator",
				     retained_address(session, tree->object_of[parent]));
}

struct error *retained_json(struct session *session, struct document *document, json_t *result)
{
	const struct retainers *retainers = &session->retainers;
	const struct retained_rows *rows = &session->rows;
	uint64_t limit = retained_limit(session);
	json_t *array;

	document_set_count(document, result, "objects", session->objects->count);
	document_set_count(document, result, "bytes", retainers_heap_bytes(session));
	if (retained_is_under(session)) {
		json_t *object = document_set_object(document, result, "under");

		retainers_json(session, retainers->items, document, object);
		dominator_json(session, retainers->items[0].suspect.object, document, object);
		document_set_count(document, result, "total", rows->count);
		return children_json(session, document,
				     document_set_array(document, result, "children"));
	}
	document_set_count(document, result, "total",
			   retained_view_of(session)->rows ? rows->count : retainers->total);
	array = document_set_array(document, result, "rows");
	for (size_t i = 0; i < retainers->count; i++)
		retainers_json(session, &retainers->items[i], document,
			       document_append_object(document, array));
	for (size_t i = 0; i < rows->count && i < limit; i++)
		row_json(session, &rows->items[i], document,
			 document_append_object(document, array));
	return NULL;
}

/* One object of the tree. */
static struct error *write_node(const struct session *session, uint32_t node,
				struct json_text *line, const struct output *output)
{
	const struct dominators *tree = session->dominators;
	uint32_t object = tree->object_of[node], parent = tree->parent[node];

	line->length = 0;
	json_text_raw(line, "{\"address\":");
	json_text_address(line, retained_address(session, object));
	json_text_raw(line, ",\"type\":");
	json_text_string(line, report_type_name(objects_type(session->objects, object)));
	json_text_raw(line, ",\"bytes\":");
	json_text_count(line, tree->own[object]);
	json_text_raw(line, ",\"retained_bytes\":");
	json_text_count(line, tree->retained[node]);
	json_text_raw(line, ",\"dominator\":");
	if (parent == NODE_OUTSIDE)
		json_text_raw(line, "null,\"root\":");
	else
		json_text_address(line, retained_address(session, tree->object_of[parent]));
	if (parent == NODE_OUTSIDE)
		json_text_string(line, root_kind_name(session->roots->reached[object]));
	json_text_raw(line, "}\n");
	if (line->failed)
		return &error_no_memory;
	return fwrite(line->bytes, 1, line->length, output->file) == line->length
		       ? NULL
		       : output_status(output);
}

struct error *retained_ndjson(struct session *session, const struct output *output)
{
	const struct dominators *tree = session->dominators;
	uint64_t limit = command_limit(session, UINT64_MAX), written = 0;
	struct json_text line = {0};
	struct error *err = NULL;
	uint32_t top = NODE_OUTSIDE;

	if (retained_is_under(session))
		top = tree->node_of[session->retainers.items[0].suspect.object];
	for (uint32_t node = top; !err && node != NODE_NONE && written < limit;
	     node = dominators_next(tree, top, node, NULL, NULL)) {
		if (node == NODE_OUTSIDE)
			continue;
		err = write_node(session, node, &line, output);
		written++;
	}
	json_text_clear(&line);
	return err;
}
