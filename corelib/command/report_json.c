/*
 * "target" and "coverage" of the JSON documents.
 *
 * A core, a live process and a debugger give the same document but for "target". So all that
 * depends on where the bytes come from stands there: names, pids, the files found on this machine,
 * and notes about them. What makes an answer partial stands in "coverage".
 */
#include "command/report.h"

#include "command/command.h"

#include <string.h>

enum { TYPES_USUALLY = 100 };

static void problems_json(const struct coverage *coverage, enum problem_level level,
			  struct document *document, json_t *array)
{
	for (size_t i = 0; i < coverage->count; i++) {
		json_t *object;

		if (coverage->problems[i].level != level)
			continue;
		object = document_append_object(document, array);
		document_set_string(document, object, "kind", coverage->problems[i].kind);
		document_set_string(document, object, "detail", coverage->problems[i].detail);
	}
}

/** Modules whose file was not found on this machine, is of another build, or cannot be checked. */
static void modules_json(const struct modules *modules, struct document *document, json_t *target)
{
	static const char *const names[] = {
		[MODULE_FILE_MATCHES] = "matches",
		[MODULE_FILE_UNVERIFIED] = "unverified",
		[MODULE_FILE_MISMATCH] = "mismatch",
		[MODULE_FILE_MISSING] = "missing",
	};
	json_t *array;

	document_set_count(document, target, "modules", modules ? modules->count : 0);
	array = document_set_array(document, target, "modules_without_file");
	for (size_t i = 0; modules && i < modules->count; i++) {
		const struct module *module = &modules->items[i];
		char build_id[2 * BUILD_ID_MAX + 1] = "";
		json_t *object;

		if (module->status == MODULE_FILE_MATCHES)
			continue;
		for (size_t j = 0; j < module->build_id_size; j++)
			snprintf(build_id + 2 * j, 3, "%02x", module->build_id[j]);
		object = document_append_object(document, array);
		document_set_string(document, object, "path", module->path);
		document_set_string(document, object, "build_id", *build_id ? build_id : NULL);
		document_set_string(document, object, "file", names[module->status]);
	}
}

void report_target_json(const struct session *session, struct document *document, json_t *json)
{
	static const char *const kinds[] = {
		[TARGET_CORE] = "core",
		[TARGET_LIVE] = "process",
		[TARGET_DEBUGGER] = "debugger",
	};
	const struct target *target = session->target;
	json_t *notes;

	document_set_string(document, json, "kind", kinds[target->kind]);
	document_set_string(document, json, "name", target->name);
	document_set(document, json, "pid", target->pid ? json_integer(target->pid) : json_null());
	if (target->inner_pid)
		document_set(document, json, "inner_pid", json_integer(target->inner_pid));
	document_set_string(document, json, "command",
			    session->options.redact ? NULL : target->command);
	document_set(document, json, "signal",
		     target->signal ? json_integer(target->signal) : json_null());
	document_set_count(document, json, "size", target->size);
	if (target->compression)
		document_set_string(document, json, "compression", target->compression);
	document_set_count(document, json, "threads", target->thread_count);
	modules_json(target->modules, document, json);
	if (session->census)
		document_set_bool(document, json, "suspicion", session->census->suspicion);
	notes = document_set_array(document, json, "notes");
	problems_json(&target->coverage, PROBLEM_NOTE, document, notes);
}

void report_types_json(struct document *document, json_t *array, const struct type_tally *types,
		       size_t count, uint64_t limit)
{
	for (size_t i = 0; i < count && i < limit; i++) {
		json_t *object = document_append_object(document, array);

		document_set_string(document, object, "type",
				    types[i].type ? types[i].type->name : NULL);
		document_set_count(document, object, "objects", types[i].objects);
		document_set_count(document, object, "bytes", types[i].bytes);
	}
}

static void inexact_json(const struct traverser *traverser, const struct tally *tally,
			 uint64_t limit, struct document *document, json_t *coverage)
{
	json_t *array;

	document_set_count(document, coverage, "inexact_types_total", tally->count);
	array = document_set_array(document, coverage, "inexact_types");
	for (size_t i = 0; i < tally->count && i < limit; i++) {
		json_t *object = document_append_object(document, array);

		document_set_string(document, object, "type",
				    report_type_name(tally->types[i].type));
		document_set_count(document, object, "objects", tally->types[i].objects);
		document_set_address(document, object, "tp_traverse",
				     tally->types[i].type->traverse);
		document_set_string(document, object, "reason",
				    traverser_usage(traverser, tally->types[i].type).reason);
	}
}

void report_coverage_json(const struct session *session, struct document *document, json_t *json)
{
	const struct unreachable *unreachable = session->unreachable;
	const struct coverage *coverage = &session->target->coverage;
	json_t *child;

	document_set_bool(document, json, "complete", coverage_complete(coverage));
	child = document_set_array(document, json, "problems");
	problems_json(coverage, PROBLEM_PARTIAL, document, child);
	if (!unreachable)
		return; // a command that looks at no references
	child = document_set_object(document, json, "objects");
	document_set_count(document, child, "total", session->heap->count);
	document_set_count(document, child, "exact",
			   session->heap->count - unreachable->partial - unreachable->unknown -
				   unreachable->damaged);
	document_set_count(document, child, "partial", unreachable->partial);
	document_set_count(document, child, "unknown", unreachable->unknown);
	document_set_count(document, child, "damaged", unreachable->damaged);
	inexact_json(session->heap->traverser, &session->inexact,
		     command_limit(session, TYPES_USUALLY), document, json);
}

void report_enumerated_json(const struct session *session, struct document *document,
			    json_t *result)
{
	const struct objects *objects = session->objects;
	json_t *object;

	if (!session->census) {
		document_set(document, result, "census", json_null());
		return;
	}
	object = document_set_object(document, result, "census");
	document_set_count(document, object, "objects", objects->count);
	document_set_count(document, object, "tracked", objects->place_counts[OBJECT_TRACKED]);
	document_set_count(document, object, "pymalloc", objects->place_counts[OBJECT_POOLED]);
	document_set_count(document, object, "malloc", objects->place_counts[OBJECT_MALLOCED]);
	document_set_count(document, object, "bytes_scanned", session->census->scanned);
	document_set_count(document, object, "bytes_dead", session->census->dead_bytes);
}
