/*
 * What grew, for scripts: one document, or a line for each row, type and group.
 */
#include "command/diff.h"

#include "command/command.h"

enum { ROWS_USUALLY = 1000, PARTS_USUALLY = 20 };

/** The sections, in the order of the lines. */
enum section { SECTION_HOLDERS, SECTION_TYPES, SECTION_CYCLES, SECTION_LEAKED, SECTIONS };

static const char *const section_rows[SECTIONS] = {"holder", "type", "cycles", "leaked"};

static void change_json(struct document *document, json_t *object, const char *key, int64_t change)
{
	document_set(document, object, key, json_integer(change));
}

static void counts_json(struct document *document, json_t *object, const struct series_count *first,
			const struct series_count *last)
{
	document_set_count(document, object, "objects_before", first->objects);
	document_set_count(document, object, "objects", last->objects);
	document_set_count(document, object, "bytes_before", first->bytes);
	document_set_count(document, object, "bytes", last->bytes);
}

static void trend_json(const struct session *session, struct document *document, json_t *object,
		       struct growth_delta delta, struct growth_trend trend)
{
	change_json(document, object, "objects_grown", delta.objects);
	change_json(document, object, "bytes_grown", delta.bytes);
	document_set_count(document, object, "steps_up", trend.up);
	document_set_count(document, object, "steps_down", trend.down);
	document_set_bool(document, object, "steady", growth_is_steady(&session->growth, trend));
}

static void history_json(const struct session *session, struct document *document, json_t *object,
			 const struct series_count *counts)
{
	json_t *objects = document_set_array(document, object, "objects_by_snapshot");
	json_t *bytes = document_set_array(document, object, "bytes_by_snapshot");

	for (size_t i = 0; i < session->history.count; i++) {
		document_append(document, objects, json_integer((json_int_t)counts[i].objects));
		document_append(document, bytes, json_integer((json_int_t)counts[i].bytes));
	}
}

static void example_json(struct document *document, json_t *object, uint64_t example)
{
	if (example)
		document_set_address(document, object, "example", example);
	else
		document_set(document, object, "example", json_null());
}

static void parts_json(const struct session *session, const struct growth_row *row,
		       struct document *document, json_t *object)
{
	json_t *array = document_set_array(document, object, "types");
	uint64_t limit = command_inner_limit(session, PARTS_USUALLY);

	for (size_t i = 0; i < row->part_count && i < limit; i++) {
		json_t *part = document_append_object(document, array);

		document_set_string(document, part, "type",
				    session->history.holders.names.texts[row->parts[i].type]);
		change_json(document, part, "objects_grown", row->parts[i].delta.objects);
		change_json(document, part, "bytes_grown", row->parts[i].delta.bytes);
	}
}

static void row_json(const struct session *session, const struct growth_row *row,
		     struct document *document, json_t *object)
{
	const struct holders *holders = &session->history.holders;
	const struct holder_node *node = &holders->nodes[row->node];
	const struct series_count *last = &row->counts[session->history.count - 1];
	char text[1024];

	holders_path(holders, row->node, "…", text, sizeof(text));
	document_set_string(document, object, "path", text);
	document_set_string(document, object, "root",
			    root_kind_name((enum root_kind)node->root_kind));
	holders_kind(holders, row->node, text, sizeof(text));
	document_set_string(document, object, "type", *text ? text : NULL);
	if (row->mostly != HOLDER_NONE)
		holders_kind(holders, row->mostly, text, sizeof(text));
	document_set_string(document, object, "mostly", row->mostly == HOLDER_NONE ? NULL : text);
	document_set_count(document, object, "items_before", row->counts->items);
	document_set_count(document, object, "items", last->items);
	counts_json(document, object, row->counts, last);
	trend_json(session, document, object, row->delta, row->trend);
	history_json(session, document, object, row->counts);
	example_json(document, object, last->example);
	parts_json(session, row, document, object);
}

static void type_json(const struct session *session, const struct growth_type *type,
		      struct document *document, json_t *object)
{
	const struct growth *growth = &session->growth;
	char path[1024];

	document_set_string(document, object, "type",
			    session->history.holders.names.texts[type->type]);
	counts_json(document, object, type->counts, &type->counts[session->history.count - 1]);
	trend_json(session, document, object, type->delta, type->trend);
	history_json(session, document, object, type->counts);
	if (type->row < growth->row_count)
		holders_path(&session->history.holders, growth->rows[type->row].node, "…", path,
			     sizeof(path));
	document_set_string(document, object, "holder",
			    type->row < growth->row_count ? path : NULL);
	change_json(document, object, "objects_held", type->held.objects);
}

static void group_json(const struct session *session, const struct history_groups *groups,
		       const struct growth_group *grown, bool is_leak, struct document *document,
		       json_t *object)
{
	const struct history_group *group = &groups->items[grown->group];
	struct series_count first = series_at(&groups->series, 0, grown->group);
	struct series_count last =
		series_at(&groups->series, session->history.count - 1, grown->group);

	if (is_leak) {
		document_set_string(document, object, "type", group->text);
		document_set_count(document, object, "excess", group->excess);
		document_set_string(document, object, "kind", group->lost ? "lost" : "excess");
	} else {
		document_set_string(document, object, "shape", group->text);
		document_set_string(document, object, "modules", group->modules);
	}
	document_set_count(document, object, is_leak ? "heads_before" : "cycles_before",
			   first.objects);
	document_set_count(document, object, is_leak ? "heads" : "cycles", last.objects);
	document_set_count(document, object, "objects_before", first.items);
	document_set_count(document, object, "objects", last.items);
	document_set_count(document, object, "bytes_before", first.bytes);
	document_set_count(document, object, "bytes", last.bytes);
	change_json(document, object, is_leak ? "heads_grown" : "cycles_grown",
		    grown->delta.objects);
	change_json(document, object, "bytes_grown", grown->delta.bytes);
	document_set_count(document, object, "steps_up", grown->trend.up);
	document_set_bool(document, object, "steady",
			  growth_is_steady(&session->growth, grown->trend));
	example_json(document, object, last.example);
}

static size_t section_count(const struct growth *growth, enum section section)
{
	const size_t counts[SECTIONS] = {growth->row_count, growth->type_count, growth->cycle_count,
					 growth->leak_count};

	return counts[section];
}

static void entry_json(const struct session *session, enum section section, size_t index,
		       struct document *document, json_t *object)
{
	const struct growth *growth = &session->growth;

	switch (section) {
	case SECTION_HOLDERS:
		row_json(session, &growth->rows[index], document, object);
		break;
	case SECTION_TYPES:
		type_json(session, &growth->types[index], document, object);
		break;
	case SECTION_CYCLES:
		group_json(session, &session->history.cycles, &growth->cycles[index], false,
			   document, object);
		break;
	default:
		group_json(session, &session->history.leaks, &growth->leaks[index], true, document,
			   object);
	}
}

static void snapshots_json(const struct session *session, struct document *document, json_t *result)
{
	json_t *array = document_set_array(document, result, "snapshots");

	for (size_t i = 0; i < session->history.count; i++) {
		const struct history_facts *facts = &session->history.facts[i];
		json_t *object = document_append_object(document, array);

		document_set_string(document, object, "name", facts->name);
		document_set_string(document, object, "version", facts->version);
		document_set(document, object, "pid",
			     facts->pid ? json_integer(facts->pid) : json_null());
		document_set_string(document, object, "command",
				    session->options.redact ? NULL : facts->command);
		document_set(document, object, "time",
			     facts->seconds > 0 ? json_real(facts->seconds) : json_null());
		document_set_bool(document, object, "complete", facts->complete);
		document_set_count(document, object, "objects", facts->objects);
		document_set_count(document, object, "bytes", facts->bytes);
	}
}

static void shrunk_json(const struct session *session, struct document *document, json_t *result)
{
	const struct growth *growth = &session->growth;
	uint64_t limit = command_limit(session, ROWS_USUALLY);
	json_t *array;

	document_set_count(document, result, "shrunk_total", growth->shrunk_type_count);
	array = document_set_array(document, result, "shrunk");
	for (size_t i = 0; i < growth->shrunk_type_count && i < limit; i++) {
		const struct growth_type *type = &growth->shrunk_types[i];
		json_t *object = document_append_object(document, array);

		document_set_string(document, object, "type",
				    session->history.holders.names.texts[type->type]);
		change_json(document, object, "objects_grown", type->delta.objects);
		change_json(document, object, "bytes_grown", type->delta.bytes);
	}
}

struct error *diff_json(struct session *session, struct document *document, json_t *result)
{
	static const char *const arrays[SECTIONS] = {"holders", "types", "cycles", "leaked"};
	static const char *const totals[SECTIONS] = {"holders_total", "types_total", "cycles_total",
						     "leaked_total"};
	const struct growth *growth = &session->growth;
	uint64_t limit = command_limit(session, ROWS_USUALLY);
	double seconds = diff_seconds(&session->history);
	char text[500];
	json_t *array;

	snapshots_json(session, document, result);
	document_set(document, result, "seconds", seconds < 0 ? json_null() : json_real(seconds));
	document_set_bool(document, result, "one_process", history_one_process(&session->history));
	array = document_set_array(document, result, "warnings");
	for (size_t i = 0; diff_warning(session, i, text, sizeof(text)); i++)
		document_append(document, array, document_string(text));
	change_json(document, result, "objects_grown", growth->delta.objects);
	change_json(document, result, "bytes_grown", growth->delta.bytes);
	document_set_count(document, result, "noise_bytes", growth->noise);
	change_json(document, result, "smaller_bytes_grown", growth->smaller.bytes);
	for (int section = 0; section < SECTIONS; section++) {
		size_t count = section_count(growth, (enum section)section);

		document_set_count(document, result, totals[section], count);
		array = document_set_array(document, result, arrays[section]);
		for (size_t i = 0; i < count && i < limit; i++)
			entry_json(session, (enum section)section, i, document,
				   document_append_object(document, array));
	}
	shrunk_json(session, document, result);
	return NULL;
}

struct error *diff_ndjson(struct session *session, const struct output *output)
{
	uint64_t limit = command_limit(session, UINT64_MAX);
	struct error *err = NULL;

	for (int section = 0; section < SECTIONS; section++) {
		size_t count = section_count(&session->growth, (enum section)section);

		for (size_t i = 0; !err && i < count && i < limit; i++) {
			struct document line;

			document_init(&line);
			document_set_string(&line, line.root, "row", section_rows[section]);
			entry_json(session, (enum section)section, i, &line, line.root);
			if (line.failed)
				err = &error_no_memory;
			else if (!document_write_line(&line, output->file))
				err = output_status(output);
			document_clear(&line);
		}
	}
	return err;
}
