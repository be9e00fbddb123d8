/*
 * All about one object, or what else is at an address.
 */
#include "analysis/gc_state.h"
#include "command/asked.h"
#include "command/command.h"
#include "command/nowhere.h"
#include "command/report.h"
#include "traverse/attributes.h"
#include "traverse/title.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	ITEMS_USUALLY = 20,
	JSON_USUALLY = 100,
	TEXT_MAX = 400, // characters of a str
	TEXT_MAX_JSON = 2000,
	VALUE_SIZE = 1 << 13,
	CLASSES_MAX = 256,
	MEMBER = 13, // column of what stands behind "  refcount   "
};

/** How much of values to write; `buffer` has room for VALUE_SIZE bytes. */
static struct repr_options value_options(const struct session *session)
{
	const struct option_value *depth = command_option(session, OPTION_DEPTH);
	bool is_json = session->options.format == FORMAT_JSON;
	uint64_t limit = command_limit(session, is_json ? JSON_USUALLY : ITEMS_USUALLY);

	return (struct repr_options){
		.depth = !depth->given			  ? 1
			 : depth->number < REPR_DEPTH_MAX ? (unsigned)depth->number
							  : REPR_DEPTH_MAX,
		.items = limit < UINT32_MAX ? (unsigned)limit : UINT32_MAX,
		.text = limit == UINT64_MAX ? VALUE_SIZE
			: is_json	    ? TEXT_MAX_JSON
					    : TEXT_MAX,
		.addresses = true,
	};
}

static struct error *prepare(struct session *session)
{
	struct error *err = asked_open(session, "show");
	struct asked asked;

	if (err)
		return err;
	err = asked_find(session, "show", &asked);
	if (err && err->code == ERROR_GENERAL) {
		error_free(err);
		return nowhere_find(session, asked.typed);
	}
	if (err)
		return err;
	if (!contents_read(session->objects, asked.object, asked.address, asked.type,
			   command_limit(session, session->options.format == FORMAT_JSON
							  ? JSON_USUALLY
							  : ITEMS_USUALLY),
			   &session->contents))
		return &error_no_memory;
	return NULL;
}

/*
 * Text
 */

/** Begins "  name       ". */
static struct paragraph begin_member(struct screen *screen, const char *name)
{
	screen_print(screen, "  %-*s", MEMBER - 2, name);
	return paragraph_continue(screen, MEMBER, MEMBER);
}

static void add_classes(const struct session *session, const struct type *type, bool with_itself,
			struct paragraph *paragraph)
{
	const struct type *classes[CLASSES_MAX];
	size_t count = type_mro(session->heap->traverser, type, classes, CLASSES_MAX);

	for (size_t i = with_itself ? 0 : 1; i < count; i++)
		paragraph_add(paragraph, i > !with_itself ? ", " : "", "%s",
			      screen_clean(paragraph->screen, classes[i]->name).text);
}

/** A class says which others its look-ups go through, another object what its type is. */
static void print_type(const struct session *session, const struct asked *asked,
		       struct screen *screen)
{
	const struct type *self =
		asked->type->flags & TPFLAGS_TYPE_SUBCLASS
			? type_get(session->runtime->types, &session->heap->reader, asked->address)
			: NULL;
	struct paragraph paragraph = begin_member(screen, "type");

	paragraph_add(&paragraph, "", "%s", screen_clean(screen, asked->type->name).text);
	paragraph_add(&paragraph, " ", "at 0x%" PRIx64, asked->type->address);
	paragraph_end(&paragraph);
	paragraph = begin_member(screen, "bases");
	add_classes(session, asked->type, false, &paragraph);
	paragraph_end(&paragraph);
	if (self) {
		paragraph = begin_member(screen, "MRO");
		add_classes(session, self, true, &paragraph);
		paragraph_end(&paragraph);
	}
	if (*asked->type->module) {
		paragraph = begin_member(screen, "module");
		paragraph_add(&paragraph, "", "%s", screen_clean(screen, asked->type->module).text);
		paragraph_end(&paragraph);
	}
}

static void print_collector(const struct session *session, const struct asked *asked,
			    struct screen *screen)
{
	const struct gc_state state =
		gc_state_read(session->unreachable, asked->address, asked->type);
	struct paragraph paragraph = begin_member(screen, "collector");

	if (!state.collectable)
		paragraph_add(&paragraph, "", "%s",
			      asked->type->flags & TPFLAGS_HAVE_GC
				      ? "takes no part: static"
				      : "takes no part: objects of this type are in no cycle");
	else if (!state.tracked)
		paragraph_add(&paragraph, "", "not tracked%s",
			      asked->type->flags & (TPFLAGS_DICT_SUBCLASS | TPFLAGS_TUPLE_SUBCLASS)
				      ? ": nothing in it can be in a cycle"
				      : "");
	else if (state.frozen)
		paragraph_add(&paragraph, "",
			      "tracked, frozen: gc.freeze() took it out of collections");
	else
		paragraph_add(&paragraph, "", "tracked, generation %u", state.generation);
	if (state.unreachable)
		paragraph_add(&paragraph, ", ", "unreachable: gc.collect() would free it");
	if (state.finalized)
		paragraph_add(&paragraph, ", ", "its finalizer has run");
	paragraph_end(&paragraph);
}

static void print_size(const struct session *session, const struct asked *asked,
		       struct screen *screen)
{
	struct paragraph paragraph = begin_member(screen, "size");
	struct object_size size;

	object_measure(session->heap->traverser, asked->address, asked->type, &size);
	paragraph_add(&paragraph, "", "%s",
		      units_bytes(size.object + size.header + size.out_of_line).text);
	paragraph_add(&paragraph, ": ", "object %s", units_bytes(size.object).text);
	if (size.header)
		paragraph_add(&paragraph, ", ", "header in front %s",
			      units_bytes(size.header).text);
	if (size.out_of_line)
		paragraph_add(&paragraph, ", ", "storage elsewhere %s",
			      units_bytes(size.out_of_line).text);
	paragraph_end(&paragraph);
}

static void print_length(const struct session *session, const struct asked *asked,
			 struct screen *screen)
{
	const char *noun = asked->type->flags & TPFLAGS_UNICODE_SUBCLASS ? "character" : "item";
	struct paragraph paragraph;
	uint64_t length;

	if (!object_length(session->heap->traverser, asked->address, asked->type, &length))
		return;
	if (asked->type->flags & TPFLAGS_BYTES_SUBCLASS)
		noun = "byte";
	paragraph = begin_member(screen, "length");
	paragraph_add(&paragraph, "", "%s", units_plural(length, noun).text);
	paragraph_end(&paragraph);
}

/** Prints a text that may be longer than a line. */
static void print_long(const char *text, struct screen *screen)
{
	size_t width = screen->columns > 2 * MEMBER ? screen->columns - MEMBER : MEMBER;
	char *clean = utf8_clean_copy(text, screen->utf8), *at = clean;

	while (at && *at) {
		size_t shown = 0, length = 0;

		for (; at[length] && shown < width; shown++)
			do
				length++;
			while ((at[length] & 0xc0) == 0x80);
		screen_print(screen, "%.*s\n", (int)length, at);
		at += length;
		if (*at)
			screen_print(screen, "%*s", MEMBER, "");
	}
	free(clean);
}

/** Where attributes or items follow, a value says little more; but for the forms of the library. */
static void print_value(const struct session *session, const struct asked *asked,
			struct screen *screen)
{
	const struct contents *contents = &session->contents;
	const struct repr_options options = value_options(session);
	char text[VALUE_SIZE], plain[256];

	if (contents->parts[CONTENTS_ITEMS].total)
		return;
	repr_object(session->heap->traverser, asked->address, &options, text, sizeof(text));
	snprintf(plain, sizeof(plain), "<%s at 0x", asked->type->name);
	if (contents->parts[CONTENTS_ATTRIBUTES].total && !strncmp(text, plain, strlen(plain)))
		return;
	begin_member(screen, "value");
	print_long(text, screen);
}

static void print_item(const struct session *session, const struct content_item *item,
		       struct screen *screen)
{
	struct repr_options options = value_options(session);
	struct paragraph paragraph;
	struct object_header header;
	const struct type *type = NULL;
	char text[VALUE_SIZE];

	if (object_header(session->runtime, &session->heap->reader, item->object, &header))
		type = type_get(session->runtime->types, &session->heap->reader, header.type);
	options.addresses = false;
	screen_print(screen, "  ");
	paragraph = paragraph_continue(screen, 6, 2);
	paragraph_add(&paragraph, "", "%-14s", report_word(session, item->object).text);
	report_edge(&item->label, "  ", &paragraph);
	paragraph_add(&paragraph, "  ", "%s", screen_clean(screen, report_type_name(type)).text);
	report_describe(session, item->object, type, &options, text, sizeof(text));
	if (!command_option(session, OPTION_DEPTH)->given ||
	    paragraph.column + utf8_length(text) < screen->columns) {
		report_fit(&paragraph, text);
		paragraph_end(&paragraph);
		return;
	}
	paragraph_end(&paragraph);
	if (*text) {
		screen_print(screen, "%*s", MEMBER, "");
		print_long(text, screen);
	}
}

static void print_part(const struct session *session, enum contents_part part,
		       struct screen *screen)
{
	static const char *const headings[] = {
		[CONTENTS_ATTRIBUTES] = "Attributes",
		[CONTENTS_ITEMS] = "Items",
		[CONTENTS_REFERENCES] = "Refers to",
	};
	static const char *const nouns[] = {
		[CONTENTS_ATTRIBUTES] = "attribute",
		[CONTENTS_ITEMS] = "item",
		[CONTENTS_REFERENCES] = "reference",
	};
	const struct contents_list *list = &session->contents.parts[part];

	if (!list->total)
		return;
	screen_heading(screen, "%s  %s", headings[part], units_count(list->total).text);
	for (size_t i = 0; i < list->count; i++)
		print_item(session, &list->items[i], screen);
	report_more(screen, 2, list->count, list->total, nouns[part]);
}

static void print_next(const struct session *session, const struct asked *asked,
		       struct screen *screen)
{
	static const char *const names[] = {"referrers", "path", "retained", "refcount"};
	const char *next[4] = {NULL};
	char words[4][48];

	for (size_t i = 0; i < 4; i++) {
		snprintf(words[i], sizeof(words[i]), "%s 0x%" PRIx64, names[i], asked->address);
		next[i] = command_by_name(names[i]) ? words[i] : NULL;
	}
	report_next(session, screen, next, 4);
}

static struct error *text(struct session *session, struct screen *screen)
{
	struct asked asked;
	struct error *err = asked_find(session, "show", &asked);
	struct paragraph paragraph;

	report_header(session, screen);
	report_coverage(session, screen);
	screen_print(screen, "\n");
	if (err) {
		error_free(err);
		nowhere_text(session, screen);
		return NULL;
	}
	asked_text(session, &asked, screen);
	if (!asked.type) {
		screen_print(screen, "  Its type is damaged: nothing more can be said.\n");
		return NULL;
	}
	print_type(session, &asked, screen);
	paragraph = begin_member(screen, "refcount");
	if (asked.header.immortal)
		paragraph_add(&paragraph, "", "immortal: it is not counted");
	else
		paragraph_add(&paragraph, "", "%" PRId64, asked.header.refcount);
	paragraph_end(&paragraph);
	print_collector(session, &asked, screen);
	print_size(session, &asked, screen);
	print_length(session, &asked, screen);
	print_value(session, &asked, screen);
	for (enum contents_part part = 0; part < CONTENTS_PARTS; part++)
		print_part(session, part, screen);
	print_next(session, &asked, screen);
	return NULL;
}

/*
 * JSON
 */

static void classes_json(const struct session *session, const struct type *type, const char *key,
			 struct document *document, json_t *result)
{
	const struct type *classes[CLASSES_MAX];
	size_t count = type_mro(session->heap->traverser, type, classes, CLASSES_MAX);
	json_t *array = document_set_array(document, result, key);

	for (size_t i = 0; i < count; i++)
		document_append(document, array, document_string(classes[i]->name));
}

static void type_json(const struct session *session, const struct asked *asked,
		      struct document *document, json_t *result)
{
	const struct type *self;

	document_set_address(document, result, "type_address", asked->type->address);
	document_set_string(document, result, "module", asked->type->module);
	classes_json(session, asked->type, "type_mro", document, result);
	if (!(asked->type->flags & TPFLAGS_TYPE_SUBCLASS))
		return;
	self = type_get(session->runtime->types, &session->heap->reader, asked->address);
	if (self)
		classes_json(session, self, "mro", document, result);
}

static void collector_state_json(const struct session *session, const struct asked *asked,
				 struct document *document, json_t *result)
{
	const struct gc_state state =
		gc_state_read(session->unreachable, asked->address, asked->type);
	json_t *object = document_set_object(document, result, "collector");

	document_set_bool(document, object, "collectable", state.collectable);
	document_set_bool(document, object, "tracked", state.tracked);
	document_set(document, object, "generation",
		     state.tracked && !state.frozen ? json_integer(state.generation) : json_null());
	document_set_bool(document, object, "frozen", state.frozen);
	document_set_bool(document, object, "unreachable", state.unreachable);
	document_set_bool(document, object, "finalized", state.finalized);
}

static void value_json(const struct session *session, uint64_t address, struct document *document,
		       json_t *object)
{
	const struct repr_options options = value_options(session);
	char text[VALUE_SIZE];

	repr_object(session->heap->traverser, address, &options, text, sizeof(text));
	document_set_string(document, object, "repr", text);
}

static void size_json(const struct session *session, const struct asked *asked,
		      struct document *document, json_t *result)
{
	json_t *object = document_set_object(document, result, "size");
	struct object_size size;
	uint64_t length;

	object_measure(session->heap->traverser, asked->address, asked->type, &size);
	document_set_count(document, object, "object", size.object);
	document_set_count(document, object, "header", size.header);
	document_set_count(document, object, "out_of_line", size.out_of_line);
	document_set_count(document, object, "total", size.object + size.header + size.out_of_line);
	document_set(document, result, "length",
		     object_length(session->heap->traverser, asked->address, asked->type, &length)
			     ? json_integer((json_int_t)length)
			     : json_null());
}

static void part_json(const struct session *session, const struct contents_list *list,
		      const char *name, struct document *document, json_t *result)
{
	json_t *part = document_set_object(document, result, name), *array;

	document_set_count(document, part, "total", list->total);
	array = document_set_array(document, part, "entries");
	for (size_t i = 0; i < list->count; i++) {
		const struct content_item *item = &list->items[i];
		json_t *object = document_append_object(document, array);
		struct object_header header;
		const struct type *type = NULL;

		if (object_header(session->runtime, &session->heap->reader, item->object, &header))
			type = type_get(session->runtime->types, &session->heap->reader,
					header.type);
		label_json(&item->label, document, object);
		document_set(document, object, "object",
			     report_may_show(session, item->object) ? document_address(item->object)
								    : json_null());
		document_set_string(document, object, "type", type ? type->name : NULL);
		value_json(session, item->object, document, object);
	}
}

static struct error *json(struct session *session, struct document *document, json_t *result)
{
	const struct contents *contents = &session->contents;
	struct asked asked;
	struct error *err = asked_find(session, "show", &asked);
	char title[200];

	document_set_address(document, result, "asked", asked.typed);
	if (err) {
		error_free(err);
		nowhere_json(session, document, result);
		return NULL;
	}
	asked_json(&asked, document, result);
	if (!asked.type)
		return NULL;
	type_json(session, &asked, document, result);
	collector_state_json(session, &asked, document, result);
	size_json(session, &asked, document, result);
	document_set_string(document, result, "title",
			    object_title(session->heap->traverser, asked.address, asked.type, title,
					 sizeof(title))
				    ? title
				    : NULL);
	value_json(session, asked.address, document, result);
	part_json(session, &contents->parts[CONTENTS_ATTRIBUTES], "attributes", document, result);
	part_json(session, &contents->parts[CONTENTS_ITEMS], "items", document, result);
	part_json(session, &contents->parts[CONTENTS_REFERENCES], "references", document, result);
	return NULL;
}

const struct command command_show = {
	.description =
		"All about the object at an address, or the one that the address is inside of: its "
		"type and\n"
		"bases, refcount, how the collector sees it, bytes, length, value; its attributes, "
		"items\n"
		"and what else it refers to by name, each with its address. Values are read from "
		"memory as\n"
		"repr() would show them; no code runs. Where no object is, says what is there: a "
		"block of\n"
		"an allocator and who points at it, a variable of a running function, a symbol of "
		"a "
		"module,\n"
		"a stack, nothing.\n"
		"\n"
		"  show 0x7f3c12a4e0d0\n"
		"  show 0x7f3c12a4e0d0 --depth 3 --limit 0\n",
	.options = OPTION_BIT(DEPTH),
	.takes = asked_takes,
	.prepare = prepare,
	.text = text,
	.json = json,
};
