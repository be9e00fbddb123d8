/*
 * Leaked references and damage of the heap as JSON.
 */
#include "command/leaked_report.h"

#include "command/findings.h"
#include "command/fingerprints.h"
#include "traverse/title.h"

#include <inttypes.h>

static void example_json(const struct session *session, const struct leaked_group *group,
			 struct document *document, json_t *object)
{
	const struct leaked_head *head = &session->leaked->heads[group->example];
	uint64_t address = session->objects->addresses[head->object];
	char text[96];

	object = document_set_object(document, object, "example");
	document_set_address(document, object, "address", address);
	document_set(document, object, "refcount", json_integer(head->refcount));
	document_set_count(document, object, "found", head->found);
	object_repr(session->heap->traverser, address, text, sizeof(text));
	document_set_string(document, object, "value", *text == '<' ? NULL : text);
}

static void group_json(const struct session *session, uint32_t index, uint64_t limit,
		       struct document *document, json_t *array)
{
	const struct leaked_group *group = &session->leaked->groups[index];
	const struct type *type = type_by_index(session->runtime->types, group->type);
	json_t *object = document_append_object(document, array);

	document_set_count(document, object, "group", index + 1);
	document_set_string(document, object, "fingerprint",
			    fingerprint_leaked(session, group).text);
	document_set_string(document, object, "kind", anomaly_name(group->kind));
	document_set_string(document, object, "type", type->name);
	document_set_string(document, object, "module", type->module);
	document_set_string(document, object, "file", type_file(session, type));
	document_set_count(document, object, "count", group->heads);
	document_set_count(document, object, "excess", group->excess);
	document_set_count(document, object, "kept_objects", group->kept_objects);
	document_set_count(document, object, "kept_bytes", group->kept_bytes);
	document_set_bool(document, object, "keeps_cycle", group->in_cycle);
	document_set_string(document, object, "content", content_name(group->content));
	report_types_json(document, document_set_array(document, object, "kept_types"),
			  group->kept_types, group->kept_type_count, limit);
	example_json(session, group, document, object);
	if (!session->group_holders)
		return;
	array = document_set_array(document, object, "holders");
	for (size_t i = 0; i < session->group_holders[index].count; i++)
		places_append_json(session, &session->group_holders[index].items[i], document,
				   array);
}

void leaked_json(const struct session *session, uint64_t limit, struct document *document,
		 json_t *result)
{
	const struct leaked *leaked = session->leaked;
	json_t *object, *array;

	if (!leaked) {
		document_set(document, result, "leaked", json_null());
		return;
	}
	object = document_set_object(document, result, "leaked");
	document_set_count(document, object, "objects", leaked->head_count);
	document_set_count(document, object, "kept_objects", leaked->kept_objects);
	document_set_count(document, object, "kept_bytes", leaked->kept_bytes);
	document_set_count(document, object, "groups_total", leaked->group_count);
	array = document_set_array(document, object, "groups");
	for (uint32_t i = 0; i < leaked->group_count && i < limit; i++)
		group_json(session, i, limit, document, array);
}

static void one_damage_json(const struct session *session, const struct damage *damage,
			    struct document *document, json_t *array)
{
	const struct objects *objects = session->objects;
	json_t *object = document_append_object(document, array);
	bool has_object = damage->object != HEAP_NONE;

	document_set_string(document, object, "kind", damage_name(damage->kind));
	document_set_string(document, object, "fingerprint",
			    fingerprint_damage(session, damage).text);
	document_set_address(document, object, "address", damage->address);
	document_set(document, object, "value",
		     report_may_show(session, damage->value) ? document_address(damage->value)
							     : json_null());
	document_set(document, object, "expected",
		     damage->expected ? document_address(damage->expected) : json_null());
	document_set(document, object, "object",
		     has_object ? document_address(objects->addresses[damage->object])
				: json_null());
	document_set_string(
		document, object, "type",
		has_object && objects->types[damage->object] != HEAP_NONE
			? type_by_index(session->runtime->types, objects->types[damage->object])
				  ->name
			: NULL);
}

void damage_json(const struct session *session, uint64_t limit, struct document *document,
		 json_t *result)
{
	const struct heap_check *check = session->check;
	json_t *object, *array;

	if (!check) {
		document_set(document, result, "heap_damage", json_null());
		return;
	}
	object = document_set_object(document, result, "heap_damage");
	document_set_count(document, object, "total", check->total);
	array = document_set_array(document, object, "places");
	for (size_t i = 0; i < check->damage_count && i < limit; i++)
		one_damage_json(session, &check->damages[i], document, array);
}
