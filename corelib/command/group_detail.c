/*
 * One group of cycles in full. Nothing of this was kept when the groups were made: the components
 * are computed anew, and references are decoded again for the few objects that are shown.
 */
#include "command/group_detail.h"

#include "analysis/components.h"
#include "command/report.h"
#include "traverse/title.h"

#include <inttypes.h>
#include <stdlib.h>

enum { REFERENCES_USUALLY = 20 };

/** The objects to show, by position in unreachable->objects. */
struct detail {
	uint32_t *cycle; /**< of the example cycle, the example first */
	uint32_t cycle_count;
	uint32_t *examples; /**< of the example's type, in other cycles of the group */
	uint32_t example_count;
};

/** One object as it is shown. */
struct shown_object {
	uint32_t number; /**< in the heap */
	uint64_t address;
	const struct type *type;
	uint64_t bytes;
	struct object_header header;
};

static void detail_clear(struct detail *detail)
{
	free(detail->cycle);
	free(detail->examples);
}

static void find_objects(const struct session *session, uint32_t group,
			 const struct components *components, struct detail *detail)
{
	const struct unreachable *unreachable = session->unreachable;
	const struct cycles *cycles = session->cycles;
	uint32_t number = heap_find(session->heap, cycles->groups[group].example);
	uint32_t example = number == HEAP_NONE ? COMPONENT_NONE : components->position[number];

	if (example == COMPONENT_NONE)
		return;
	detail->cycle[detail->cycle_count++] = example;
	for (uint32_t i = 0; i < unreachable->count; i++) {
		if (i == example || cycles->group_of[i] != group || !cycles->is_member[i])
			continue;
		if (components->of[i] == components->of[example])
			detail->cycle[detail->cycle_count++] = i;
		else if (session->heap->types[unreachable->objects[i]] ==
			 session->heap->types[number])
			detail->examples[detail->example_count++] = i;
	}
}

static struct error *detail_open(const struct session *session, size_t group, struct detail *detail,
				 struct components **components)
{
	size_t members = (size_t)session->cycles->groups[group].members + 1;
	struct error *err;

	*detail = (struct detail){.cycle = calloc(members, sizeof(uint32_t)),
				  .examples = calloc(members, sizeof(uint32_t))};
	if (!detail->cycle || !detail->examples) {
		detail_clear(detail);
		return &error_no_memory;
	}
	err = components_compute(session->unreachable, components);
	if (err)
		detail_clear(detail);
	else
		find_objects(session, (uint32_t)group, *components, detail);
	return err;
}

static struct shown_object describe(const struct session *session, uint32_t position)
{
	struct heap *heap = session->heap;
	struct shown_object shown = {.number = session->unreachable->objects[position]};
	struct object_size size = {0};

	shown.address = heap->addresses[shown.number];
	shown.type = heap_type(heap, shown.number);
	object_header(session->runtime, &heap->reader, shown.address, &shown.header);
	if (shown.type)
		object_measure(heap->traverser, shown.address, shown.type, &size);
	shown.bytes = size.object + size.header + size.out_of_line;
	return shown;
}

/** Receives the references of an object into its own cycle. */
struct reference_sink {
	void (*add)(struct reference_sink *sink, const char *label, uint64_t target,
		    const struct type *type);
	struct screen *screen; /**< for text */
	struct document *document;
	json_t *array; /**< for JSON */
};

static void label_text(const struct edge_label *label, char *buffer, size_t size)
{
	switch (label->kind) {
	case EDGE_KEY:
		snprintf(buffer, size, "[%s]", label->name);
		break;
	case EDGE_INDEX:
		snprintf(buffer, size, "[%" PRIu64 "]", label->index);
		break;
	case EDGE_TYPE:
		snprintf(buffer, size, ".__class__");
		break;
	case EDGE_ATTRIBUTE:
	case EDGE_INTERNAL:
	case EDGE_LOCAL:
		snprintf(buffer, size, ".%s", label->name);
		break;
	case EDGE_UNKNOWN:
		snprintf(buffer, size, "(unknown)");
		break;
	}
}

/** Names the references of an object to its own cycle, `limit` at most. @return how many there are
 */
static struct error *references(const struct session *session, const struct components *components,
				uint32_t position, const struct shown_object *shown, uint64_t limit,
				struct reference_sink *sink, uint64_t *total)
{
	struct heap *heap = session->heap;
	const struct reference *all;
	struct reference *own;
	size_t count;
	uint64_t kept = 0;

	*total = 0;
	if (!shown->type)
		return NULL;
	traverse_object(heap->traverser, shown->address, shown->type, &all, &count);
	// Naming an edge decodes other objects, which overwrites the traverser's list.
	own = calloc(count + 1, sizeof(*own));
	if (!own)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++) {
		uint32_t number = heap_find(heap, all[i].target);
		uint32_t target =
			number == HEAP_NONE ? COMPONENT_NONE : components->position[number];

		if (target == COMPONENT_NONE || components->of[target] != components->of[position])
			continue;
		if ((*total)++ < limit)
			own[kept++] = all[i];
	}
	for (uint64_t i = 0; i < kept; i++) {
		uint32_t number = heap_find(heap, own[i].target);
		struct edge_label label;
		char text[128];

		edge_label(heap->traverser, shown->address, shown->type, &own[i], &label);
		label_text(&label, text, sizeof(text));
		sink->add(sink, text, own[i].target, heap_type(heap, number));
	}
	free(own);
	return NULL;
}

static void print_reference(struct reference_sink *sink, const char *label, uint64_t target,
			    const struct type *type)
{
	struct screen *screen = sink->screen;

	screen_print(screen, "        %s -> 0x%" PRIx64 " %s\n", screen_clean(screen, label).text,
		     target, screen_clean(screen, report_type_name(type)).text);
}

static void print_object(const struct session *session, const struct shown_object *shown,
			 struct screen *screen)
{
	struct paragraph paragraph = paragraph_begin(screen, 4);

	paragraph_add(&paragraph, "", "0x%" PRIx64, shown->address);
	paragraph_add(&paragraph, " ", "%s",
		      report_object(session, shown->address, shown->type, screen).text);
	paragraph_add(&paragraph, "   ", "%s", units_bytes(shown->bytes).text);
	if (shown->header.immortal)
		paragraph_add(&paragraph, ", ", "immortal");
	else
		paragraph_add(&paragraph, ", ", "refcount %" PRId64, shown->header.refcount);
	paragraph_add(&paragraph, ", ", "generation %u", session->heap->generation[shown->number]);
	if (shown->type && shown->type->has_del)
		paragraph_add(&paragraph, ", ", "has __del__");
	paragraph_end(&paragraph);
}

static struct error *print_cycle(const struct session *session, const struct detail *detail,
				 const struct components *components, uint64_t limit,
				 struct screen *screen)
{
	struct reference_sink sink = {.add = print_reference, .screen = screen};
	struct error *err = NULL;

	screen_print(screen, "\n  ");
	screen_styled(screen, STYLE_HEADING, "One of these cycles");
	screen_print(screen, ", %s, and how they refer to each other\n",
		     units_plural(detail->cycle_count, "object").text);
	for (uint32_t i = 0; !err && i < detail->cycle_count && i < limit; i++) {
		struct shown_object shown = describe(session, detail->cycle[i]);
		uint64_t total;

		print_object(session, &shown, screen);
		err = references(session, components, detail->cycle[i], &shown,
				 limit < REFERENCES_USUALLY ? limit : REFERENCES_USUALLY, &sink,
				 &total);
		if (!err && total > REFERENCES_USUALLY)
			screen_print(screen, "        %s and %s more references\n",
				     screen_ellipsis(screen),
				     units_count(total - REFERENCES_USUALLY).text);
	}
	if (!err)
		report_more(screen, 4, limit, detail->cycle_count, "object");
	return err;
}

static void print_examples(const struct session *session, const struct detail *detail,
			   uint64_t limit, struct screen *screen)
{
	const struct unreachable *unreachable = session->unreachable;
	struct paragraph paragraph;

	if (!detail->example_count)
		return;
	screen_heading(screen, "  The same type in other cycles of the group");
	paragraph = paragraph_begin(screen, 4);
	for (uint32_t i = 0; i < detail->example_count && i < limit; i++)
		paragraph_add(&paragraph, "  ", "0x%" PRIx64,
			      session->heap->addresses[unreachable->objects[detail->examples[i]]]);
	paragraph_end(&paragraph);
	report_more(screen, 4, limit, detail->example_count, "object");
}

struct error *group_detail_text(const struct session *session, size_t group, uint64_t limit,
				struct screen *screen)
{
	struct components *components = NULL;
	struct detail detail;
	struct error *err = detail_open(session, group, &detail, &components);

	if (err)
		return err;
	err = print_cycle(session, &detail, components, limit, screen);
	if (!err)
		print_examples(session, &detail, limit, screen);
	components_free(components);
	detail_clear(&detail);
	return err;
}

static void append_reference(struct reference_sink *sink, const char *label, uint64_t target,
			     const struct type *type)
{
	json_t *item = document_append_object(sink->document, sink->array);

	document_set_string(sink->document, item, "name", label);
	document_set_address(sink->document, item, "to", target);
	document_set_string(sink->document, item, "type", type ? type->name : NULL);
}

static struct error *object_json(const struct session *session, const struct components *components,
				 uint32_t position, uint64_t limit, struct document *document,
				 json_t *item)
{
	struct shown_object shown = describe(session, position);
	struct reference_sink sink = {.add = append_reference, .document = document};
	struct error *err;
	char title[200];
	uint64_t total;

	document_set_address(document, item, "address", shown.address);
	document_set_string(document, item, "type", shown.type ? shown.type->name : NULL);
	document_set_string(document, item, "title",
			    object_title(session->heap->traverser, shown.address, shown.type, title,
					 sizeof(title))
				    ? title
				    : NULL);
	document_set_count(document, item, "size", shown.bytes);
	document_set_count(document, item, "generation", session->heap->generation[shown.number]);
	document_set(document, item, "refcount",
		     shown.header.immortal ? json_null() : json_integer(shown.header.refcount));
	sink.array = document_set_array(document, item, "references");
	err = references(session, components, position, &shown, limit, &sink, &total);
	if (!err)
		document_set_count(document, item, "references_total", total);
	return err;
}

struct error *group_detail_json(const struct session *session, size_t group, uint64_t limit,
				struct document *document, json_t *result)
{
	const struct unreachable *unreachable = session->unreachable;
	struct components *components = NULL;
	struct detail detail;
	struct error *err = detail_open(session, group, &detail, &components);
	json_t *array;

	if (err)
		return err;
	document_set_count(document, result, "cycle_objects", detail.cycle_count);
	array = document_set_array(document, result, "cycle");
	for (uint32_t i = 0; !err && i < detail.cycle_count && i < limit; i++)
		err = object_json(session, components, detail.cycle[i], limit, document,
				  document_append_object(document, array));
	document_set_count(document, result, "examples_total", detail.example_count);
	array = document_set_array(document, result, "examples");
	for (uint32_t i = 0; i < detail.example_count && i < limit; i++)
		document_append(
			document, array,
			document_address(
				session->heap
					->addresses[unreachable->objects[detail.examples[i]]]));
	components_free(components);
	detail_clear(&detail);
	return err;
}
