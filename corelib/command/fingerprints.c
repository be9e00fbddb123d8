/*
 * What goes into the fingerprint of each finding but cycles, and how it is written.
 */
#include "command/fingerprints.h"

#include "analysis/fingerprint.h"
#include "command/leaked_report.h"

#include <inttypes.h>
#include <stdio.h>

static struct fingerprint_text write_text(const char *kind, uint64_t number)
{
	struct fingerprint_text fingerprint;

	snprintf(fingerprint.text, sizeof(fingerprint.text), "%s-%016" PRIx64, kind, number);
	return fingerprint;
}

static const char *name_of(const struct type *type)
{
	return type ? type->name : "?";
}

struct fingerprint_text fingerprint_cycles(const struct cycle_group *group)
{
	return write_text("cycle", group->fingerprint);
}

struct fingerprint_text fingerprint_leaked(const struct session *session,
					   const struct leaked_group *group)
{
	const struct type *type = type_by_index(session->runtime->types, group->type);
	const char *content = content_name(group->content);
	struct number_set parts = {0};
	struct fingerprint_text fingerprint;
	bool ok = number_set_add(
		&parts,
		fingerprint_part((const char *const[]){name_of(type), content ? content : "",
						       group->in_cycle ? "keeps a cycle" : ""},
				 3));

	// What few of the objects keep depends on what the program was doing.
	for (size_t i = 0; ok && i < group->kept_type_count; i++)
		if (group->kept_types[i].objects * 2 >= group->heads)
			ok = number_set_add(&parts,
					    fingerprint_part((const char *const[]){name_of(
								     group->kept_types[i].type)},
							     1));
	fingerprint = write_text(anomaly_name(group->kind), number_set_hash(&parts));
	number_set_clear(&parts);
	return fingerprint;
}

struct fingerprint_text fingerprint_type(const char *kind, const struct type *type)
{
	return write_text(kind, fingerprint_part((const char *const[]){name_of(type)}, 1));
}

struct fingerprint_text fingerprint_damage(const struct session *session,
					   const struct damage *damage)
{
	uint32_t type =
		damage->object == HEAP_NONE ? HEAP_NONE : session->objects->types[damage->object];
	const char *name =
		type == HEAP_NONE ? "?" : type_by_index(session->runtime->types, type)->name;

	return write_text(
		"damage",
		fingerprint_part((const char *const[]){damage_name(damage->kind), name}, 2));
}
