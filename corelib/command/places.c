/*
 * Where references are, as text and as JSON.
 */
#include "command/places.h"

#include "command/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/** Words collected by a scan. */
struct collection {
	struct holder *words;
	size_t capacity;
	uint64_t total;
};

static void collect(void *context, const struct holder *word)
{
	struct collection *collection = context;

	if (collection->total < collection->capacity)
		collection->words[collection->total] = *word;
	collection->total++;
}

struct error *places_read(const struct census *census, const struct progress *progress,
			  uint64_t address, uint64_t limit, struct places *places)
{
	struct collection collection = {.capacity = limit};
	struct error *err = &error_no_memory;

	places_clear(places);
	collection.words = calloc(limit + 1, sizeof(*collection.words));
	places->items = calloc(limit + 1, sizeof(*places->items));
	if (collection.words && places->items)
		err = census_scan(census, progress, address, address, collect, &collection);
	if (!err) {
		places->total = collection.total;
		places->count = collection.total < limit ? collection.total : limit;
		err = places_find(census, progress, collection.words, places->count, places->items);
	}
	free(collection.words);
	if (err)
		places_clear(places);
	return err;
}

void places_clear(struct places *places)
{
	free(places->items);
	*places = (struct places){0};
}

static const struct type *type_of(const struct session *session, uint32_t object)
{
	uint32_t type = session->objects->types[object];

	return type == HEAP_NONE ? NULL : type_by_index(session->runtime->types, type);
}

static void add_object(const struct session *session, const struct place *place,
		       struct paragraph *paragraph)
{
	const struct type *type = type_of(session, place->object);
	uint64_t address = session->objects->addresses[place->object];

	paragraph_add(paragraph, "", "%s 0x%" PRIx64,
		      screen_clean(paragraph->screen, report_type_name(type)).text, address);
	report_title(session, address, type, paragraph);
	report_edge(&place->label, " ", paragraph);
	if (place->label.kind == EDGE_UNKNOWN && place->address >= address &&
	    place->address - address < 4096)
		paragraph_add(paragraph, " ", "at offset %" PRIu64, place->address - address);
}

static const char *file_name(const struct module *module)
{
	const char *slash = strrchr(module->path, '/');

	return slash ? slash + 1 : module->path;
}

static void add_static(const struct place *place, struct paragraph *paragraph)
{
	struct screen *screen = paragraph->screen;

	if (place->symbol.name)
		paragraph_add(paragraph, "", "%s+%" PRIu64,
			      screen_clean(screen, place->symbol.name).text,
			      place->address - place->symbol.address);
	else
		paragraph_add(paragraph, "", "static data");
	paragraph_add(paragraph, " ", "in %s", screen_clean(screen, file_name(place->module)).text);
}

static void add_raw(const struct session *session, const struct place *place,
		    struct paragraph *paragraph)
{
	paragraph_add(paragraph, "", "raw block 0x%" PRIx64 " of %s", place->start,
		      units_bytes(place->end - place->start).text);
	if (place->object != HEAP_NONE)
		paragraph_add(paragraph, ", ", "that %s 0x%" PRIx64 " points at",
			      screen_clean(paragraph->screen,
					   report_type_name(type_of(session, place->object)))
				      .text,
			      session->objects->addresses[place->object]);
}

static void print_place(const struct session *session, const struct place *place, unsigned indent,
			struct screen *screen)
{
	struct paragraph paragraph = paragraph_begin(screen, indent);

	switch (place->kind) {
	case PLACE_OBJECT:
		add_object(session, place, &paragraph);
		break;
	case PLACE_FRAME:
		paragraph_add(&paragraph, "", "thread %ld", (long)place->tid);
		paragraph_add(&paragraph, ", ", "frame");
		if (*place->function)
			paragraph_add(&paragraph, " ", "%s",
				      screen_clean(screen, place->function).text);
		report_edge(&place->label, ": ", &paragraph);
		break;
	case PLACE_STACK:
		paragraph_add(&paragraph, "", "C stack of thread %ld", (long)place->tid);
		break;
	case PLACE_REGISTER:
		paragraph_add(&paragraph, "", "register %s of thread %ld", place->name,
			      (long)place->tid);
		break;
	case PLACE_STATIC:
		add_static(place, &paragraph);
		break;
	case PLACE_RAW:
		add_raw(session, place, &paragraph);
		break;
	case PLACE_MEMORY:
		paragraph_add(&paragraph, "", "memory mapped at 0x%" PRIx64, place->start);
		break;
	}
	if (place->address)
		paragraph_add(&paragraph, "   ", "(0x%" PRIx64 ")", place->address);
	paragraph_end(&paragraph);
}

void places_text(const struct session *session, const struct places *places, unsigned indent,
		 struct screen *screen)
{
	for (size_t i = 0; i < places->count; i++)
		print_place(session, &places->items[i], indent, screen);
	report_more(screen, indent, places->count, places->total, "holders");
}

static void label_json(const struct edge_label *label, struct document *document, json_t *object)
{
	static const char *const kinds[] = {
		[EDGE_ATTRIBUTE] = "attribute", [EDGE_KEY] = "key",   [EDGE_INDEX] = "index",
		[EDGE_INTERNAL] = "internal",	[EDGE_TYPE] = "type",
	};

	if (label->kind == EDGE_UNKNOWN)
		return;
	document_set_string(document, object, "reference", kinds[label->kind]);
	if (label->kind == EDGE_INDEX)
		document_set_count(document, object, "index", label->index);
	else
		document_set_string(document, object, "name", label->name);
}

static void place_json(const struct session *session, const struct place *place,
		       struct document *document, json_t *array)
{
	json_t *object = document_append_object(document, array);

	document_set_string(document, object, "in", place_name(place->kind));
	if (place->address)
		document_set_address(document, object, "address", place->address);
	if (place->object != HEAP_NONE) {
		const struct type *type = type_of(session, place->object);

		document_set_address(document, object, "object",
				     session->objects->addresses[place->object]);
		document_set_string(document, object, "type", type ? type->name : NULL);
	}
	if (place->kind == PLACE_OBJECT)
		document_set_bool(document, object, "owned", place->is_owned);
	if (place->kind == PLACE_OBJECT || place->kind == PLACE_FRAME)
		label_json(&place->label, document, object);
	if (place->tid)
		document_set(document, object, "thread", json_integer(place->tid));
	if (place->name)
		document_set_string(document, object, "register", place->name);
	if (*place->function)
		document_set_string(document, object, "function", place->function);
	if (place->kind == PLACE_STATIC) {
		document_set_string(document, object, "module", place->module->path);
		document_set_string(document, object, "symbol", place->symbol.name);
	}
	if (place->start) {
		document_set_address(document, object, "start", place->start);
		document_set_count(document, object, "size", place->end - place->start);
	}
}

void places_json(const struct session *session, const struct places *places,
		 struct document *document, json_t *result)
{
	json_t *array = document_set_array(document, result, "holders");

	for (size_t i = 0; i < places->count; i++)
		place_json(session, &places->items[i], document, array);
}
