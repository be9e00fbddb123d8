/*
 * Groups of cycles as JSON.
 */
#include "command/groups.h"

#include "command/command.h"
#include "command/fingerprints.h"

enum { INNER_USUALLY = 100 };

static void edges_json(const struct cycle_group *group, uint64_t limit, struct document *document,
		       json_t *object)
{
	json_t *array = document_set_array(document, object, "references");
	size_t count = 0;

	for (; count < group->edge_count && count < limit; count++) {
		const struct cycle_edge *edge = &group->edges[count];
		json_t *item = document_append_object(document, array);

		document_set_string(document, item, "from", edge->from ? edge->from->name : NULL);
		document_set_string(document, item, "name", edge->label);
		document_set_string(document, item, "to", edge->to ? edge->to->name : NULL);
	}
	document_set_bool(document, object, "references_cut",
			  group->edges_cut || count < group->edge_count);
}

void groups_one_json(const struct session *session, size_t index, struct document *document,
		     json_t *object, uint64_t limit)
{
	const struct cycle_group *group = &session->cycles->groups[index];
	json_t *array;

	document_set_count(document, object, "group", index + 1);
	document_set_string(document, object, "fingerprint", fingerprint_cycles(group).text);
	document_set_count(document, object, "cycles", group->cycles);
	document_set_count(document, object, "members", group->members);
	document_set_count(document, object, "attached", group->attached);
	document_set_count(document, object, "bytes", group->bytes);
	document_set_address(document, object, "example", group->example);
	document_set_bool(document, object, "has_del", group->has_del);
	document_set_count(document, object, "member_types_total", group->member_type_count);
	array = document_set_array(document, object, "member_types");
	report_types_json(document, array, group->member_types, group->member_type_count, limit);
	document_set_count(document, object, "attached_types_total", group->attached_type_count);
	array = document_set_array(document, object, "attached_types");
	report_types_json(document, array, group->attached_types, group->attached_type_count,
			  limit);
	edges_json(group, limit, document, object);
}

void groups_json(const struct session *session, struct document *document, json_t *result,
		 uint64_t limit)
{
	const struct cycles *cycles = session->cycles;
	json_t *array;

	document_set_count(document, result, "objects", cycles->objects);
	document_set_count(document, result, "bytes", cycles->bytes);
	document_set_count(document, result, "cycles", cycles->cycle_count);
	document_set_count(document, result, "groups_total", cycles->count);
	array = document_set_array(document, result, "groups");
	for (size_t i = 0; i < cycles->count && i < limit; i++)
		groups_one_json(session, i, document, document_append_object(document, array),
				command_inner_limit(session, INNER_USUALLY));
}
