/*
 * Where references are, as text and as JSON.
 */
#include "command/places.h"

#include "command/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/** Words collected by a scan: for each address a row of them. */
struct collection {
	const uint64_t *addresses;
	size_t count;
	uint64_t capacity; /**< words in a row */
	struct holder *words;
	struct places *places; /**< whose counts grow */
};

static void collect(void *context, const struct holder *word)
{
	struct collection *collection = context;
	size_t low = 0, high = collection->count;
	struct places *places;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (collection->addresses[middle] < word->value)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == collection->count || collection->addresses[low] != word->value)
		return;
	places = &collection->places[low];
	if (places->total++ < collection->capacity)
		collection->words[low * collection->capacity + places->count++] = *word;
}

/** Closes the gaps between the rows, so that all places are found together. */
static struct error *describe(struct collection *collection, const struct census *census,
			      const struct progress *progress)
{
	struct place *all;
	struct error *err;
	size_t used = 0, done = 0;

	for (size_t i = 0; i < collection->count; i++)
		for (size_t j = 0; j < collection->places[i].count; j++)
			collection->words[used++] = collection->words[i * collection->capacity + j];
	all = calloc(used + 1, sizeof(*all));
	if (!all)
		return &error_no_memory;
	err = places_find(census, progress, collection->words, used, all);
	for (size_t i = 0; !err && i < collection->count; i++) {
		struct places *places = &collection->places[i];

		places->items = calloc(places->count + 1, sizeof(*places->items));
		if (!places->items) {
			err = &error_no_memory;
			break;
		}
		memcpy(places->items, all + done, places->count * sizeof(*all));
		done += places->count;
	}
	free(all);
	return err;
}

struct error *places_read_many(const struct census *census, const struct progress *progress,
			       const uint64_t *addresses, size_t count, uint64_t limit,
			       struct places *places)
{
	struct collection collection = {
		.addresses = addresses, .count = count, .capacity = limit, .places = places};
	struct error *err = &error_no_memory;

	if (!count)
		return NULL;
	collection.words = calloc(count * limit + 1, sizeof(*collection.words));
	if (collection.words)
		err = census_scan(census, progress, addresses[0], addresses[count - 1], collect,
				  &collection);
	if (!err)
		err = describe(&collection, census, progress);
	free(collection.words);
	for (size_t i = 0; err && i < count; i++)
		places_clear(&places[i]);
	return err;
}

struct error *places_read(const struct census *census, const struct progress *progress,
			  uint64_t address, uint64_t limit, struct places *places)
{
	places_clear(places);
	return places_read_many(census, progress, &address, 1, limit, places);
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

void places_line(const struct session *session, const struct place *place, const char *lead,
		 unsigned indent, struct screen *screen)
{
	struct paragraph paragraph;

	screen_print(screen, "%*s%s", (int)indent, "", lead);
	paragraph = paragraph_continue(screen, indent, indent + (unsigned)strlen(lead));
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
		places_line(session, &places->items[i], "", indent, screen);
	report_more(screen, indent, places->count, places->total, "holders");
}

void label_json(const struct edge_label *label, struct document *document, json_t *object)
{
	static const char *const kinds[] = {
		[EDGE_ATTRIBUTE] = "attribute", [EDGE_KEY] = "key",	[EDGE_INDEX] = "index",
		[EDGE_INTERNAL] = "internal",	[EDGE_LOCAL] = "local", [EDGE_TYPE] = "type",
	};

	if (label->kind == EDGE_UNKNOWN)
		return;
	document_set_string(document, object, "reference", kinds[label->kind]);
	if (label->kind == EDGE_INDEX)
		document_set_count(document, object, "index", label->index);
	else
		document_set_string(document, object, "name", label->name);
}

void places_fill_json(const struct session *session, const struct place *place,
		      struct document *document, json_t *object)
{
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

void places_append_json(const struct session *session, const struct place *place,
			struct document *document, json_t *array)
{
	places_fill_json(session, place, document, document_append_object(document, array));
}

void places_json(const struct session *session, const struct places *places,
		 struct document *document, json_t *result)
{
	json_t *array = document_set_array(document, result, "holders");

	for (size_t i = 0; i < places->count; i++)
		places_append_json(session, &places->items[i], document, array);
}
