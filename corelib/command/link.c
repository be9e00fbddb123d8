/*
 * References between objects, as text and as JSON.
 */
#include "command/link.h"

#include "command/command.h"
#include "command/report.h"
#include "traverse/title.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LINKS_USUALLY = 40, JSON_USUALLY = 1000 };

void link_describe(const struct session *session, uint64_t address, struct described *described)
{
	struct heap *heap = session->heap;
	uint32_t object = objects_find(session->objects, address);
	struct object_header header;
	struct object_size size = {0};

	*described = (struct described){0};
	if (object_header(heap->runtime, &heap->reader, address, &header))
		described->type = type_get(heap->runtime->types, &heap->reader, header.type);
	described->tracked =
		object != HEAP_NONE && session->objects->places[object] == OBJECT_TRACKED;
	if (!described->type)
		return;
	object_measure(heap->traverser, address, described->type, &size);
	described->size = size.object + size.header + size.out_of_line;
	if (object_title(heap->traverser, address, described->type, described->title,
			 sizeof(described->title)))
		return;
	object_repr(heap->traverser, address, described->title, sizeof(described->title));
	if (described->title[0] == '<')
		described->title[0] = '\0';
}

uint64_t link_limit(const struct session *session)
{
	switch (session->options.format) {
	case FORMAT_TEXT:
		return command_limit(session, LINKS_USUALLY);
	case FORMAT_JSON:
		return command_limit(session, JSON_USUALLY);
	case FORMAT_NDJSON:
		break;
	}
	return command_limit(session, UINT64_MAX);
}

static void add_edge(const struct link *link, struct paragraph *paragraph)
{
	if (link->label->kind == EDGE_UNKNOWN)
		paragraph_add(paragraph, "", "a reference");
	else
		report_edge(link->label, "", paragraph);
}

void link_text(const struct session *session, const struct link *link, const char *command,
	       struct screen *screen)
{
	const char *prefix = session->front_end == FRONT_END_DEBUGGER ? "pymem " : "";
	struct described described;
	struct paragraph paragraph;

	screen_print(screen, "  ");
	paragraph = paragraph_continue(screen, 6, 2);
	if (!link->object) {
		add_edge(link, &paragraph);
		paragraph_add(&paragraph, " ", "of running");
		paragraph_add(
			&paragraph, " ", "%s",
			screen_clean(screen, *link->function ? link->function : "function").text);
		if (link->tid)
			paragraph_add(&paragraph, ", ", "thread %ld", (long)link->tid);
		paragraph_end(&paragraph);
		return;
	}
	link_describe(session, link->object, &described);
	add_edge(link, &paragraph);
	paragraph_add(&paragraph, "  ", "%s",
		      screen_clean(screen, report_type_name(described.type)).text);
	if (*described.title)
		paragraph_add(&paragraph, " ", "%s", screen_clean(screen, described.title).text);
	paragraph_add(&paragraph, ", ", "%s", units_bytes(described.size).text);
	paragraph_add(&paragraph, "   ", "%s%s %s", prefix, command,
		      report_word(session, link->object).text);
	paragraph_end(&paragraph);
}

void link_json(const struct session *session, const struct link *link, struct document *document,
	       json_t *object)
{
	struct described described;

	label_json(link->label, document, object);
	if (link->slot)
		document_set_address(document, object, "slot", link->slot);
	if (!link->object) {
		document_set_string(document, object, "in", "frame");
		document_set_string(document, object, "function", link->function);
		if (link->tid)
			document_set(document, object, "thread", json_integer(link->tid));
		return;
	}
	link_describe(session, link->object, &described);
	document_set_string(document, object, "in", "object");
	document_set_bool(document, object, "visited", link->visited);
	document_set(document, object, "object",
		     report_may_show(session, link->object) ? document_address(link->object)
							    : json_null());
	document_set_string(document, object, "type", described.type ? described.type->name : NULL);
	if (*described.title)
		document_set_string(document, object, "title", described.title);
	document_set_count(document, object, "size", described.size);
	document_set_bool(document, object, "tracked", described.tracked);
}

struct error *link_ndjson(const struct session *session, const struct link *link,
			  const struct output *output)
{
	struct error *err = NULL;
	struct document document;

	document_init(&document);
	link_json(session, link, &document, document.root);
	if (document.failed)
		err = &error_no_memory;
	else if (!document_write_line(&document, output->file))
		err = output_status(output);
	document_clear(&document);
	return err;
}
