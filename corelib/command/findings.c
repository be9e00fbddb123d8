/*
 * gc.garbage and over-released objects, as text and as JSON.
 */
#include "command/findings.h"

#include "command/leaked_report.h"

#include <inttypes.h>

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

void findings_garbage_json(const struct session *session, uint64_t limit, struct document *document,
			   json_t *result)
{
	const struct garbage *garbage = &session->garbage;
	json_t *object = document_set_object(document, result, "garbage");
	json_t *array;

	document_set_count(document, object, "objects", garbage->count);
	document_set_count(document, object, "bytes", garbage->tally.bytes);
	document_set_count(document, object, "types_total", garbage->tally.count);
	array = document_set_array(document, object, "types");
	report_types_json(document, array, garbage->tally.types, garbage->tally.count, limit);
	array = document_set_array(document, object, "addresses");
	for (size_t i = 0; i < garbage->count && i < limit; i++)
		document_append(document, array, document_address(garbage->objects[i]));
}

void findings_over_released_json(const struct session *session, uint64_t limit,
				 struct document *document, json_t *result)
{
	const struct unreachable *unreachable = session->unreachable;
	json_t *object = document_set_object(document, result, "over_released");
	json_t *array;

	document_set_count(document, object, "objects", unreachable->negative_count);
	array = document_set_array(document, object, "addresses");
	for (uint32_t i = 0; i < unreachable->negative_count && i < limit; i++)
		document_append(
			document, array,
			document_address(unreachable->heap->addresses[unreachable->negative[i]]));
}
