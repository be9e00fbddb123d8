/*
 * gc.garbage and over-released objects, as text and as JSON.
 */
#include "command/findings.h"

#include "command/fingerprints.h"
#include "command/leaked_report.h"

#include <inttypes.h>
#include <stdlib.h>

bool findings_any(const struct session *session)
{
	return session->cycles->objects || session->garbage.count ||
	       session->unreachable->negative_count || leaked_any(session);
}

void findings_garbage(const struct session *session, uint64_t limit, struct screen *screen)
{
	const struct garbage *garbage = &session->garbage;

	if (!garbage->count) {
		screen_print(screen, "  gc.garbage           none\n");
		return;
	}
	screen_print(screen,
		     "  gc.garbage           %s, %s: found unreachable, kept by the "
		     "collector\n",
		     units_plural(garbage->count, "object").text,
		     units_bytes(garbage->tally.bytes).text);
	report_types(screen, 6, "", garbage->tally.types, garbage->tally.count, limit);
	screen_print(screen, "      e.g. 0x%" PRIx64 "\n", garbage->objects[0]);
}

void findings_over_released(const struct session *session, uint64_t limit, struct screen *screen)
{
	const struct unreachable *unreachable = session->unreachable;
	struct paragraph paragraph;

	if (!unreachable->negative_count)
		return;
	screen_print(screen,
		     "  Over-released        %s with more references than the refcount "
		     "says\n",
		     units_plural(unreachable->negative_count, "object").text);
	paragraph = paragraph_begin(screen, 6);
	for (uint32_t i = 0; i < unreachable->negative_count && i < limit; i++) {
		uint32_t object = unreachable->negative[i];
		const char *name = report_type_name(heap_type(unreachable->heap, object));

		paragraph_add(&paragraph, ", ", "%s 0x%" PRIx64, screen_clean(screen, name).text,
			      unreachable->heap->addresses[object]);
	}
	paragraph_end(&paragraph);
	report_more(screen, 6, limit, unreachable->negative_count, "object");
}

/** Fills "types_total" and "types". @param kind of the finding */
static void types_json(const char *kind, const struct tally *tally, uint64_t limit,
		       struct document *document, json_t *object)
{
	json_t *array;

	document_set_count(document, object, "types_total", tally->count);
	array = document_set_array(document, object, "types");
	report_types_json(document, array, tally->types, tally->count, limit);
	for (size_t i = 0; i < tally->count && i < limit; i++)
		document_set_string(document, json_array_get(array, i), "fingerprint",
				    fingerprint_type(kind, tally->types[i].type).text);
}

void findings_garbage_json(const struct session *session, uint64_t limit, struct document *document,
			   json_t *result)
{
	const struct garbage *garbage = &session->garbage;
	json_t *object = document_set_object(document, result, "garbage");
	json_t *array;

	document_set_count(document, object, "objects", garbage->count);
	document_set_count(document, object, "bytes", garbage->tally.bytes);
	types_json("garbage", &garbage->tally, limit, document, object);
	array = document_set_array(document, object, "addresses");
	for (size_t i = 0; i < garbage->count && i < limit; i++)
		document_append(document, array, document_address(garbage->objects[i]));
}

/** The over-released objects. @return to be freed; NULL when out of memory */
static struct reference *over_released(const struct session *session, size_t *count)
{
	const struct unreachable *unreachable = session->unreachable;
	const struct heap_check *check = session->check;
	struct reference *objects;

	*count = check ? check->over_released_count : unreachable->negative_count;
	objects = calloc(*count + 1, sizeof(*objects));
	for (size_t i = 0; objects && i < *count; i++)
		objects[i].target =
			check ? session->objects->addresses[check->over_released[i].object]
			      : unreachable->heap->addresses[unreachable->negative[i]];
	return objects;
}

void findings_over_released_json(const struct session *session, uint64_t limit,
				 struct document *document, json_t *result)
{
	json_t *object = document_set_object(document, result, "over_released"), *array;
	size_t count;
	struct reference *objects = over_released(session, &count);
	struct tally tally = {0};
	struct error *err = &error_no_memory;

	if (objects)
		err = tally_references(session->heap, objects, count, &tally);
	document_set_count(document, object, "objects", count);
	types_json("over-released", &tally, limit, document, object);
	array = document_set_array(document, object, "addresses");
	for (size_t i = 0; objects && i < count && i < limit; i++)
		document_append(document, array, document_address(objects[i].target));
	if (err)
		document->failed = true;
	error_free(err);
	tally_clear(&tally);
	free(objects);
}
